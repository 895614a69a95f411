/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who runs what comes next: never a timer's thread; and what an executor refuses is a rejection, never a hang. */
@ThreadKind.Each
class ExecutorTest {

    /** A time that refuses to set timers after a while. */
    private static final class NoTimers extends Around {
        private final AtomicInteger left;

        NoTimers(TimeSource time, int allowed) {
            super(time);
            this.left = new AtomicInteger(allowed);
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            if (left.getAndDecrement() <= 0) {
                throw new RejectedExecutionException("no more timers");
            }
            return super.schedule(delayNanos, task);
        }
    }

    private static Executor refusing(List<String> refused) {
        return task -> {
            refused.add("refused");
            throw new RejectedExecutionException("full");
        };
    }

    @Test
    void refusalAfterAPauseIsARejection() {
        try (Lab lab = new Lab()) {
            List<String> refused = new ArrayList<>();
            lab.building(builder -> builder.executor(refusing(refused)));
            lab.layers(lab.probe("outer"), lab.probe("pausing").entering(passage -> Decision.pause(5)));
            assertThat(lab.run(Way.CALL_ASYNC, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by pipeline: EXECUTOR_FULL", 0, millis(5)));
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "pausing enter",
                            "pausing abandon",
                            "outer settle REJECTED not started",
                            "outer ended");
        }
    }

    @Test
    void refusalAfterAnAwaitIsARejection() {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            lab.building(builder -> builder.executor(refusing(new ArrayList<>())));
            lab.layers(lab.probe("queue").entering(passage -> turn.isDone() ? Decision.GO_ON : Decision.await(turn)));
            lab.time.schedule(millis(5).toNanos(), turn::complete);
            assertThat(lab.run(Way.CALL_ASYNC, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by pipeline: EXECUTOR_FULL", 0, millis(5)));
            assertThat(lab.log).containsExactly("queue enter", "queue abandon");
        }
    }

    @Test
    void refusalBeforeARetryKeepsTheLastOutcome() {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.executor(refusing(new ArrayList<>())));
            lab.layers(RetryPolicy.of(r -> r.jitter(Jitter.NONE)), lab.probe("inner"));
            Lab.Running running = lab.run(Way.CALL_ASYNC, Step.error(new IOException("ill")));
            assertThat(running.script.started()).isOne();
            assertThat(running.isDone()).isTrue();
            assertThat(running.error()).isNotNull();
            lab.assertLivesOver();
        }
    }

    @Test
    void refusalAtATimeoutStillIsATimeoutAndNoRetryFollows() {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.executor(refusing(new ArrayList<>())));
            lab.layers(RetryPolicy.ofDefaults(), lab.probe("inner"), TimeoutPolicy.of(millis(5)));
            Lab.Running running = lab.run(Way.CALL_ASYNC, Step.value("never").after(20));
            assertThat(running.end()).isEqualTo(new Lab.End("timeout of timeout", 1, millis(5)));
            lab.assertLivesOver();
        }
    }

    @Test
    void callThatNeedsNoOtherThreadNeedsNoExecutor() {
        try (Lab lab = new Lab()) {
            List<String> refused = new ArrayList<>();
            lab.building(builder -> builder.executor(refusing(refused)));
            lab.layers(lab.probe("layer"));
            assertThat(lab.run(Way.CALL_ASYNC, Step.value("done").after(5)).value())
                    .isEqualTo("done");
            assertThat(refused).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitForWhichNoTimerCanBeSetGivesUpTheCallAndLosesNothing(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.time(new NoTimers(lab.time, 0)));
            Probe bulkhead = lab.probe("bulkhead");
            lab.layers(bulkhead, TimeoutPolicy.of(millis(5)));
            Lab.Running running = lab.run(way, Step.value("never"));
            assertThat(running.isDone()).isTrue();
            assertThat(running.error()).isNotNull();
            assertThat(lab.log).contains("bulkhead enter", "bulkhead ended");
            lab.assertLivesOver();
        }
    }

    @Test
    void pauseForWhichNoTimerCanBeSetGivesUpTheCallAndLosesNothing() {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.time(new NoTimers(lab.time, 0)));
            lab.layers(lab.probe("bulkhead"), lab.probe("pausing").entering(passage -> Decision.pause(5)));
            Lab.Running running = lab.run(Way.CALL_ASYNC, Step.value("never"));
            assertThat(running.end().what()).isEqualTo("rejected by pipeline: EXECUTOR_FULL");
            lab.assertLivesOver();
        }
    }

    @Test
    void userCodeNeverRunsOnATimersThread() throws Exception {
        List<String> threads = Collections.synchronizedList(new ArrayList<>());
        List<CompletableFuture<Boolean>> hooks = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger began = new AtomicInteger();
        try (Lab lab = new Lab();
                Pipeline pipeline = Pipeline.of(
                        "user",
                        RetryPolicy.of(
                                r -> r.maxAttempts(3).initialBackoff(millis(2)).jitter(Jitter.NONE)),
                        lab.probe("pausing").entering(passage -> Decision.pause(1)),
                        TimeoutPolicy.of(millis(2)))) {
            CompletableFuture<String> failed = pipeline.<String>operation("x")
                    .unkeyed()
                    .callAsync(attempt -> {
                        began.incrementAndGet();
                        threads.add(Thread.currentThread().getName());
                        CompletableFuture<Boolean> hook = new CompletableFuture<>();
                        hooks.add(hook);
                        attempt.onCancel(() ->
                                hook.complete(threads.add(Thread.currentThread().getName())));
                        return new CompletableFuture<>();
                    })
                    .whenComplete(
                            (value, error) -> threads.add(Thread.currentThread().getName()));
            assertThatThrownBy(() -> failed.get(5, TimeUnit.MINUTES)).isInstanceOf(ExecutionException.class);
            // On threads of their own: they may run after the end of the call has been told.
            hooks.forEach(CompletableFuture::join);
        }
        // Each attempt that began and its hook, and the continuation: a thread that is held up begins fewer than three.
        assertThat(threads).hasSize(2 * began.get() + 1).noneMatch(name -> name.contains("timer"));
    }

    @Test
    void closedPipelineLeavesNoThread() throws Exception {
        Pipeline pipeline =
                Pipeline.of("threads", RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(millis(1))));
        CompletableFuture<String> failed = pipeline.callAsync(() -> {
            throw new IllegalStateException("again");
        });
        assertThatThrownBy(() -> failed.get(5, TimeUnit.MINUTES)).isInstanceOf(ExecutionException.class);
        pipeline.close();
        List<Thread> left = new ArrayList<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("holdfast-threads")) {
                left.add(thread);
            }
        }
        for (Thread thread : left) {
            joinPatiently(thread);
            assertThat(thread.isAlive()).isFalse();
        }
    }

    private static void joinPatiently(Thread thread) {
        try {
            thread.join(Duration.ofMinutes(5).toMillis());
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
