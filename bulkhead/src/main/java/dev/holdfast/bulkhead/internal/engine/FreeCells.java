/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import dev.holdfast.internal.Stripes;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Free permits in several cells, so that threads do not write the same word. A cell is open and holds a number, or is closed
 * and takes and gives nothing; a thread that finds it closed goes to the common word.
 */
final class FreeCells {
    private static final long CLOSED = -1;

    private final AtomicLongArray words;
    private final int cells;

    /** Closed cells; a power of two of them. */
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

    /** Takes a permit from any cell. False is not final: a permit may have come back to a cell already looked at. */
    boolean takeAny() {
        for (int cell = 0; cell < cells; cell++) {
            if (take(cell)) {
                return true;
            }
        }
        return false;
    }

    /** Puts a permit into the cell of this stripe; false, and nothing done, if it is closed. */
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

    /** Opens all cells, empty. Only when they are closed. */
    void open() {
        for (int cell = 0; cell < cells; cell++) {
            words.set(Stripes.index(cell, cells), 0);
        }
    }

    /** Closes all cells, and tells how many permits were in them. */
    long close() {
        long free = 0;
        for (int cell = 0; cell < cells; cell++) {
            free += Math.max(0, words.getAndSet(Stripes.index(cell, cells), CLOSED));
        }
        return free;
    }

    /** How many permits are in them, roughly while others use them. */
    long sum() {
        long free = 0;
        for (int cell = 0; cell < cells; cell++) {
            free += Math.max(0, words.get(Stripes.index(cell, cells)));
        }
        return free;
    }
}
