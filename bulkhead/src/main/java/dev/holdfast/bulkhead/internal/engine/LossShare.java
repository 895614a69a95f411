/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/**
 * Which share of attempts is lost, and which share is usual.
 *
 * <p>An attempt is lost long after others that began with it were served. So the share is one of what ended in about the time that
 * a lost attempt takes, or in a period; what ended longer ago counts for less. Not for several threads at once.
 */
final class LossShare {
    /** A share of losses that is no trouble. */
    private static final double FEW = 0.2;

    /** With a larger share of losses, the dependency is overloaded or down, whatever the usual share is. */
    private static final double MOST = 0.5;

    /** What happens in fewer than one of a thousand rows is no chance. */
    private static final double RARE = 0.001;

    private static final double USUAL_WEIGHT = 1.0 / 16;

    /** As long as a period: where attempts are lost at once, a shorter time would have too few of them. */
    private static final long SHORTEST_NANOS = 200_000_000;

    private double served;
    private double lost;
    private long lostNanos;
    private long fadedAt;
    private double usual;

    /** A lost attempt took so long. */
    void took(long nanos) {
        lostNanos += (nanos - lostNanos) / 4;
    }

    /** How long a lost attempt takes, about; 0 if there was none. */
    long lostNanos() {
        return lostNanos;
    }

    void add(long now, int moreServed, int moreLost) {
        double memory = Math.max(lostNanos, SHORTEST_NANOS);
        boolean begins = served + lost == 0;
        // Less than nothing for a thread that has stood still since it read the time.
        long passed = begins ? 0 : Math.max(0, now - fadedAt);
        double stays = memory / (memory + passed);
        fadedAt = begins ? now : fadedAt + passed;
        served = stays * served + moreServed;
        lost = stays * lost + moreLost;
    }

    /** What ended before shows nothing of what comes. */
    void forget() {
        served = 0;
        lost = 0;
    }

    double lost() {
        return lost / (served + lost);
    }

    boolean isMost() {
        return lost() > MOST;
    }

    boolean isUsual() {
        return isUsual(lost, FEW, served + lost);
    }

    /** Whether so many lost ones among these attempts are no trouble. */
    boolean isUsual(int count, int attempts) {
        return isUsual(count, FEW, attempts);
    }

    /** Whether so many of these attempts are no more than this share beyond the usual one. The root is what chance adds. */
    boolean isUsual(double count, double share, double attempts) {
        double expected = (usual + share) * attempts;
        return count <= expected + Math.sqrt(expected);
    }

    /** Unless most are lost: that is never usual. */
    void learn() {
        if (!isMost()) {
            usual += (lost() - usual) * USUAL_WEIGHT;
        }
    }

    /** So many losses in a row are rare, where the usual share is lost. One, where it is small. */
    int rareRow() {
        return usual <= FEW ? 1 : (int) Math.ceil(Math.log(RARE) / Math.log(usual));
    }

    /** The usual share. */
    double usual() {
        return usual;
    }

    /** How much of the time without a loss that proves the end of an outage is asked for: from 1, to 0 where many are usually lost. */
    static double partOfProof(double usually) {
        return Math.max(0, 1 - usually / FEW);
    }

    /** From now on this share is the usual one. */
    void becomesUsual(double share) {
        usual = share;
    }
}
