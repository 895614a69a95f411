/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.AIMDLimit;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import com.netflix.concurrency.limits.limit.VegasLimit;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import java.util.concurrent.TimeUnit;

/** The algorithms of concurrency-limits with the parameters that RATIONALE.md tells of, one sample a window. */
final class Algorithms {
    private static final double BACKOFF = 0.9;

    private Algorithms() {}

    /** The limit that these settings ask for, which is not {@link LimitAlgorithm#FIXED}. */
    static AdaptiveLimit of(BulkheadSettings settings) {
        int floor = settings.minConcurrentCalls();
        int ceiling = settings.maxConcurrentCalls();
        int initial = settings.initialConcurrentCalls();
        Law law = switch (settings.limit()) {
            case AIMD -> new DropLaw(limit -> aimd(Math.min(limit, ceiling), floor, ceiling), initial);
            case VEGAS -> new DelayLaw(limit -> vegas(Math.min(limit, ceiling), floor, ceiling), initial);
            case GRADIENT2 -> new DelayLaw(limit -> gradient2(Math.min(limit, ceiling), floor, ceiling), initial);
            case FIXED -> throw new IllegalArgumentException("a fixed limit has no algorithm");
        };
        return new AdaptiveLimit(new LimitRule(law, floor), floor, ceiling);
    }

    private static Limit aimd(int initial, int floor, int ceiling) {
        return AIMDLimit.newBuilder()
                .initialLimit(initial)
                .minLimit(floor)
                .maxLimit(ceiling)
                .backoffRatio(BACKOFF)
                // A slow call is no drop here: how slow is too slow is what a timeout says.
                .timeout(1, TimeUnit.DAYS)
                .build();
    }

    private static Limit vegas(int initial, int floor, int ceiling) {
        Limit vegas = VegasLimit.newBuilder()
                .initialLimit(initial)
                .maxConcurrency(ceiling)
                .probeMultiplier(Integer.MAX_VALUE)
                .thresholdFunction(limit -> -1)
                .alphaFunction(limit -> Math.max(2, limit / 20))
                .betaFunction(limit -> Math.max(2, limit / 12))
                .increaseFunction(limit -> limit + Math.max(1, limit / 40))
                // Not below the floor, or the way back up would be longer than it looks.
                .decreaseFunction(limit -> Math.max(floor, limit - Math.max(1, limit / 20)))
                .build();
        vegas.onSample(0, DelayLaw.UNIT, 0, false);
        return vegas;
    }

    private static Limit gradient2(int initial, int floor, int ceiling) {
        Limit gradient = Gradient2Limit.newBuilder()
                .initialLimit(initial)
                .minLimit(floor)
                .maxConcurrency(ceiling)
                .rttTolerance(1.0)
                .longWindow(Integer.MAX_VALUE)
                .queueSizeFunction(limit -> Math.max(2, limit / 20))
                .build();
        for (int i = 0; i < 10; i++) {
            gradient.onSample(0, DelayLaw.UNIT, 0, false);
        }
        return gradient;
    }
}
