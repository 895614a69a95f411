/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StaleIfSlowTest {
    private static final Duration SOFT = Duration.ofMillis(200);
    private static final Work HANGING = Work.value("never").taking(Duration.ofHours(1));

    private final StaleCachePolicy policy = StaleCachePolicy.of(
            b -> b.fresh(Duration.ofSeconds(5)).staleIfSlow(SOFT).refreshTimeout(Duration.ofSeconds(10)));

    /** A value that is not fresh any more. */
    private static Rig old(Rig rig) {
        rig.work = Work.value("old");
        CompletableFuture<Object> unused = rig.startRepeatable("a");
        rig.time.advance(Duration.ofSeconds(5));
        return rig;
    }

    private static List<CompletableFuture<Object>> ask(Rig rig, int calls) {
        List<CompletableFuture<Object>> all = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            all.add(rig.startRepeatable("a"));
        }
        return all;
    }

    private static void assertAll(List<CompletableFuture<Object>> calls, Object value) {
        assertThat(calls).allSatisfy(call -> assertThat(call).isCompletedWithValue(value));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void slowCallIsAnsweredWithTheOldValueLeaderAndFollowersAlike(Way way) {
        try (Rig rig = old(new Rig(way, policy))) {
            rig.work = HANGING;
            List<CompletableFuture<Object>> calls = ask(rig, 50);
            rig.time.advance(SOFT.minusNanos(1));
            assertThat(calls).noneMatch(CompletableFuture::isDone);
            // The limit strikes within some milliseconds.
            rig.time.advance(Duration.ofMillis(5));
            assertAll(calls, "old");
            assertThat(rig.sources).last().isEqualTo(Source.STALE_REVALIDATING);
            assertThat(rig.requests()).containsExactlyInAnyOrder("miss 1", "stale_if_slow 50");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void loadGoesOnForTheCache(Way way) {
        try (Rig rig = old(new Rig(way, policy))) {
            rig.work = Work.value("new").taking(Duration.ofSeconds(1));
            List<CompletableFuture<Object>> calls = ask(rig, 5);
            rig.time.advance(SOFT.plusMillis(5));
            assertAll(calls, "old");
            rig.time.advance(Duration.ofSeconds(1));
            assertAll(ask(rig, 1), "new");
            assertThat(rig.sources).last().isEqualTo(Source.FRESH);
            assertThat(rig.work.asked()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whoComesToASlowLoadDoesNotWaitAtAll(Way way) {
        try (Rig rig = old(new Rig(way, policy))) {
            rig.work = HANGING;
            ask(rig, 1);
            rig.time.advance(SOFT.plusMillis(5));
            assertAll(ask(rig, 10), "old");
        }
    }

    /** Else each call of a slow dependency would begin an attempt that is cut. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whileLoadsAreSlowTheyBeginInTheBackground(Way way) {
        try (Rig rig = old(new Rig(way, policy))) {
            rig.work = Work.value("new").taking(Duration.ofSeconds(1));
            ask(rig, 1);
            rig.time.advance(Duration.ofSeconds(7));
            assertThat(rig.work.asked()).isEqualTo(2);
            List<CompletableFuture<Object>> later = ask(rig, 3);
            assertThat(rig.work.asked()).isEqualTo(3);
            rig.time.advance(SOFT);
            assertAll(later, "new");
            rig.time.advance(Duration.ofSeconds(1));
            assertThat(rig.work.asked()).isEqualTo(3);
            assertThat(policy.underWay()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenLoadsAreQuickAgainTheyAreTheCallsOwn(Way way) {
        try (Rig rig = old(new Rig(way, policy))) {
            rig.work = HANGING;
            ask(rig, 1);
            rig.time.advance(Duration.ofSeconds(20));
            rig.work = Work.value("back").taking(Duration.ofMillis(50));
            List<CompletableFuture<Object>> first = ask(rig, 1);
            rig.time.advance(Duration.ofMillis(50));
            assertAll(first, "back");
            rig.time.advance(Duration.ofSeconds(6));
            rig.refreshes.clear();
            List<CompletableFuture<Object>> second = ask(rig, 1);
            rig.time.advance(Duration.ofMillis(50));
            assertAll(second, "back");
            assertThat(rig.refreshes).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callThatCannotBeRepeatedHasTheTimeOfOneAttempt(Way way) {
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(3).budgetEnabled(false));
        try (Rig rig = old(new Rig(way, policy, retry, TimeoutPolicy.of(Duration.ofSeconds(3))))) {
            Running<Reply<Object>> leader = rig.start("a", HANGING);
            List<Running<Reply<Object>>> followers = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                followers.add(rig.start("a", HANGING));
            }
            rig.time.advance(SOFT);
            assertThat(followers)
                    .allSatisfy(follower ->
                            assertThat(follower.result().join().value()).isEqualTo("old"));
            assertThat(leader.result()).isNotDone();
            rig.time.advance(Duration.ofSeconds(3));
            Reply<Object> reply = leader.result().join();
            assertThat(reply.value()).isEqualTo("old");
            assertThat(reply.source()).isEqualTo(Source.STALE_ON_ERROR);
            assertThat(reply.attempts()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void zeroTurnsItOff(Way way) {
        StaleCachePolicy policy = StaleCachePolicy.of(b -> b.staleIfSlow(Duration.ZERO));
        try (Rig rig = old(new Rig(way, policy, TimeoutPolicy.of(Duration.ofSeconds(3))))) {
            rig.work = HANGING;
            List<CompletableFuture<Object>> calls = ask(rig, 5);
            rig.time.advance(Duration.ofSeconds(2));
            assertThat(calls).noneMatch(CompletableFuture::isDone);
            rig.time.advance(Duration.ofSeconds(2));
            assertAll(calls, "old");
            assertThat(rig.sources).last().isEqualTo(Source.STALE_ON_ERROR);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatIsSlowIsMeasured(Way way) {
        try (Rig rig = old(new Rig(way, StaleCachePolicy.ofDefaults()))) {
            for (int i = 0; i < 20; i++) {
                rig.work = Work.value("old").taking(Duration.ofMillis(100));
                ask(rig, 1);
                rig.time.advance(Duration.ofMillis(100));
            }
            rig.work = HANGING;
            List<CompletableFuture<Object>> calls = ask(rig, 5);
            rig.time.advance(Duration.ofMillis(199));
            assertThat(calls).noneMatch(CompletableFuture::isDone);
            rig.time.advance(Duration.ofMillis(60));
            assertAll(calls, "old");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withoutAnOldValueAllWaitForTheNewOne(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.work = Work.value("first").taking(Duration.ofSeconds(1));
            List<CompletableFuture<Object>> calls = ask(rig, 5);
            rig.time.advance(Duration.ofSeconds(1));
            assertAll(calls, "first");
            assertThat(rig.work.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueThatWasInvalidatedMeanwhileIsNotTaken(Way way) {
        try (Rig rig = old(new Rig(way, policy))) {
            rig.work = Work.value("new").taking(Duration.ofMillis(300));
            List<CompletableFuture<Object>> calls = ask(rig, 3);
            rig.time.advance(Duration.ofMillis(100));
            policy.invalidate("a");
            rig.time.advance(Duration.ofSeconds(1));
            assertAll(calls, "new");
            // The load began again after it had been cut, and read after the change.
            assertThat(rig.work.asked()).isEqualTo(2);
            assertThat(policy.size()).isOne();
        }
    }

    @Test
    void aLeaderThatHasNoTimeToLoadAgainIsCounted() {
        try (Rig rig = old(new Rig(Way.CALL, DeadlinePolicy.of(SOFT.multipliedBy(2)), policy))) {
            rig.work = Work.reading(() -> {
                long until = rig.time.nanos() + SOFT.toNanos() * 3;
                while (rig.time.nanos() - until < 0) {
                    try {
                        rig.time.sleep(Duration.ofNanos(until - rig.time.nanos()));
                    } catch (InterruptedException ignored) {
                        // It goes on.
                    }
                }
                return "late";
            });
            CompletableFuture<Object> call = rig.startRepeatable("a");
            policy.invalidate("a");
            rig.time.run();
            assertThat(call).isCompletedExceptionally();
            assertThat(rig.requests()).containsExactly("miss 2");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void failureInTheMeantimeIsAnsweredAtOnce(Way way) {
        try (Rig rig = old(new Rig(way, policy))) {
            rig.work = Work.error(new IOException("ill")).taking(Duration.ofMillis(50));
            List<CompletableFuture<Object>> calls = ask(rig, 3);
            rig.time.advance(Duration.ofMillis(50));
            assertAll(calls, "old");
            assertThat(rig.sources).last().isEqualTo(Source.STALE_ON_ERROR);
        }
    }
}
