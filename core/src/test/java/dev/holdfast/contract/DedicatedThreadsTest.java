/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Attempts on threads of their own: work that ignores its interrupt holds nobody, and its permit follows it. */
@ThreadKind.Each
class DedicatedThreadsTest {
    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final long start = time.nanos();
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        time.close();
    }

    private final class Isolation extends Policy {
        private final int threads;

        Isolation(int threads) {
            super("isolation", ENTER | SUCCESS | FAILURE | ENDED);
            this.threads = threads;
        }

        @Override
        public int dedicatedThreads() {
            return threads;
        }

        @Override
        public int settle(Passage passage) {
            log.add("settled " + passage.outcome() + " at " + millis());
            return KEEP;
        }

        @Override
        public void ended(Passage passage) {
            log.add("ended at " + millis());
        }
    }

    private long millis() {
        return (time.nanos() - start) / 1_000_000;
    }

    private Pipeline virtual(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    private String stubborn(Duration length) {
        long until = time.nanos() + length.toNanos();
        while (time.nanos() - until < 0) {
            try {
                time.sleep(Duration.ofNanos(until - time.nanos()));
            } catch (InterruptedException ignored) {
                log.add("interrupted at " + millis());
            }
        }
        return "late";
    }

    @Test
    void callThatIgnoresItsInterruptHoldsNobody() {
        Pipeline p = virtual(new Isolation(4), TimeoutPolicy.of(Duration.ofMillis(50)));
        CompletableFuture<String> call = time.spawn(() -> p.call(() -> stubborn(Duration.ofMillis(300))));
        time.advance(Duration.ofMillis(50));
        assertThat(call).isCompletedExceptionally();
        time.run();
        assertThatThrownBy(call::join).hasCauseInstanceOf(CallTimeoutException.class);
        assertThat(log).containsExactly("settled TIMEOUT at 50", "interrupted at 50", "ended at 300");
    }

    @Test
    void supplierOfAnAsynchronousCallThatBlocksHoldsNobody() {
        Pipeline p = virtual(new Isolation(4), TimeoutPolicy.of(Duration.ofMillis(50)));
        CompletableFuture<String> late = new CompletableFuture<>();
        CompletableFuture<String> call = p.callAsync(() -> {
            stubborn(Duration.ofMillis(300));
            return late;
        });
        time.run();
        assertThatThrownBy(call::join).hasCauseInstanceOf(CallTimeoutException.class);
        assertThat(late).isCancelled();
        assertThat(log).containsExactly("settled TIMEOUT at 50", "ended at 300");
    }

    @Test
    void everyAttemptOfARetryHasItsOwnEnd() {
        Pipeline p = virtual(
                RetryPolicy.of(r ->
                        r.maxAttempts(2).initialBackoff(Duration.ofMillis(1)).maxBackoff(Duration.ofMillis(1))),
                new Isolation(4),
                TimeoutPolicy.of(Duration.ofMillis(50)));
        CompletableFuture<String> call = time.spawn(() -> p.call(() -> stubborn(Duration.ofMillis(80))));
        time.run();
        assertThat(call).isCompletedExceptionally();
        assertThat(log)
                .filteredOn(line -> !line.startsWith("interrupted"))
                .extracting(line -> line.replaceAll(" at .*", ""))
                .containsExactly("settled TIMEOUT", "ended", "settled TIMEOUT", "ended");
    }

    @Test
    void answersErrorsAndLimitsAreThoseOfACallOnTheCallersThread() throws Exception {
        try (Pipeline p = Pipeline.of("p", DeadlinePolicy.of(Duration.ofHours(1)), new Isolation(4))) {
            AtomicReference<Thread> runner = new AtomicReference<>();
            String answer = p.<String>operation("x").unkeyed().call(attempt -> {
                runner.set(Thread.currentThread());
                assertThat(attempt.number()).isOne();
                assertThat(Deadline.remaining())
                        .hasValueSatisfying(
                                left -> assertThat(left).isBetween(Duration.ofMinutes(30), Duration.ofHours(1)));
                return "answer";
            });
            assertThat(answer).isEqualTo("answer");
            assertThat(runner.get()).isNotSameAs(Thread.currentThread());
            IOException own = new IOException("own");
            assertThatThrownBy(() -> p.call(() -> {
                        throw own;
                    }))
                    .isSameAs(own);
        }
    }

    @Test
    void callerThatIsInterruptedLeavesAndKeepsItsFlag() throws Exception {
        CountDownLatch running = new CountDownLatch(1);
        AtomicBoolean workInterrupted = new AtomicBoolean();
        AtomicBoolean flag = new AtomicBoolean();
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        CountDownLatch over = new CountDownLatch(1);
        try (Pipeline p = Pipeline.of("p", new Isolation(1))) {
            Thread caller = ThreadKind.current().newThread(() -> {
                try {
                    p.call(() -> {
                        running.countDown();
                        try {
                            new CountDownLatch(1).await();
                            return "never";
                        } catch (InterruptedException e) {
                            workInterrupted.set(true);
                            throw e;
                        } finally {
                            over.countDown();
                        }
                    });
                } catch (Throwable t) {
                    thrown.set(t);
                }
                flag.set(Thread.currentThread().isInterrupted());
            });
            caller.start();
            awaited(running);
            caller.interrupt();
            caller.join();
            awaited(over);
            assertThat(thrown.get())
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejection -> assertThat(rejection.reason()).isEqualTo(Reason.INTERRUPTED));
            assertThat(flag).isTrue();
            assertThat(workInterrupted).isTrue();
        }
    }

    @Test
    void interruptOfABlockingCallInsideIsOneForTheAsynchronousCallAround() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        CountDownLatch running = new CountDownLatch(1);
        try (Pipeline inner = Pipeline.of("inner", new Isolation(1));
                Pipeline outer = Pipeline.of("outer", RetryPolicy.of(r -> r.maxAttempts(3)))) {
            Thread[] caller = new Thread[1];
            CompletableFuture<Object> call = outer.callAsync(() -> {
                attempts.incrementAndGet();
                CompletableFuture<Object> stage = new CompletableFuture<>();
                caller[0] = new Thread(() -> {
                    try {
                        stage.complete(inner.call(() -> {
                            running.countDown();
                            new CountDownLatch(1).await();
                            return "never";
                        }));
                    } catch (Throwable t) {
                        stage.completeExceptionally(t);
                    }
                });
                caller[0].start();
                return stage;
            });
            awaited(running);
            caller[0].interrupt();
            assertThatThrownBy(call::get)
                    .cause()
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejection -> assertThat(rejection.reason()).isEqualTo(Reason.INTERRUPTED));
            assertThat(attempts).hasValue(1);
        }
    }

    @Test
    void interruptOfAnAttemptNeverReachesTheNextOneOnItsThread() {
        try (Pipeline p = Pipeline.of("p", new Isolation(2), TimeoutPolicy.of(Duration.ofMillis(1)))) {
            int stray = 0;
            for (int i = 0; i < 300; i++) {
                long nanos = 900_000L + i % 100 * 10_000L;
                try {
                    String value = p.call(() -> {
                        if (Thread.currentThread().isInterrupted()) {
                            return "stray";
                        }
                        for (long end = System.nanoTime() + nanos; System.nanoTime() - end < 0; ) {
                            Thread.onSpinWait();
                        }
                        return "answer";
                    });
                    // Where its own limit has interrupted it, what it returns is nobody's.
                    assertThat(value).isEqualTo("answer");
                } catch (CallTimeoutException | CallRejectedException expected) {
                    // Either is right: it ended about when its limit struck, or the thread before it is still busy.
                }
                if (Thread.interrupted()) {
                    stray++;
                }
            }
            assertThat(stray).isZero();
        }
    }

    @Test
    void twoPoliciesWithThreadsOfTheirOwnAreRefused() {
        assertThatThrownBy(() -> Pipeline.of("p", new Isolation(1), new Isolation(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("pipeline 'p' has two policies with dedicated threads, but an attempt runs on one");
    }

    /** Time that begins with the action, and attempts that hedges run on their own threads, before they are watched. */
    private static final class Eager extends Begun {
        @Override
        public Executor executor() {
            return task -> {
                if (Thread.currentThread().getName().equals("hedge")) {
                    task.run();
                } else {
                    new Thread(task).start();
                }
            };
        }
    }

    @Test
    void hedgeThatIsGivenUpBeforeItIsWatchedLosesNoValue() throws Exception {
        Eager eager = new Eager();
        CountDownLatch hedged = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        CompletableFuture<String> discarded = new CompletableFuture<>();
        try (Pipeline p = Pipeline.builder("p")
                .policies(HedgePolicy.of(h -> h.delay(Duration.ofMillis(1))), new Isolation(2))
                .time(eager)
                .backgroundExecutor(task -> new Thread(task, "hedge").start())
                .build()) {
            Operation<String> operation = p.operation("x", o -> o.discard(discarded::complete));
            String answer = operation.unkeyed().call(attempt -> {
                if (attempt.number() == 1) {
                    eager.begin();
                    hedged.await();
                    return "first";
                }
                hedged.countDown();
                answered.await();
                return "lost";
            });
            answered.countDown();
            assertThat(answer).isEqualTo("first");
            assertThat(discarded.get(5, TimeUnit.MINUTES)).isEqualTo("lost");
        }
    }

    @Test
    void stageThatComesWhileItsAttemptIsGivenUpIsCancelled() throws Exception {
        Eager eager = new Eager();
        CompletableFuture<String> stage = new CompletableFuture<>();
        CountDownLatch hooks = new CountDownLatch(1);
        try (Pipeline p = Pipeline.builder("p")
                .policies(TimeoutPolicy.of(Duration.ofMillis(20)), new Isolation(2))
                .time(eager)
                .executor(task -> new Thread(task).start())
                .build()) {
            Operation<String> operation = p.operation("x");
            CompletableFuture<String> answer = operation.unkeyed().callAsync(attempt -> {
                eager.begin();
                attempt.onCancel(hooks::countDown);
                awaited(hooks);
                return stage;
            });
            assertThatThrownBy(() -> answer.get(5, TimeUnit.MINUTES)).hasCauseInstanceOf(CallTimeoutException.class);
            assertThatThrownBy(() -> stage.get(5, TimeUnit.MINUTES)).isInstanceOf(CancellationException.class);
        }
    }

    private static void awaited(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
