/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.AIMDLimit;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import com.netflix.concurrency.limits.limit.VegasLimit;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The algorithms of concurrency-limits with the parameters that RATIONALE.md tells of, one sample a window. */
final class Algorithms {
    private static final int LONG_WINDOW = 6_000;
    private static final int PROBE_MULTIPLIER = 100;
    private static final double BACKOFF = 0.9;

    private Algorithms() {}

    /** The limit that these settings ask for, which is not {@link LimitAlgorithm#FIXED}. */
    static AdaptiveLimit of(BulkheadSettings settings) {
        int floor = settings.minConcurrentCalls();
        int ceiling = settings.maxConcurrentCalls();
        int initial = settings.initialConcurrentCalls();
        Limit algorithm = switch (settings.limit()) {
            case AIMD -> aimd(initial, floor, ceiling);
            case VEGAS -> vegas(initial, floor, ceiling);
            case GRADIENT2 -> new DropsHeeded(gradient2(initial, floor, ceiling));
            case FIXED -> throw new IllegalArgumentException("a fixed limit has no algorithm");
        };
        return new AdaptiveLimit(algorithm, floor, ceiling);
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
        return VegasLimit.newBuilder()
                .initialLimit(initial)
                .maxConcurrency(ceiling)
                .probeMultiplier(PROBE_MULTIPLIER)
                .thresholdFunction(limit -> Math.max(1, limit / 40))
                .alphaFunction(limit -> Math.max(2, limit / 20))
                .betaFunction(limit -> Math.max(3, limit / 10))
                .increaseFunction(limit -> limit + Math.max(1, limit / 40))
                // Not below the floor, or the way back up would be longer than it looks.
                .decreaseFunction(limit -> Math.max(floor, limit - Math.max(1, limit / 20)))
                .build();
    }

    private static Gradient2Limit gradient2(int initial, int floor, int ceiling) {
        return Gradient2Limit.newBuilder()
                .initialLimit(initial)
                .minLimit(floor)
                .maxConcurrency(ceiling)
                .rttTolerance(1.0)
                .longWindow(LONG_WINDOW)
                .queueSizeFunction(limit -> Math.max(1, limit / 20))
                .build();
    }

    /** Gradient2 ignores drops: it is told of a call that took twice its long mean, so that it backs off by a tenth. */
    private static final class DropsHeeded implements Limit {
        private final Gradient2Limit gradient;

        DropsHeeded(Gradient2Limit gradient) {
            this.gradient = gradient;
        }

        @Override
        public int getLimit() {
            return gradient.getLimit();
        }

        @Override
        public void notifyOnChange(Consumer<Integer> consumer) {
            gradient.notifyOnChange(consumer);
        }

        @Override
        public void onSample(long startTime, long rtt, int inflight, boolean didDrop) {
            long slow = didDrop ? 2 * gradient.getRttNoLoad(TimeUnit.NANOSECONDS) + 1 : 0;
            gradient.onSample(startTime, Math.max(rtt, slow), inflight, didDrop);
        }
    }
}
