/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import com.netflix.concurrency.limits.Limit;

/**
 * AIMD: uses drops only. The algorithm is made for one report per call; here it gets one report per window. One drop among
 * many calls must not count like many drops. So the law reports a drop as often as the share of drops above the base says.
 */
final class DropLaw implements Law {
    /** Drops are reported this much more often: the algorithm grows with each window here, and with each call by design. */
    private static final double WEIGHT = 2;

    private static final double FEW = 0.01;

    private double owed;

    @Override
    public double cost(long nanos, boolean drop, double base) {
        return drop ? 1 : 0;
    }

    @Override
    public double firstBase() {
        return 0;
    }

    @Override
    public boolean keepsQueue() {
        return false;
    }

    @Override
    public boolean certain(Samples calls, double accuracy) {
        return calls.error() <= accuracy / 2;
    }

    @Override
    public boolean isFine(double mean, double base) {
        return mean <= base + FEW;
    }

    @Override
    public void heed(Limit algorithm, Samples window, double base) {
        owed = Math.min(1, owed) + WEIGHT * Math.max(0, window.mean() - base);
        boolean drop = owed >= 1;
        if (drop) {
            owed -= 1;
        }
        algorithm.onSample(0, 1, window.mostInFlight(), drop);
    }

    @Override
    public double bearable(Samples calls, double base, int held) {
        return held;
    }

    @Override
    public double needed(double fine, double before, double base) {
        return fine;
    }
}
