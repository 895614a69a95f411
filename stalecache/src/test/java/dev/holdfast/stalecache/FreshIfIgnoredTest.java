/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Answers such as a 404 that are kept for a time of their own. */
class FreshIfIgnoredTest {
    private static final Duration TICK = Duration.ofNanos(1);
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);
    private static final Work ILL = Work.error(new IOException("ill"));
    private static final Work GONE = Work.value("gone");

    private final StaleCachePolicy policy = StaleCachePolicy.of(c -> c.freshIfIgnored(TEN_SECONDS));

    @ParameterizedTest
    @EnumSource
    void ignoredAnswerIsTheAnswerWithoutACallForItsTime(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value("old"));
            rig.load("a", GONE);
            rig.time.advance(TEN_SECONDS.minus(TICK));
            Reply<Object> reply = rig.run("a", ILL).join();
            assertThat(reply.value()).isEqualTo("gone");
            assertThat(reply.source()).isEqualTo(Source.FRESH);
            assertThat(reply.age()).isEqualTo(TEN_SECONDS.minus(TICK));
            assertThat(rig.requests()).containsExactlyInAnyOrder("miss 2", "fresh 1");
            rig.time.advance(TICK);
            Work back = Work.value("back");
            assertThat(rig.run("a", back).join().value()).isEqualTo("back");
            assertThat(back.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    void itIsNeverServedOnError(Way way) {
        StaleCachePolicy longer = StaleCachePolicy.of(c -> c.freshIfIgnored(TEN_SECONDS)
                .staleWhileRevalidate(Duration.ofHours(1))
                .staleIfError(Duration.ofHours(1)));
        try (Rig rig = new Rig(way, longer)) {
            rig.work = GONE;
            CompletableFuture<?> unused = rig.startRepeatable("a");
            rig.time.advance(TEN_SECONDS);
            assertThat(rig.run("a", ILL)).isCompletedExceptionally();
            rig.work = ILL;
            assertThat(rig.startRepeatable("a")).isCompletedExceptionally();
            assertThat(longer.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void itIsOffByDefault(Way way) {
        StaleCachePolicy usual = StaleCachePolicy.of(c -> c.fresh(TEN_SECONDS));
        try (Rig rig = new Rig(way, usual)) {
            rig.load("a", GONE);
            rig.load("b", Work.value(Page.fresh("gone", TEN_SECONDS)));
            assertThat(usual.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void answerSaysItselfForHowLongAndWhether(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("minute", Work.value(Page.fresh("gone", Duration.ofMinutes(1))));
            rig.load("once", Work.value(Page.of("gone", Freshness::notKept)));
            assertThat(policy.size()).isOne();
            rig.time.advance(Duration.ofMinutes(1).minus(TICK));
            assertThat(rig.run("minute", ILL).join().value()).hasToString("gone");
        }
    }

    @ParameterizedTest
    @EnumSource
    void exceptionIsNotKept(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value("old"));
            rig.load("a", Work.error(new IllegalArgumentException("gone")));
            assertThat(policy.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void callsThatWaitShareIt(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work gone = Work.value("gone").taking(Duration.ofMillis(50));
            Running<Reply<Object>> leader = rig.start("a", gone);
            Running<Reply<Object>> follower = rig.start("a", gone);
            rig.time.run();
            assertThat(leader.result().join().value()).isEqualTo("gone");
            assertThat(follower.result().join().value()).isEqualTo("gone");
            assertThat(gone.asked()).isOne();
            assertThat(policy.size()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    void loadThatHadReadTheOldValueBeforeDoesNotBringItBack(Way way) {
        StaleCachePolicy small =
                StaleCachePolicy.of(c -> c.freshIfIgnored(TEN_SECONDS).maxFollowers(0));
        try (Rig rig = new Rig(way, small, new Slow())) {
            Running<Reply<Object>> slow = rig.start("a", Work.value("old").taking(Duration.ofSeconds(2)));
            small.invalidate("a");
            // No call joins the first one any more.
            rig.start("a", Work.value("gone").taking(Duration.ofSeconds(1)));
            rig.time.run();
            assertThat(slow.result().join().value()).isEqualTo("old");
            assertThat(rig.run("a", ILL).join().value()).isEqualTo("gone");
        }
    }

    @ParameterizedTest
    @EnumSource
    void answerThatWasReadBeforeItWasInvalidatedIsNotKept(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Running<Reply<Object>> call = rig.start("a", Work.value("gone").taking(Duration.ofSeconds(1)));
            policy.invalidate("a");
            rig.time.run();
            assertThat(call.result().join().value()).isEqualTo("gone");
            assertThat(policy.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void itEndsAsIgnoredAgain(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", GONE);
            rig.load("a", GONE);
            assertThat(rig.outcomes).containsExactly(Outcome.IGNORED, Outcome.IGNORED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void slowCallDoesNotTakeItInPlaceOfTheOldValue(Way way) {
        StaleCachePolicy slow =
                StaleCachePolicy.of(c -> c.freshIfIgnored(TEN_SECONDS).staleIfSlow(Duration.ofMillis(150)));
        try (Rig rig = new Rig(way, slow)) {
            rig.load("a", Work.value("old"));
            rig.work = Work.value("new").taking(Duration.ofSeconds(1));
            CompletableFuture<Object> call = rig.startRepeatable("a");
            slow.invalidate("a");
            assertThat(rig.start("a", GONE).result()).isCompleted();
            assertThat(slow.size()).isOne();
            rig.time.run();
            assertThat(call).isCompletedWithValue("new");
        }
    }

    @ParameterizedTest
    @EnumSource
    void itGoesWhenNewSettingsDoNotWantIt(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("usual", GONE);
            rig.load("own", Work.value(Page.fresh("gone", Duration.ofMinutes(1))));
            assertThat(policy.size()).isEqualTo(2);
            StaleCachePolicy without = StaleCachePolicy.ofDefaults();
            rig.pipeline.replace(without);
            assertThat(without.size()).isZero();
        }
    }
}
