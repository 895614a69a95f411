/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The edges of a wait: two ends at one instant, a cancellation while it begins or is over, and what it leaves behind. */
@Logs({"two-retries", "fallback-inside-retry", "gate-inside-timeout"})
@ThreadKind.Each
class WaitEdgesTest {
    private static final Decision FULL =
            new Decision(Decision.Kind.TURN, passage -> passage.reject(Reason.BULKHEAD_FULL, -1, "full"));

    private static Decision awaiting(ToIntFunction<Passage> say) {
        return new Decision(Decision.Kind.AWAIT, say);
    }

    // ---- as long as what remains

    @ParameterizedTest
    @EnumSource(Way.class)
    void awaitThatIsAsLongAsWhatRemainsEndsByTheLimit(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            Probe queue =
                    lab.probe("queue").entering(p -> p.expired() ? FULL : awaiting(q -> q.await(never, q.remaining())));
            lab.layers(TimeoutPolicy.of(millis(10)), queue);
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by timeout: DEADLINE_EXCEEDED", 0, millis(10)));
            assertThat(lab.log).containsExactly("queue enter", "queue abandon");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void awaitThatIsANanosecondShorterThanWhatRemainsEndsByItself(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            Probe queue = lab.probe("queue")
                    .entering(p -> p.expired() ? FULL : awaiting(q -> q.await(never, q.remaining() - 1)));
            lab.layers(TimeoutPolicy.of(millis(10)), queue);
            assertThat(lab.run(way, Step.value("never")).end().what()).isEqualTo("rejected by queue: BULKHEAD_FULL");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void pauseThatIsAsLongAsWhatRemainsIsNotMade(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    TimeoutPolicy.of(millis(10)),
                    lab.probe("pausing").entering(p -> Decision.pause(10)),
                    lab.probe("inner"));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by timeout: DEADLINE_EXCEEDED", 0, Duration.ZERO));
            assertThat(lab.log).containsExactly("pausing enter", "pausing abandon");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void pauseThatIsANanosecondShorterThanWhatRemainsIsMade(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    TimeoutPolicy.of(millis(10)),
                    lab.probe("pausing")
                            .entering(p -> new Decision(Decision.Kind.PAUSE, q -> q.pause(q.remaining() - 1))));
            assertThat(lab.run(way, Step.value("answer")).end().what()).isEqualTo("answer from LIVE");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAwaitOfNegativeTimeIsOverAtOnce(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            lab.layers(lab.probe("queue")
                    .entering(p -> p.expired()
                            ? FULL
                            : awaiting(q -> {
                                int unused = waitsItself(lab, 1).say().applyAsInt(q);
                                return q.await(never, Long.MIN_VALUE);
                            })));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by queue: BULKHEAD_FULL", 0, millis(1)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLimitOfNegativeTimeIsOverAtOnce(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(TimeoutPolicy.of(millis(10)), lab.probe("limiting").entering(p -> {
                p.limit(Long.MIN_VALUE);
                return Decision.GO_ON;
            }));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by limiting: DEADLINE_EXCEEDED", 0, Duration.ZERO));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theLongestRetryIsWaitedForIfThereIsNoLimit(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("retrying")
                    .settling(p -> p.attempts() == 1
                            ? new Decision(Decision.Kind.RETRY, q -> q.retry(Long.MAX_VALUE))
                            : Decision.GO_ON));
            assertThat(lab.run(way, Step.value("first"), Step.value("second"))
                            .end()
                            .what())
                    .isEqualTo("second from LIVE");
        }
    }

    @SuppressWarnings("NullAway") // what it is about
    @Test
    void aDecisionWithoutWhatItNeedsSaysSo() {
        try (Lab lab = new Lab()) {
            Probe probe = lab.probe("careless");
            lab.layers(probe);
            probe.entering(p -> Decision.fail(null));
            assertThat(lab.run(Way.CALL, Step.value("never")).end().what()).isEqualTo("NullPointerException: error");
            probe.entering(p -> new Decision(Decision.Kind.TURN, q -> q.answer("value", null, 0)));
            assertThat(lab.run(Way.CALL, Step.value("never")).end().what()).isEqualTo("NullPointerException: source");
        }
    }

    /** Waits in code of others, as a policy must not without need, and says that it did. */
    private static Decision waitsItself(Lab lab, long millis) {
        return new Decision(Decision.Kind.PAUSE, passage -> {
            try {
                lab.time.sleep(millis(millis));
            } catch (InterruptedException unexpected) {
                throw new AssertionError(unexpected);
            }
            return passage.pause(0);
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void nothingBeginsIfThePolicyItselfHasWaitedUntilTheLimitWasOver(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    TimeoutPolicy.of(millis(10)),
                    lab.probe("waiting").entering(p -> waitsItself(lab, 10)),
                    lab.probe("inner"));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by timeout: DEADLINE_EXCEEDED", 0, millis(10)));
            assertThat(lab.log).containsExactly("waiting enter", "waiting abandon");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void timeThatThePolicyItselfHasWaitedIsNoWork(Way way) {
        try (Lab lab = new Lab()) {
            List<Long> work = new ArrayList<>();
            Probe outer = lab.probe("outer").settling(p -> {
                work.add(p.actionNanos());
                return Decision.GO_ON;
            });
            lab.layers(outer, lab.probe("waiting").entering(p -> waitsItself(lab, 10)), TimeoutPolicy.of(millis(9)));
            assertThat(lab.run(way, Step.value("answer").after(8)).end())
                    .isEqualTo(new Lab.End("answer from LIVE", 1, millis(18)));
            assertThat(work).containsExactly(millis(8).toNanos());
            // As after any wait, the outer layers are asked again.
            assertThat(lab.log).containsSubsequence("waiting enter", "outer still admits");
            lab.assertLivesOver();
        }
    }

    @Test
    void longestPauseOfACallThatNobodyTimesIsLong() {
        Policy pausing = new Policy("pausing", Policy.ENTER) {
            @Override
            public Timing timing() {
                return Timing.NONE;
            }

            @Override
            public int enter(Passage passage) {
                return passage.pause(Long.MAX_VALUE);
            }
        };
        try (VirtualTime time = new VirtualTime()) {
            List<Long> delays = new ArrayList<>();
            AtomicLong reads = new AtomicLong();
            TimeSource going = new Around(time) {
                @Override
                public long nanos() {
                    return super.nanos() + reads.incrementAndGet();
                }

                @Override
                public Timer schedule(long delayNanos, Runnable task) {
                    delays.add(delayNanos);
                    return () -> {};
                }
            };
            Pipeline pipeline =
                    Pipeline.builder("p").time(going).policies(pausing).build();
            var unused = pipeline.callAsync(() -> CompletableFuture.completedFuture("never"));
            assertThat(delays)
                    .singleElement()
                    .satisfies(delay -> assertThat(delay).isGreaterThan(Long.MAX_VALUE / 2));
        }
    }

    // ---- a thread that stands still before its call waits

    private static Decision standsStill(Lab lab, Passage passage, Decision then) {
        var unused = passage.now();
        try {
            lab.time.sleep(millis(300));
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
        return then;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void threadThatStandsStillDoesNotMakeAPauseLonger(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("turn").entering(p -> standsStill(lab, p, Decision.pause(1_000))));
            assertThat(lab.run(way, Step.value("answer")).end())
                    .isEqualTo(new Lab.End("answer from LIVE", 1, millis(1_000)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void pauseThatIsOverBeforeItBeginsIsOver(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("turn").entering(p -> standsStill(lab, p, Decision.pause(200))));
            assertThat(lab.run(way, Step.value("answer")).end())
                    .isEqualTo(new Lab.End("answer from LIVE", 1, millis(300)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void threadThatStandsStillDoesNotMakeAWaitOutliveTheDeadline(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            lab.layers(lab.probe("queue").entering(p -> standsStill(lab, p, Decision.await(never))));
            assertThat(lab.run(way, call -> call.deadline(millis(500)), Step.value("never"))
                            .end())
                    .isEqualTo(new Lab.End("rejected by call: DEADLINE_EXCEEDED", 0, millis(500)));
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void threadThatStandsStillDoesNotMakeAWaitForAStageOutliveTheDeadline(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("falls back")
                    .settling(p -> standsStill(lab, p, Decision.stage(error -> new CompletableFuture<>()))));
            Step ill = Step.error(new IOException("ill"));
            assertThat(lab.run(way, call -> call.deadline(millis(500)), ill).after())
                    .isEqualTo(millis(500));
            lab.assertLivesOver();
        }
    }

    // ---- asked again

    @ParameterizedTest
    @EnumSource(Way.class)
    void decisionThatIsNoneOfAPolicyAskedOnceMoreIsItsError(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    lab.probe("gate").admitting(p -> Decision.pause(5)),
                    lab.probe("pausing").entering(p -> Decision.pause(1)));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End(
                            "IllegalStateException: stillAdmits of gate returned no decision of its passage",
                            0,
                            millis(1)));
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void policyThatThrowsWhenItsAwaitIsOverIsNotToldSoInTheNextPass(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            List<Boolean> expired = Collections.synchronizedList(new ArrayList<>());
            Probe queue = lab.probe("queue").entering(p -> {
                expired.add(p.expired());
                if (p.expired()) {
                    throw new IllegalStateException("broken");
                }
                return expired.size() == 1 ? Decision.await(never, 5) : Decision.GO_ON;
            });
            lab.layers(
                    lab.probe("again")
                            .settling(p -> p.outcome() == Outcome.SUCCESS ? Decision.GO_ON : Decision.retry(1)),
                    queue);
            assertThat(lab.run(way, Step.value("answer")).end())
                    .isEqualTo(new Lab.End("answer from LIVE", 1, millis(6)));
            assertThat(expired).containsExactly(false, true, false);
            lab.assertLivesOver();
        }
    }

    // ---- on the way up

    /** Settled once, whatever became of the wait that it asked for. */
    private static Probe waitsOnce(Probe probe, Completion completion) {
        return probe.settling(p -> p.expired() || completion.isDone() ? Decision.GO_ON : Decision.await(completion));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void layerWhoseAwaitNoLongerFitsIsSettledOnce(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            AtomicInteger settled = new AtomicInteger();
            Probe gate = lab.probe("gate")
                    .settling(p -> settled.getAndIncrement() == 0 ? Decision.await(never) : Decision.GO_ON);
            lab.layers(lab.probe("outer"), gate, lab.probe("inner"));
            Step late = Step.value("late").after(20).stubbornly();
            assertThat(lab.run(way, call -> call.deadline(millis(10)), late)
                            .end()
                            .what())
                    .isEqualTo("timeout of call");
            assertThat(lab.log)
                    .filteredOn(line -> !line.endsWith("ended"))
                    .containsExactly(
                            "outer enter",
                            "gate enter",
                            "inner enter",
                            "inner settle TIMEOUT",
                            "gate settle TIMEOUT",
                            "gate abandon",
                            "outer settle TIMEOUT");
            lab.assertLivesOver();
        }
    }

    @Test
    void cancellationInsideASettleKeepsTheOutcomeThatTheLayerWouldHaveWaitedWith() {
        try (Lab lab = new Lab()) {
            AtomicReference<CompletableFuture<Object>> future = new AtomicReference<>();
            Completion never = new Completion();
            Probe gate = lab.probe("gate").settling(p -> {
                future.get().cancel(true);
                return Decision.await(never);
            });
            lab.layers(lab.probe("outer"), gate);
            CompletableFuture<Object> work = new CompletableFuture<>();
            future.set(lab.operation().unkeyed().callAsync(attempt -> work));
            work.completeExceptionally(new IOException("ill"));
            lab.time.run();
            assertThat(future.get()).isCancelled();
            assertThat(never.waiting()).isZero();
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "gate enter",
                            "gate settle FAILURE",
                            "gate abandon",
                            "gate ended",
                            "outer settle FAILURE",
                            "outer ended");
        }
    }

    @Test
    void valueOfACallThatIsCancelledInItsLastSettleIsDiscardedOnce() {
        try (Lab lab = new Lab()) {
            AtomicReference<CompletableFuture<Object>> future = new AtomicReference<>();
            Probe last = lab.probe("last").settling(p -> {
                future.get().cancel(true);
                return Decision.GO_ON;
            });
            lab.layers(last);
            CompletableFuture<Object> work = new CompletableFuture<>();
            future.set(lab.operation().unkeyed().callAsync(attempt -> work));
            work.complete("value");
            lab.time.run();
            assertThat(future.get()).isCancelled();
            assertThat(lab.discarded).containsExactly("value");
            lab.assertLivesOver();
        }
    }

    // ---- while it begins

    /** Does something, once, where a timer is to be set. */
    private static final class Busy extends Around {
        private final AtomicReference<@Nullable Runnable> once = new AtomicReference<>();

        Busy(TimeSource time) {
            super(time);
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            Runnable now = once.getAndSet(null);
            if (now != null) {
                now.run();
            }
            return super.schedule(delayNanos, task);
        }
    }

    /** Counts the ends of calls. */
    private static final class Ends implements CallObserver {
        private final List<Outcome> outcomes = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void callSettled(
                String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
            outcomes.add(outcome);
        }
    }

    @Test
    void cancellationWhileAWaitBeginsEndsTheCallOnce() {
        try (Lab lab = new Lab()) {
            Busy busy = new Busy(lab.time);
            Ends ends = new Ends();
            lab.building(builder -> builder.time(busy).observer(ends));
            lab.layers(
                    lab.probe("outer"),
                    RetryPolicy.of(r -> r.initialBackoff(millis(10)).jitter(Jitter.NONE)),
                    lab.probe("inner"));
            CompletableFuture<Object> work = new CompletableFuture<>();
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> work);
            busy.once.set(() -> future.cancel(true));
            work.completeExceptionally(new IOException("ill"));
            lab.time.run();
            assertThat(future).isCancelled();
            assertThat(ends.outcomes).containsExactly(Outcome.CANCELLED);
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "inner enter",
                            "inner settle FAILURE",
                            "inner ended",
                            "outer settle CANCELLED",
                            "outer ended");
        }
    }

    // ---- when it is over

    @ParameterizedTest
    @EnumSource(Way.class)
    void noTimerIsLeftOfAnAwaitThatWasCompleted(Way way) {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            lab.layers(
                    lab.probe("queue").entering(p -> turn.isDone() ? Decision.GO_ON : Decision.await(turn, 3_600_000)));
            long start = lab.time.nanos();
            lab.time.schedule(millis(7).toNanos(), turn::complete);
            assertThat(lab.run(way, Step.value("done")).value()).isEqualTo("done");
            assertThat(lab.time.nanos() - start).isEqualTo(millis(7).toNanos());
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void noTimerIsLeftOfAStageThatCompleted(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(FallbackPolicy.ofAsync(
                    error -> lab.script(Step.value("fallback").after(5)).actAsync(null)));
            long start = lab.time.nanos();
            Lab.Running running = lab.run(way, call -> call.deadline(millis(3_600_000)), Step.error(new IOException()));
            assertThat(running.value()).isEqualTo("fallback");
            assertThat(lab.time.nanos() - start).isEqualTo(millis(5).toNanos());
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void noTimerIsLeftOfAWaitThatWasGivenUp(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("pausing").entering(p -> Decision.pause(3_600_000)));
            long start = lab.time.nanos();
            assertThat(lab.giveUpAfter(7, way, Step.value("never")).isDone()).isTrue();
            assertThat(lab.time.nanos() - start).isEqualTo(millis(7).toNanos());
        }
    }

    // ---- an executor that refuses once

    private static Executor refusingOnce(Lab lab) {
        AtomicBoolean refused = new AtomicBoolean();
        return task -> {
            if (refused.compareAndSet(false, true)) {
                throw new RejectedExecutionException("full");
            }
            lab.time.executor().execute(task);
        };
    }

    @Test
    void refusalAtATimeoutIsForgottenWhenTheNextWaitIsOver() {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            lab.building(builder -> builder.executor(refusingOnce(lab)));
            lab.layers(waitsOnce(lab.probe("gate"), turn), TimeoutPolicy.of(millis(5)));
            lab.time.schedule(millis(9).toNanos(), turn::complete);
            assertThat(lab.run(Way.CALL_ASYNC, Step.value("never").after(50)).end())
                    .isEqualTo(new Lab.End("timeout of timeout", 1, millis(9)));
            assertThat(lab.log)
                    .containsSubsequence("gate enter", "gate settle TIMEOUT", "gate settle TIMEOUT")
                    .doesNotContain("gate abandon");
        }
    }

    @Test
    void refusalBeforeARetryStopsTheRetriesAroundItToo() {
        try (Lab lab = new Lab()) {
            RetryPolicy outer = RetryPolicy.of(r -> r.initialBackoff(millis(1)).jitter(Jitter.NONE));
            lab.building(builder -> builder.executor(refusingOnce(lab)));
            lab.layers(outer, lab.probe("between"), RetryPolicy.of(r -> r.jitter(Jitter.NONE)));
            IOException ill = new IOException("ill");
            Lab.Running running = lab.run(Way.CALL_ASYNC, Step.error(ill));
            assertThat(running.error()).isSameAs(ill);
            assertThat(running.script.started()).isOne();
            lab.assertLivesOver();
        }
    }

    /** All that is left there is the timer's thread, on which no attempt is made. */
    private static void assertNoOtherAttemptIsMade(Lab lab, Probe entered, String end) {
        lab.building(builder -> builder.executor(task -> {
            throw new RejectedExecutionException("full");
        }));
        RetryPolicy atOnce = RetryPolicy.of(
                r -> r.initialBackoff(Duration.ZERO).retryRejections(true).budgetEnabled(false));
        Lab.Running running = lab.layers(atOnce, TimeoutPolicy.of(millis(5)), entered)
                .run(Way.CALL_ASYNC, Step.error(new IOException("ill")));
        assertThat(running.end().what()).isEqualTo(end);
        assertThat(running.after()).isEqualTo(millis(5));
        assertThat(entered.entries()).isOne();
        lab.assertLivesOver();
    }

    @Test
    void refusalWhenALimitEndsAnAwaitOnTheWayInIsFollowedByNoRetry() {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            Probe queue = lab.probe("queue").entering(p -> Decision.await(never));
            assertNoOtherAttemptIsMade(lab, queue, "rejected by timeout: DEADLINE_EXCEEDED");
        }
    }

    @Test
    void refusalWhenALimitEndsAnAwaitOnTheWayUpIsFollowedByNoRetry() {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            Probe gate = lab.probe("gate").settling(p -> Decision.await(never));
            assertNoOtherAttemptIsMade(lab, gate, "IOException: ill");
        }
    }

    @Test
    void refusalWhenALimitEndsAStageIsFollowedByNoRetry() {
        try (Lab lab = new Lab()) {
            Probe fallback = lab.probe("fallback").settling(p -> Decision.stage(error -> new CompletableFuture<>()));
            assertNoOtherAttemptIsMade(lab, fallback, "IOException: ill");
        }
    }

    @Test
    void retryForWhoseWaitThereIsNoTimerStopsTheRetriesAroundItToo() {
        try (Lab lab = new Lab()) {
            TimeSource noTimers = new Around(lab.time) {
                @Override
                public Timer schedule(long delayNanos, Runnable task) {
                    throw new RejectedExecutionException("no timers");
                }
            };
            lab.building(builder -> builder.time(noTimers));
            lab.layers(
                    RetryPolicy.of(r -> r.initialBackoff(Duration.ZERO)),
                    lab.probe("between"),
                    RetryPolicy.of(r -> r.jitter(Jitter.NONE)));
            IOException ill = new IOException("ill");
            Lab.Running running = lab.run(Way.CALL_ASYNC, Step.error(ill));
            assertThat(running.error()).isSameAs(ill);
            assertThat(running.script.started()).isOne();
            lab.assertLivesOver();
        }
    }
}
