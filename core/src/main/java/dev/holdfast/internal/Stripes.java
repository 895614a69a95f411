/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Words on cache lines of their own, and the stripe of the calling thread, so that threads do not write the same line. For
 * engines that have seen contention. The stripe is only a hint: two threads may share one.
 */
public final class Stripes {
    /** Longs between two stripes of an array: two cache lines, since processors fetch them in pairs. */
    public static final int STRIDE = 16;

    private static final int MOST = 64;

    private Stripes() {}

    /**
     * A cell for each of so many stripes, a power of two: the word at {@link #index} and those behind it up to {@link #STRIDE}.
     * All are zero. The first stride keeps the array's length apart. All operations are atomic and volatile.
     */
    public static AtomicLongArray words(int stripes) {
        return new AtomicLongArray((stripes + 1) * STRIDE);
    }

    /** Where in {@link #words} the cell of this stripe begins, which is any int; for one word only, at {@link #STRIDE}. */
    public static int index(int stripe, int stripes) {
        return ((stripe & (stripes - 1)) + 1) * STRIDE;
    }

    /** The number of stripes for this machine: twice its processors, a power of two from 4 to 64. */
    public static int count() {
        int processors = Runtime.getRuntime().availableProcessors();
        return Math.max(4, Integer.highestOneBit(Math.min(MOST, 4 * processors - 1)));
    }

    /** The number of the calling thread. Any int, so mask it. Threads that were made one after the other differ. */
    public static int current() {
        return (int) Thread.currentThread().getId();
    }
}
