/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The settings for the engine. Immutable.
 *
 * @param outageNanos it opens after nothing but failures for this long; 0: not for that
 * @param countsCalls whether the window holds the last calls; else it holds the last seconds
 * @param automatic whether the open state ends without a call
 */
public record Rules(
        State initialState,
        Thresholds thresholds,
        long outageNanos,
        boolean countsCalls,
        int windowSize,
        OpenWait openWait,
        boolean automatic,
        HalfOpen halfOpen) {
    private static final int MOST_HALVINGS = 10;

    /**
     * The settings of the half-open state.
     *
     * @param minimumCalls how many results a verdict needs, if there are as many probes
     * @param asResilience4j always the same number of probes, and no verdict before the minimum of results
     * @param leaseNanos how long a probe keeps its place without a result; 0: without end
     * @param longestNanos the longest time half-open; 0: without end
     * @param next the state after that: open or closed
     */
    public record HalfOpen(
            int probes, int minimumCalls, boolean asResilience4j, long leaseNanos, long longestNanos, State next) {}

    Window window() {
        return countsCalls ? Window.ofCalls(windowSize, thresholds) : Window.ofSeconds(windowSize, thresholds);
    }

    @Nullable
    Streak streak() {
        return outageNanos == 0 ? null : new Streak(outageNanos, thresholds.minimumCalls());
    }

    /** How long the n-th opening in a row lasts; the first is 1. */
    public long openNanos(int opening) {
        return Duration.ofMillis(openWait.millis(opening)).toNanos();
    }

    /**
     * The number of probes after this many openings in a row. It is halved, rounded up, each time they have failed, but
     * never below two (or one, if one is permitted), because a single probe may fail for a reason of its own.
     */
    public int probes(int openings) {
        int halvings = halfOpen.asResilience4j() ? 0 : Math.min(Math.max(openings - 1, 0), MOST_HALVINGS);
        int rest = (1 << halvings) - 1;
        int halved = (halfOpen.probes() + rest) >> halvings;
        return Math.max(halved, Math.min(2, halfOpen.probes()));
    }

    /** The thresholds for this many probes. */
    public Thresholds thresholdsOfProbes(int probes) {
        return new Thresholds(
                thresholds.failureRate(),
                thresholds.slowRate(),
                Math.min(halfOpen.minimumCalls(), probes),
                !halfOpen.asResilience4j(),
                thresholds.slowNanos());
    }
}
