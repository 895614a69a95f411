/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What was perhaps read before it was forgotten is delivered, and never kept: whichever load brings it, and however late. */
@ThreadKind.Each
class ForgottenWhileLoadingTest {
    private static final String KEY = "a";
    private static final Duration NEVER_BACK = Duration.ofSeconds(10);
    private static final Duration LIMIT = Duration.ofMillis(300);

    /** All the ways in which a value is forgotten while another one is under way. */
    enum Forgetting {
        INVALIDATE,
        CLEAR,
        GONE,
        NOTHING_THERE;

        void now(Rig rig, StaleCachePolicy cache) {
            switch (this) {
                case INVALIDATE -> cache.invalidate(KEY);
                case CLEAR -> cache.clear();
                case GONE -> rig.start(KEY, Work.error(new IllegalArgumentException("404")));
                case NOTHING_THERE -> rig.start(KEY, Work.value(null));
            }
        }
    }

    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final StaleCachePolicy cache =
            StaleCachePolicy.of(b -> b.fresh(Duration.ofMinutes(1)).staleIfSlow(Duration.ZERO));
    private volatile String database = "old";

    private Work reading(int millis) {
        return Work.reading(() -> database).taking(Duration.ofMillis(millis));
    }

    private void advance(int millis) {
        time.advance(Duration.ofMillis(millis));
    }

    private static void assertReads(Rig rig, String value) {
        Reply<Object> next = rig.run(KEY, Work.value(value)).join();
        assertThat(next.value()).isEqualTo(value);
        assertThat(next.source()).isEqualTo(Source.LIVE);
    }

    /** A call that has lost two leaders, and goes on alone from 340 ms to 440 ms. */
    private CompletableFuture<Reply<Object>> alone(Rig rig) {
        rig.start(rig.call(KEY).deadline(Duration.ofMillis(200)), reading(10_000));
        advance(30);
        rig.start(rig.call(KEY).deadline(Duration.ofMillis(400)), reading(10_000));
        advance(10);
        CompletableFuture<Reply<Object>> alone = rig.start(KEY, reading(100)).result();
        advance(320);
        return alone;
    }

    @ParameterizedTest
    @EnumSource
    void callThatGoesOnAloneKeepsNothing(Forgetting forgetting) {
        for (Way way : Way.values()) {
            callThatGoesOnAloneKeepsNothing(forgetting, way);
        }
    }

    private void callThatGoesOnAloneKeepsNothing(Forgetting forgetting, Way way) {
        StaleCachePolicy policy =
                StaleCachePolicy.of(b -> b.fresh(Duration.ofMinutes(1)).staleIfSlow(Duration.ZERO));
        database = "old";
        Rig rig = new Rig(time, way, policy, TimeoutPolicy.of(LIMIT));
        CompletableFuture<Reply<Object>> alone = alone(rig);
        // The second leader's deadline is over by then: nobody is in the table of flights.
        advance(75);
        assertThat(alone).isNotDone();
        assertThat(policy.underWay()).isZero();
        database = "new";
        forgetting.now(rig, policy);
        advance(10);
        time.run();
        assertThat(alone.join().value()).isEqualTo("old");
        assertReads(rig, "new");
        rig.pipeline.close();
    }

    @ParameterizedTest
    @EnumSource
    void callThatGoesOnAloneKeepsWhatNobodyForgot(Way way) {
        Rig rig = new Rig(time, way, cache, TimeoutPolicy.of(LIMIT));
        CompletableFuture<Reply<Object>> alone = alone(rig);
        cache.invalidate("something else");
        time.run();
        assertThat(alone.join().value()).isEqualTo("old");
        assertThat(rig.run(KEY, Work.value("new")).join().source()).isEqualTo(Source.FRESH);
        rig.close();
    }

    // ---- leaders that were given up

