/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Verdict;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the dependency says is gone, or no longer allowed, is not served when it says nothing. */
class GoneTest {
    private static final Classifier HTTP = (value, error) -> {
        if (error instanceof Http http && http.status < 500) {
            return Verdict.IGNORED;
        }
        return error == null ? Verdict.SUCCESS : Verdict.FAILURE;
    };

    private static final class Http extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int status;

        Http(int status) {
            super("HTTP " + status);
            this.status = status;
        }
    }

    private final VirtualTime time = new VirtualTime();
    private final Work old = Work.value("old");

    @AfterEach
    void close() {
        time.close();
    }

    private Operation<Object> operation(StaleCachePolicy policy, Classifier classifier) {
        return Pipeline.builder("inventory")
                .policies(policy)
                .classifier(classifier)
                .time(time)
                .build()
                .operation("stock");
    }

    private CompletableFuture<?> ask(Way way, Operation<Object> operation, Work work) {
        CompletableFuture<?> reply =
                work.start(way, time, operation.key("a")).result().thenApply(Reply::value);
        time.run();
        return reply;
    }

    private void load(Way way, Operation<Object> operation) {
        assertThat(ask(way, operation, old)).isCompletedWithValueMatching("old"::equals);
    }

    private static void assertError(CompletableFuture<?> end, String message) {
        assertThat(Running.errorOf(end)).hasMessage(message);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void ignoredAnswerTakesTheOldValueAway(Way way) {
        for (int status : new int[] {404, 401, 403, 410}) {
            Operation<Object> stock = operation(StaleCachePolicy.ofDefaults(), HTTP);
            load(way, stock);
            assertError(ask(way, stock, Work.error(new Http(status))), "HTTP " + status);
            assertError(ask(way, stock, Work.error(new Http(503))), "HTTP 503");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void optionKeepsIt(Way way) {
        Operation<Object> stock = operation(StaleCachePolicy.of(b -> b.keepIfIgnored(true)), HTTP);
        load(way, stock);
        assertError(ask(way, stock, Work.error(new Http(404))), "HTTP 404");
        assertThat(ask(way, stock, Work.error(new Http(503)))).isCompletedWithValueMatching("old"::equals);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void failureThatIsNoAnswerLeavesIt(Way way) {
        Operation<Object> stock = operation(StaleCachePolicy.ofDefaults(), HTTP);
        load(way, stock);
        for (Throwable failure : new Throwable[] {new Http(500), new IOException("reset"), new OutOfMemoryError()}) {
            var unused = ask(way, stock, Work.error(failure));
            assertThat(ask(way, stock, Work.error(new Http(503)))).isCompletedWithValueMatching("old"::equals);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void refreshInTheBackgroundTakesItAwayToo(Way way) {
        Consumer<StaleCacheSettings.Builder> windows =
                b -> b.fresh(Duration.ofSeconds(1)).staleWhileRevalidate(Duration.ofSeconds(10));
        try (Rig rig = new Rig(way, StaleCachePolicy.of(windows))) {
            rig.work = old;
            assertThat(rig.startRepeatable("a")).isCompletedWithValue("old");
            rig.time.advance(Duration.ofSeconds(2));
            rig.work = Work.error(new IllegalArgumentException("404"));
            assertThat(rig.startRepeatable("a")).isCompletedWithValue("old");
            rig.work = Work.error(new IOException("ill"));
            assertError(rig.startRepeatable("a"), "ill");
        }
    }

    // ---- where nobody has said what answers mean

    @ParameterizedTest
    @EnumSource(Way.class)
    void withoutAClassifierOnlyAnOutageIsAnsweredWithTheOldValue(Way way) {
        Operation<Object> stock = operation(StaleCachePolicy.ofDefaults(), Classifier.DEFAULT);
        load(way, stock);
        for (Throwable outage : new Throwable[] {
            new SocketTimeoutException("Read timed out"), new RuntimeException(new IOException("reset"))
        }) {
            assertThat(ask(way, stock, Work.error(outage))).isCompletedWithValueMatching("old"::equals);
        }
        assertError(ask(way, stock, Work.error(new Http(403))), "HTTP 403");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withoutAClassifierWhatMayBeGoneIsGone(Way way) {
        Operation<Object> stock = operation(StaleCachePolicy.ofDefaults(), Classifier.DEFAULT);
        load(way, stock);
        assertError(ask(way, stock, Work.error(new Http(404))), "HTTP 404");
        assertError(ask(way, stock, Work.error(new IOException("reset"))), "reset");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void followersGoByTheSameRule(Way way) {
        Operation<Object> stock = operation(StaleCachePolicy.ofDefaults(), Classifier.DEFAULT);
        load(way, stock);
        Work forbidden = Work.error(new Http(403)).taking(Duration.ofMillis(10));
        CompletableFuture<?> leader = forbidden.start(way, time, stock.key("a")).result();
        time.advance(Duration.ZERO);
        CompletableFuture<?> follower =
                forbidden.start(way, time, stock.key("a")).result();
        time.run();
        assertError(leader, "HTTP 403");
        assertError(follower, "HTTP 403");
        assertThat(forbidden.asked()).isOne();
    }
}
