/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import java.util.concurrent.TimeUnit;

/**
 * How long the loads of an operation take, and whether they take longer just now.
 *
 * <p>Slow is what takes twice as long as 95 of 100 of the last loads did, at least 100 ms; while fewer than eight are known, a
 * second. Read and written by all threads without care: a load that is lost to a race is followed by others.
 */
final class Pace {
    private static final int FEWEST = 8;
    /** Then all counts are halved, so that old loads are forgotten. */
    private static final int MOST = 512;
    /** From here on only some of the loads are counted, so that threads do not contend. */
    private static final int ENOUGH = 64;

    /** One of eight. */
    private static final int SOME_SHIFT = Long.SIZE - 3;
    /** Cells to a doubling; the first one is below a millisecond. */
    private static final int CELLS_OF_DOUBLING = 4;

    private static final int CELLS = 20 * CELLS_OF_DOUBLING;
    private static final long LEAST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LEAST_SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long UNKNOWN_SLOW_NANOS = TimeUnit.SECONDS.toNanos(1);
    /** Somebody may register a context meanwhile. */
    private static final long ONLY_HERE_NANOS = TimeUnit.MINUTES.toNanos(10);

    private static final double PART = 0.95;

    private final int[] counts = new int[CELLS];
    private int all;
    private volatile long slowAfter = UNKNOWN_SLOW_NANOS;
    private volatile boolean slow;
    private volatile boolean onlyHere;
    private volatile long onlyHereUntil;

    /** After how many nanoseconds a load is slow. */
    long slowAfter() {
        return slowAfter;
    }

    /** Whether the last load that told was slow. */
    boolean isSlow() {
        return slow;
    }

    void slow(boolean seen) {
        if (slow != seen) {
            slow = seen;
        }
    }

    /** A load in the background was refused, since the caller's identity is not there; so will be the next ones. */
    void onlyHere(long now) {
        onlyHereUntil = now + ONLY_HERE_NANOS;
        onlyHere = true;
    }

    /** Whether loads only make sense on the threads of their callers. */
    boolean runsOnlyHere(long now) {
        return onlyHere && now - onlyHereUntil < 0;
    }

    /** A load has succeeded, at this time and after so long. */
    void loaded(long nanos, long now) {
        int known = all;
        if (known >= ENOUGH && !isOneOfSome(now)) {
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

    private static boolean isOneOfSome(long now) {
        return (now * 0x9E3779B97F4A7C15L) >>> SOME_SHIFT == 0;
    }

    private void halve() {
        int left = 0;
        for (int i = 0; i < CELLS; i++) {
            counts[i] >>>= 1;
            left += counts[i];
        }
        all = left;
    }

    /** The time that the given part of the loads did not exceed. */
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
