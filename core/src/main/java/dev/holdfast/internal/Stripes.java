/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/**
 * Which part of a striped counter belongs to the calling thread, so that threads do not write the same cache line. For
 * engines that have seen contention; a hint and no more: two threads may share a stripe.
 */
public final class Stripes {
    /** Longs between two stripes of an array: two cache lines, since processors fetch them in pairs. */
    public static final int STRIDE = 16;

    private static final int MOST = 64;

    private Stripes() {}

    /** How many stripes are worth having on this machine: twice its processors, a power of two from 4 to 64. */
    public static int count() {
        int processors = Runtime.getRuntime().availableProcessors();
        return Math.max(4, Integer.highestOneBit(Math.min(MOST, 4 * processors - 1)));
    }

    /** The number of the calling thread, any int: to be masked. Threads that were made one after the other differ. */
    public static int current() {
        return (int) Thread.currentThread().getId();
    }
}
