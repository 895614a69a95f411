/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.time.Duration;

/**
 * The settings as the engine knows them. Immutable.
 *
 * @param countsCalls whether the window holds the last calls; else it holds the last seconds
 * @param automatic whether open ends without a call
 */
public record Rules(
        State initialState,
        Thresholds thresholds,
        boolean countsCalls,
        int windowSize,
        OpenWait openWait,
        boolean automatic,
        HalfOpen halfOpen) {
    private static final int MOST_HALVINGS = 10;

    /**
     * Those of half-open.
     *
     * @param minimumCalls how many results are needed for a verdict, if there are as many probes
     * @param asResilience4j always as many probes, and no verdict before the minimum of results
     * @param leaseNanos how long a probe may keep its permit; 0: without end
     * @param longestNanos how long the state lasts at most; 0: without end
     * @param next the state after that: open or closed
     */
    public record HalfOpen(
            int probes, int minimumCalls, boolean asResilience4j, long leaseNanos, long longestNanos, State next) {}

    Window window() {
        return countsCalls ? Window.ofCalls(windowSize, thresholds) : Window.ofSeconds(windowSize, thresholds);
    }

    /** How long the n-th opening in a row lasts; the first is 1. */
    public long openNanos(int opening) {
        return Duration.ofMillis(openWait.millis(opening)).toNanos();
    }

    /**
     * The probes that are permitted after so many openings in a row: halved, rounded up, after each failed half-open phase, but
     * not below two (or one, if only one is permitted). One probe alone may fail for a reason of its own.
     */
    public int probes(int openings) {
        int halvings = halfOpen.asResilience4j() ? 0 : Math.min(Math.max(openings - 1, 0), MOST_HALVINGS);
        int rest = (1 << halvings) - 1;
        int halved = (halfOpen.probes() + rest) >> halvings;
        return Math.max(halved, Math.min(2, halfOpen.probes()));
    }

    /** The thresholds of so many probes. */
    public Thresholds thresholdsOfProbes(int probes) {
        return new Thresholds(
                thresholds.failureRate(),
                thresholds.slowRate(),
                Math.min(halfOpen.minimumCalls(), probes),
                !halfOpen.asResilience4j(),
                thresholds.slowNanos());
    }
}
