/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.spi.Checks;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * When a circuit breaker opens, for how long, and how it finds out that it may close. Immutable.
 *
 * <p>Names are resilience4j's, defaults are not: an open breaker turns away the calls that would have been answered, too.
 * So it opens only when nearly nothing comes through, stays open for half a second and closes again as soon as one probe
 * of five is answered.
 */
public final class CircuitBreakerSettings {
    private static final Duration TICK = Duration.ofMillis(1);
    private static final Duration DAY = Duration.ofDays(1);

    private final double failureRateThreshold;
    private final double slowCallRateThreshold;
    private final Duration slowCallDurationThreshold;
    private final SlidingWindowType slidingWindowType;
    private final int slidingWindowSize;
    private final int minimumNumberOfCalls;
    private final int permittedNumberOfCallsInHalfOpenState;
    private final Duration waitDurationInOpenState;
    private final Duration maxWaitDurationInHalfOpenState;

    private CircuitBreakerSettings(Builder from) {
        failureRateThreshold = from.failureRateThreshold;
        slowCallRateThreshold = from.slowCallRateThreshold;
        slowCallDurationThreshold = from.slowCallDurationThreshold;
        slidingWindowType = from.slidingWindowType;
        slidingWindowSize = from.slidingWindowSize;
        minimumNumberOfCalls = from.minimum();
        permittedNumberOfCallsInHalfOpenState = from.permittedNumberOfCallsInHalfOpenState;
        waitDurationInOpenState = from.waitDurationInOpenState;
        maxWaitDurationInHalfOpenState = from.maxWaitDurationInHalfOpenState;
    }

    /**
     * Settings made by a builder that starts with the defaults.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range
     */
    public static CircuitBreakerSettings of(Consumer<? super Builder> options) {
        Builder builder = builder();
        options.accept(builder);
        return builder.build();
    }

    /** A builder that holds the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The settings of a resilience4j configuration, as far as both have them: thresholds, window and waits. Its predicates
     * are left out, since the pipeline's classifier says what a failure is. A wait in half-open without end becomes the
     * default, a minimum above the size of a count window becomes that size.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range here
     */
    public static CircuitBreakerSettings from(CircuitBreakerConfig config) {
        boolean counts = config.getSlidingWindowType() == SlidingWindowType.COUNT_BASED;
        int size = config.getSlidingWindowSize();
        int minimum = config.getMinimumNumberOfCalls();
        Builder builder = builder()
                .failureRateThreshold(config.getFailureRateThreshold())
                .slowCallRateThreshold(config.getSlowCallRateThreshold())
                .slowCallDurationThreshold(config.getSlowCallDurationThreshold())
                .slidingWindowType(config.getSlidingWindowType())
                .slidingWindowSize(size)
                .minimumNumberOfCalls(counts ? Math.min(minimum, size) : minimum)
                .permittedNumberOfCallsInHalfOpenState(config.getPermittedNumberOfCallsInHalfOpenState())
                .waitDurationInOpenState(Duration.ofMillis(
                        config.getWaitIntervalFunctionInOpenState().apply(1)));
        if (!config.getMaxWaitDurationInHalfOpenState().isZero()) {
            builder.maxWaitDurationInHalfOpenState(config.getMaxWaitDurationInHalfOpenState());
        }
        return builder.build();
    }

    /** A builder that holds these values. */
    public Builder toBuilder() {
        return new Builder()
                .failureRateThreshold(failureRateThreshold)
                .slowCallRateThreshold(slowCallRateThreshold)
                .slowCallDurationThreshold(slowCallDurationThreshold)
                .slidingWindowType(slidingWindowType)
                .slidingWindowSize(slidingWindowSize)
                .minimumNumberOfCalls(minimumNumberOfCalls)
                .permittedNumberOfCallsInHalfOpenState(permittedNumberOfCallsInHalfOpenState)
                .waitDurationInOpenState(waitDurationInOpenState)
                .maxWaitDurationInHalfOpenState(maxWaitDurationInHalfOpenState);
    }

    /** The percentage of failed calls at which the breaker opens. */
    public double failureRateThreshold() {
        return failureRateThreshold;
    }

    /** The percentage of slow calls at which the breaker opens. */
    public double slowCallRateThreshold() {
        return slowCallRateThreshold;
    }

    /** A call is slow if its action ran for longer than this. */
    public Duration slowCallDurationThreshold() {
        return slowCallDurationThreshold;
    }

    /** Whether the window holds the last calls or the last seconds. */
    public SlidingWindowType slidingWindowType() {
        return slidingWindowType;
    }

    /** How many calls, or seconds, the window holds. */
    public int slidingWindowSize() {
        return slidingWindowSize;
    }

    /** How many calls the window must hold before a rate is looked at. */
    public int minimumNumberOfCalls() {
        return minimumNumberOfCalls;
    }

    /** How many probes are let through while half-open. */
    public int permittedNumberOfCallsInHalfOpenState() {
        return permittedNumberOfCallsInHalfOpenState;
    }

    /** How long nothing is let through. */
    public Duration waitDurationInOpenState() {
        return waitDurationInOpenState;
    }

    /** How long the results of the probes are waited for before as many more are let through. */
    public Duration maxWaitDurationInHalfOpenState() {
        return maxWaitDurationInHalfOpenState;
    }

