/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import dev.holdfast.internal.Stripes;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * How long recent attempts took, and what time a given part of them did not exceed. A histogram of the newer and one of the
 * older half of the window, each in stripes, so that threads do not contend; the percentile is worked out again now and then
 * by one of those who ask, and else is one read.
 *
 * <p>The cells are as in HdrHistogram: 32 to each doubling, so that a time is off by 3 % at most; from a microsecond up to
 * about an hour. Never blocks. No clock: the caller says what time it is.
 */
final class Latencies {
    /** A time is counted in units of 1,024 ns. */
    private static final int UNIT_BITS = 10;
    /** Cells to a doubling. */
    private static final int CELL_BITS = 5;

    private static final long MOST_UNITS = 0xffff_ffffL;
    private static final int CELLS = cell(Long.MAX_VALUE) + 1;
    private static final int MOST_STRIPES = 8;
    /** So often in a window the percentile is worked out again. */
    private static final int LOOKS = 64;

    /** There are too few times to tell. */
    static final long UNKNOWN = -1;

    /** Two halves of the window; {@code since} is when the newer one began. */
    private record Halves(AtomicIntegerArray newer, AtomicIntegerArray older, long since) {}

    private final double quantile;
    private final int least;
    private final long halfNanos;
    private final long lookNanos;
    private final int stripes = Math.min(MOST_STRIPES, Stripes.count());
    private final AtomicReference<Halves> halves;
    private final AtomicLong nextLook;
    private volatile long known = UNKNOWN;

    /**
     * Empty.
     *
     * @param quantile which part of the times is not to exceed the answer: 0 to 1
     * @param least how many times there must be
     */
    Latencies(double quantile, int least, long windowNanos, long now) {
        this.quantile = quantile;
        this.least = least;
        halfNanos = windowNanos / 2;
        lookNanos = windowNanos / LOOKS;
        halves = new AtomicReference<>(new Halves(empty(), empty(), now));
        nextLook = new AtomicLong(now);
    }

    private AtomicIntegerArray empty() {
        return new AtomicIntegerArray(stripes * CELLS);
    }

    /** An attempt took this long, or longer. */
    void record(long nanos, long now) {
        int stripe = (Stripes.current() & Integer.MAX_VALUE) % stripes;
        current(now).newer.getAndIncrement(stripe * CELLS + cell(nanos));
    }

    /** The time that the given part of the recent attempts did not exceed; {@link #UNKNOWN} if there are too few. */
    long quantileNanos(long now) {
        long due = nextLook.get();
        // Whoever wins works it out; the others take what was known.
        if (now - due >= 0 && nextLook.compareAndSet(due, now + lookNanos)) {
            known = workOut(current(now));
        }
        return known;
    }

    /** As {@link #quantileNanos}, as it was when somebody last asked that. */
    long lastKnownNanos() {
        return known;
    }

    private Halves current(long now) {
        for (; ; ) {
            Halves seen = halves.get();
            long age = now - seen.since;
            if (age < halfNanos) {
                return seen;
            }
            // What is older than two halves is out of the window altogether.
            Halves next = new Halves(empty(), age < 2 * halfNanos ? seen.newer : empty(), now);
            if (halves.compareAndSet(seen, next)) {
                return next;
            }
        }
    }

    private long workOut(Halves seen) {
        long[] sums = new long[CELLS];
        long all = 0;
        for (int i = 0; i < stripes * CELLS; i++) {
            int count = seen.newer.get(i) + seen.older.get(i);
            sums[i % CELLS] += count;
            all += count;
        }
        if (all < least) {
            return UNKNOWN;
        }
        long rank = (long) Math.ceil(quantile * all);
        int cell = 0;
        for (long below = sums[0]; below < rank; below += sums[cell]) {
            cell++;
        }
        return end(cell);
    }

    /** The highest bits of a time, and below which doubling they stand; a small time is its own cell. */
    static int cell(long nanos) {
        long units = Math.min(Math.max(0, nanos) >>> UNIT_BITS, MOST_UNITS);
        int shift = Math.max(0, Long.SIZE - 1 - Long.numberOfLeadingZeros(units) - CELL_BITS);
        return (shift << CELL_BITS) + (int) (units >>> shift);
    }

    /** The longest time of a cell. */
    static long end(int cell) {
        int shift = Math.max(0, (cell >>> CELL_BITS) - 1);
        long bits = cell - ((long) shift << CELL_BITS);
        return (((bits + 1) << shift) << UNIT_BITS) - 1;
    }
}
