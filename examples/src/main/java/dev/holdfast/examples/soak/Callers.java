/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.soak;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Operation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/** Threads that call a pipeline without end, blocking and asynchronously; some are interrupted, some calls are cancelled. */
final class Callers {
    private static final int BLOCKING = 24;
    private static final int OUTSTANDING = 64;
    private static final int KEYS = 5_000;
    private static final double CANCELLED = 0.05;
    private static final long PACE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long INTERRUPT_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    /** Beyond what any machine needs. */
    private static final long JOIN_MILLIS = TimeUnit.MINUTES.toMillis(5);

    final LongAdder answered = new LongAdder();
    final LongAdder failed = new LongAdder();

    private final Operation<String> operation;
    private final FaultyDependency dependency;
    private final CheckedFunction<String, String, IOException> refreshed;
    private final Semaphore outstanding = new Semaphore(OUTSTANDING);
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stopped;

    Callers(Operation<String> operation, FaultyDependency dependency) {
        this.operation = operation;
        this.dependency = dependency;
        refreshed = operation.decorate(key -> dependency.answer(Integer.parseInt(key)));
    }

    void start(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < BLOCKING; i++) {
            SplittableRandom own = random.split();
            start("blocking-caller-" + i, () -> block(own));
        }
        start("asynchronous-caller", () -> callAsync(random.split()));
        start("interrupter", () -> interrupt(random.split()));
    }

    private void start(String name, Runnable turn) {
        Thread thread = new Thread(
                () -> {
                    while (!stopped) {
                        turn.run();
                    }
                },
                name);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    private void block(SplittableRandom random) {
        int key = random.nextInt(KEYS);
        try {
            if (random.nextBoolean()) {
                refreshed.apply(String.valueOf(key));
            } else {
                operation.unkeyed().call(attempt -> dependency.answer(key));
            }
            answered.increment();
        } catch (IOException | RuntimeException | AssertionError e) {
            failed.increment();
        }
        // A caller that was interrupted goes on; that is what a pool's thread does with its next task.
        Thread.interrupted();
        LockSupport.parkNanos(PACE_NANOS);
    }

    private void callAsync(SplittableRandom random) {
        outstanding.acquireUninterruptibly();
        int key = random.nextInt(KEYS);
        CompletableFuture<String> call = random.nextBoolean()
                ? operation.key(key).callAsync(attempt -> dependency.answerLater(key))
                : operation.unkeyed().callAsync(attempt -> dependency.answerLater(key));
        var unused = call.whenComplete((value, error) -> {
            outstanding.release();
            (error == null ? answered : failed).increment();
        });
        if (random.nextDouble() < CANCELLED) {
            call.cancel(false);
        }
        LockSupport.parkNanos(PACE_NANOS);
    }

    private void interrupt(SplittableRandom random) {
        threads.get(random.nextInt(BLOCKING)).interrupt();
        LockSupport.parkNanos(INTERRUPT_NANOS);
    }

    /** Waits until the last call has ended; true if all have, in time. */
    boolean stop() throws InterruptedException {
        stopped = true;
        for (Thread thread : threads) {
            thread.join(JOIN_MILLIS);
        }
        return threads.stream().noneMatch(Thread::isAlive)
                && outstanding.tryAcquire(OUTSTANDING, JOIN_MILLIS, TimeUnit.MILLISECONDS);
    }
}
