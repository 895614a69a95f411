/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Which layers of a call want to be told of an attempt that runs too long, and which were told. The watchdog waits
 * {@link #MARGIN_NANOS} longer. An attempt closes before it reads the clock, so by then the watchdog sees every attempt that
 * ended in time, and these need only plain writes. An attempt that ran too long uses an atomic exchange to learn who was told.
 */
final class Alarms {
    /** Policies of a pipeline that can ask: there is a bit for each beside the number of the attempt. */
    static final int MOST = 16;

    /** By so much the watchdog tells late; no write is under way to another processor for nearly that long. */
    static final long MARGIN_NANOS = 1_000_000;

    /** In place of nanoseconds to wait. */
    static final long NEVER = Long.MAX_VALUE;

    private static final long BITS = (1L << MOST) - 1;
    private static final VarHandle WORD = Handles.of(MethodHandles.lookup(), "word", long.class);

    private final long[] after;

    /** The race that the call's attempt is in, while the call is inside a layer that hedges. */
    @Nullable
    Race race;

    /** What the call is itself, if it is an attempt beside another call's. */
    @Nullable
    Hedge hedge;

    private long asked;
    private long told;
    private long nearest = NEVER;

    @SuppressWarnings("unused") // through WORD: the number of the open attempt, and a bit for each layer that was told
    private long word;

    Alarms(int layers) {
        after = new long[layers];
    }

    boolean fits(int layers) {
        return after.length >= layers;
    }

    // ---- by the call

    void ask(int layer, long nanos) {
        asked |= 1L << layer;
        after[layer] = nanos;
        nearest = Math.min(nearest, nanos);
    }

    boolean any() {
        return asked != 0 || contested();
    }

    /** Whether others than the watchdog may end the attempt. */
    boolean contested() {
        return race != null || hedge != null;
    }

    /** Layers from this one inward are entered anew, or not at all. */
    void forgetFrom(int layer) {
        long outer = Plan.below(layer);
        if ((asked & ~outer) != 0) {
            asked &= outer;
            told &= outer;
            nearest = NEVER;
            for (long left = asked; left != 0; left &= left - 1) {
                nearest = Math.min(nearest, after[Long.numberOfTrailingZeros(left)]);
            }
        }
    }

    /** Another call begins; also a race is forgotten that its policy did not end. */
    void forgetAll() {
        forgetFrom(0);
        if (race != null) {
            race = null;
        }
    }

    /** Before the attempt opens, which publishes this. */
    void open(long number) {
        WORD.set(this, number << MOST);
        if (race != null) {
            race.arm(number);
        }
        if (hedge != null) {
            hedge.begun();
        }
    }

    /** After the attempt has closed and the clock has been read. */
    void close(long ranNanos) {
        if (ranNanos >= nearest) {
            long bits = (long) WORD.getAndSet(this, 0L) & BITS;
            for (long left = asked; bits != 0; left &= left - 1, bits >>>= 1) {
                told |= (bits & 1) << Long.numberOfTrailingZeros(left);
            }
        }
    }

    boolean told(int layer) {
        return (told >>> layer & 1) != 0;
    }

    /** Of an attempt that has run for so long: in how many nanoseconds it is to be looked at, or {@link #NEVER}. */
    long waitNanos(long ran) {
        long next = nearest;
        if (next != NEVER) {
            next += MARGIN_NANOS;
        }
        Race hedged = race; // on the watchdog's thread, too
        if (hedged != null) {
            next = Math.min(next, hedged.delayNanos);
        }
        return next == NEVER ? NEVER : Math.max(0, next - ran);
    }

    // ---- by the watchdog

    /**
     * Tells the layers for which the attempt has run too long, each once, and starts the hedge that is due. Returns in how
     * many nanoseconds it is to be looked at again, or {@link #NEVER}.
     */
    long tell(CallState call, long number, long now) {
        long next = NEVER;
        long ran = now - call.attemptStart - MARGIN_NANOS;
        int bit = 0;
        for (long left = asked; left != 0; left &= left - 1, bit++) {
            int layer = Long.numberOfTrailingZeros(left);
            if (ran < after[layer]) {
                next = Math.min(next, after[layer] - ran);
            } else if (!told(layer)) {
                Engine engine = call.engine;
                // Before the mark is set: if it can be, the attempt had not ended, and the slot was its own.
                long slot = call.slotOf(layer);
                if (mark(number, 1L << bit)) {
                    engine.hooks.overdue(layer, slot, now);
                }
            }
        }
        Race hedged = race;
        return hedged == null ? next : Math.min(next, hedged.look(now));
    }

    /** Whether {@link #tell} would tell a layer, or start a hedge. */
    boolean isDue(CallState call, long number, long now) {
        long seen = (long) WORD.getVolatile(this);
        long ran = now - call.attemptStart - MARGIN_NANOS;
        int bit = 0;
        for (long left = asked; seen >>> MOST == number && left != 0; left &= left - 1, bit++) {
            int layer = Long.numberOfTrailingZeros(left);
            if (ran >= after[layer] && !told(layer) && (seen >>> bit & 1) == 0) {
                return true;
            }
        }
        Race hedged = race;
        return hedged != null && hedged.isDue(now);
    }

    private boolean mark(long number, long bit) {
        for (; ; ) {
            long seen = (long) WORD.getVolatile(this);
            if (seen >>> MOST != number || (seen & bit) != 0) {
                return false;
            }
            if (WORD.compareAndSet(this, seen, seen | bit)) {
                return true;
            }
        }
    }
}
