/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import com.netflix.concurrency.limits.Limit;

/**
 * AIMD: looks at drops alone. It is made to be told of each call, and is told of one window after the other here; so that one
 * drop among many calls does not count like many, it is told of a drop as often as the share of drops that are beyond the base
 * says.
 */
final class DropLaw implements Law {
    /** So much more often: the algorithm grows by one with each window, and with each call as its makers mean it. */
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
