/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import java.util.concurrent.TimeUnit;

/**
 * The usual time of an operation's loads, and whether they are slow just now.
 *
 * <p>A load is slow if it takes about twice as long (up to a fifth more) as 95 % of the last loads, and at least 100 ms; while
 * fewer than eight are known, after a second. All threads read and write without a lock: a race may lose a load, and others follow.
 */
final class Pace {
    private static final int FEWEST = 8;
    /** At this number all counts are halved, so that old loads are forgotten. */
    private static final int MOST = 512;
    /** From this number on only a sample of the loads is counted, so that threads do not contend. */
    private static final int ENOUGH = 64;

    /** The sample is one load of eight. */
    private static final int SAMPLE_SHIFT = Long.SIZE - 3;
    /** Cells to a doubling; the first one is below a millisecond. */
    private static final int CELLS_OF_DOUBLING = 4;

    private static final int CELLS = 20 * CELLS_OF_DOUBLING;
    private static final long LEAST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LEAST_SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long UNKNOWN_SLOW_NANOS = TimeUnit.SECONDS.toNanos(1);
    /** Then it is tried again, because the user may have registered a context meanwhile. */
    private static final long CALLERS_ONLY_NANOS = TimeUnit.MINUTES.toNanos(10);

    private static final double PART = 0.95;

    private final int[] counts = new int[CELLS];
    private int all;
    private volatile long slowAfter = UNKNOWN_SLOW_NANOS;
    private volatile boolean slow;
    private volatile boolean callersOnly;
    private volatile long callersOnlyUntil;

    /** After how many nanoseconds a load is slow. */
    long slowAfter() {
        return slowAfter;
    }

    /** Whether the last measured load was slow. */
    boolean isSlow() {
        return slow;
    }

    void slow(boolean seen) {
        if (slow != seen) {
            slow = seen;
        }
    }

    /** A load in the background was refused because its thread lacks the caller's identity. The next ones would be, too. */
    void callersOnly(long now) {
        callersOnlyUntil = now + CALLERS_ONLY_NANOS;
        callersOnly = true;
    }

    /** Whether loads only make sense on the threads of their callers. */
    boolean runsOnCallersOnly(long now) {
        return callersOnly && now - callersOnlyUntil < 0;
    }

    /** A load has succeeded, after this long and at this time. */
    void loaded(long nanos, long now) {
        int known = all;
        if (known >= ENOUGH && !isSampled(now)) {
            return;
        }
        counts[cell(nanos)]++;
        all = known + 1;
        if (known >= MOST) {
            halve();
        }
        if (all >= FEWEST) {
            long measured = Math.max(LEAST_SLOW_NANOS, 2 * usual());
            if (measured != slowAfter) {
                slowAfter = measured;
            }
        }
    }

    private static boolean isSampled(long now) {
        return (now * 0x9E3779B97F4A7C15L) >>> SAMPLE_SHIFT == 0;
    }

    private void halve() {
        int left = 0;
        for (int i = 0; i < CELLS; i++) {
            counts[i] >>>= 1;
            left += counts[i];
        }
        all = left;
    }

    /** The time that 95 % of the loads did not exceed. */
    private long usual() {
        int sum = 0;
        for (int count : counts) {
            sum += count;
        }
        long rank = (long) Math.ceil(PART * sum);
        int cell = 0;
        for (long below = counts[0]; below < rank && cell < CELLS - 1; ) {
            cell++;
            below += counts[cell];
        }
        return end(cell);
    }

    private static int cell(long nanos) {
        double doublings = Math.log((double) Math.max(nanos, LEAST_NANOS) / LEAST_NANOS) / Math.log(2);
        return Math.min(CELLS - 1, (int) (doublings * CELLS_OF_DOUBLING));
    }

    private static long end(int cell) {
        return (long) (LEAST_NANOS * Math.pow(2, (cell + 1.0) / CELLS_OF_DOUBLING));
    }
}
