/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import dev.holdfast.internal.Stripes;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Free permits in several cells, so that threads do not write the same word. An open cell holds a number of permits. A
 * closed cell takes and gives none; a thread that finds its cell closed uses the common word.
 */
final class FreeCells {
    private static final long CLOSED = -1;

    private final AtomicLongArray words;
    private final int cells;

    /** Creates closed cells; their number is a power of two. */
    FreeCells(int cells) {
        this.cells = cells;
        words = Stripes.words(cells);
        close();
    }

    /** Takes a permit from the cell of this stripe, if there is one. */
    boolean take(int stripe) {
        int index = Stripes.index(stripe, cells);
        while (true) {
            long free = words.get(index);
            if (free <= 0) {
                return false;
            }
            if (words.compareAndSet(index, free, free - 1)) {
                return true;
            }
        }
    }

    /** Takes a permit from any cell. False is not final: a permit may have come back to a cell that was already checked. */
    boolean takeAny() {
        for (int cell = 0; cell < cells; cell++) {
            if (take(cell)) {
                return true;
            }
        }
        return false;
    }

    /** Puts a permit into the cell of this stripe. If the cell is closed, does nothing and returns false. */
    boolean put(int stripe) {
        int index = Stripes.index(stripe, cells);
        while (true) {
            long free = words.get(index);
            if (free == CLOSED) {
                return false;
            }
            if (words.compareAndSet(index, free, free + 1)) {
                return true;
            }
        }
    }

    /** Opens all cells, empty. Call it only if they are closed. */
    void open() {
        for (int cell = 0; cell < cells; cell++) {
            words.set(Stripes.index(cell, cells), 0);
        }
    }

    /** Closes all cells, and returns how many permits were in them. */
    long close() {
        long free = 0;
        for (int cell = 0; cell < cells; cell++) {
            free += Math.max(0, words.getAndSet(Stripes.index(cell, cells), CLOSED));
        }
        return free;
    }

    /** How many permits are in the cells; an estimate while other threads use them. */
    long sum() {
        long free = 0;
        for (int cell = 0; cell < cells; cell++) {
            free += Math.max(0, words.get(Stripes.index(cell, cells)));
        }
        return free;
    }
}
