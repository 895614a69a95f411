/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import com.netflix.concurrency.limits.Limit;

/**
 * Vegas and Gradient2: a call that takes longer than the base was in a queue. The algorithms get times in units of the base;
 * they do not learn the base themselves. Example: if the time of a call is random, a mean of ten calls is a third too long
 * or too short by chance. The algorithms would shrink each time that it is too long, so they get only the certain part of a
 * mean.
 */
final class DelayLaw implements Law {
    /** The base, in the times that the algorithms get. */
    static final long UNIT = 1_000_000_000;

    /** A drop counts as a call that took this many times the base, or as its own time if that is longer. */
    private static final double DROP = 2;

    private static final double STANDARD_ERRORS = 2;

    /** Calls that take at most this many times the base do not prevent growth. */
    private static final double FINE = 1.05;

    private static final double MOST_AT_ONCE = 2;

    @Override
    public double cost(long nanos, boolean drop, double base) {
        double time = Math.max(1, nanos); // the algorithms do not accept zero
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

    /** With a queue, the dependency serves as much as it can. By Little's law, this many are in flight without the queue. */
    @Override
    public double bearable(Samples calls, double base, int held) {
        return Math.min(held, calls.meanInFlight() * base / calls.mean());
    }

    /** By the same law, slower calls at the same rate need a larger limit. At most twice as large: the verdict may be wrong. */
    @Override
    public double needed(double fine, double before, double base) {
        return fine * Math.max(1, Math.min(MOST_AT_ONCE, base / before));
    }
}
