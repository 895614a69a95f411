/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/**
 * What was before the first cut of several in a row. A quarter of that limit is tried for a while; if it makes nothing better, the
 * trouble has another reason than the load. Not for several threads at once.
 */
final class Trial {
    private static final int SMALLEST = 4;

    /**
     * Of many small processes with one queue, each alone makes nothing better: so all others have the time to get small, too. And
     * the first answers after a cut are the fast ones, whatever the cut has changed.
     */
    private static final int MANY = 40;

    /** What is better at all falls to less than this. */
    private static final double NO_BETTER = 0.75;

    /** The limit; 0: there was no cut. */
    private double limit;

    private double doubling;
    private double share;
    private long nanos;
    /** Attempts since the limit is a quarter of that. */
    private int tried;
    /** Attempts since the last trouble. */
    private int fine;

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

    /** Before a first cut, for this share of lost or late attempts, whose mean time is this. */
    void begin(double ofLimit, double ofDoubling, double ofShare, long ofNanos) {
        limit = ofLimit;
        doubling = ofDoubling;
        share = ofShare;
        nanos = ofNanos;
        tried = 0;
    }

    void end() {
        limit = 0;
    }

    /** So many attempts more were fine. Of enough of them in a row: a smaller limit has helped. */
    void fine(int attempts) {
        fine += attempts;
        if (fine >= MANY) {
            end();
        }
    }

    void notFine() {
        fine = 0;
    }

    /** A quarter, or as small as a limit may be. */
    boolean isSmall(double now, int floor) {
        return now <= Math.max(floor, limit / SMALLEST);
    }

    /** So many attempts more with the small limit. Returns whether that is enough: of one that is no quarter, more are. */
    boolean isEnough(int attempts, double now) {
        tried += attempts;
        return tried >= (now <= limit / SMALLEST ? LossLimit.LEAST : MANY);
    }

    /** Whether a small limit makes it better. What is late all the same has another reason than the load. */
    boolean helps(double shareNow, long nanosNow, double now, int floor) {
        return isOn() && isSmall(now, floor) && !isNoBetter(shareNow, nanosNow);
    }

    boolean isNoBetter(double shareNow, long nanosNow) {
        return shareNow > NO_BETTER * share && nanosNow > NO_BETTER * nanos;
    }
}
