/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

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
        long nanos = Call.limitNanos("limit", limit);
        long now = time.nanos();
        Ambient here = Ambient.get();
        return bound(time, now + Math.min(nanos, here.remaining(time, now)), here.boundAttempt, null, action);
    }

    /** What is left for the current thread's request; empty if nothing limits it. Never negative. */
    public static Optional<Duration> remaining() {
        Ambient here = Ambient.get();
        TimeSource time = here.boundTime != null ? here.boundTime : TimeSource.system();
        long remaining = here.remaining(time, time.nanos());
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
        if (carried == null) {
            executor.execute(task);
            return;
        }
        executor.execute(() -> bound(carried.time, carried.until, carried.attempt, carried.around, () -> {
            task.run();
            return null;
        }));
    }

    /**
     * What holds on a thread, the deadline and the number of the attempt, for means of one's own to carry thread-locals to
     * other threads: each method acts on the current one. Micrometer's context-propagation is served already; who hands
     * tasks to an executor wants {@link #propagating}, and who knows the time that is left wants {@link #within}. Immutable.
     */
    public static final class Binding {
        private final @Nullable TimeSource time;
        private final long until;
        private final int attempt;
        private final @Nullable Around around;

        // What is bound to the thread itself, the call apart that it is in the middle of.
        private final @Nullable TimeSource ownTime;
        private final long ownUntil;
        private final int ownAttempt;
        private final @Nullable Around ownAround;

        private Binding(Ambient here, @Nullable TimeSource time, long until, int attempt, @Nullable Around around) {
            this.time = time;
            this.until = until;
            this.attempt = attempt;
            this.around = around;
            ownTime = here.boundTime;
            ownUntil = here.boundAt;
            ownAttempt = here.boundAttempt;
            ownAround = here.boundAround;
        }

        /** What holds now; null if nothing does. */
        public static @Nullable Binding current() {
            Ambient here = Ambient.get();
            CallState outer = here.current();
            TimeSource time =
                    here.boundTime != null ? here.boundTime : outer != null ? outer.time() : TimeSource.system();
            long now = time.nanos();
            long remaining = here.remaining(time, now);
            int attempt = here.attempt();
            Around around = here.around();
            if (remaining == Long.MAX_VALUE && attempt == 0 && around == null) {
                return null;
            }
            return new Binding(here, remaining == Long.MAX_VALUE ? null : time, now + remaining, attempt, around);
        }

        /** Binds what held somewhere else; null: nothing. It holds until {@link #restore} is called with what was bound before. */
        public static void set(@Nullable Binding elsewhere) {
            Ambient here = Ambient.get();
            here.boundTime = elsewhere == null ? null : elsewhere.time;
            here.boundAt = elsewhere == null ? 0 : elsewhere.until;
            here.boundAttempt = elsewhere == null ? 0 : elsewhere.attempt;
            here.boundAround = elsewhere == null ? null : elsewhere.around;
            here.bindingChanged();
        }

        /** Puts back what {@link #current} told on this very thread before something was set. */
        public static void restore(@Nullable Binding before) {
            Ambient here = Ambient.get();
            here.boundTime = before == null ? null : before.ownTime;
            here.boundAt = before == null ? 0 : before.ownUntil;
            here.boundAttempt = before == null ? 0 : before.ownAttempt;
            here.boundAround = before == null ? null : before.ownAround;
            here.bindingChanged();
        }
    }

    /** Binds all to this thread while the action runs; with no time given, what is bound already goes on to hold. */
    static <T extends @Nullable Object, E extends Exception> T bound(
            @Nullable TimeSource time, long until, int attempt, @Nullable Around around, CheckedSupplier<T, E> action)
            throws E {
        Ambient here = Ambient.get();
        TimeSource outerTime = here.boundTime;
        long outerAt = here.boundAt;
        int outerAttempt = here.boundAttempt;
        Around outerAround = here.boundAround;
        if (time != null) {
            here.boundTime = time;
            here.boundAt = until;
        }
        here.boundAttempt = attempt;
        here.boundAround = Around.joined(around, outerAround);
        try {
            return action.get();
        } finally {
            here.boundTime = outerTime;
            here.boundAt = outerAt;
            here.boundAttempt = outerAttempt;
            here.boundAround = outerAround;
        }
    }
}
