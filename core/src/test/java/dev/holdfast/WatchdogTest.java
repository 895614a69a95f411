/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.contract.Around;
import dev.holdfast.contract.ThreadKind;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.hedge.HedgeSettings;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The watchdog that sweeps, where the thread of its timer runs only when the test says so. */
@ThreadKind.Each
class WatchdogTest {
    private static final long MILLI = 1_000_000;

    /** A clock that stands still, and timers whose thread does not come to them by itself. */
    private static final class LateTimer extends Around {
        private final Queue<Runnable> timers = new ConcurrentLinkedQueue<>();
        private final AtomicLong now = new AtomicLong(1);
        private volatile boolean refusing;
        private volatile boolean queueing;

        LateTimer() {
            super(TimeSource.system());
        }

        @Override
        public long nanos() {
            return now.get();
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            if (!refusing || queueing) {
                timers.add(task);
            }
            if (refusing) {
                throw new RejectedExecutionException("no timers");
            }
            return () -> timers.remove(task);
        }

        void pass(long nanos) {
            now.addAndGet(nanos);
        }

        /** What waits for the timer's thread, but not what it sets itself. */
        void runTimers() {
            for (int left = timers.size(); left > 0; left--) {
                timers.remove().run();
            }
        }
    }

    private final LateTimer time = new LateTimer();
    private final Watchdog watchdog = new Watchdog.Sweeping(time);
    private final CountDownLatch never = new CountDownLatch(1);

    private Pipeline.Builder swept(Policy... policies) {
        return Pipeline.builder("swept").time(time).watchdog(watchdog).policies(policies);
    }

    private Pipeline limited(long millis) {
        return swept(TimeoutPolicy.of(Duration.ofMillis(millis))).build();
    }

    private interface Caller {
        void call(CheckedSupplier<Object, InterruptedException> endless) throws Exception;
    }

    /** A blocking call whose action has begun and does not end by itself; completes with what the caller is told. */
    private CompletableFuture<Throwable> stuck(ThreadFactory threads, Caller caller) throws InterruptedException {
        CompletableFuture<Throwable> told = new CompletableFuture<>();
        CountDownLatch begun = new CountDownLatch(1);
        threads.newThread(() -> {
                    try {
                        caller.call(() -> {
                            begun.countDown();
                            never.await();
                            return "never";
                        });
                        told.completeExceptionally(new AssertionError("a call that never ends has ended"));
                    } catch (Throwable thrown) {
                        told.complete(thrown);
                    }
                })
                .start();
        begun.await();
        return told;
    }

    private CompletableFuture<Throwable> stuck(Pipeline pipeline) throws InterruptedException {
        return stuck(ThreadKind.current(), pipeline::call);
    }

    /** The same of an action that asks for its attempt. */
    private CompletableFuture<Throwable> stuck(Pipeline pipeline, Consumer<Attempt> asked) throws InterruptedException {
        return stuck(
                ThreadKind.current(),
                endless -> pipeline.operation("asks").unkeyed().call(attempt -> {
                    asked.accept(attempt);
                    return endless.get();
                }));
    }

    private static Throwable get(CompletableFuture<Throwable> told) throws Exception {
        return told.get(30, TimeUnit.SECONDS);
    }

    @Test
    void aCallStrikesTheLimitsForWhichTheTimersThreadIsLate() throws Exception {
        try (Pipeline pipeline = limited(10);
                Pipeline outer = swept().build()) {
            CompletableFuture<Throwable> outermost = stuck(pipeline);
            CompletableFuture<Throwable> nested =
                    stuck(ThreadKind.current(), endless -> outer.call(() -> pipeline.call(endless)));
            time.pass(10 * MILLI);
            assertThat(pipeline.call(() -> "a call that has nothing to do with them"))
                    .isNotEmpty();
            assertThat(get(outermost)).isInstanceOf(CallTimeoutException.class);
            assertThat(get(nested)).isInstanceOf(CallTimeoutException.class);
        }
    }

    @Test
    void theTimersThreadMayBeLateByAQuarterOfAPeriodAndThenOneCallAPeriodSweeps() throws Exception {
        try (Pipeline pipeline = limited(1)) {
            assertStruckWhenTheSweepIsLate(pipeline);
            // The first was struck by a call, which has put off the next sweep by a period.
            assertStruckWhenTheSweepIsLate(pipeline);
        }
    }

