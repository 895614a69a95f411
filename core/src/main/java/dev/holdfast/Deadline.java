/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.engine.Bound;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The time that is left for the request which the current thread works on. Every pipeline called below takes the smaller
 * of it and its own limits; an inner deadline can only shorten an outer one.
 */
public final class Deadline {
    private Deadline() {}

    /**
     * Runs an action that must be done within this time; whatever it calls through pipelines is bounded by it. The action
     * itself is not interrupted.
     *
     * @param limit at most 365 days. Zero or less is a time that is over: calls of the action are rejected with
     *     {@link Reason#DEADLINE_EXCEEDED}.
     */
    public static <T extends @Nullable Object, E extends Exception> T within(
            Duration limit, CheckedSupplier<T, E> action) throws E {
        return within(TimeSource.system(), limit, action);
    }

    /** As {@link #within(Duration, CheckedSupplier)}, measured by this source of time. */
    public static <T extends @Nullable Object, E extends Exception> T within(
            TimeSource time, Duration limit, CheckedSupplier<T, E> action) throws E {
        Objects.requireNonNull(action, "action");
        return Bound.within(time, Call.limitNanos("limit", limit), 0, action);
    }

    /** What is left for the current thread's request; empty if nothing limits it. Never negative. */
    public static Optional<Duration> remaining() {
        long remaining = Bound.remaining();
        return remaining == Long.MAX_VALUE ? Optional.empty() : Optional.of(Duration.ofNanos(Math.max(0, remaining)));
    }

    /**
     * An executor whose tasks run under the deadline that holds where they are handed in, and as part of the same attempt, and
     * leave neither behind.
     */
    public static Executor propagating(Executor executor) {
        Objects.requireNonNull(executor, "executor");
        return task -> execute(executor, Binding.current(), task);
    }

    /**
     * An executor whose tasks run under the deadline that holds here and now, wherever they are handed in, and as part of the
     * same attempt. For what continues a stage that no pipeline made, since it is handed in by whoever completes that:
     * {@code stage.thenApplyAsync(next, Deadline.fixed(pool))}.
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
     * What holds on a thread, the deadline and the number of the attempt, for means of one's own to carry thread-locals to
     * other threads: each method acts on the current one. Micrometer's context-propagation is served already; who hands
     * tasks to an executor wants {@link #propagating}, and who knows the time that is left wants {@link #within}. Immutable.
     */
    public static final class Binding {
        private final Bound bound;

        private Binding(Bound bound) {
            this.bound = bound;
        }

        /** What holds now; null if nothing does. */
        public static @Nullable Binding current() {
            Bound bound = Bound.current();
            return bound == null ? null : new Binding(bound);
        }

        /** Binds what held somewhere else; null: nothing. It holds until {@link #restore} is called with what was bound before. */
        public static void set(@Nullable Binding elsewhere) {
            Bound.set(elsewhere == null ? null : elsewhere.bound);
        }

        /** Puts back what {@link #current} told on this very thread before something was set. */
        public static void restore(@Nullable Binding before) {
            Bound.restore(before == null ? null : before.bound);
        }
    }
}
