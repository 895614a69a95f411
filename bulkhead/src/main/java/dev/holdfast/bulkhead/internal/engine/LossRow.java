/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/** Attempts that ended badly, with none served between them. Not for several threads at once. */
final class LossRow {
    /** Where three of four attempts fail, so many in a row are rare. */
    private static final int MANY = 20;

    /** A shorter row is chance. */
    private static final long SHORTEST_NANOS = 100_000_000;

    private int lost;
    private int others;
    private boolean hasRefused;
    private long since;
    private long longest;

    /**
     * So many more of them ended now, after this time. Returns whether nothing comes back any more: for the time of an answer and that
     * of the longest of them, most were lost, or there were many.
     *
     * @param rare how many in a row are no chance; one at a time, they would last that many times as long
     */
    boolean add(long now, long nanos, int more, Ending ending, long answerNanos, int rare) {
        boolean isFirst = lost + others == 0;
        since = isFirst ? now : since;
        longest = isFirst ? nanos : Math.max(longest, nanos);
        lost += ending == Ending.LOST ? more : 0;
        others += ending == Ending.LOST ? 0 : more;
        hasRefused |= ending == Ending.REFUSED;
        boolean areEnough = (lost > 1 && lost > others) || lost + others >= MANY;
        long shortest = Math.max(hasRefused ? LossLimit.SHORTEST_OF_REFUSED_NANOS : SHORTEST_NANOS, answerNanos);
        long least = Math.max(longest, shortest);
        long passed = now - since;
        return areEnough && passed >= least && (lost + others >= rare || passed >= rare * least);
    }

    /** One was served. */
    void end() {
        lost = 0;
        others = 0;
        hasRefused = false;
    }
}