    private void assertStruckWhenTheSweepIsLate(Pipeline pipeline) throws Exception {
        CompletableFuture<Attempt> attempt = new CompletableFuture<>();
        CompletableFuture<Throwable> told = stuck(pipeline, attempt::complete);
        time.pass(MILLI + MILLI / 4);
        pipeline.call(() -> "the sweep that was due after 1 ms is not late yet");
        assertThat(attempt.get().isCancelled()).isFalse();
        time.pass(2);
        pipeline.call(() -> "now it is");
        assertThat(attempt.get().isCancelled()).isTrue();
        assertThat(get(told)).isInstanceOf(CallTimeoutException.class);
    }

    @Test
    void anAsynchronousCallThatACallStrikesEndsOnTheExecutorsThread() throws Exception {
        try (Pipeline pipeline = limited(10)) {
            CompletableFuture<Object> answer = pipeline.callAsync(CompletableFuture::new);
            CompletableFuture<Thread> endedOn = answer.handle((value, error) -> Thread.currentThread());
            time.pass(12 * MILLI);
            pipeline.call(() -> "strikes");
            assertThat(endedOn.get(30, TimeUnit.SECONDS)).isNotSameAs(Thread.currentThread());
            assertThatThrownBy(answer::join).hasCauseInstanceOf(CallTimeoutException.class);
        }
    }

    @Test
    void aCallRunsNothingOfAnotherCallersOnItsThread() throws Exception {
        try (Pipeline pipeline = limited(10);
                Pipeline onTheSpot = swept(TimeoutPolicy.of(Duration.ofMillis(10)))
                        .executor(Runnable::run)
                        .build()) {
            CompletableFuture<Object> answer = onTheSpot.callAsync(CompletableFuture::new);
            AtomicInteger hooks = new AtomicInteger();
            CompletableFuture<Throwable> hooked = stuck(onTheSpot, attempt -> attempt.onCancel(hooks::incrementAndGet));
            time.pass(12 * MILLI);
            pipeline.call(() -> "strikes both");
            assertThat(get(hooked)).isInstanceOf(CallTimeoutException.class);
            assertThat(hooks).hasValue(0);
            assertThat(answer).isNotDone();
            time.runTimers();
            assertThat(answer).isCompletedExceptionally();
            assertThat(hooks).hasValue(1);
        }
    }

    @Test
    void aCallHandsNothingInToAnExecutorOfAnotherCallers() {
        Queue<Thread> handedInBy = new ConcurrentLinkedQueue<>();
        try (Pipeline pipeline = limited(10);
                Pipeline others = swept(TimeoutPolicy.of(Duration.ofMillis(10)))
                        .executor(task -> {
                            handedInBy.add(Thread.currentThread());
                            task.run();
                        })
                        .build()) {
            CompletableFuture<Object> answer = others.callAsync(CompletableFuture::new);
            time.pass(12 * MILLI);
            pipeline.call(() -> "strikes");
            assertThat(handedInBy).isEmpty();
            time.runTimers();
            assertThat(handedInBy).hasSize(1);
            assertThat(answer).isCompletedExceptionally();
        }
    }

    @Test
    void theTimeInWhichACallStrikesOthersIsNoTimeOfItsAttempt() throws Exception {
        ThreadFactory slow = task -> new Thread(task) {
            @Override
            public void interrupt() {
                time.pass(20 * MILLI);
                super.interrupt();
            }
        };
        List<String> attempts = new ArrayList<>();
        AtomicInteger ran = new AtomicInteger();
        CallObserver observer = new CallObserver() {
            @Override
            public void attemptSettled(
                    String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                attempts.add(outcome + " after " + nanos);
            }
        };
        try (Pipeline pipeline = limited(10);
                Pipeline patient = swept(TimeoutPolicy.of(Duration.ofSeconds(1)))
                        .observer(observer)
                        .build()) {
            CompletableFuture<Throwable> first = stuck(slow, pipeline::call);
            time.pass(12 * MILLI);
            patient.call(ran::incrementAndGet);
            assertThat(attempts).containsExactly("SUCCESS after 0");
            assertThat(get(first)).isInstanceOf(CallTimeoutException.class);

            CompletableFuture<Throwable> second = stuck(slow, pipeline::call);
            time.pass(12 * MILLI);
            assertThat(catchThrowable(() -> pipeline.call(ran::incrementAndGet)))
                    .isInstanceOf(CallRejectedException.class);
            assertThat(ran).as("no action is begun after its limit").hasValue(1);
            assertThat(get(second)).isInstanceOf(CallTimeoutException.class);
        }
    }

