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
    private static final int RENEWED_AFTER = 600;
    private static final double DRAINED = 0.85;
    private static final double BACKOFF = 0.9;

    private Algorithms() {}

    /** The limit that these settings ask for, which is not {@link LimitAlgorithm#FIXED}. */
    static AdaptiveLimit of(BulkheadSettings settings) {
        int floor = settings.minConcurrentCalls();
        int ceiling = settings.maxConcurrentCalls();
        int initial = settings.initialConcurrentCalls();
        Limit algorithm = switch (settings.limit()) {
            case AIMD -> aimd(initial, floor, ceiling);
            case VEGAS -> new BaselineRenewed(initial, floor, ceiling);
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

    private static VegasLimit vegas(int initial, int floor, int ceiling) {
        return VegasLimit.newBuilder()
                .initialLimit(initial)
                .maxConcurrency(ceiling)
                .probeMultiplier(Integer.MAX_VALUE)
                .thresholdFunction(limit -> Math.max(1, limit / 40))
                .alphaFunction(limit -> Math.max(2, limit / 20))
                .betaFunction(limit -> Math.max(2, limit / 12))
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

    /**
     * Vegas takes whatever it sees for its baseline anew now and then, also the queue that it holds itself, and so creeps up. Here
     * it is started anew at a somewhat lower limit, at which that queue is gone.
     */
    private static final class BaselineRenewed implements Limit {
        private final int floor;
        private final int ceiling;
        private VegasLimit vegas;
        private int windows;

        BaselineRenewed(int initial, int floor, int ceiling) {
            this.floor = floor;
            this.ceiling = ceiling;
            vegas = vegas(initial, floor, ceiling);
        }

        @Override
        public int getLimit() {
            return vegas.getLimit();
        }

        @Override
        public void notifyOnChange(Consumer<Integer> consumer) {
            throw new UnsupportedOperationException("ask for the limit");
        }

        @Override
        public void onSample(long startTime, long rtt, int inflight, boolean didDrop) {
            vegas.onSample(startTime, rtt, inflight, didDrop);
            if (++windows == RENEWED_AFTER) {
                windows = 0;
                vegas = vegas(Math.max(floor, (int) (vegas.getLimit() * DRAINED)), floor, ceiling);
            }
        }
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
            throw new UnsupportedOperationException("ask for the limit");
        }

        @Override
        public void onSample(long startTime, long rtt, int inflight, boolean didDrop) {
            long slow = didDrop ? 2 * gradient.getRttNoLoad(TimeUnit.NANOSECONDS) + 1 : 0;
            gradient.onSample(startTime, Math.max(rtt, slow), inflight, didDrop);
        }
    }
}
