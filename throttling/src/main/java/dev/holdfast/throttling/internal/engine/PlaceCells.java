/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import dev.holdfast.internal.Stripes;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Places that were taken from the line several at a time, so that threads do not write the same word for each call. A cell
 * holds places that follow one another. What is not used before its time is past is nobody's.
 */
final class PlaceCells {
    /** A thread is taking places for the cell. Never the end of a place, as {@link Gcra#NONE} is none. */
    static final long BUSY = 1;

    /**
     * For each cell the end of its next place and behind it that of its last one. The second is written while the first says
     * BUSY, and ends are never used again: a compare-and-set of the first that succeeds has read the right second one.
     */
    private final AtomicLongArray words;

    private final int cells;
    private final long cost;
    private final long tolerance;

    /** Empty cells; a power of two of them. */
    PlaceCells(int cells, long cost, long tolerance) {
        this.cells = cells;
        this.cost = cost;
        this.tolerance = tolerance;
        words = Stripes.words(cells);
    }

    /** The end of a place in the cell of this stripe, which is taken; {@link Gcra#NONE} if it holds none that can be used. */
    long take(int stripe, long units) {
        int index = Stripes.index(stripe, cells);
        while (true) {
            long end = words.get(index);
            if (!usable(end, units)) {
                return Gcra.NONE;
            }
            long next = end == words.get(index + 1) ? Gcra.NONE : end + cost;
            if (words.compareAndSet(index, end, next)) {
                return end;
            }
        }
    }

    /** The same from any cell. */
    long takeAny(long units) {
        for (int cell = 0; cell < cells; cell++) {
            long end = take(cell, units);
            if (end != Gcra.NONE) {
                return end;
            }
        }
        return Gcra.NONE;
    }

    /** Nobody starts after the beginning of a place, nor earlier than the tolerance before it. */
    private boolean usable(long end, long units) {
        long early = end - cost - units;
        return end != Gcra.NONE && end != BUSY && early >= 0 && early <= tolerance;
    }

    /** Makes the cell of this stripe the caller's to fill, if nothing is in it whose time is to come and nobody fills it. */
    boolean claim(int stripe, long units) {
        int index = Stripes.index(stripe, cells);
        long seen = words.get(index);
        boolean empty = seen == Gcra.NONE || (seen != BUSY && seen - cost - units < 0);
        return empty && words.compareAndSet(index, seen, BUSY);
    }

    /** Ends a claim. */
    void fill(int stripe, long next, long last) {
        int index = Stripes.index(stripe, cells);
        words.set(index + 1, last);
        words.set(index, next);
    }

    /** How many places can be used. */
    long usable(long units) {
        long sum = 0;
        for (int cell = 0; cell < cells; cell++) {
            int index = Stripes.index(cell, cells);
            long end = words.get(index);
            if (usable(end, units)) {
                sum += (words.get(index + 1) - end) / cost + 1;
            }
        }
        return sum;
    }
}
