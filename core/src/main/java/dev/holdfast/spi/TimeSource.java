/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Clocks, timers and waits: Holdfast uses time only through this interface. Production uses {@link #system()}, tests use
 * {@link dev.holdfast.time.VirtualTime}.
 *
 * <p>Safe for any number of threads.
 */
public interface TimeSource {

    /**
     * The machine's clocks, and one daemon thread for timers. The thread has the highest priority, and ends when no timer has
     * been set for a second.
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
     * Runs a task after a delay, on the timer's thread. The task must be short and must run no user code.
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

    /** Ends the park of a thread. If it is not parked, its next park returns at once. */
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

    /**
     * Runs the continuations of pipelines that were given no executor; null: daemon threads do that all pipelines share, at most 256 at
     * once for each.
     */
    default @Nullable Executor executor() {
        return null;
    }
}
