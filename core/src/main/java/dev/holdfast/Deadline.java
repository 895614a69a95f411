/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.NoValue;
import dev.holdfast.internal.engine.Bound;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The time that is left for the request of the current thread. Every pipeline that is called inside takes the shorter one of this
 * time and its own limits. An inner deadline can only shorten an outer one.
 */
public final class Deadline {
    private Deadline() {}

    /**
     * Runs an action under a deadline. It limits all calls that the action makes through pipelines. The action itself is not
     * interrupted.
     *
     * @param limit at most 365 days. With zero or less, calls of the action are rejected with {@link Reason#DEADLINE_EXCEEDED}.
     */
    public static <T extends @Nullable Object, E extends Exception> T within(
            Duration limit, CheckedSupplier<T, E> action) throws E {
        return within(TimeSource.system(), limit, action);
    }

    /**
     * As {@link #within(Duration, CheckedSupplier)}, on this source of time. Use it where the pipelines are on {@code VirtualTime}:
     * real time hardly passes in such a test.
     */
    public static <T extends @Nullable Object, E extends Exception> T within(
            TimeSource time, Duration limit, CheckedSupplier<T, E> action) throws E {
        Objects.requireNonNull(action, "action");
        return Bound.within(time, Call.limitNanos("limit", limit), 0, Bound.UNSAID, action);
    }

    /** As {@link #within(Duration, CheckedSupplier)}, for an action without a value. */
    public static <E extends Exception> void within(Duration limit, CheckedRunnable<E> action) throws E {
        within(TimeSource.system(), limit, action);
    }

    /** As {@link #within(TimeSource, Duration, CheckedSupplier)}, for an action without a value. */
    public static <E extends Exception> void within(TimeSource time, Duration limit, CheckedRunnable<E> action)
            throws E {
        within(time, limit, NoValue.of(action));
    }

    /** The time that the current thread's request has left, never negative; empty without a limit. */
    public static Optional<Duration> remaining() {
        long remaining = Bound.remaining();
        return remaining == Long.MAX_VALUE ? Optional.empty() : Optional.of(Duration.ofNanos(Math.max(0, remaining)));
    }

    /**
     * Returns an executor whose tasks run under the deadline of the thread that submits them, and as part of the same attempt.
     * Afterwards the executor's thread has neither.
     */
    public static Executor propagating(Executor executor) {
        Objects.requireNonNull(executor, "executor");
        return task -> execute(executor, Binding.current(), task);
    }

    /**
     * Returns an executor whose tasks run under the deadline of the current thread, whichever thread submits them, and as part of
     * the same attempt. Use it to continue a stage that no pipeline made, because the thread that completes the stage submits the
     * task: {@code stage.thenApplyAsync(next, Deadline.fixed(pool))}.
     */
    public static Executor fixed(Executor executor) {
        Objects.requireNonNull(executor, "executor");
        Binding here = Binding.current();
        return task -> execute(executor, here, task);
    }

    private static void execute(Executor executor, @Nullable Binding carried, Runnable task) {
        executor.execute(carried == null ? task : () -> carried.bound.run(task));
    }

    /**
     * The deadline, the number of the attempt and the priority that hold on a thread. For libraries that carry thread-locals to
     * other threads by themselves; Micrometer's context-propagation is supported already. Others use {@link #propagating} or
     * {@link #within}. The static methods act on the current thread. Safe for any number of threads. What was told inside
     * the source of a stream changes once: with the first element, when its call is over.
     */
    public static final class Binding {
        private final Bound bound;

        private Binding(Bound bound) {
            this.bound = bound;
        }

        /** What holds on this thread; null if nothing does. */
        public static @Nullable Binding current() {
            Bound bound = Bound.current();
            return bound == null ? null : new Binding(bound);
        }

        /** Binds what held on another thread; null binds nothing. It holds until {@link #restore}. */
        public static void set(@Nullable Binding elsewhere) {
            Bound.set(elsewhere == null ? null : elsewhere.bound);
        }

        /** Restores what {@link #current} returned on this thread before {@link #set}. */
        public static void restore(@Nullable Binding before) {
            Bound.restore(before == null ? null : before.bound);
        }
    }
}
