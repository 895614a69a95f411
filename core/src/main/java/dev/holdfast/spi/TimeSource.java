/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The only way to tell, spend and wait for time. Production uses {@link #system()}, tests use
 * {@link dev.holdfast.time.VirtualTime}.
 *
 * <p>Safe for any number of threads.
 */
public interface TimeSource {

    /**
     * The machine's clocks, and one daemon thread of the highest priority for timers, which ends when no timer has been set for
     * a second.
     */
    static TimeSource system() {
        return SystemTime.INSTANCE;
    }

    /** A timer that has been set. */
    @FunctionalInterface
    interface Timer {
        /** The task will not run, unless it has begun already. */
        void cancel();
    }

    /** Nanoseconds since an arbitrary origin; never goes back. Compare by subtraction. */
    long nanos();

    /** Milliseconds since 1970, by the wall clock. */
    long millis();

    /**
     * Runs a task after a delay, on the timer's thread: it must be short and run no user code.
     *
     * @throws java.util.concurrent.RejectedExecutionException if no timer can be set
     */
    Timer schedule(long delayNanos, Runnable task);

    /**
     * Parks the calling thread until it is unparked or interrupted, or the time is over; may return for no reason.
     *
     * @param nanos {@link Long#MAX_VALUE}: without limit
     */
    void park(Object blocker, long nanos);

    /** Lets a parked thread go on; or its next park return at once. */
    void unpark(Thread thread);

    /** Interrupts a thread, also one that waits in this source of time. */
    default void interrupt(Thread thread) {
        thread.interrupt();
    }

    /** Whether a thread has been interrupted, also one that waits in this source of time. Goes with {@link #interrupt}. */
    default boolean isInterrupted(Thread thread) {
        return thread.isInterrupted();
    }

    /** A random number from 0 to below 1, for jitter. Virtual time draws the same numbers in each run. */
    default double random() {
        return ThreadLocalRandom.current().nextDouble();
    }

    /** Where pipelines on this time run continuations unless they were given an executor; null: they make one. */
    default @Nullable Executor executor() {
        return null;
    }
}