    private String deafAtFirst(AtomicInteger attempts, Duration deaf) throws InterruptedException {
        if (attempts.incrementAndGet() > 1) {
            String read = database;
            time.sleep(Duration.ofMillis(100));
            return read;
        }
        long until = time.nanos() + deaf.toNanos();
        for (long left = deaf.toNanos(); left > 0; left = until - time.nanos()) {
            try {
                time.sleep(Duration.ofNanos(left));
            } catch (InterruptedException ignored) {
                // That is what deaf means.
            }
        }
        return "late";
    }

    private static RetryPolicy twice() {
        return RetryPolicy.of(r -> r.maxAttempts(2)
                .initialBackoff(Duration.ofMillis(1))
                .jitter(Jitter.NONE)
                .budgetEnabled(false));
    }

    @ParameterizedTest
    @EnumSource
    void leaderThatWasGivenUpKeepsNothing(Forgetting forgetting) {
        Rig rig = new Rig(time, Way.CALL, cache, twice(), TimeoutPolicy.of(Duration.ofMillis(150)));
        AtomicInteger attempts = new AtomicInteger();
        CompletableFuture<Object> leader =
                time.spawn(() -> rig.call(KEY).call(attempt -> deafAtFirst(attempts, Duration.ofMillis(400))));
        advance(30);
        CompletableFuture<Reply<Object>> follower =
                rig.start(KEY, Work.value("its own")).result();
        advance(420);
        assertThat(attempts).hasValue(2);
        assertThat(follower).isCompletedExceptionally();
        database = "new";
        forgetting.now(rig, cache);
        time.run();
        assertThat(leader).isCompletedWithValue("old");
        assertReads(rig, "new");
        rig.close();
    }

    @ParameterizedTest
    @EnumSource
    void refreshThatWasGivenUpKeepsNothing(Forgetting forgetting) {
        StaleCachePolicy refreshing = StaleCachePolicy.of(b -> b.fresh(Duration.ofSeconds(1))
                .staleWhileRevalidate(Duration.ofSeconds(9))
                .staleIfSlow(Duration.ZERO));
        Rig rig = new Rig(time, Way.CALL, refreshing, twice(), TimeoutPolicy.of(Duration.ofMillis(150)));
        rig.load(KEY, Work.value("first"));
        advance(2_000);
        AtomicInteger attempts = new AtomicInteger();
        CheckedFunction<String, Object, InterruptedException> lookup =
                rig.stock.decorate(key -> deafAtFirst(attempts, Duration.ofMillis(400)));
        CompletableFuture<Object> stale = time.spawn(() -> lookup.apply(KEY));
        advance(30);
        assertThat(stale).isCompletedWithValue("first");
        // One that cannot be run in the background waits for the refresh.
        CompletableFuture<Reply<Object>> follower =
                rig.start(KEY, Work.value("its own")).result();
        advance(420);
        assertThat(attempts).hasValue(2);
        assertThat(follower.join().source()).isEqualTo(Source.STALE_ON_ERROR);
        database = "new";
        forgetting.now(rig, refreshing);
        time.run();
        assertReads(rig, "new");
        rig.close();
    }

    // ---- reads that begin afterwards

    @Test
    void attemptThatBeginsAfterwardsReadsTheNewValueWhichIsKept() {
        Rig rig = new Rig(time, Way.CALL, cache, twice(), TimeoutPolicy.of(LIMIT));
        AtomicInteger attempts = new AtomicInteger();
        CompletableFuture<Object> blocking = time.spawn(() -> rig.call(KEY).call(attempt -> {
            if (attempts.incrementAndGet() == 1) {
                time.sleep(NEVER_BACK);
            }
            return database;
        }));
        CompletableFuture<Object> async = rig.call("b")
                .callAsync(attempt -> attempt.number() == 1
                        ? new CompletableFuture<>()
                        : CompletableFuture.completedFuture(database));
        advance(100);
        database = "new";
        cache.clear();
        time.run();
        assertThat(blocking).isCompletedWithValue("new");
        assertThat(async).isCompletedWithValue("new");
        for (String key : List.of(KEY, "b")) {
            assertThat(rig.run(key, Work.value("newer")).join().source()).isEqualTo(Source.FRESH);
        }
        rig.close();
    }
}
