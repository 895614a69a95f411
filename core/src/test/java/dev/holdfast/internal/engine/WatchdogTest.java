/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Knobs;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The watchdog of the system's time, where the clock is the test's and its timers run on the test's thread. */
@ThreadKind.Each
class WatchdogTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;

    private final StillTime time = new StillTime();
    private final WatchQueue queue = new WatchQueue(time);
    private final CountDownLatch never = new CountDownLatch(1);
    private final ExecutorService caller = Executors.newSingleThreadExecutor(ThreadKind.current());
    private final List<String> struck = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void end() {
        never.countDown();
        caller.shutdownNow();
    }

    // ---- the rig

    private Pipeline.Builder watched(Policy... policies) {
        return Knobs.watchdog(Pipeline.builder("watched"), queue).time(time).policies(policies);
    }

    private Pipeline limited(long millis) {
        return watched(TimeoutPolicy.of(Duration.ofMillis(millis))).build();
    }

    /** When it returns, the thread has left the task. */
    private <T> T onCaller(Callable<T> task) throws Exception {
        Future<T> done = caller.submit(task);
        caller.submit(() -> {}).get(5, TimeUnit.MINUTES);
        return done.get();
    }

    /** Where a call is made, and so which object it has. */
    enum Made {
        /** The first of a platform thread has the thread's own object. */
        OUTERMOST,
        NESTED,
        ASYNCHRONOUS
    }

    /** A call that does not end by itself. Its action has begun. */
    private final class Stuck {
        private final CompletableFuture<Object> answer = new CompletableFuture<>();
        private final CompletableFuture<Attempt> begun = new CompletableFuture<>();
        private final Attempt attempt;

        Stuck(Pipeline pipeline, Made made, Executor on) throws Exception {
            Call<Object> call =
                    pipeline.<Object>operation("stuck", o -> o.idempotent(true)).unkeyed();
            switch (made) {
                case OUTERMOST -> on.execute(() -> block(call));
                case NESTED ->
                    on.execute(() -> watched().build().call(() -> {
                        block(call);
                        return "around";
                    }));
                default -> {
                    var unused = call.callAsync(asked -> {
                                begun.complete(asked);
                                return new CompletableFuture<>();
                            })
                            .whenComplete((value, error) -> answer.completeExceptionally(error));
                }
            }
            attempt = begun.get(5, TimeUnit.MINUTES);
        }

        private void block(Call<Object> call) {
            try {
                answer.complete(call.call(asked -> {
                    begun.complete(asked);
                    never.await();
                    return "never";
                }));
            } catch (Throwable thrown) {
                answer.completeExceptionally(thrown);
            }
        }

        boolean isStruck() {
            // An asynchronous one on the executor; a blocking one at once.
            return attempt.isCancelled();
        }

        void assertTimedOut() {
            assertThatThrownBy(() -> answer.get(5, TimeUnit.MINUTES)).hasCauseInstanceOf(CallTimeoutException.class);
        }
    }

    private Stuck stuck(Pipeline pipeline, Made made) throws Exception {
        return new Stuck(
                pipeline, made, task -> ThreadKind.current().newThread(task).start());
    }

    private Stuck stuck(Pipeline pipeline) throws Exception {
        return stuck(pipeline, Made.OUTERMOST);
    }

    /** On a thread that has made calls before, and makes others after it. */
    private Stuck stuckOnCaller(Pipeline pipeline) throws Exception {
        return new Stuck(pipeline, Made.OUTERMOST, caller);
    }

    private ThreadFactory thatDoesBeforeItsInterrupt(Runnable task) {
        return work -> new Thread(work) {
            @Override
            public void interrupt() {
                task.run();
                super.interrupt();
            }
        };
    }

    private Stuck stuckOn(ThreadFactory threads, Pipeline pipeline) throws Exception {
        return new Stuck(
                pipeline, Made.OUTERMOST, task -> threads.newThread(task).start());
    }

    // ---- limits strike

    @ParameterizedTest
    @EnumSource
    void limitStrikesAtItsInstantAndNotBefore(Made made) throws Exception {
        Stuck call = stuck(limited(10), made);
        time.pass(10 * MILLI - 1);
        assertThat(call.isStruck()).isFalse();
        assertThat(call.answer).isNotDone();
        time.pass(1);
        call.assertTimedOut();
        assertThat(call.isStruck()).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void limitOfAMinuteStrikesAtItsInstant(Made made) throws Exception {
        Stuck call = stuck(limited(60_000), made);
        time.pass(60 * SECOND - 1);
        assertThat(call.answer).isNotDone();
        time.pass(1);
        call.assertTimedOut();
    }

    @Test
    void limitsStrikeInTheirOrderWhateverTheOrderOfTheirCalls() throws Exception {
        List<Stuck> calls = new ArrayList<>();
        for (int millis : new int[] {300, 10, 4_000, 70, 60, 200, 55, 1_000}) {
            calls.add(stuckOn(thatDoesBeforeItsInterrupt(() -> struck.add(millis + " ms")), limited(millis)));
        }
        time.pass(10 * SECOND);
        calls.forEach(Stuck::assertTimedOut);
        assertThat(struck)
                .containsExactly("10 ms", "55 ms", "60 ms", "70 ms", "200 ms", "300 ms", "1000 ms", "4000 ms");
    }

    @Test
    void limitsOfOneInstantAllStrikeInOneWakeUp() throws Exception {
        Pipeline pipeline = limited(10);
        List<Stuck> calls = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            calls.add(stuck(pipeline, i % 10 == 0 ? Made.OUTERMOST : Made.ASYNCHRONOUS));
        }
        time.pass(10 * MILLI - 1);
        time.woken();
        time.pass(1);
        assertThat(time.woken()).isEqualTo(1);
        calls.forEach(Stuck::assertTimedOut);
    }

    @Test
    void timerWakesOnceAMillisecondAtMostWhateverIsDue() throws Exception {
        List<Stuck> calls = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            calls.add(stuck(
                    watched(TimeoutPolicy.of(Duration.ofNanos(10 * MILLI + i * MILLI / 50)))
                            .build(),
                    Made.ASYNCHRONOUS));
        }
        time.pass(9 * MILLI);
        time.woken();
        time.pass(4 * MILLI);
        calls.forEach(Stuck::assertTimedOut);
        assertThat(time.woken()).isLessThanOrEqualTo(4);
    }

    @Test
    void timerThatIsLateStrikesAllThatIsDue() throws Exception {
        Stuck first = stuck(limited(10));
        Stuck second = stuck(limited(20), Made.ASYNCHRONOUS);
        time.passUnseen(30 * MILLI);
        time.pass(0);
        first.assertTimedOut();
        second.assertTimedOut();
    }

    @ParameterizedTest
    @EnumSource
    void limitStrikesAlsoIfTheTimerHasNoMemoryForTheNextOne(Made made) throws Exception {
        Stuck call = stuck(limited(500), made);
        time.missing.set(2);
        time.pass(500 * MILLI + MILLI);
        assertThat(time.missing).hasValue(0);
        call.assertTimedOut();
    }

    /** A frozen container: the answers are in the sockets, and their threads run no sooner than the timer's. */
    @ParameterizedTest
    @EnumSource
    void anAttemptWhoseLimitFellIntoAStandstillMayStillAnswer(Made made) throws Exception {
        Stuck call = stuck(limited(500), made);
        CompletableFuture<Object> stage = new CompletableFuture<>();
        CompletableFuture<Object> answered = limited(600).callAsync(() -> stage);
        time.pass(200 * MILLI);
        time.passUnseen(SECOND);
        time.pass(0);
        assertThat(call.isStruck()).isFalse();

        time.pass(50 * MILLI);
        stage.complete("ten");
        time.pass(50 * MILLI - 1);
        assertThat(call.isStruck()).isFalse();
        assertThat(answered).isCompletedWithValue("ten");

        time.pass(1);
        call.assertTimedOut();
    }

    @Test
    void whatIsDueJustAfterAStandstillIsNotHeldUp() throws Exception {
        Stuck within = stuck(limited(500));
        Stuck after = stuck(limited(1_310));
        time.pass(200 * MILLI);
        time.passUnseen(SECOND);
        time.pass(0);
        Stuck later = stuck(limited(20));
        time.pass(20 * MILLI);
        later.assertTimedOut();
        assertThat(within.isStruck()).isFalse();
        time.pass(80 * MILLI);
        within.assertTimedOut();
        assertThat(after.isStruck()).isFalse();
        time.pass(10 * MILLI);
        after.assertTimedOut();
    }

    @Test
    void whereTheTimerIsAlwaysLateLimitsStrikeAllTheSame() throws Exception {
        Stuck call = stuck(limited(10));
        time.passUnseen(100 * MILLI);
        time.pass(0);
        assertThat(call.isStruck()).isFalse();
        time.passUnseen(200 * MILLI);
        time.pass(0);
        call.assertTimedOut();
    }

    @ParameterizedTest
    @EnumSource
    void whereStandstillsRecurALimitStrikesInTheSecond(Made made) throws Exception {
        Stuck call = stuck(limited(200), made);
        time.passUnseen(650 * MILLI);
        time.pass(0);
        assertThat(call.isStruck()).isFalse();
        time.passUnseen(650 * MILLI);
        time.pass(0);
        call.assertTimedOut();
    }

    @Test
    void eachAttemptOfAThreadHasItsOwnGrace() throws Exception {
        Pipeline pipeline = limited(200);
        List<String> answers = onCaller(() -> {
            Ambient held = Ambient.get(); // or the collector may take it between two calls
            try {
                List<String> got = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    got.add(pipeline.call(() -> {
                        time.passUnseen(650 * MILLI);
                        time.pass(0);
                        return "ten";
                    }));
                }
                return got;
            } finally {
                Reference.reachabilityFence(held);
            }
        });
        assertThat(answers).containsExactly("ten", "ten", "ten");
    }

    @ParameterizedTest
    @EnumSource
    void limitThatIsStillAheadAfterAStandstillStrikesAtItsInstant(Made made) throws Exception {
        Stuck call = stuck(limited(1_250), made);
        time.pass(200 * MILLI);
        time.passUnseen(SECOND);
        time.pass(50 * MILLI - 1);
        assertThat(call.isStruck()).isFalse();
        time.pass(1);
        call.assertTimedOut();
    }

    @Test
    void alarmThatWaitsForAStandstillDoesNotHoldUpTheLimit() throws Exception {
        Asking asking = new Asking(500 * MILLI);
        Stuck call = stuck(
                watched(asking, TimeoutPolicy.of(Duration.ofMillis(1_250))).build());
        time.pass(200 * MILLI);
        time.passUnseen(SECOND);
        time.pass(0);
        assertThat(asking.told).hasValue(0);
        time.pass(50 * MILLI);
        call.assertTimedOut();
    }

    @Test
    void whereStandstillsRecurPoliciesAreToldInTheSecond() throws Exception {
        Asking asking = new Asking(100 * MILLI);
        stuck(watched(asking).build());
        time.passUnseen(650 * MILLI);
        time.pass(0);
        assertThat(asking.told).hasValue(0);
        time.passUnseen(650 * MILLI);
        time.pass(0);
        assertThat(asking.told).hasValue(1);
    }

    @Test
    void policyThatWasToldLongAgoLeavesTheGraceToTheLimit() throws Exception {
        Asking asking = new Asking(20 * MILLI);
        Stuck call =
                stuck(watched(asking, TimeoutPolicy.of(Duration.ofMillis(500))).build());
        time.pass(21 * MILLI);
        assertThat(asking.told).hasValue(1);
        time.passUnseen(200 * MILLI);
        time.pass(0);
        time.passUnseen(400 * MILLI);
        time.pass(0);
        assertThat(call.isStruck()).isFalse();
        time.pass(100 * MILLI);
        call.assertTimedOut();
    }

    /** Its thread comes back from the standstill before the timer's does, or after it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void limitOfACallThatBeginsAfterAStandstillStrikesInTime(boolean beforeTheTimer) throws Exception {
        onCaller(() -> limited(60).call(() -> {
            time.passUnseen(650 * MILLI);
            if (!beforeTheTimer) {
                time.pass(0);
            }
            return "of the standstill";
        }));
        Stuck after = stuckOnCaller(limited(10));
        time.pass(10 * MILLI);
        after.assertTimedOut();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void limitOfAnAsynchronousCallThatBeginsAfterAStandstillStrikesInTime(boolean beforeTheTimer) throws Exception {
        CompletableFuture<Object> stage = new CompletableFuture<>();
        var unused = limited(60).callAsync(() -> stage);
        time.passUnseen(650 * MILLI);
        if (!beforeTheTimer) {
            time.pass(0);
        }
        stage.complete("of the standstill");
        Stuck after = stuck(limited(10), Made.ASYNCHRONOUS);
        time.pass(10 * MILLI);
        after.assertTimedOut();
    }

    @Test
    void oneThreadThatIsSlowIsNoStandstill() throws Exception {
        Policy slow = new Policy("slow", Policy.ATTEMPTS) {
            @Override
            public void attemptStarts(Passage passage) {
                time.passUnseen(100 * MILLI);
            }
        };
        Stuck call =
                stuck(watched(TimeoutPolicy.of(Duration.ofMillis(60)), slow).build());
        time.pass(0);
        assertThat(call.isStruck()).isTrue();
        call.assertTimedOut();
    }

    @Test
    void standstillIsSeenThoughACallSetsAnotherTimerBeforeTheLateOneRuns() throws Exception {
        Stuck within = stuck(limited(500));
        time.pass(200 * MILLI);
        time.passUnseen(3 * SECOND);
        Stuck after = stuck(limited(10));
        time.pass(10 * MILLI);
        after.assertTimedOut();
        assertThat(within.isStruck()).isFalse();
        time.pass(90 * MILLI);
        within.assertTimedOut();
    }

    @Test
    void noHedgeIsStartedForAStandstill() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        CompletableFuture<Object> stage = new CompletableFuture<>();
        CompletableFuture<Object> answer = watched(HedgePolicy.of(h -> h.delay(Duration.ofMillis(100))))
                .backgroundExecutor(Runnable::run)
                .build()
                .<Object>operation("slow", o -> o.idempotent(true))
                .unkeyed()
                .callAsync(attempt -> {
                    attempts.incrementAndGet();
                    return stage;
                });
        time.pass(20 * MILLI);
        time.passUnseen(SECOND);
        time.pass(0);
        stage.complete("ten");
        time.pass(SECOND);
        assertThat(answer).isCompletedWithValue("ten");
        assertThat(attempts).hasValue(1);
    }

    /** Waits on the way in. */
    private static final class Waiting extends Policy {
        private final Completion come;
        private final boolean forAnswer;
        private final long untilLook;

        Waiting(Completion come, boolean forAnswer, long untilLook) {
            super(forAnswer ? "flight" : "queue", Policy.ENTER);
            this.come = come;
            this.forAnswer = forAnswer;
            this.untilLook = untilLook;
        }

        @Override
        public int enter(Passage passage) {
            return come.isDone() ? passage.answer("ten", Reply.Source.LIVE, 0) : passage.await(come, untilLook);
        }

        @Override
        public boolean mayAnswer() {
            return forAnswer;
        }
    }

    /** What calls wait for beside their own attempts. */
    private final class Waits {
        final Completion flight = new Completion();
        final CompletableFuture<Object> stage = new CompletableFuture<>();
        final Pipeline following = limitedTo500(new Waiting(flight, true, Long.MAX_VALUE));
        final Pipeline looking = limitedTo500(new Waiting(flight, true, 300 * MILLI));
        final Pipeline queueing = limitedTo500(new Waiting(new Completion(), false, Long.MAX_VALUE));
        final Pipeline fallingBack = limitedTo500(FallbackPolicy.ofAsync(error -> stage));

        private Pipeline limitedTo500(Policy inner) {
            return watched(TimeoutPolicy.of(Duration.ofMillis(500)), inner)
                    .executor(Runnable::run)
                    .build();
        }

        void come() {
            flight.complete();
            stage.complete("ten");
        }
    }

    private static CompletableFuture<Object> failing(Pipeline pipeline) {
        return pipeline.callAsync(() -> CompletableFuture.failedFuture(new IOException("down")));
    }

    @Test
    void anAnswerForWhichACallWaitsMayComeAfterAStandstillToo() throws Exception {
        Waits waits = new Waits();
        CompletableFuture<Object> follower = failing(waits.following);
        CompletableFuture<Object> fallback = failing(waits.fallingBack);
        CompletableFuture<Object> inQueue = failing(waits.queueing);
        time.pass(200 * MILLI);
        time.passUnseen(SECOND);
        time.pass(0);
        assertThat(inQueue).as("has nothing to wait for").isCompletedExceptionally();
        assertThat(follower).isNotDone();
        assertThat(fallback).isNotDone();

        time.pass(100 * MILLI - 1);
        waits.come();
        assertThat(follower).isCompletedWithValue("ten");
        assertThat(fallback).isCompletedWithValue("ten");
    }

    @Test
    void anAnswerThatDoesNotComeIsWaitedForOnceAfterAStandstill() throws Exception {
        Waits waits = new Waits();
        CompletableFuture<Object> follower = failing(waits.following);
        CompletableFuture<Object> fallback = failing(waits.fallingBack);
        time.passUnseen(SECOND);
        time.pass(0);
        assertThat(follower).isNotDone();
        time.passUnseen(SECOND);
        time.pass(0);
        assertThat(follower).isCompletedExceptionally();
        assertThat(fallback).isCompletedExceptionally();
    }

    /** As a follower of a load, which looks at its leader. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void standstillThatBeginsBeforeALookAndEndsAfterTheLimitIsOneToo(boolean comes) throws Exception {
        Waits waits = new Waits();
        CompletableFuture<Object> follower = failing(waits.looking);
        time.pass(200 * MILLI);
        time.passUnseen(SECOND);
        time.pass(0);
        assertThat(follower).isNotDone();
        time.pass(100 * MILLI - 1);
        assertThat(follower).isNotDone();
        if (comes) {
            waits.come();
            assertThat(follower).isCompletedWithValue("ten");
        } else {
            time.pass(1);
            assertThat(follower).isCompletedExceptionally();
        }

        Waits blocked = new Waits();
        List<Long> parks = parks(blocked.looking, comes ? blocked::come : () -> time.passUnseen(SECOND));
        assertThat(parks.subList(0, 2)).containsExactly(300 * MILLI, 100 * MILLI);
        assertThat(parks).hasSize(comes ? 3 : 2);
    }

    @Test
    void standstillThatEndsBetweenALookAndTheLimitEndsNoWait() throws Exception {
        Waits waits = new Waits();
        CompletableFuture<Object> follower = failing(waits.looking);
        time.passUnseen(400 * MILLI);
        time.pass(0);
        time.pass(100 * MILLI - 1);
        assertThat(follower).isNotDone();
        time.pass(1);
        assertThat(follower).as("which is still ahead").isCompletedExceptionally();
    }

    @Test
    void limitOfAWaitStrikesAtItsInstantIfNothingStoodStill() throws Exception {
        Waits waits = new Waits();
        CompletableFuture<Object> follower = failing(waits.following);
        CompletableFuture<Object> fallback = failing(waits.fallingBack);
        time.pass(500 * MILLI - 1);
        assertThat(follower).isNotDone();
        assertThat(fallback).isNotDone();
        time.pass(1);
        assertThat(follower).isCompletedExceptionally();
        assertThat(fallback).isCompletedExceptionally();
    }

    /** How the thread of a blocking call parks, if its first park ends in a standstill. */
    private List<Long> parks(Pipeline pipeline, Runnable second) throws Exception {
        List<Long> parks = new ArrayList<>();
        time.parking = nanos -> {
            parks.add(nanos);
            if (parks.size() == 1) {
                time.passUnseen(2 * SECOND);
            } else {
                second.run();
            }
        };
        try {
            onCaller(() -> pipeline.call(() -> {
                throw new IOException("down");
            }));
            parks.add(-1L);
        } catch (ExecutionException rejected) {
            // The call has not been answered.
        } finally {
            time.parking = null;
        }
        return parks;
    }

    @Test
    void blockedCallWaitsForAnAnswerAfterAStandstillToo() throws Exception {
        Waits waits = new Waits();
        assertThat(parks(waits.following, waits::come)).containsExactly(500 * MILLI, 100 * MILLI, -1L);
        assertThat(parks(new Waits().queueing, () -> {})).containsExactly(500 * MILLI);
        Waits others = new Waits();
        assertThat(parks(others.fallingBack, others::come)).containsExactly(500 * MILLI, 100 * MILLI, -1L);
        assertThat(parks(new Waits().fallingBack, () -> time.passUnseen(SECOND)))
                .containsExactly(500 * MILLI, 100 * MILLI);
    }

    @Test
    void limitStrikesEachAttemptByItsOwnTime() throws Exception {
        Pipeline pipeline = watched(
                        RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ZERO)),
                        TimeoutPolicy.of(Duration.ofMillis(10)))
                .build();
        List<Attempt> attempts = new ArrayList<>();
        CompletableFuture<Object> first = new CompletableFuture<>();
        CompletableFuture<Object> answer = pipeline.<Object>operation("twice", o -> o.idempotent(true))
                .unkeyed()
                .callAsync(attempt -> {
                    attempts.add(attempt);
                    return attempt.number() == 1 ? first : new CompletableFuture<>();
                });
        time.pass(8 * MILLI);
        first.completeExceptionally(new IOException("again"));
        time.pass(0);
        assertThat(attempts).hasSize(2);
        time.pass(9 * MILLI);
        assertThat(attempts.get(1).isCancelled()).isFalse();
        answer.cancel(true);
    }

    @Test
    void lookForANearerLimitOfTheThreadStrikesNoLaterOne() throws Exception {
        Pipeline pipeline = limited(10);
        onCaller(() -> pipeline.call(() -> "done"));
        time.pass(1);
        Stuck call = stuckOnCaller(pipeline);
        time.pass(10 * MILLI - 1);
        assertThat(call.isStruck()).isFalse();
        time.pass(1);
        time.pass(MILLI);
        call.assertTimedOut();
    }

    // ---- objects that serve one call after the other

    @Test
    void limitOfAnEarlierCallOfTheThreadStrikesNobody() throws Exception {
        Pipeline patient = limited(1_000);
        onCaller(() -> limited(10).call(() -> "done"));
        time.pass(5 * MILLI);
        Stuck call = stuckOnCaller(patient);
        time.pass(SECOND - 1);
        assertThat(call.isStruck()).isFalse();
        time.pass(1);
        call.assertTimedOut();
    }

    @Test
    void shorterLimitAfterALongerOneOfTheThreadStrikesInTime() throws Exception {
        onCaller(() -> limited(60_000).call(() -> "done"));
        time.pass(200 * MILLI);
        onCaller(() -> limited(60_000).call(() -> "done"));
        Stuck call = stuckOnCaller(limited(10));
        time.pass(10 * MILLI);
        call.assertTimedOut();
        Stuck next = stuckOnCaller(limited(5));
        time.pass(5 * MILLI);
        next.assertTimedOut();
    }

    @Test
    void callOfAThreadThatWasIdleForLongIsWatched() throws Exception {
        Pipeline pipeline = limited(10);
        onCaller(() -> pipeline.call(() -> "done"));
        for (long idle = MILLI; idle < 3 * SECOND; idle *= 2) {
            time.pass(idle);
            Stuck call = stuckOnCaller(pipeline);
            time.pass(10 * MILLI);
            call.assertTimedOut();
        }
    }

    @Test
    void threadAlsoMakesCallsOnOtherTimesAndNoneIsStruckByTheWrongClock() throws Exception {
        try (VirtualTime other = new VirtualTime()) {
            StillTime third = new StillTime();
            third.pass(90 * SECOND);
            Pipeline onThird = Knobs.watchdog(Pipeline.builder("third"), new WatchQueue(third))
                    .time(third)
                    .policies(TimeoutPolicy.of(Duration.ofMillis(20)))
                    .build();
            Pipeline onOther = Pipeline.builder("other")
                    .time(other)
                    .policies(TimeoutPolicy.of(Duration.ofMillis(1)))
                    .build();
            onCaller(() -> limited(10).call(() -> "done"));
            onCaller(() -> onOther.call(() -> {
                time.pass(SECOND);
                return "not struck";
            }));
            onCaller(() -> limited(10).call(() -> "done"));
            Stuck call = stuckOnCaller(onThird);
            time.pass(SECOND);
            assertThat(call.isStruck()).isFalse();
            third.pass(20 * MILLI);
            call.assertTimedOut();
        }
    }

    @Test
    void callsOfOneThreadThatEndBehindOneAnotherAreAllWatched() throws Exception {
        Pipeline pipeline = limited(10);
        List<CompletableFuture<Object>> stages = new ArrayList<>();
        List<CompletableFuture<Object>> answers = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            stages.add(stage);
            answers.add(pipeline.callAsync(() -> stage));
            if (i % 3 == 1) {
                stages.get(i).complete("done");
            }
            time.pass(MILLI / 2);
        }
        time.pass(10 * MILLI);
        for (int i = 0; i < answers.size(); i++) {
            CompletableFuture<Object> answer = answers.get(i);
            if (i % 3 == 1) {
                assertThat(answer).isCompletedWithValue("done");
            } else {
                assertThatThrownBy(() -> answer.get(5, TimeUnit.MINUTES))
                        .hasCauseInstanceOf(CallTimeoutException.class);
            }
        }
    }

    // ---- the timer sleeps

    @Test
    void withoutCallsTheTimerSleeps() throws Exception {
        onCaller(() -> limited(10).call(() -> "done"));
        limited(10).callAsync(() -> CompletableFuture.completedFuture("done")).join();
        time.pass(200 * MILLI);
        assertThat(time.timers()).isZero();
        assertThat(queue.size()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void whileAFarLimitIsAllThereIsTheTimerWakesTwiceASecondAtMost(Made made) throws Exception {
        Stuck call = stuck(limited(600_000), made);
        time.pass(SECOND);
        time.woken();
        time.pass(100 * SECOND);
        assertThat(time.woken()).isLessThanOrEqualTo(202);
        call.attempt.onCancel(() -> {});
    }

    @Test
    void whatIsBeyondAllTimesIsNotWatched() throws Exception {
        Policy never = new Policy("never", Policy.ENTER | Policy.OVERDUE | Policy.HEDGE) {
            @Override
            public int enter(Passage passage) {
                passage.beside().overdueAfter(Long.MAX_VALUE);
                passage.beside().hedgeAfter(Long.MAX_VALUE);
                passage.limit(Long.MAX_VALUE);
                return PROCEED;
            }
        };
        Stuck call = stuckOnCaller(watched(never).build());
        assertThat(time.timers()).isZero();
        assertThat(call.answer).isNotDone();
    }

    @Test
    void callThatBeginsWhileTheLastOneIsStruckIsWatched() throws Exception {
        Pipeline pipeline = limited(10);
        List<CompletableFuture<Object>> answers = new ArrayList<>();
        Stuck call = stuckOn(
                thatDoesBeforeItsInterrupt(() -> answers.add(pipeline.callAsync(CompletableFuture::new))), pipeline);
        time.pass(10 * MILLI);
        call.assertTimedOut();
        time.pass(10 * MILLI);
        assertThatThrownBy(() -> answers.get(0).get(5, TimeUnit.MINUTES))
                .hasCauseInstanceOf(CallTimeoutException.class);
    }

    /** Two threads that begin something at the same time, again and again. */
    private static final class Starts {
        private final AtomicInteger ready = new AtomicInteger();

        void meet(int round) {
            ready.incrementAndGet();
            for (int spins = 0; ready.get() < 2 * round; spins++) {
                if (spins < 1_000) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(1_000); // there may be one processor for both
                }
            }
        }
    }

    @Test
    void callThatBeginsWhileTheTimerGoesToSleepIsWatched() throws Exception {
        Pipeline pipeline = limited(10);
        int rounds = 2_000;
        Starts starts = new Starts();
        List<CompletableFuture<Object>> answers = new ArrayList<>();
        Future<?> calls = caller.submit(() -> {
            for (int round = 1; round <= rounds; round++) {
                starts.meet(2 * round - 1);
                for (int spins = round % 100; spins > 0; spins--) {
                    Thread.onSpinWait();
                }
                answers.add(pipeline.callAsync(CompletableFuture::new));
                starts.meet(2 * round);
            }
        });
        for (int round = 1; round <= rounds; round++) {
            var unused = pipeline.callAsync(() -> CompletableFuture.completedFuture("sets the timer"));
            starts.meet(2 * round - 1);
            time.pass(50 * MILLI);
            starts.meet(2 * round);
            time.pass(10 * MILLI);
            assertThatThrownBy(() -> answers.get(answers.size() - 1).get(5, TimeUnit.MINUTES))
                    .as("round " + round)
                    .hasCauseInstanceOf(CallTimeoutException.class);
        }
        calls.get(5, TimeUnit.MINUTES);
    }

    @Test
    void noCallOfABusyThreadIsLostThoughTheTimerLooksAllTheTime() throws Exception {
        Pipeline pipeline = limited(10);
        CountDownLatch over = new CountDownLatch(200);
        caller.execute(() -> {
            for (int call = 1; over.getCount() > 0; call++) {
                boolean hangs = call % 100 == 0;
                try {
                    pipeline.call(() -> {
                        if (hangs) {
                            never.await();
                        }
                        return "done";
                    });
                } catch (Exception struckOrLate) {
                    over.countDown();
                }
            }
        });
        for (long start = System.nanoTime();
                over.getCount() > 0 && System.nanoTime() - start < TimeUnit.MINUTES.toNanos(5); ) {
            time.pass(50 * MILLI);
            LockSupport.parkNanos(1_000);
        }
        assertThat(over.await(0, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void noCallIsLostWhileOthersBeginAndEndAndTheTimerLooksAllTheTime() throws Exception {
        Pipeline pipeline = limited(10);
        int callers = 3;
        List<CompletableFuture<Object>> answers = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch calling = new CountDownLatch(callers);
        for (int i = 0; i < callers; i++) {
            ThreadKind.current()
                    .newThread(() -> {
                        for (int call = 0; call < 10_000; call++) {
                            if (call % 50 == 0) {
                                answers.add(pipeline.callAsync(CompletableFuture::new));
                            }
                            var unused = pipeline.callAsync(() -> CompletableFuture.completedFuture("done"));
                        }
                        calling.countDown();
                    })
                    .start();
        }
        while (calling.getCount() > 0) {
            time.pass(MILLI);
            LockSupport.parkNanos(1_000);
        }
        time.pass(12 * MILLI);
        assertThat(answers).hasSize(callers * 200);
        for (CompletableFuture<Object> answer : answers) {
            assertThatThrownBy(() -> answer.get(5, TimeUnit.MINUTES)).hasCauseInstanceOf(CallTimeoutException.class);
        }
        time.pass(200 * MILLI);
        assertThat(time.timers()).isZero();
    }

    @Test
    void callThatBeginsWhileTheTimerLooksAtTheOneBeforeIsWatched() throws Exception {
        CountDownLatch looking = new CountDownLatch(1);
        CompletableFuture<Stuck> next = new CompletableFuture<>();
        Pipeline told = watched(new Asking(20 * MILLI) {
                    @Override
                    public void overdue(long slot, long now) {
                        looking.countDown();
                        next.join();
                    }
                })
                .build();
        CountDownLatch begun = new CountDownLatch(1);
        Future<Boolean> first = caller.submit(() -> told.call(() -> {
            begun.countDown();
            return looking.await(5, TimeUnit.MINUTES);
        }));
        begun.await();
        ThreadKind.current()
                .newThread(() -> {
                    try {
                        looking.await();
                        next.complete(stuckOnCaller(limited(10)));
                    } catch (Throwable thrown) {
                        next.completeExceptionally(thrown);
                    }
                })
                .start();
        time.pass(21 * MILLI);
        assertThat(first.get()).isTrue();
        time.pass(10 * MILLI);
        next.get().assertTimedOut();
    }

    // ---- what is over is let go

    /** One collection may find nothing: the JVM leaves it out while a thread is in native code's hands. */
    private static void collectUntil(BooleanSupplier gone) {
        long end = System.nanoTime() + Duration.ofMinutes(5).toNanos();
        while (!gone.getAsBoolean() && System.nanoTime() - end < 0) {
            System.gc();
            Thread.onSpinWait();
        }
    }

    /** Remembers the object of each call, and does not keep it. */
    private static final class Remembering extends Policy {
        private final List<WeakReference<Passage>> calls = Collections.synchronizedList(new ArrayList<>());

        Remembering() {
            super("remembering", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            calls.add(new WeakReference<>(passage));
            return PROCEED;
        }

        void assertAliveAtMost(int most) {
            collectUntil(() -> alive() <= most);
            assertThat(alive()).isLessThanOrEqualTo(most);
        }

        private long alive() {
            return calls.stream().filter(call -> call.get() != null).count();
        }
    }

    @Test
    void callsOfThreadsThatEndedAreLetGo() throws Exception {
        Remembering calls = new Remembering();
        Pipeline pipeline =
                watched(calls, TimeoutPolicy.of(Duration.ofMinutes(10))).build();
        for (int i = 0; i < 2_000; i++) {
            Thread thread = ThreadKind.current().newThread(() -> pipeline.call(() -> "done"));
            thread.start();
            thread.join();
            time.pass(MILLI);
        }
        assertThat(queue.size()).isLessThanOrEqualTo(110);
        calls.assertAliveAtMost(110);
        time.pass(100 * MILLI);
        assertThat(queue.size()).isZero();
        assertThat(time.timers()).isZero();
        calls.assertAliveAtMost(0);
    }

    @Test
    void threadThatMakesCallsWithoutEndHasOneEntry() throws Exception {
        Pipeline pipeline = limited(1_000);
        onCaller(() -> {
            for (int i = 0; i < 20_000; i++) {
                pipeline.call(() -> "done");
                time.pass(MILLI);
                assertThat(queue.size()).isLessThanOrEqualTo(2);
            }
            return null;
        });
        assertThat(time.woken()).isLessThanOrEqualTo(2 * 20 * 20);
    }

    @Test
    void threadThatEndsAfterALongCallIsLetGoWithinTwoSeconds() throws Exception {
        Remembering calls = new Remembering();
        Pipeline pipeline =
                watched(calls, TimeoutPolicy.of(Duration.ofMinutes(10))).build();
        Thread thread = ThreadKind.current()
                .newThread(() -> pipeline.call(() -> {
                    time.pass(5 * SECOND);
                    return "done";
                }));
        thread.start();
        thread.join();
        time.pass(2 * SECOND);
        calls.assertAliveAtMost(0);
        assertThat(time.timers()).isZero();
    }

    @Test
    void threadWhoseAlarmsAreNearerThanWhatIsPromisedHasOneEntry() throws Exception {
        Pipeline pipeline = watched(new Asking(30 * MILLI), TimeoutPolicy.of(Duration.ofMinutes(10)))
                .build();
        onCaller(() -> {
            for (int i = 0; i < 50; i++) {
                pipeline.call(() -> {
                    time.pass(2_300 * MILLI);
                    return "done";
                });
                assertThat(queue.size()).isLessThanOrEqualTo(2);
            }
            return null;
        });
    }

    @Test
    void objectOfAnIdleThreadIsLetGo() throws Exception {
        Remembering calls = new Remembering();
        onCaller(() ->
                watched(calls, TimeoutPolicy.of(Duration.ofMinutes(10))).build().call(() -> "done"));
        time.pass(100 * MILLI);
        calls.assertAliveAtMost(0);
    }

    @Test
    void idleThreadKeepsNoClosedPipeline() throws Exception {
        WeakReference<Pipeline> closed = new WeakReference<>(onCaller(this::closedAfterItsCall));
        time.pass(100 * MILLI);
        collectUntil(() -> closed.get() == null);
        assertThat(closed.get()).isNull();
    }

    private Pipeline closedAfterItsCall() throws Exception {
        try (Pipeline pipeline = limited(600_000)) {
            pipeline.call(() -> "done");
            return pipeline;
        }
    }

    @Test
    void asynchronousCallThatEndedIsLetGoAtOnceThoughItsLimitIsFar() {
        Remembering calls = new Remembering();
        Pipeline pipeline =
                watched(calls, TimeoutPolicy.of(Duration.ofMinutes(10))).build();
        for (int i = 0; i < 1_000; i++) {
            CompletableFuture<String> stage = new CompletableFuture<>();
            CompletableFuture<String> answer = pipeline.callAsync(() -> stage);
            time.pass(MILLI);
            if (i % 2 == 0) {
                stage.complete("done");
            } else {
                answer.cancel(true);
            }
        }
        calls.assertAliveAtMost(0);
        assertThat(queue.size()).isLessThanOrEqualTo(1_000);
        time.pass(2 * SECOND);
        assertThat(queue.size()).isZero();
        assertThat(time.timers()).isZero();
    }

    @Test
    void afterAPeakOneCallCostsWhatItCostBefore() throws Exception {
        Pipeline pipeline = limited(600_000);
        Stuck one = stuck(pipeline, Made.ASYNCHRONOUS);
        List<CompletableFuture<Object>> stages = new ArrayList<>();
        for (int i = 0; i < 50_000; i++) {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            stages.add(stage);
            var unused = pipeline.callAsync(() -> stage);
        }
        time.pass(SECOND);
        assertThat(queue.size()).isEqualTo(50_001);
        stages.forEach(stage -> stage.complete("done"));
        time.pass(2 * SECOND);
        assertThat(queue.size()).isEqualTo(1);
        time.woken();
        time.pass(10 * SECOND);
        assertThat(time.woken()).isLessThanOrEqualTo(11);
        assertThat(one.answer).isNotDone();
    }

    @Test
    void idleCallIsNotLookedAtBeforeItsTime() {
        AtomicInteger looks = new AtomicInteger();
        Pipeline pipeline = watched(new Asking(60 * SECOND) {
                    @Override
                    public void overdue(long slot, long now) {
                        looks.incrementAndGet();
                    }
                })
                .build();
        CompletableFuture<Object> answer = pipeline.callAsync(CompletableFuture::new);
        time.pass(60 * SECOND);
        assertThat(looks).hasValue(0);
        time.pass(MILLI);
        assertThat(looks).hasValue(1);
        time.pass(60 * SECOND);
        assertThat(looks).hasValue(1);
        answer.cancel(true);
    }

    // ---- what goes wrong

    @Test
    void callWhoseLimitNoTimerCanKeepIsRejectedAndTheNextOneTriesAgain() throws Exception {
        Pipeline pipeline = limited(10);
        time.refusing = true;
        assertThatThrownBy(() -> onCaller(() -> pipeline.call(() -> "never")))
                .hasCauseInstanceOf(CallRejectedException.class);
        assertThatThrownBy(() -> watched().build().call(() -> pipeline.call(() -> "never")))
                .isInstanceOf(CallRejectedException.class);
        time.refusing = false;
        Stuck call = stuckOnCaller(pipeline);
        time.pass(10 * MILLI);
        call.assertTimedOut();
        time.pass(100 * MILLI);
        assertThat(time.timers()).isZero();
    }

    @Test
    void limitsAreKeptAgainWhenTheNextTimerWasRefused() throws Exception {
        Pipeline pipeline = limited(100);
        Stuck first = stuck(pipeline);
        Stuck second = stuck(pipeline, Made.ASYNCHRONOUS);
        time.refusing = true;
        assertThatThrownBy(() -> time.pass(50 * MILLI)).isInstanceOf(RejectedExecutionException.class);
        time.refusing = false;
        onCaller(() -> pipeline.call(() -> "sets a timer"));
        time.pass(50 * MILLI);
        first.assertTimedOut();
        second.assertTimedOut();
    }

    @Test
    void busyThreadSetsTheTimerThatWasRefused() throws Exception {
        Pipeline pipeline = limited(100);
        onCaller(() -> pipeline.call(() -> {
            time.refusing = true;
            assertThatThrownBy(() -> time.pass(50 * MILLI)).isInstanceOf(RejectedExecutionException.class);
            time.refusing = false;
            return "its object is known still";
        }));
        Stuck call = stuckOnCaller(pipeline);
        time.pass(100 * MILLI);
        call.assertTimedOut();
    }

    @ParameterizedTest
    @EnumSource
    void aTimerThatIsLostIsReplacedByTheNextCall(Made made) throws Exception {
        time.losing = true;
        Stuck first = stuck(limited(100), made);
        time.losing = false;
        time.pass(2 * SECOND);
        assertThat(first.isStruck()).isFalse();
        Stuck second = stuck(limited(10), made);
        assertThat(time.timers()).isEqualTo(1);
        time.pass(10 * MILLI);
        second.assertTimedOut();
        time.pass(90 * MILLI);
        first.assertTimedOut();
    }

    @Test
    void timersThatAreRefusedAndSetAllTheSameDoNotAddUp() throws Exception {
        Pipeline pipeline = limited(10);
        time.refusing = true;
        time.settingAllTheSame = true;
        for (int i = 0; i < 20; i++) {
            assertThatThrownBy(() -> pipeline.call(() -> "never")).isInstanceOf(CallRejectedException.class);
        }
        time.refusing = false;
        Stuck call = stuck(limited(60_000));
        time.pass(60 * MILLI);
        assertThat(time.timers()).isEqualTo(1);
        call.attempt.onCancel(() -> {});
    }

    @Test
    void nearerLimitReplacesTheTimerOfAFartherOne() throws Exception {
        Stuck far = stuck(limited(600_000));
        time.pass(100 * MILLI);
        for (int i = 0; i < 20; i++) {
            Stuck near = stuckOnCaller(limited(10));
            assertThat(time.timers()).isEqualTo(1);
            time.pass(10 * MILLI);
            near.assertTimedOut();
        }
        assertThat(far.isStruck()).isFalse();
    }

    @Test
    void threadThatCannotBeInterruptedKeepsNobodyElsesLimitFromStriking() throws Exception {
        ThreadFactory stubborn = thatDoesBeforeItsInterrupt(() -> {
            struck.add("stubborn");
            throw new IllegalStateException("cannot be interrupted");
        });
        List<String> logged = Collections.synchronizedList(new ArrayList<>());
        Logger logger = Logger.getLogger("dev.holdfast");
        Handler broken = new StreamHandler() {
            @Override
            public synchronized void publish(LogRecord record) {
                logged.add(record.getMessage());
                throw new IllegalStateException("cannot be logged");
            }
        };
        logger.addHandler(broken);
        try {
            Pipeline pipeline = limited(10);
            Stuck first = stuckOn(stubborn, pipeline);
            Stuck second = stuck(pipeline);
            time.pass(10 * MILLI);
            second.assertTimedOut();
            Stuck later = stuck(pipeline);
            time.pass(10 * MILLI);
            later.assertTimedOut();
            assertThat(struck).hasSize(1);
            assertThat(logged).containsExactly("a limit of 'watched' could not be kept");
            never.countDown();
            first.assertTimedOut();
        } finally {
            logger.removeHandler(broken);
        }
    }

    @Test
    void limitStrikesThoughThePolicyThatIsToldThrowsAndSoDoesTheLog() throws Exception {
        Logger logger = Logger.getLogger("dev.holdfast");
        Handler broken = new StreamHandler() {
            @Override
            public synchronized void publish(LogRecord record) {
                throw new IllegalStateException("cannot be logged");
            }
        };
        logger.addHandler(broken);
        try {
            Policy throwing = new Asking(MILLI) {
                @Override
                public void overdue(long slot, long now) {
                    throw new IllegalStateException("does not want to know");
                }
            };
            Stuck call = stuck(
                    watched(throwing, TimeoutPolicy.of(Duration.ofMillis(10))).build());
            time.passUnseen(10 * MILLI);
            time.pass(0);
            call.assertTimedOut();
        } finally {
            logger.removeHandler(broken);
        }
    }

    // ---- alarms

    /** Wants to be told of attempts that run for longer. */
    private static class Asking extends Policy {
        private final long afterNanos;
        private final AtomicInteger told = new AtomicInteger();

        Asking(long afterNanos) {
            super("asking", ENTER | OVERDUE);
            this.afterNanos = afterNanos;
        }

        @Override
        public int enter(Passage passage) {
            passage.beside().overdueAfter(afterNanos);
            return PROCEED;
        }

        @Override
        public void overdue(long slot, long now) {
            told.incrementAndGet();
        }
    }

    @ParameterizedTest
    @EnumSource
    void policiesAreToldInTheirTurnAndOnceOfACallThatRunsTooLong(Made made) throws Exception {
        Asking late = new Asking(300 * MILLI);
        Asking early = new Asking(20 * MILLI);
        Stuck call = stuck(watched(late, early).build(), made);
        time.pass(20 * MILLI);
        assertThat(early.told).hasValue(0);
        time.pass(MILLI);
        assertThat(early.told).hasValue(1);
        time.pass(279 * MILLI);
        assertThat(late.told).hasValue(0);
        time.pass(MILLI);
        assertThat(late.told).hasValue(1);
        time.pass(10 * SECOND);
        assertThat(early.told).hasValue(1);
        assertThat(late.told).hasValue(1);
        assertThat(call.answer).isNotDone();
    }

    @Test
    void alarmAndLimitOfOneCallAreBothKept() throws Exception {
        Asking asking = new Asking(20 * MILLI);
        Stuck call =
                stuck(watched(asking, TimeoutPolicy.of(Duration.ofMillis(200))).build());
        time.pass(200 * MILLI - 1);
        assertThat(asking.told).hasValue(1);
        assertThat(call.isStruck()).isFalse();
        time.pass(1);
        call.assertTimedOut();
    }

    @Test
    void alarmOfALayerThatWasLeftWakesNobody() throws Exception {
        Asking outer = new Asking(10 * SECOND);
        Asking inner = new Asking(5 * MILLI) {
            private boolean entered;

            @Override
            public int enter(Passage passage) {
                if (entered) {
                    return PROCEED;
                }
                entered = true;
                return super.enter(passage);
            }
        };
        Pipeline pipeline = watched(outer, RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ZERO)), inner)
                .build();
        CompletableFuture<Object> answer = pipeline.<Object>operation("twice", o -> o.idempotent(true))
                .unkeyed()
                .callAsync(attempt -> attempt.number() == 1
                        ? CompletableFuture.failedFuture(new IOException("again"))
                        : new CompletableFuture<>());
        time.pass(100 * MILLI);
        time.woken();
        time.pass(5 * SECOND);
        assertThat(inner.told).hasValue(0);
        assertThat(time.woken()).isLessThanOrEqualTo(6);
        time.pass(5 * SECOND);
        assertThat(outer.told).hasValue(1);
        answer.cancel(true);
    }

    @Test
    void hedgesAreStartedWhenTheyAreDueAndAfterOneAnother() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        Pipeline pipeline = watched(
                        HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)).maxHedges(2)))
                .backgroundExecutor(Runnable::run)
                .build();
        CompletableFuture<Object> answer = pipeline.<Object>operation("slow", o -> o.idempotent(true))
                .unkeyed()
                .callAsync(attempt -> {
                    attempts.incrementAndGet();
                    return new CompletableFuture<>();
                });
        time.pass(20 * MILLI - 1);
        assertThat(attempts).hasValue(1);
        time.pass(1);
        assertThat(attempts).hasValue(2);
        time.pass(20 * MILLI);
        assertThat(attempts).hasValue(3);
        time.pass(SECOND);
        assertThat(attempts).hasValue(3);
        answer.cancel(true);
    }

    @Test
    void nextPassIsNotLookedAtForTheAlarmOfALayerThatAsksNoMore() throws Exception {
        Asking inner = new Asking(5 * MILLI) {
            private boolean entered;

            @Override
            public int enter(Passage passage) {
                if (entered) {
                    return PROCEED;
                }
                entered = true;
                return super.enter(passage);
            }
        };
        AtomicInteger attempts = new AtomicInteger();
        Pipeline pipeline = watched(
                        new Asking(10 * SECOND),
                        RetryPolicy.of(r -> r.maxAttempts(2)
                                .initialBackoff(Duration.ofMillis(20))
                                .jitter(Jitter.NONE)),
                        inner)
                .executor(Runnable::run)
                .build();
        CompletableFuture<Object> answer = pipeline.<Object>operation("twice", o -> o.idempotent(true))
                .unkeyed()
                .callAsync(attempt -> attempts.incrementAndGet() == 1
                        ? CompletableFuture.failedFuture(new IOException("again"))
                        : new CompletableFuture<>());
        time.pass(20 * MILLI);
        assertThat(attempts).hasValue(2);
        time.woken();
        time.pass(10 * MILLI);
        assertThat(time.woken()).isZero();
        answer.cancel(true);
    }

    @Test
    void shorterLimitStrikesInTimeAfterTheTimerHasLookedAtALongerOneOfTheThread() throws Exception {
        onCaller(() -> limited(10_000).call(() -> {
            time.pass(60 * MILLI);
            return "looked at";
        }));
        Stuck call = stuckOnCaller(limited(100));
        time.pass(100 * MILLI - 1);
        assertThat(call.isStruck()).isFalse();
        time.pass(1);
        assertThat(call.isStruck()).isTrue();
        call.assertTimedOut();
    }

    @Test
    void callsOfAThreadAreWatchedUnderOneEntry() throws Exception {
        Pipeline pipeline = limited(1_000);
        onCaller(() -> {
            Ambient held = Ambient.get(); // or the collector may take it between two calls
            try {
                Callable<WatchQueue.Entry> underWhich = () ->
                        pipeline.call(() -> Objects.requireNonNull(Ambient.get().current()).entry);
                WatchQueue.Entry first = underWhich.call();
                assertThat(first).isNotNull();
                for (int i = 0; i < 10; i++) {
                    assertThat(underWhich.call()).isSameAs(first);
                }
            } finally {
                Reference.reachabilityFence(held);
            }
            return null;
        });
    }

    @Test
    void entryThatTheTimerHasDroppedPromisesNothingMore() {
        List<WatchQueue.Entry> entries = new ArrayList<>();
        limited(10)
                .callAsync(() -> {
                    entries.add(Objects.requireNonNull(
                            Objects.requireNonNull(Ambient.get().current()).entry));
                    return CompletableFuture.completedFuture("done");
                })
                .join();
        WatchQueue.Entry entry = entries.get(0);
        assertThat(entry.promises(queue, time.nanos() + SECOND)).isTrue();
        time.pass(2 * SECOND);
        assertThat(queue.size()).isZero();
        assertThat(entry.promises(queue, time.nanos() + SECOND)).isFalse();
    }
}
