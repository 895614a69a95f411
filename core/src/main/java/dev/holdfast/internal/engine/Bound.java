/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.spi.TimeSource;
import org.jspecify.annotations.Nullable;

/**
 * What holds on a thread and goes with the work to other threads: the deadline, the number of the attempt and the calls
 * around it. Immutable. Each static method acts on the current thread.
 */
public final class Bound {
    private final @Nullable TimeSource time;
    private final long until;
    private final int attempt;
    private final @Nullable Around around;
    // What is bound to the thread itself, the call apart that it is in the middle of.
    private final @Nullable TimeSource ownTime;
    private final long ownUntil;
    private final int ownAttempt;
    private final @Nullable Around ownAround;

    private Bound(Ambient here, @Nullable TimeSource time, long until, int attempt, @Nullable Around around) {
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
    public static @Nullable Bound current() {
        Ambient here = Ambient.get();
        CallState outer = here.current();
        TimeSource time = here.boundTime != null ? here.boundTime : outer != null ? outer.time() : TimeSource.system();
        long now = time.nanos();
        long remaining = here.remaining(time, now);
        int attempt = here.attempt();
        Around around = here.around();
        if (remaining == Long.MAX_VALUE && attempt == 0 && around == null) {
            return null;
        }
        return new Bound(here, remaining == Long.MAX_VALUE ? null : time, now + remaining, attempt, around);
    }

    /** Binds what held somewhere else; null: nothing. It holds until {@link #restore} is called with what was bound before. */
    public static void set(@Nullable Bound elsewhere) {
        Ambient here = Ambient.get();
        here.boundTime = elsewhere == null ? null : elsewhere.time;
        here.boundAt = elsewhere == null ? 0 : elsewhere.until;
        here.boundAttempt = elsewhere == null ? 0 : elsewhere.attempt;
        here.boundAround = elsewhere == null ? null : elsewhere.around;
        here.bindingChanged();
    }

    /** Puts back what {@link #current} told on this very thread before something was set. */
    public static void restore(@Nullable Bound before) {
        Ambient here = Ambient.get();
        here.boundTime = before == null ? null : before.ownTime;
        here.boundAt = before == null ? 0 : before.ownUntil;
        here.boundAttempt = before == null ? 0 : before.ownAttempt;
        here.boundAround = before == null ? null : before.ownAround;
        here.bindingChanged();
    }

    /** Nanoseconds that are left on this thread, perhaps less than 0; {@link Long#MAX_VALUE} if nothing limits it. */
    public static long remaining() {
        Ambient here = Ambient.get();
        TimeSource time = here.boundTime != null ? here.boundTime : TimeSource.system();
        return here.remaining(time, time.nanos());
    }

    /** As {@link #remaining()}, on the clock of this source. */
    public static long remaining(TimeSource time) {
        return Ambient.get().remaining(time, time.nanos());
    }

    /** The number of the attempt inside which this thread works; 0 if there is none that is known. */
    public static int attempt() {
        return Ambient.get().attempt();
    }

    /** Runs this with what held elsewhere. */
    public void run(Runnable task) {
        bound(time, until, attempt, around, () -> {
            task.run();
            return null;
        });
    }

    /** Runs this within so many nanoseconds, or what is left if that is less, and in an attempt of this number at least. */
    public static <T extends @Nullable Object, E extends Exception> T within(
            TimeSource time, long nanos, int attempt, CheckedSupplier<T, E> action) throws E {
        long now = time.nanos();
        Ambient here = Ambient.get();
        long remaining = Math.min(nanos, here.remaining(time, now));
        TimeSource limiting = remaining == Long.MAX_VALUE ? null : time;
        return bound(limiting, now + remaining, Math.max(attempt, here.boundAttempt), null, action);
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