    @Test
    void whereVeryManyCallsAreInFlightOnlyTheTimersThreadSweeps() throws Exception {
        try (Pipeline pipeline = limited(10);
                Pipeline patient = limited(1_000)) {
            CompletableFuture<Attempt> attempt = new CompletableFuture<>();
            CompletableFuture<Throwable> struck = stuck(pipeline, attempt::complete);
            List<CompletableFuture<Object>> many = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) {
                many.add(patient.callAsync(CompletableFuture::new));
            }
            time.runTimers();
            time.pass(12 * MILLI);
            pipeline.call(() -> "would be late itself");
            assertThat(attempt.get().isCancelled()).isFalse();
            time.runTimers();
            assertThat(attempt.get().isCancelled()).isTrue();
            assertThat(get(struck)).isInstanceOf(CallTimeoutException.class);
            assertThat(many).noneMatch(CompletableFuture::isDone);
        }
    }

    @Test
    void afterVeryManyCallsHaveEndedCallsStrikeAgain() throws Exception {
        try (Pipeline pipeline = limited(10);
                Pipeline patient = limited(1_000)) {
            List<CompletableFuture<Object>> stages = new ArrayList<>();
            List<CompletableFuture<Object>> many = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) {
                CompletableFuture<Object> stage = new CompletableFuture<>();
                stages.add(stage);
                many.add(patient.callAsync(() -> stage));
            }
            time.runTimers();
            stages.forEach(stage -> stage.complete("over"));
            assertThat(many).allMatch(CompletableFuture::isDone);
            time.runTimers();
            CompletableFuture<Throwable> struck = stuck(pipeline);
            time.pass(12 * MILLI);
            pipeline.call(() -> "strikes");
            assertThat(get(struck)).isInstanceOf(CallTimeoutException.class);
        }
    }

    @Test
    void aCallThatHasStruckForALongTimeLeavesTheRestToTheNext() throws Exception {
        ThreadFactory slow = task -> new Thread(task) {
            @Override
            public void interrupt() {
                time.pass(MILLI);
                super.interrupt();
            }
        };
        try (Pipeline pipeline = limited(10)) {
            CompletableFuture<Throwable> first = stuck(slow, pipeline::call);
            CompletableFuture<Attempt> attempt = new CompletableFuture<>();
            CompletableFuture<Throwable> second = stuck(pipeline, attempt::complete);
            time.pass(12 * MILLI);
            pipeline.call(() -> "strikes the first");
            assertThat(get(first)).isInstanceOf(CallTimeoutException.class);
            assertThat(attempt.get().isCancelled()).isFalse();
            time.pass(2);
            pipeline.call(() -> "strikes the second");
            assertThat(get(second)).isInstanceOf(CallTimeoutException.class);
        }
    }

    /** Calls ever deeper, until there is no stack left; before each call there is another one to be struck. */
    private final class Deeper implements Runnable {
        private final Pipeline pipeline;
        private final Pipeline others;
        private final AtomicReferenceArray<CompletableFuture<Object>> answers = new AtomicReferenceArray<>(10_000);
        private int made;

        Deeper(Pipeline pipeline, Pipeline others) {
            this.pipeline = pipeline;
            this.others = others;
        }

        @Override
        public void run() {
            if (made < answers.length()) {
                answers.set(made++, others.callAsync(CompletableFuture::new));
                time.pass(12 * MILLI);
                pipeline.call(() -> "strikes it");
                run();
            }
        }
    }

    @Test
    void nearTheEndOfItsStackACallStrikesNobodyAndLosesNobody() throws Exception {
        try (Pipeline pipeline = limited(10);
                Pipeline others = limited(10)) {
            for (int round = 0; round < 20; round++) {
                Deeper deeper = new Deeper(pipeline, others);
                CompletableFuture<Throwable> end = new CompletableFuture<>();
                Thread thread = new Thread(null, deeper, "deeper", 200_000 + 1_000 * round);
                thread.setUncaughtExceptionHandler((ended, thrown) -> end.complete(thrown));
                thread.start();
                assertThat(get(end)).isInstanceOf(StackOverflowError.class);
                time.pass(12 * MILLI);
                time.runTimers();
                for (int i = 0; i < deeper.made; i++) {
                    CompletableFuture<Object> answer = deeper.answers.get(i);
                    if (answer != null) {
                        assertThatThrownBy(() -> answer.get(30, TimeUnit.SECONDS))
                                .hasCauseInstanceOf(CallTimeoutException.class);
                    }
                }
            }
        }
    }

    @Test
    void whereThereIsNoTimerHooksAndContinuationsAreHandedInAllTheSameAndOnce() throws Exception {
        Queue<Runnable> handedIn = new ConcurrentLinkedQueue<>();
        AtomicInteger hooks = new AtomicInteger();
        try (Pipeline pipeline = limited(10);
                Pipeline others = swept(TimeoutPolicy.of(Duration.ofMillis(10)))
                        .executor(handedIn::add)
                        .build()) {
            CompletableFuture<Object> answer = others.callAsync(CompletableFuture::new);
            CompletableFuture<Throwable> hooked = stuck(others, attempt -> attempt.onCancel(hooks::incrementAndGet));
            time.pass(12 * MILLI);
            time.refusing = true;
            time.queueing = true;
            pipeline.call(() -> "strikes both");
            time.refusing = false;
            assertThat(get(hooked)).isInstanceOf(CallTimeoutException.class);
            time.runTimers();
            assertThat(handedIn).hasSize(2);
            handedIn.forEach(Runnable::run);
            assertThat(answer).isCompletedExceptionally();
            assertThat(hooks).hasValue(1);
        }
    }

    @Test
    void aStrikeThatGoesWrongDoesNoHarmToTheCallThatMadeIt() throws Exception {
        ThreadFactory stubborn = task -> new Thread(task) {
            @Override
            public void interrupt() {
                throw new IllegalStateException("cannot be interrupted");
            }
        };
        Logger logger = Logger.getLogger("dev.holdfast");
        Handler broken = new StreamHandler() {
            @Override
            public synchronized void publish(LogRecord record) {
                throw new IllegalStateException("cannot be logged");
            }
        };
        logger.addHandler(broken);
        try (Pipeline pipeline = limited(10)) {
            CompletableFuture<Throwable> struck = stuck(stubborn, pipeline::call);
            time.pass(12 * MILLI);
            assertThat(pipeline.call(() -> "unharmed")).isEqualTo("unharmed");
            never.countDown();
            assertThat(get(struck)).isInstanceOf(CallTimeoutException.class);
        } finally {
            logger.removeHandler(broken);
        }
    }

    @Test
    void aCallThatNoThreadTakesOverEndsOnTheTimersThreadAndNotWithinTheCallThatStruckIt() {
        try (Pipeline pipeline = limited(10)) {
            Pipeline closed = limited(10);
            CompletableFuture<Object> answer = closed.callAsync(CompletableFuture::new);
            closed.close();
            time.pass(12 * MILLI);
            pipeline.call(() -> "strikes");
            assertThat(answer).isNotDone();
            time.runTimers();
            assertThat(answer).isCompletedExceptionally();
        }
    }

    /** Wants to be told of attempts that run longer than a millisecond. */
    private static final class Impatient extends Policy {
        private final AtomicInteger told = new AtomicInteger();

        Impatient() {
            super("impatient", ENTER | OVERDUE);
        }

        @Override
        public int enter(Passage passage) {
            passage.overdueAfter(MILLI);
            return PROCEED;
        }

        @Override
        public void overdue(long slot, long now) {
            told.incrementAndGet();
        }
    }

    @Test
    void policiesAreToldOfLongAttemptsAndHedgesStartedOnTheTimersThreadAlone() throws Exception {
        Impatient impatient = new Impatient();
        CountDownLatch attempts = new CountDownLatch(2);
        try (Pipeline pipeline = limited(10);
                Pipeline told = swept(impatient, TimeoutPolicy.of(Duration.ofSeconds(1)))
                        .build();
                Pipeline hedged = swept(HedgePolicy.of(HedgeSettings.builder()
                                .delay(Duration.ofMillis(5))
                                .build()))
                        .build()) {
            CompletableFuture<Object> slow = told.callAsync(CompletableFuture::new);
            CompletableFuture<Object> slower = hedged.<Object>operation("slow", options -> options.idempotent(true))
                    .unkeyed()
                    .callAsync(attempt -> {
                        attempts.countDown();
                        return new CompletableFuture<>();
                    });
            time.pass(50 * MILLI);
            pipeline.call(() -> "sweeps");
            assertThat(impatient.told).hasValue(0);
            assertThat(attempts.getCount()).isEqualTo(1);
            time.runTimers();
            assertThat(impatient.told).hasValue(1);
            assertThat(attempts.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(slow).isNotDone();
            assertThat(slower).isNotDone();
        }
    }

    @Test
    void aThreadThatCannotBeInterruptedKeepsNobodyElsesLimitFromStriking() throws Exception {
        AtomicInteger interrupts = new AtomicInteger();
        ThreadFactory stubborn = task -> new Thread(task) {
            @Override
            public void interrupt() {
                interrupts.incrementAndGet();
                throw new IllegalStateException("cannot be interrupted");
            }
        };
        try (Pipeline pipeline = limited(10)) {
            CompletableFuture<Throwable> first = stuck(stubborn, pipeline::call);
            CompletableFuture<Throwable> second = stuck(pipeline);
            time.pass(10 * MILLI);
            time.runTimers();
            assertThat(get(second)).isInstanceOf(CallTimeoutException.class);
            assertThat(interrupts).hasValue(1);
            CompletableFuture<Throwable> later = stuck(pipeline);
            time.pass(10 * MILLI);
            time.runTimers();
            assertThat(get(later)).isInstanceOf(CallTimeoutException.class);

            never.countDown();
            assertThat(get(first)).isInstanceOf(CallTimeoutException.class);
        }
    }

    @Test
    void aCallThatIsHeldUpWhileItStrikesIsFollowedByTheNextCall() throws Exception {
        CountDownLatch striking = new CountDownLatch(1);
        CompletableFuture<Void> goOn = new CompletableFuture<>();
        ThreadFactory slow = task -> new Thread(task) {
            @Override
            public void interrupt() {
                striking.countDown();
                goOn.join();
                super.interrupt();
            }
        };
        try (Pipeline pipeline = limited(10)) {
            CompletableFuture<Throwable> first = stuck(slow, pipeline::call);
            CompletableFuture<Throwable> second = stuck(pipeline);
            time.pass(10 * MILLI);
            Thread heldUp = ThreadKind.current().newThread(() -> pipeline.call(() -> "strikes the first"));
            heldUp.start();
            striking.await();
            time.pass(MILLI / 4 + 2);
            pipeline.call(() -> "strikes the second");
            assertThat(get(second)).isInstanceOf(CallTimeoutException.class);
            goOn.complete(null);
            assertThat(get(first)).isInstanceOf(CallTimeoutException.class);
            heldUp.join();
        }
    }

    @Test
    void sweepsThatEndedForWantOfATimerAreTakenUpByTheNextCall() throws Exception {
        try (Pipeline pipeline = limited(10)) {
            CompletableFuture<Throwable> told = stuck(pipeline);
            time.refusing = true;
            assertThatThrownBy(time::runTimers).isInstanceOf(RejectedExecutionException.class);
            time.refusing = false;
            pipeline.call(() -> "sets a timer");
            time.pass(10 * MILLI);
            time.runTimers();
            assertThat(get(told)).isInstanceOf(CallTimeoutException.class);
        }
    }

    @Test
    void timersThatAreRefusedAndSetAllTheSameDoNotAddUp() {
        try (Pipeline pipeline = limited(10)) {
            time.refusing = true;
            time.queueing = true;
            for (int i = 0; i < 20; i++) {
                assertThatThrownBy(() -> pipeline.call(() -> "never")).isInstanceOf(CallRejectedException.class);
            }
            time.refusing = false;
            pipeline.call(() -> "sets a timer");
            time.runTimers();
            time.runTimers();
            assertThat(time.timers).hasSize(1);
        }
    }

    @Test
    void aCallWhoseLimitCouldNotBeWatchedLeavesItsPlace() {
        try (Pipeline pipeline = limited(10);
                Pipeline outer = swept().build()) {
            time.refusing = true;
            assertThatThrownBy(() -> outer.call(() -> pipeline.call(() -> "never")))
                    .isInstanceOf(CallRejectedException.class);
            time.refusing = false;
            pipeline.call(() -> "sets a timer");
            runUntilNoTimerIsLeft();
        }
    }

    @Test
    void sweepsEndWhenThereIsNothingToWatch() {
        try (Pipeline pipeline = limited(10)) {
            pipeline.call(() -> "a call");
            runUntilNoTimerIsLeft();
        }
    }

    private void runUntilNoTimerIsLeft() {
        for (int sweeps = 0; sweeps < 1_000 && !time.timers.isEmpty(); sweeps++) {
            time.pass(MILLI);
            time.runTimers();
        }
        assertThat(time.timers).isEmpty();
    }
}
