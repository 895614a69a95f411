/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import com.netflix.concurrency.limits.Limit;

/**
 * Vegas and Gradient2: a call that takes longer than the base has been in a queue. They are told times in units of the base,
 * which is not theirs to learn, and no more of a mean than is certain: a mean of ten calls of which each takes its own time is
 * a third too long or too short by chance, and each time that it is too long they would shrink.
 */
final class DelayLaw implements Law {
    /** The base, as the algorithms are told it. */
    static final long UNIT = 1_000_000_000;

    /** A drop counts as a call that took so many times as long as it should, or as long as it took if that is longer. */
    private static final double DROP = 2;

    private static final double STANDARD_ERRORS = 2;

    /** Calls that take at most so many times as long as they should give no reason not to grow. */
    private static final double FINE = 1.05;

    private static final double MOST_AT_ONCE = 2;

    @Override
    public double cost(long nanos, boolean drop, double base) {
        double time = Math.max(1, nanos); // the algorithms take no time of zero
        return drop && base > 0 ? Math.max(time, DROP * base) : time;
    }

    @Override
    public double firstBase() {
        return Double.NaN;
    }

    @Override
    public boolean keepsQueue() {
        return true;
    }

    @Override
    public boolean certain(Samples calls, double accuracy) {
        return calls.error() <= accuracy * calls.mean();
    }

    @Override
    public boolean isFine(double mean, double base) {
        return mean <= FINE * base;
    }

    @Override
    public void heed(Limit algorithm, Samples window, double base) {
        double slow = base > 0 ? (window.mean() - STANDARD_ERRORS * window.error()) / base : DROP;
        if (slow > 1 || isFine(window.mean(), base)) {
            algorithm.onSample(0, (long) (UNIT * Math.max(1, slow)), window.mostInFlight(), false);
        }
    }

    /** What was served in a time is what can be, if there was a queue: by Little's law so many are in flight without one. */
    @Override
    public double bearable(Samples calls, double base, int held) {
        return Math.min(held, calls.meanInFlight() * base / calls.mean());
    }

    /** By the same law as many calls a second are more in flight. Twice as many at most: that it is not us may be wrong. */
    @Override
    public double needed(double fine, double before, double base) {
        return fine * Math.max(1, Math.min(MOST_AT_ONCE, base / before));
    }
}
