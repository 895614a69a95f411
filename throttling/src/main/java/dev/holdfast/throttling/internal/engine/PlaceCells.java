/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import dev.holdfast.internal.Stripes;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Places that threads took from the line several at a time, so that not every call writes the same word. A cell holds places
 * that follow one another. A place that is not used before its time is past is lost.
 */
final class PlaceCells {
    /** A thread is taking places for the cell. Never the end of a place, like {@link Gcra#NONE}. */
    static final long BUSY = 1;

    /**
     * For each cell: the end of its next place, then the end of its last place. The second word is written while the first
     * is BUSY, and ends are never used again. So a successful compare-and-set of the first word has read the right second
     * word.
     */
    private final AtomicLongArray words;

    private final int cells;
    private final long cost;
    private final long tolerance;

    /** Creates empty cells; their number is a power of two. */
    PlaceCells(int cells, long cost, long tolerance) {
        this.cells = cells;
        this.cost = cost;
        this.tolerance = tolerance;
        words = Stripes.words(cells);
    }

    /** Takes a place from the cell of this stripe and returns its end; {@link Gcra#NONE} if no place can be used. */
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

    /** The same for any cell. */
    long takeAny(long units) {
        for (int cell = 0; cell < cells; cell++) {
            long end = take(cell, units);
            if (end != Gcra.NONE) {
                return end;
            }
        }
        return Gcra.NONE;
    }

    /** A call starts at the beginning of its place at the latest, and at most the tolerance before it. */
    private boolean usable(long end, long units) {
        long early = end - cost - units;
        return end != Gcra.NONE && end != BUSY && early >= 0 && early <= tolerance;
    }

    /** Reserves the cell of this stripe for the caller to fill, if it has no place for later and no other thread fills it. */
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

    /** How many places in the cells can be used. */
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
