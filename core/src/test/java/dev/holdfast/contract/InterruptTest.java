/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** INTERPRETER section 4: what interrupts do to blocking calls, and that none is lost, made up, or hits a stranger. */
@ThreadKind.Each
class InterruptTest {
    /** Longer than any machine needs for anything here: what lasts longer hangs. */
    private static final Duration FOR_EVER = Duration.ofMinutes(5);

    /** Time that begins with the action; between the watchdog's claim and its interrupt a test may do something. */
    private static class Gap extends Begun {
        private final Runnable beforeTheInterrupt;
        final CountDownLatch claimed = new CountDownLatch(1);
        final CountDownLatch landed = new CountDownLatch(1);

        Gap(Runnable beforeTheInterrupt) {
            this.beforeTheInterrupt = beforeTheInterrupt;
        }

        @Override
        public void interrupt(Thread thread) {
            claimed.countDown();
            beforeTheInterrupt.run();
            super.interrupt(thread);
            landed.countDown();
        }
    }

    /** The watchdog strikes when the test says so, on a thread of its own. */
    private static final class ByHand extends Gap {
        private volatile Runnable watchdog = () -> {};

        ByHand() {
            super(() -> {});
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            watchdog = task;
            return () -> {};
        }

        void strike() {
            CountDownLatch done = new CountDownLatch(1);
            new Thread(
                            () -> {
                                watchdog.run();
                                done.countDown();
                            },
                            "watchdog")
                    .start();
            awaitPatiently(done);
        }
    }

