/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Makes a bounded number of calls on the machine's own clock. Two threads block, and the others interrupt them now and then.
 * Two threads call asynchronously and cancel. Shows what virtual time cannot: two threads in one place at the same moment.
 */
final class RealThreads {
    private static final int CALLS = 2_000;
    private static final int BLOCKING = 2;
    private static final int ASYNC = 2;
    /** Longer than any machine needs. A thread that takes longer hangs. */
    private static final Duration BOUND = Duration.ofMinutes(10);

    private static final int LOOKS = 30_000;

    private final SpyPolicy spy;
    private final Pipeline pipeline;
    private final Operation<String> operation;
    private final Queue<String> wrongs = new ConcurrentLinkedQueue<>();
    private final Queue<CompletableFuture<?>> replies = new ConcurrentLinkedQueue<>();
    private final AtomicInteger done = new AtomicInteger();
    private final List<Thread> blockers = new ArrayList<>();
    private final CountDownLatch blocking = new CountDownLatch(BLOCKING);

    RealThreads(Policy policy) {
        spy = SpyPolicy.around(policy);
        RetryPolicy retry = RetryPolicy.of(
                r -> r.maxAttempts(2).initialBackoff(Duration.ofNanos(20_000)).maxBackoff(Duration.ofNanos(20_000)));
        pipeline = Pipeline.of("stress", retry, spy, TimeoutPolicy.of(Duration.ofMillis(2)));
        operation = pipeline.operation("stress");
    }

    Policy policy() {
        return spy.policy();
    }

    void run() throws InterruptedException {
        ExecutorService work = Executors.newFixedThreadPool(2, ThreadKind.current());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < BLOCKING; i++) {
            SplittableRandom random = new SplittableRandom(i);
            blockers.add(thread(() -> block(random), "stress-blocking-" + i));
        }
        for (int i = 0; i < ASYNC; i++) {
            SplittableRandom random = new SplittableRandom(-1 - i);
            threads.add(thread(() -> callAsync(random, work), "stress-async-" + i));
        }
        threads.addAll(blockers);
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join(BOUND.toMillis());
            assertThat(thread.isAlive())
                    .as(() -> thread.getName() + " hangs at " + Arrays.toString(thread.getStackTrace()))
                    .isFalse();
        }
        CompletableFuture<Void> all = CompletableFuture.allOf(replies.toArray(new CompletableFuture<?>[0]))
                .handle((none, error) -> null);
        assertThat(all).succeedsWithin(BOUND);
        work.shutdown();
        assertThat(work.awaitTermination(BOUND.toSeconds(), TimeUnit.SECONDS)).isTrue();
        pipeline.close();
        assertThat(wrongs).isEmpty();
        assertThat(done).hasValue((BLOCKING + ASYNC) * CALLS);
    }

    private static Thread thread(Runnable task, String name) {
        Thread thread = ThreadKind.current().newThread(task);
        thread.setName(name);
        return thread;
    }

    /**
     * Repeats the assertion until it holds, because late work may still end on other threads. Gives up after so many looks without a
     * change, half a minute at least, and after ten times as many in any case: looks and not time, since a process that stands still
     * does not look.
     */
    void settleDown(Runnable assertion) {
        String before = "";
        int same = 0;
        for (int looks = 0; ; looks++) {
            try {
                spy.assertOver();
                assertion.run();
                return;
            } catch (AssertionError notYet) {
                String now = String.valueOf(notYet.getMessage());
                if (!now.equals(before)) {
                    before = now;
                    same = 0;
                }
                same++;
                if (same > LOOKS || looks > 10 * LOOKS) {
                    throw notYet;
                }
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    private void block(SplittableRandom random) {
        for (int i = 0; i < CALLS; i++) {
            String key = Thread.currentThread().getName() + " " + i;
            int kind = random.nextInt(10);
            try {
                check(key, operation.key(key).call(attempt -> act(key, kind)));
            } catch (Exception | AssertionError ended) {
                // Every end is allowed here. The test checks what is held afterwards.
            }
            done.incrementAndGet();
            Thread.interrupted();
        }
        blocking.countDown();
        // Interrupts that were meant for the last call are over when nobody sends them any more.
        awaitUninterrupted(blocking);
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        while (latch.getCount() > 0) {
            LockSupport.parkNanos(latch, 100_000);
            Thread.interrupted();
        }
    }

    private static String act(String key, int kind) throws IOException, InterruptedException {
        switch (kind) {
            case 0:
                throw new IOException("ill");
            case 1:
                throw new AssertionError("error");
            case 2:
                LockSupport.parkNanos(100_000);
                return key;
            case 3:
                new CountDownLatch(1).await(3, TimeUnit.MILLISECONDS);
                return key;
            default:
                return key;
        }
    }

    private void callAsync(SplittableRandom random, ExecutorService work) {
        for (int i = 0; i < CALLS; i++) {
            String key = Thread.currentThread().getName() + " " + i;
            int kind = random.nextInt(10);
            CompletableFuture<String> reply = operation.key(key).callAsync(attempt -> actAsync(key, kind, work));
            // The order of a future's dependents is not defined. So the test waits for the one that counts.
            replies.add(reply.whenComplete((value, error) -> {
                done.incrementAndGet();
                if (error == null) {
                    check(key, value);
                }
            }));
            int next = random.nextInt(8);
            if (next == 0) {
                reply.cancel(true);
            } else if (next == 1) {
                blockers.get(random.nextInt(BLOCKING)).interrupt();
            } else if (next < 4) {
                LockSupport.parkNanos(30_000);
            }
        }
    }

    private static CompletionStage<String> actAsync(String key, int kind, ExecutorService work) {
        CompletableFuture<String> result = new CompletableFuture<>();
        switch (kind) {
            case 0:
                throw new IllegalStateException("ill");
            case 1:
                result.completeExceptionally(new IOException("ill"));
                return result;
            case 2:
                // Only the timeout or the caller ends it.
                return result;
            case 3:
                result.complete(key);
                return result;
            default:
                work.execute(() -> result.complete(key));
                return result;
        }
    }

    private void check(String key, String value) {
        if (!key.equals(value) && value.startsWith("stress-")) {
            wrongs.add("call of '" + key + "' got '" + value + "'");
        }
    }
}
