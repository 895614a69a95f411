/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.AIMDLimit;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import com.netflix.concurrency.limits.limit.VegasLimit;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/** The algorithms of concurrency-limits with the parameters of RATIONALE.md. They get one sample per window. */
public final class Algorithms {
    private static final double BACKOFF = 0.9;

    private Algorithms() {}

    /** Additive increase, multiplicative decrease. */
    public static WindowedLimit aimd(int floor, int initial, int ceiling) {
        IntFunction<Limit> aimd = start -> AIMDLimit.newBuilder()
                .initialLimit(Math.min(start, ceiling))
                .minLimit(floor)
                .maxLimit(ceiling)
                .backoffRatio(BACKOFF)
                // A slow call is no drop here: the timeout decides how slow is too slow.
                .timeout(1, TimeUnit.DAYS)
                .build();
        return new WindowedLimit(new LimitRule(new DropLaw(), aimd, initial, floor), floor, ceiling);
    }

    /** TCP Vegas. */
    public static WindowedLimit vegas(int floor, int initial, int ceiling) {
        IntFunction<Limit> vegas = start -> told(
                1,
                VegasLimit.newBuilder()
                        .initialLimit(Math.min(start, ceiling))
                        .maxConcurrency(ceiling)
                        .probeMultiplier(Integer.MAX_VALUE)
                        .thresholdFunction(limit -> -1)
                        .alphaFunction(limit -> Math.max(2, limit / 20))
                        .betaFunction(limit -> Math.max(2, limit / 12))
                        .increaseFunction(limit -> limit + Math.max(1, limit / 40))
                        // Not below the floor: the limit would take longer to grow again.
                        .decreaseFunction(limit -> Math.max(floor, limit - Math.max(1, limit / 20)))
                        .build());
        return new WindowedLimit(new LimitRule(new DelayLaw(), vegas, initial, floor), floor, ceiling);
    }

    /** Gradient2. */
    public static WindowedLimit gradient2(int floor, int initial, int ceiling) {
        IntFunction<Limit> gradient = start -> told(
                10,
                Gradient2Limit.newBuilder()
                        .initialLimit(Math.min(start, ceiling))
                        .minLimit(floor)
                        .maxConcurrency(ceiling)
                        .rttTolerance(1.0)
                        .longWindow(Integer.MAX_VALUE)
                        .queueSizeFunction(limit -> Math.max(2, limit / 20))
                        .build());
        return new WindowedLimit(new LimitRule(new DelayLaw(), gradient, initial, floor), floor, ceiling);
    }

    /** Tells the algorithm the base this many times. */
    private static Limit told(int times, Limit algorithm) {
        for (int i = 0; i < times; i++) {
            algorithm.onSample(0, DelayLaw.UNIT, 0, false);
        }
        return algorithm;
    }
}
