/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.time;

import dev.holdfast.internal.TestMistake;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.time.Seat.Turn;
import dev.holdfast.time.Seat.Wait;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Time that passes only when nothing else can happen, so that tests of waiting neither wait nor differ from run to run.
 *
 * <pre>{@code
 * try (VirtualTime time = VirtualTime.seeded(42)) {
 *     Pipeline inventory = Pipeline.builder("inventory").time(time).policies(...).build();
 *     CompletableFuture<String> blocking = time.spawn(() -> inventory.call(client::health));
 *     CompletableFuture<String> async = inventory.callAsync(client::healthAsync);
 *     time.run();
 *     // both are done
 * }
 * }</pre>
 *
 * <p>One thread at a time is active. It has the baton, and hands it over when it parks or sleeps here. Timers, tasks of
 * {@link #executor} and {@link #spawn spawned} callers are events that run on daemon threads of this object. A thread that
 * was not spawned, such as the test's own, has the baton outside of {@link #run}, {@link #advance}, {@link #sleep} and {@link
 * #park}, and lets time pass in them. Between these calls nothing happens: a wait by other means ({@code
 * CompletableFuture.join}, a latch) for a future event never ends.
 * A spawned thread must not wait so either. {@link #run} and {@link #advance} notice it after 20 seconds of real time, and throw.
 *
 * <p>Other threads may schedule, spawn, unpark and interrupt at any time, but then the order is not repeatable. They must not make
 * calls on this time, such as on a pool of the code under test: time passes while they work. Give that code {@link #executor}. One
 * thread at a time runs time, and meanwhile no thread that was not spawned may wait in it: the second one gets an {@link
 * AssertionError}.
 */
public final class VirtualTime implements TimeSource, AutoCloseable {
    /** Negative, and soon positive: shows code that compares instants directly, or takes zero for "none". */
    private static final long START_NANOS = -1_000;

    private static final long START_MILLIS =
            Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();

    private final Baton baton;
    /** Apart from the order of events, so that a further draw does not change it. */
    private final Random drawn;

    /** Events of one instant happen in the order in which they were made. Jitter is the same in each run. */
    public VirtualTime() {
        this.baton = new Baton(null);
        this.drawn = new Random(0);
    }

    private VirtualTime(long seed) {
        this.baton = new Baton(new Random(seed));
        this.drawn = new Random(seed);
    }

    /** Events of one instant happen in an order that is drawn from the seed, and so is jitter: the same seed gives the same run. */
    public static VirtualTime seeded(long seed) {
        return new VirtualTime(seed);
    }

    /**
     * Makes the threads of this object with this factory from now on, such as one of virtual threads. They end with
     * {@link #close}. Default: daemon threads.
     *
     * @return this
     */
    public VirtualTime threads(ThreadFactory factory) {
        baton.threads(Objects.requireNonNull(factory, "factory"));
        return this;
    }

    /**
     * Takes the threads of this object out of this pool from now on, and gives them back with {@link #close}. To start a thread
     * is most of the work of a small test: thousands of them are many times faster with the threads of one pool. Its tasks wait
     * for each other, so it must give each a thread at once, as {@link java.util.concurrent.Executors#newCachedThreadPool} does. If
     * it does not within 20 seconds of real time, {@link #run} and {@link #advance} throw.
     *
     * @return this
     */
    public VirtualTime pool(Executor pool) {
        baton.pool(Objects.requireNonNull(pool, "pool"));
        return this;
    }

    @Override
    public long nanos() {
        return START_NANOS + baton.elapsed();
    }

    @Override
    public long millis() {
        return START_MILLIS + TimeUnit.NANOSECONDS.toMillis(baton.elapsed());
    }

    /**
     * Runs a task after a delay; {@link Long#MAX_VALUE}: never. The task may block, in this time. {@link #run} or {@link
     * #advance} throws its exception.
     *
     * @throws RejectedExecutionException if this time is closed
     */
    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        if (delayNanos == Long.MAX_VALUE) {
            return () -> {};
        }
        Event event = baton.schedule(delayNanos, task);
        return () -> baton.cancel(event);
    }

    @Override
    public double random() {
        return drawn.nextDouble();
    }

    /**
     * Makes each task an event of the present instant, on a thread of this object. On virtual time, take it in place of the
     * executors of the code under test.
     */
    @Override
    public Executor executor() {
        return task -> schedule(0, task);
    }

    /** Starts a caller on a thread of its own, as an event of the present instant; the future takes its value or exception. */
    public <T extends @Nullable Object> CompletableFuture<T> spawn(Callable<T> caller) {
        CompletableFuture<T> future = new CompletableFuture<>();
        schedule(0, () -> {
            try {
                future.complete(caller.call());
            } catch (Throwable e) {
                future.completeExceptionally(e);
            }
        });
        return future;
    }

    /**
     * Lets all events happen that are still to come, and lets time pass as far as they need. Threads that are parked without
     * a limit may remain.
     *
     * @throws AssertionError on a spawned thread, or if another thread that was not spawned runs this time or waits in it
     * @throws IllegalStateException if this time is closed, or if a spawned thread or an event has waited for 20 seconds of real
     *     time by other means than this time, or for a thread of its {@linkplain #pool pool}; the cause says where, and this time
     *     can only be closed
     */
    public void run() {
        baton.await(Wait.DIRECTING, Long.MAX_VALUE, this);
        baton.rethrow();
    }

    /**
     * Lets all events happen that are due within the duration. Afterwards it is exactly that much later.
     *
     * @throws IllegalArgumentException if the duration is negative
     * @throws AssertionError on a spawned thread, or if another thread that was not spawned runs this time or waits in it
     * @throws IllegalStateException if this time is closed, or if a spawned thread or an event has waited for 20 seconds of real
     *     time by other means than this time, or for a thread of its {@linkplain #pool pool}; the cause says where, and this time
     *     can only be closed
     */
    public void advance(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("virtual time cannot go back by " + duration.negated());
        }
        baton.await(Wait.DIRECTING, nanosOf(duration), this);
        baton.rethrow();
    }

    /**
     * Sleeps in virtual time. With zero, the other events of the instant happen first if the order says so.
     *
     * @throws InterruptedException if the thread is interrupted before or meanwhile
     * @throws AssertionError as {@link #park}, except for a deadlock
     * @throws IllegalStateException if this time is closed before or meanwhile
     */
    public void sleep(Duration duration) throws InterruptedException {
        baton.await(Wait.SLEEPING, Math.max(0, nanosOf(duration)), duration);
        if (Thread.interrupted()) {
            throw new InterruptedException("sleep interrupted");
        }
    }

    /**
     * Parks as {@code LockSupport} does, in virtual time: returns at once if the thread is interrupted or was unparked before.
     *
     * @throws AssertionError if the wait has no limit and nothing is left to happen (a deadlock; a spawned thread stays parked
     *     instead, since its director may still unpark it), or if the thread was not spawned and another one runs this time. No
     *     policy of a pipeline repeats, answers or counts it
     * @throws IllegalStateException if this time is closed before or meanwhile
     */
    @Override
    public void park(Object blocker, long nanos) {
        if (nanos > 0 && baton.await(Wait.PARKED, nanos, blocker) == Turn.QUIET) {
            throw new TestMistake("deadlock: nothing is left to happen in virtual time while "
                    + Thread.currentThread().getName() + " waits without limit for " + blocker
                    + "; is the pipeline on this time, and has it a timeout or a deadline that ends a hang?");
        }
    }

    @Override
    public void unpark(Thread thread) {
        baton.unpark(thread);
    }

    /**
     * Interrupts a thread: ends its wait in this time at the present instant, and sets its flag when it goes on. {@code
     * Thread.interrupt()} does so too, but not repeatably.
     */
    @Override
    public void interrupt(Thread thread) {
        baton.interrupt(thread);
    }

    /** Works also for a thread that waits in this time. Its own flag is set again when it goes on. */
    @Override
    public boolean isInterrupted(Thread thread) {
        return baton.isInterrupted(thread);
    }

    /**
     * Ends this time. Events to come do not happen. Waits in it, also by spawned threads, end with an IllegalStateException.
     * The threads of this object end, or go back to their {@linkplain #pool pool}.
     */
    @Override
    public void close() {
        baton.close();
    }

    @Override
    public String toString() {
        return "virtual time " + Duration.ofNanos(baton.elapsed()) + " after its start, " + baton.left()
                + " events to come";
    }

    private static long nanosOf(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            // 292 years are long enough. One less than MAX_VALUE, which means no limit.
            return Long.MAX_VALUE - 1;
        }
    }
}
