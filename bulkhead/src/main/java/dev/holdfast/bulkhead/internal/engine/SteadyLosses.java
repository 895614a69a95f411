/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/**
 * What was before the first cut, until the limit is beyond half of it again. If a share of the attempts hangs, whatever the load, then
 * with few permits all of them hang at once now and then, and that looks like an outage, which ends each {@link Trial}. This goes on
 * after it, and finds such a share by counting. Not for several threads at once.
 */
final class SteadyLosses {
    // Of one sample: neither an outage nor its end. Of two in a row: about half at most.
    private static final double FEWEST = 0.2;
    private static final double MOST = 0.65;
    private static final double MOST_OF_BOTH = 0.55;

    private static final double NONE = -1;

    /** The limit; 0: there was no cut. */
    private double limit;

    private double doubling;
    private double usual;
    private int attempts;
    private int lost;
    /** Of the last sample, if it fits. */
    private double shareBefore = NONE;

    private double share;

    boolean isOn() {
        return limit != 0;
    }

    /** 0 if there was no cut. */
    double limit() {
        return limit;
    }

    /** Up to where the limit doubled. */
    double doubling() {
        return doubling;
    }

    /** The share of losses that was usual. */
    double usual() {
        return usual;
    }

    /** Before a first cut. Nothing if there was one. */
    void begin(double ofLimit, double ofDoubling, double ofUsual) {
        if (limit == 0) {
            limit = ofLimit;
            doubling = ofDoubling;
            usual = ofUsual;
            attempts = 0;
            lost = 0;
            shareBefore = NONE;
        }
    }

    void end() {
        limit = 0;
    }

    /** Whether what is lost now is lost with far fewer permits. */
    boolean isReduced(double now) {
        return now <= limit / 2;
    }

    /** So many attempts more with the reduced limit. Returns whether a share of them is lost that stays. */
    boolean isFound(int moreServed, int moreLost) {
        attempts += moreServed + moreLost;
        lost += moreLost;
        if (attempts < LossLimit.LEAST) {
            return false;
        }
        double now = (double) lost / attempts;
        double before = shareBefore;
        attempts = 0;
        lost = 0;
        shareBefore = now >= FEWEST && now <= MOST ? now : NONE;
        share = (before + now) / 2;
        return before != NONE && shareBefore != NONE && share <= MOST_OF_BOTH;
    }

    /** The share that was found. */
    double share() {
        return share;
    }
}
