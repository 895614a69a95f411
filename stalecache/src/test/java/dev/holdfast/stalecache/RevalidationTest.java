/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RevalidationTest {
    private static final Duration LONG = Duration.ofMillis(100);

    private final StaleCachePolicy policy = StaleCachePolicy.of(b -> b.fresh(Duration.ofSeconds(5))
            .staleWhileRevalidate(Duration.ofSeconds(30))
            .refreshTimeout(Duration.ofSeconds(2)));

    /** A value that is stale and within its window. */
    private Rig stale(Way way) {
        Rig rig = new Rig(way, policy);
        rig.work = Work.value("old");
        ask(rig);
        rig.time.advance(Duration.ofSeconds(5));
        return rig;
    }

    private static Object ask(Rig rig) {
        CompletableFuture<Object> answer = rig.startRepeatable("a");
        assertThat(answer).isCompleted();
        return answer.join();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void staleValueIsTheAnswerAtOnceAndIsRefreshedInTheBackground(Way way) {
        try (Rig rig = stale(way)) {
            rig.work = Work.value("new").taking(LONG);
            assertThat(ask(rig)).isEqualTo("old");
            assertThat(rig.sources).last().isEqualTo(Source.STALE_REVALIDATING);
            rig.time.advance(LONG);
            assertThat(ask(rig)).isEqualTo("new");
            assertThat(rig.sources).last().isEqualTo(Source.FRESH);
            assertThat(rig.work.asked()).isOne();
            assertThat(rig.refreshes).containsExactly(Outcome.SUCCESS);
            assertThat(rig.refreshCounts()).containsExactly("success 1");
            assertThat(rig.requests()).containsExactlyInAnyOrder("miss 1", "stale_revalidating 1", "fresh 1");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void neverTwoRefreshesOfAKeyAtATime(Way way) {
        try (Rig rig = stale(way)) {
            rig.work = Work.value("new").taking(LONG);
            for (int i = 0; i < 50; i++) {
                assertThat(ask(rig)).isEqualTo("old");
            }
            rig.time.run();
            assertThat(rig.work.asked()).isOne();
            assertThat(policy.underWay()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callThatCannotBeRepeatedGoesToTheDependency(Way way) {
        try (Rig rig = stale(way)) {
            assertThat(rig.run("a", Work.value("live")).join().value()).isEqualTo("live");
            assertThat(rig.refreshes).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallWhoseActionMayRunAgainIsRefreshedInTheBackground(Way way) {
        try (Rig rig = stale(way)) {
            Work fresh = Work.value("new").taking(LONG);
            assertThat(rig.start(rig.call("a").refreshable(), fresh)
                            .result()
                            .join()
                            .value())
                    .isEqualTo("old");
            rig.time.advance(LONG);
            assertThat(rig.refreshes).containsExactly(Outcome.SUCCESS);
            assertThat(ask(rig)).isEqualTo("new");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAttemptKnowsWhetherItRunsForTheCacheAlone(Way way) {
        try (Rig rig = stale(way)) {
            List<Boolean> refreshes = new CopyOnWriteArrayList<>();
            for (String key : List.of("b", "a")) {
                Call<Object> call = rig.call(key).refreshable();
                CompletableFuture<?> unused = way == Way.CALL
                        ? rig.time.spawn(() -> call.call(attempt -> refreshes.add(attempt.isRefresh())))
                        : call.callAsync(
                                attempt -> CompletableFuture.completedStage(refreshes.add(attempt.isRefresh())));
                rig.time.run();
            }
            assertThat(refreshes).containsExactly(false, true);
            assertThat(rig.refreshes).containsExactly(Outcome.SUCCESS);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void failedRefreshesBackOffAndTheOldValueStaysTheAnswer(Way way) {
        try (Rig rig = stale(way)) {
            rig.work = Work.error(new IOException("ill"));
            List<Integer> asked = new ArrayList<>();
            for (int second = 0; second < 20; second++) {
                assertThat(ask(rig)).isEqualTo("old");
                assertThat(ask(rig)).isEqualTo("old");
                asked.add(rig.work.asked());
                rig.time.advance(Duration.ofSeconds(1));
            }
            // At 0, 1, 3, 7 and 15 s.
            assertThat(asked).containsExactly(1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5);
            assertThat(rig.refreshCounts()).containsExactly("failure 5");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void goodRefreshEndsTheBackoff(Way way) {
        try (Rig rig = stale(way)) {
            rig.work = Work.error(new IOException("ill"));
            ask(rig);
            rig.time.advance(Duration.ofSeconds(1));
            rig.work = Work.value("new");
            ask(rig);
            rig.time.advance(Duration.ofSeconds(5));
            Work newest = Work.value("newest");
            rig.work = newest;
            assertThat(ask(rig)).isEqualTo("new");
            rig.time.run();
            assertThat(newest.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void refreshThatHangsIsGivenUp(Way way) {
        try (Rig rig = stale(way)) {
            rig.work = Work.value("never").taking(Duration.ofHours(1));
            ask(rig);
            rig.time.advance(Duration.ofSeconds(2));
            assertThat(rig.refreshes).containsExactly(Outcome.TIMEOUT);
            assertThat(policy.underWay()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void refreshThatIsTurnedAwayBacksOffToo(Way way) {
        StaleCachePolicyTest.Gate gate = new StaleCachePolicyTest.Gate();
        try (Rig rig = new Rig(way, policy, gate)) {
            rig.work = Work.value("old");
            ask(rig);
            rig.time.advance(Duration.ofSeconds(5));
            gate.closed = true;
            for (int i = 0; i < 10; i++) {
                assertThat(ask(rig)).isEqualTo("old");
            }
            assertThat(rig.refreshCounts()).containsExactly("rejected 1");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void refreshThatFindsNothingTakesTheOldValueAway(Way way) {
        try (Rig rig = stale(way)) {
            rig.work = Work.value(null);
            assertThat(ask(rig)).isEqualTo("old");
            rig.work = Work.value("new");
            assertThat(ask(rig)).isEqualTo("new");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callThatNeedsTheValueJoinsTheRefresh(Way way) {
        try (Rig rig = stale(way)) {
            rig.work = Work.value("new").taking(Duration.ofSeconds(1));
            rig.time.advance(Duration.ofSeconds(30).minusNanos(1));
            assertThat(ask(rig)).isEqualTo("old");
            rig.time.advance(Duration.ofNanos(1));
            CompletableFuture<Object> joined = rig.startRepeatable("a");
            assertThat(joined).isNotDone();
            rig.time.run();
            assertThat(joined.join()).isEqualTo("new");
            assertThat(rig.work.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callThatJoinedARefreshSharesItsTimeout(Way way) {
        StaleCachePolicy policy = StaleCachePolicy.of(b -> b.fresh(Duration.ofSeconds(5))
                .staleWhileRevalidate(Duration.ofSeconds(30))
                .staleIfError(Duration.ZERO)
                .refreshTimeout(Duration.ofSeconds(2)));
        try (Rig rig = new Rig(way, policy)) {
            rig.work = Work.value("old");
            ask(rig);
            rig.time.advance(Duration.ofSeconds(35).minusNanos(1));
            rig.work = Work.value("never").taking(Duration.ofHours(1));
            ask(rig);
            rig.time.advance(Duration.ofNanos(1));
            CompletableFuture<Object> joined = rig.startRepeatable("a");
            rig.time.advance(Duration.ofSeconds(2).plusMillis(5));
            assertThat(Running.errorOf(joined)).isInstanceOf(CallTimeoutException.class);
            assertThat(policy.underWay()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void beyondItsWindowTheCallGoesToTheDependency(Way way) {
        try (Rig rig = stale(way)) {
            rig.time.advance(Duration.ofSeconds(30));
            rig.work = Work.value("new");
            assertThat(ask(rig)).isEqualTo("new");
        }
    }
}
