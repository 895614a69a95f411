/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/** Attempts that were lost or have failed, with none served between them. Not for several threads at once. */
final class LossRow {
    /** Where three of four attempts fail, so many in a row are rare. */
    private static final int MANY = 20;

    /** A shorter row is chance. */
    private static final long SHORTEST_NANOS = 100_000_000;

    private int lost;
    private int failed;
    private long since;
    private long longest;

    /**
     * So many of them ended now, after this time; lost: in a timeout or a pushback. Returns whether nothing comes back any more: for
     * the time of an answer and that of the longest of them, only losses and fewer failures, or many failures.
     */
    boolean add(long now, long nanos, int more, boolean areLost, long answerNanos) {
        boolean isFirst = lost + failed == 0;
        since = isFirst ? now : since;
        longest = isFirst ? nanos : Math.max(longest, nanos);
        lost += areLost ? more : 0;
        failed += areLost ? 0 : more;
        boolean areEnough = (lost > 1 && lost > failed) || lost + failed >= MANY;
        return areEnough && now - since >= Math.max(Math.max(longest, answerNanos), SHORTEST_NANOS);
    }

    /** One was served. */
    void end() {
        lost = 0;
        failed = 0;
    }
}
