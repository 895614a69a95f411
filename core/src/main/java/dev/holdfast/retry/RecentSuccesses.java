/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How many successes there were in about the last five seconds: in this second and the four before it, a second being 2^30
 * ns. Of one second at most 10,000 are counted: who has more has tokens enough, and the others then only read.
 */
final class RecentSuccesses {
    private static final int MOST_OF_A_SECOND = 10_000;
    private static final int SECONDS = 5;
    private static final int SECOND_SHIFT = 30;

    /** More cells than seconds that are summed, so that a new second overwrites none of the last five. */
    private static final int CELLS = 8;

    // A cell: its second in the upper bits, the number of its successes in the lower, zero only in an unused cell. The
    // cells share no cache line with other data: every success reads one.
    private static final int FIRST = 16;
    private static final int COUNT_BITS = 20;
    private static final long COUNT_MASK = (1L << COUNT_BITS) - 1;

    // The last second in which a failure asked. Two that write at once differ by little.
    private volatile long askedSecond;
    private volatile boolean anyAsked;

    private final AtomicLongArray padded = new AtomicLongArray(FIRST + CELLS + FIRST);

    private static int cellOf(long second) {
        return FIRST + (int) (second & (CELLS - 1));
    }

    /** So many more successes; true if they are the first of their second. */
    boolean count(long now, int successes) {
        long second = now >> SECOND_SHIFT;
        int at = cellOf(second);
        long cell = padded.get(at);
        if (cell >> COUNT_BITS == second && (cell & COUNT_MASK) != 0) {
            if ((cell & COUNT_MASK) < MOST_OF_A_SECOND) {
                padded.getAndAdd(at, successes);
            }
            return false;
        }
        return begins(second, at, cell, successes);
    }

    private boolean begins(long second, int at, long cell, int successes) {
        boolean isNewer = (cell & COUNT_MASK) == 0 || second - (cell >> COUNT_BITS) > 0;
        // A success that comes late for its second, or loses the swap to another, is not counted.
        return isNewer && padded.compareAndSet(at, cell, second << COUNT_BITS | successes);
    }

    long latest(long now) {
        long second = now >> SECOND_SHIFT;
        if (!anyAsked || second - askedSecond > 0) {
            askedSecond = second;
            anyAsked = true;
        }
        return latestOf(second);
    }

    /** As seen in the last second in which anything succeeded. */
    long latest() {
        boolean any = anyAsked;
        long newest = askedSecond;
        for (int at = FIRST; at < FIRST + CELLS; at++) {
            long cell = padded.get(at);
            if ((cell & COUNT_MASK) != 0 && (!any || (cell >> COUNT_BITS) - newest > 0)) {
                newest = cell >> COUNT_BITS;
                any = true;
            }
        }
        return any ? latestOf(newest) : 0;
    }

    private long latestOf(long second) {
        long sum = 0;
        for (long s = second; s > second - SECONDS; s--) {
            long cell = padded.get(cellOf(s));
            if (cell >> COUNT_BITS == s) {
                sum += cell & COUNT_MASK;
            }
        }
        return sum;
    }
}