    private static void spin(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() - end < 0) {
            LockSupport.parkNanos(100_000);
        }
    }

    private static Pipeline limited(TimeSource time, long millis) {
        return Pipeline.builder("interrupts")
                .policies(TimeoutPolicy.of(millis(millis)))
                .time(time)
                .build();
    }

    private static void awaitPatiently(CountDownLatch latch) {
        while (latch.getCount() > 0) {
            LockSupport.parkNanos(100_000);
        }
    }

    @Test
    void interruptThatIsStillOnItsWayIsAwaitedAndHitsNobodyElse() throws InterruptedException {
        Gap gap = new Gap(() -> spin(millis(30)));
        try (Pipeline pipeline = limited(gap, 5)) {
            // The action ends in the gap between claim and interrupt: it has lost, and its interrupt is still to come.
            Throwable thrown = catchThrowable(() -> pipeline.call(() -> {
                gap.begin();
                awaitPatiently(gap.claimed);
                return "too late";
            }));
            assertThat(gap.landed.getCount())
                    .as("the call waited for its interrupt to land")
                    .isZero();
            assertThat(thrown).isInstanceOf(CallTimeoutException.class);
            assertThat(Thread.interrupted()).as("a stray interrupt").isFalse();
        }
    }

    @Test
    void flagOfATimeoutIsClearedAfterAnActionThatLeftItSet() {
        Gap gap = new Gap(() -> {});
        try (Pipeline pipeline = limited(gap, 5)) {
            assertThatThrownBy(() -> pipeline.call(() -> {
                        gap.begin();
                        awaitPatiently(gap.landed);
                        return "ignored its interrupt";
                    }))
                    .isInstanceOf(CallTimeoutException.class);
            assertThat(Thread.interrupted()).isFalse();
        }
    }

    @Test
    void interruptFromOutsideBeforeOursStaysSet() {
        Thread caller = Thread.currentThread();
        ByHand gap = new ByHand();
        try (Pipeline pipeline = limited(gap, 5)) {
            assertThatThrownBy(() -> pipeline.call(() -> {
                        gap.begin();
                        caller.interrupt();
                        gap.strike();
                        return "interrupted from outside, and late";
                    }))
                    .isInstanceOf(CallTimeoutException.class);
            assertThat(Thread.interrupted()).as("the interrupt from outside").isTrue();
            assertThat(gap.claimed.getCount())
                    .as("no second interrupt was sent")
                    .isOne();
        }
    }

    @Test
    void interruptFromOutsideWhileOursIsOnItsWayStaysSet() {
        Thread caller = Thread.currentThread();
        Gap gap = new Gap(() -> {
            caller.interrupt();
            long start = System.nanoTime();
            while (caller.isInterrupted() && System.nanoTime() - start < FOR_EVER.toNanos()) {
                LockSupport.parkNanos(100_000);
            }
        });
        try (Pipeline pipeline = limited(gap, 5)) {
            assertThatThrownBy(() -> pipeline.call(() -> {
                        gap.begin();
                        awaitPatiently(gap.claimed);
                        return "too late";
                    }))
                    .isInstanceOf(CallTimeoutException.class);
            assertThat(Thread.interrupted()).as("the interrupt from outside").isTrue();
        }
    }

    @Test
    void attemptWhoseLimitStruckBeforeItsActionBeganIsToldSo() {
        // The thread is held up between the setting of its limit and the action: the limit strikes in between.
        Gap early = new Gap(() -> {}) {
            @Override
            public Timer schedule(long delayNanos, Runnable task) {
                begin();
                Thread watchdog = new Thread(task, "watchdog");
                watchdog.start();
                awaitPatiently(landed);
                return () -> {};
            }
        };
        try (Pipeline pipeline = limited(early, 5)) {
            boolean[] told = new boolean[2];
            assertThatThrownBy(() -> pipeline.operation("x").unkeyed().call(attempt -> {
                        attempt.onCancel(() -> told[0] = true);
                        told[1] = attempt.isCancelled();
                        return "too late";
                    }))
                    .isInstanceOf(CallTimeoutException.class);
            assertThat(told).containsExactly(true, true);
            assertThat(Thread.interrupted()).isFalse();
        }
    }

    /**
     * On the system's time a thread may be held up for as long as its limit, wherever it is. Then it is not the answer that
     * is right: before the action began the call is turned away, afterwards it has timed out.
     */
    private static void assertThatItsTimeWasOver(Throwable thrown, boolean began, Duration limit, long startNanos) {
        if (began) {
            assertThat(thrown)
                    .isInstanceOfSatisfying(
                            CallTimeoutException.class,
                            late -> assertThat(late.elapsed()).isGreaterThanOrEqualTo(limit));
        } else {
            assertThat(thrown)
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            late -> assertThat(late.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED));
        }
        assertThat(Duration.ofNanos(System.nanoTime() - startNanos)).isGreaterThanOrEqualTo(limit);
    }

    @Test
    void noActionIsGivenUpOrInterruptedBeforeItsLimit() {
        try (Pipeline pipeline = limited(TimeSource.system(), 5)) {
            boolean[] began = new boolean[1];
            for (int i = 0; i < 20_000; i++) {
                began[0] = false;
                long start = System.nanoTime();
                try {
                    assertThat(pipeline.call(() -> {
                                began[0] = true;
                                return "in time";
                            }))
                            .isEqualTo("in time");
                } catch (CallTimeoutException | CallRejectedException late) {
                    assertThatItsTimeWasOver(late, began[0], millis(5), start);
                }
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
            }
        }
    }

    @Test
    void callsThatEndAboutWhenTheirLimitStrikesLeaveNoFlag() {
        try (Pipeline pipeline = limited(TimeSource.system(), 1)) {
            boolean[] began = new boolean[1];
            for (int i = 0; i < 300; i++) {
                int micros = 900 + i % 100 * 15;
                began[0] = false;
                long start = System.nanoTime();
                Throwable thrown = catchThrowable(() -> pipeline.call(() -> {
                    began[0] = true;
                    long end = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(micros);
                    while (System.nanoTime() - end < 0) {
                        Thread.onSpinWait();
                    }
                    return "done";
                }));
                if (thrown != null) {
                    assertThatItsTimeWasOver(thrown, began[0], millis(1), start);
                }
                assertThat(Thread.interrupted()).as("after call %d", i).isFalse();
            }
        }
    }

    @Test
    void threadThatIsInterruptedBeforeItWaitsIsTurnedAway() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("queue").entering(passage -> Decision.pause(10)));
            Thread.currentThread().interrupt();
            CallRejectedException rejection =
                    (CallRejectedException) catchThrowable(() -> lab.pipeline().call(() -> "never"));
            assertThat(Thread.interrupted()).as("the flag stays set").isTrue();
            assertThat(rejection.reason()).isEqualTo(Reason.INTERRUPTED);
            assertThat(lab.log).containsExactly("queue enter", "queue abandon");
        }
    }

    @Test
    void threadThatIsInterruptedButNeedNotWaitIsServed() throws Exception {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("layer"));
            Thread.currentThread().interrupt();
            assertThat(lab.pipeline().<String, Exception>call(() -> "served")).isEqualTo("served");
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void interruptWhileItWaitsIsARejectionAndTheFlagStaysSet() {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            lab.layers(lab.probe("outer"), lab.probe("queue").entering(passage -> Decision.await(never)));
            Lab.Running running = lab.giveUpAfter(5, Way.CALL, Step.value("never"));
            assertThat(running.end()).isEqualTo(new Lab.End("rejected by pipeline: INTERRUPTED", 0, millis(5)));
            assertThat(running.flag()).isTrue();
            assertThat(lab.log).contains("queue abandon", "outer settle INTERRUPTED not started");
        }
    }

    @Test
    void actionsOwnInterruptedExceptionGivesUpTheWholeCall() {
        try (Lab lab = new Lab()) {
            lab.layers(RetryPolicy.of(r -> r.maxAttempts(3)), lab.probe("inner"));
            InterruptedException own = new InterruptedException("not ours");
            Lab.Running running = lab.run(Way.CALL, Step.error(own));
            assertThat(running.error()).isSameAs(own);
            assertThat(running.script.started()).isOne();
            assertThat(running.flag()).isTrue();
            assertThat(lab.log).contains("inner settle INTERRUPTED");
        }
    }

    @Test
    void flagIsSetAgainAlsoIfAFallbackAnswers() {
        try (Lab lab = new Lab()) {
            lab.layers(FallbackPolicy.value("fallback"));
            Lab.Running running = lab.run(Way.CALL, Step.error(new InterruptedException("not ours")));
            assertThat(running.value()).isEqualTo("fallback");
            assertThat(running.flag()).isTrue();
        }
    }

    @Test
    void interruptDuringARetrysWaitEndsTheCall() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"), lab.probe("retrying").settling(passage -> Decision.retry(100)));
            Lab.Running running = lab.giveUpAfter(5, Way.CALL, Step.error(new IOException("again")));
            assertThat(running.after()).isEqualTo(millis(5));
            assertThat(running.script.started()).isOne();
            assertThat(running.flag()).isTrue();
            lab.assertLivesOver();
        }
    }

    @Test
    void interruptThatAnActionSwallowsIsFoundByTheNextWait() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("retrying")
                    .settling(passage -> passage.attempts() == 1 ? Decision.retry(10) : Decision.GO_ON));
            Lab.Running running = lab.giveUpAfter(
                    5, Way.CALL, Step.error(new IOException("x")).after(20).stubbornly(), Step.value("never"));
            assertThat(running.script.started()).isOne();
            assertThat(running.after()).isEqualTo(millis(20));
            assertThat(running.flag()).isTrue();
        }
    }

    @Test
    void interruptWhileAPipelineInsideWaitsIsOneHereTooWhateverWrapsIt() {
        RetryPolicy waits = RetryPolicy.of(r -> r.interval(n -> 300L));
        RetryPolicy again = RetryPolicy.of(r -> r.interval(n -> 0L).retryRejections(true));
        AtomicInteger runs = new AtomicInteger();
        AtomicInteger asked = new AtomicInteger();
        try (Pipeline inner = Pipeline.of("inner", waits);
                Pipeline outer = Pipeline.of(
                        "outer",
                        FallbackPolicy.ofAsync(error -> {
                            asked.incrementAndGet();
                            return CompletableFuture.completedFuture("made up");
                        }),
                        again)) {
            Throwable thrown = catchThrowable(() -> outer.call(() -> {
                runs.incrementAndGet();
                try {
                    return inner.call(() -> {
                        Thread.currentThread().interrupt();
                        throw new IOException();
                    });
                } catch (CallRejectedException rejected) {
                    throw new IOException("of the client", rejected);
                }
            }));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(thrown).isInstanceOf(IOException.class).hasMessage("of the client");
            assertThat(runs).hasValue(1);
            assertThat(asked).hasValue(0);
        }
    }
}