    @Override
    public String toString() {
        return "CircuitBreakerSettings[failureRateThreshold=" + failureRateThreshold + ", slowCallRateThreshold="
                + slowCallRateThreshold + ", slowCallDurationThreshold=" + Checks.text(slowCallDurationThreshold)
                + ", slidingWindowType=" + slidingWindowType + ", slidingWindowSize=" + slidingWindowSize
                + ", minimumNumberOfCalls=" + minimumNumberOfCalls + ", permittedNumberOfCallsInHalfOpenState="
                + permittedNumberOfCallsInHalfOpenState + ", waitDurationInOpenState="
                + Checks.text(waitDurationInOpenState) + ", maxWaitDurationInHalfOpenState="
                + Checks.text(maxWaitDurationInHalfOpenState) + "]";
    }

    /** Collects the options; checks them all in {@link #build}. Not for several threads. */
    public static final class Builder {
        private static final int USUAL_MINIMUM = 20;

        private double failureRateThreshold = 90;
        private double slowCallRateThreshold = 100;
        private Duration slowCallDurationThreshold = Duration.ofMinutes(1);
        private SlidingWindowType slidingWindowType = SlidingWindowType.COUNT_BASED;
        private int slidingWindowSize = 50;
        private @Nullable Integer minimumNumberOfCalls;
        private int permittedNumberOfCallsInHalfOpenState = 5;
        private Duration waitDurationInOpenState = Duration.ofMillis(500);
        private Duration maxWaitDurationInHalfOpenState = Duration.ofSeconds(5);

        private Builder() {}

        /** The percentage of failed calls at which the breaker opens. From 1 to 100; default 90. */
        public Builder failureRateThreshold(double percent) {
            failureRateThreshold = percent;
            return this;
        }

        /**
         * The percentage of slow calls at which the breaker opens. From 1 to 100; default 100. A slow call that succeeds
         * is still an answer: think twice before you lower it.
         */
        public Builder slowCallRateThreshold(double percent) {
            slowCallRateThreshold = percent;
            return this;
        }

        /** A call is slow if its action ran for longer than this. From 1 ms to 1 day; default 1 minute. */
        public Builder slowCallDurationThreshold(Duration duration) {
            slowCallDurationThreshold = Objects.requireNonNull(duration, "slowCallDurationThreshold");
            return this;
        }

        /** Whether the window holds the last calls or the last seconds. Default: calls, which needs no clock. */
        public Builder slidingWindowType(SlidingWindowType type) {
            slidingWindowType = Objects.requireNonNull(type, "slidingWindowType");
            return this;
        }

        /** How much the window holds. From 1 to 100,000 calls, or 1 to 3,600 seconds; default 50. */
        public Builder slidingWindowSize(int size) {
            slidingWindowSize = size;
            return this;
        }

        /**
         * How many calls the window must hold before a rate is looked at. From 1 to 1,000,000, in a count window to its
         * size; default 20, or the size of a smaller count window.
         */
        public Builder minimumNumberOfCalls(int calls) {
            minimumNumberOfCalls = calls;
            return this;
        }

        /**
         * How many probes are let through while half-open; when as many results are known, the breaker closes or opens.
         * From 1 to 1,000; default 5.
         */
        public Builder permittedNumberOfCallsInHalfOpenState(int calls) {
            permittedNumberOfCallsInHalfOpenState = calls;
            return this;
        }

        /**
         * How long nothing is let through. From 1 ms to 1 day, in whole milliseconds; default 500 ms. Each such time that
         * outlasts the fault costs all answers of that time.
         */
        public Builder waitDurationInOpenState(Duration wait) {
            waitDurationInOpenState = Objects.requireNonNull(wait, "waitDurationInOpenState");
            return this;
        }

        /**
         * How long the results of the probes are waited for before as many more are let through, so that probes that
         * never end do not keep the breaker half-open for ever. From 1 ms to 1 day; default 5 s.
         */
        public Builder maxWaitDurationInHalfOpenState(Duration wait) {
            maxWaitDurationInHalfOpenState = Objects.requireNonNull(wait, "maxWaitDurationInHalfOpenState");
            return this;
        }

        private boolean counts() {
            return slidingWindowType == SlidingWindowType.COUNT_BASED;
        }

        private int minimum() {
            if (minimumNumberOfCalls != null) {
                return minimumNumberOfCalls;
            }
            return counts() ? Math.min(USUAL_MINIMUM, slidingWindowSize) : USUAL_MINIMUM;
        }

        /**
         * The settings.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range
         */
        public CircuitBreakerSettings build() {
            int mostInWindow = counts() ? 100_000 : 3_600;
            boolean sizeHolds = slidingWindowSize >= 1 && slidingWindowSize <= mostInWindow;
            int mostNeeded = counts() && sizeHolds ? slidingWindowSize : 1_000_000;
            Checks checks = new Checks("circuit-breaker")
                    .range("failureRateThreshold", failureRateThreshold, 1, 100)
                    .range("slowCallRateThreshold", slowCallRateThreshold, 1, 100)
                    .range("slowCallDurationThreshold", slowCallDurationThreshold, TICK, DAY)
                    .range("slidingWindowSize", slidingWindowSize, 1, mostInWindow);
            if (minimumNumberOfCalls != null) {
                checks.range("minimumNumberOfCalls", minimumNumberOfCalls, 1, mostNeeded);
            }
            checks.range("permittedNumberOfCallsInHalfOpenState", permittedNumberOfCallsInHalfOpenState, 1, 1_000)
                    .range("waitDurationInOpenState", waitDurationInOpenState, TICK, DAY)
                    .range("maxWaitDurationInHalfOpenState", maxWaitDurationInHalfOpenState, TICK, DAY)
                    .done();
            return new CircuitBreakerSettings(this);
        }
    }
}
