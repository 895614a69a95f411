/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.circuitbreaker.internal.engine.OpenWait;
import dev.holdfast.circuitbreaker.internal.engine.Rules;
import dev.holdfast.circuitbreaker.internal.engine.Thresholds;
import dev.holdfast.circuitbreaker.internal.resilience4j.ForeignConfig;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Options;
import dev.holdfast.spi.PolicyFactory.Option;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a circuit breaker: when it opens, for how long, and when it closes again. Immutable.
 *
 * <p>The names are resilience4j's, the defaults are not, because an open breaker also rejects calls that would have been
 * answered. It opens only when nearly all calls fail. It stays open for 100 ms, and for a little longer each time its probes
 * fail, up to 2 s. It closes as soon as one probe succeeds.
 */
public final class CircuitBreakerSettings {
    private static final Duration TICK = Duration.ofMillis(1);
    private static final Duration DAY = Duration.ofDays(1);

    private static final int MOST_IN_WINDOW = 100_000;
    private static final int MOST_SECONDS = 3_600;

    private static final Options<Builder> OPTIONS = new Options<>(
            "circuit-breaker",
            Builder::new,
            List.of(
                    Option.decimal(
                                    "failure-rate-threshold",
                                    (Builder b) -> b.failureRateThreshold,
                                    Builder::failureRateThreshold)
                            .range(1.0, 100.0)
                            .means("it opens at this percentage of failed calls in the window"),
                    Option.decimal(
                                    "slow-call-rate-threshold",
                                    (Builder b) -> b.slowCallRateThreshold,
                                    Builder::slowCallRateThreshold)
                            .range(1.0, 100.0)
                            .means("it opens at this percentage of slow calls"),
                    Option.duration(
                                    "slow-call-duration-threshold",
                                    (Builder b) -> b.slowCallDurationThreshold,
                                    Builder::slowCallDurationThreshold)
                            .range(TICK, DAY)
                            .means("a call is slow if its action ran for longer"),
                    Option.flag(
                                    "running-calls-count-as-slow",
                                    (Builder b) -> b.runningCallsCountAsSlow,
                                    Builder::runningCallsCountAsSlow)
                            .means("whether a running call counts as slow once it has run for longer"),
                    Option.of(
                                    "sliding-window-type",
                                    SlidingWindowType.class,
                                    (Builder b) -> b.slidingWindowType,
                                    Builder::slidingWindowType)
                            .means("whether the window holds the last calls or the last seconds"),
                    Option.integer(
                                    "sliding-window-size",
                                    (Builder b) -> b.slidingWindowSize,
                                    Builder::slidingWindowSize)
                            .range(1, MOST_IN_WINDOW)
                            .means("size of the window")
                            .rangeIs("1 to 100,000 calls, or 1 to 3,600 seconds"),
                    Option.integer(
                                    "minimum-number-of-calls",
                                    (Builder b) -> b.minimumNumberOfCalls,
                                    Builder::minimumNumberOfCalls)
                            .range(1, 1_000_000)
                            .means("number of calls that the window must hold before its rates count")
                            .rangeIs("1 to 1,000,000, in a count window to its size")
                            .defaultIs("20, or the size of a smaller count window"),
                    Option.duration(
                                    "outage-duration-threshold",
                                    (Builder b) -> b.outageDurationThreshold,
                                    Builder::outageDurationThreshold)
                            .range(TICK, DAY)
                            .means("it also opens after nothing but failures for this long, and at least five")
                            .orZero(),
                    Option.integer(
                                    "permitted-number-of-calls-in-half-open-state",
                                    (Builder b) -> b.permittedNumberOfCallsInHalfOpenState,
                                    Builder::permittedNumberOfCallsInHalfOpenState)
                            .range(1, 1_000)
                            .means("number of probes at first"),
                    Option.duration("probe-lease", (Builder b) -> b.probeLease, Builder::probeLease)
                            .range(TICK, DAY)
                            .means("how long a probe keeps its place without a result; 0s: without end")
                            .orZero(),
                    Option.duration(
                                    "max-wait-duration-in-half-open-state",
                                    (Builder b) -> b.maxWaitDurationInHalfOpenState,
                                    Builder::maxWaitDurationInHalfOpenState)
                            .range(TICK, DAY)
                            .means("longest time half-open; 0s: without end")
                            .orZero(),
                    Option.of(
                                    "transition-to-state-after-wait-duration",
                                    State.class,
                                    (Builder b) -> b.transitionToStateAfterWaitDuration,
                                    Builder::transitionToStateAfterWaitDuration)
                            .means("the state after that time")
                            .rangeIs("open, closed"),
                    Option.duration(
                                    "wait-duration-in-open-state",
                                    (Builder b) -> b.waitDurationInOpenState,
                                    Builder::waitDurationInOpenState)
                            .range(TICK, DAY)
                            .means("first wait in the open state"),
                    Option.decimal(
                                    "wait-multiplier-in-open-state",
                                    (Builder b) -> b.waitMultiplierInOpenState,
                                    Builder::waitMultiplierInOpenState)
                            .range(1.0, 10.0)
                            .means("the wait is multiplied by this each time the probes fail"),
                    Option.duration(
                                    "max-wait-duration-in-open-state",
                                    (Builder b) -> b.maxWaitDurationInOpenState,
                                    Builder::maxWaitDurationInOpenState)
                            .range(TICK, DAY)
                            .means("the wait does not grow beyond this"),
                    Option.of(
                                    "wait-interval-function-in-open-state",
                                    IntervalFunction.class,
                                    (Builder b) -> b.waitIntervalFunctionInOpenState,
                                    Builder::waitIntervalFunctionInOpenState)
                            .means("the wait for each opening in a row, instead of the three options before"),
                    Option.flag(
                                    "automatic-transition-from-open-to-half-open-enabled",
                                    (Builder b) -> b.automaticTransitionFromOpenToHalfOpenEnabled,
                                    Builder::automaticTransitionFromOpenToHalfOpenEnabled)
                            .means(
                                    "whether it becomes half-open when the wait is over, instead of with the first call after that"),
                    Option.of("initial-state", State.class, (Builder b) -> b.initialState, Builder::initialState)
                            .means(
                                    "the first state. If a reload changes this option, the breaker goes into the new state"),
                    Option.duration("max-pushback-hold", (Builder b) -> b.maxPushbackHold, Builder::maxPushbackHold)
                            .range(Duration.ZERO, DAY)
                            .means("longest time for which a `Retry-After` holds it open; 0s: not at all")));

    /** What the window holds. */
    public enum SlidingWindowType {
        /** The last calls. */
        COUNT_BASED,
        /** The calls of the last seconds. */
        TIME_BASED
    }

    /** A copy that is never changed. */
    private final Builder builder;

    private final Rules rules;

    private CircuitBreakerSettings(Builder from) {
        builder = new Builder(from);
        rules = from.rules();
    }

    /**
     * The defaults, changed by the function.
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
     * The settings of a resilience4j config: the breaker behaves like resilience4j's. What resilience4j does not have is
     * off: running calls do not count as slow, probes have no lease, their number is fixed, the breaker waits for all of
     * them, and a pushback does not hold it open.
     *
     * <p>In a pipeline the classifier says what a failure is, and the pipeline has the clock. The config's predicates and
     * clock are used only through the {@linkplain CircuitBreakerPolicy#asResilience4j() view}, or not at all. They give a
     * {@linkplain CircuitBreakerPolicy#warnings warning} that names them. A minimum above the size of a count window counts
     * as that size.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range here
     */
    public static CircuitBreakerSettings from(CircuitBreakerConfig config) {
        return new Builder(config).build();
    }

    /** A builder that holds these values. */
    public Builder toBuilder() {
        return new Builder(builder);
    }

    /** The options, for files and pages. */
    public static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** The values by their names in a file, also those that follow others; without those that only code can give and has not. */
    public Map<String, Object> asMap() {
        return OPTIONS.values(toBuilder().minimumNumberOfCalls(minimumNumberOfCalls()));
    }

    /** The percentage of failed calls at which the breaker opens. */
    public double failureRateThreshold() {
        return builder.failureRateThreshold;
    }

    /** The percentage of slow calls at which the breaker opens. */
    public double slowCallRateThreshold() {
        return builder.slowCallRateThreshold;
    }

    /** A call is slow if its action ran for longer than this. */
    public Duration slowCallDurationThreshold() {
        return builder.slowCallDurationThreshold;
    }

    /** Whether a running call counts as slow once it has run for longer. */
    public boolean runningCallsCountAsSlow() {
        return builder.runningCallsCountAsSlow;
    }

    /** Whether the window holds the last calls or the last seconds. */
    public SlidingWindowType slidingWindowType() {
        return builder.slidingWindowType;
    }

    /** How many calls, or seconds, the window holds. */
    public int slidingWindowSize() {
        return builder.slidingWindowSize;
    }

    /** The number of calls that the window must hold before its rates count. */
    public int minimumNumberOfCalls() {
        return builder.minimum();
    }

    /** It also opens after nothing but failures for this long; zero: not for that. */
    public Duration outageDurationThreshold() {
        return builder.outageDurationThreshold;
    }

    /** The number of probes at first. */
    public int permittedNumberOfCallsInHalfOpenState() {
        return builder.permittedNumberOfCallsInHalfOpenState;
    }

    /** How long a probe keeps its place without a result; zero: without end. */
    public Duration probeLease() {
        return builder.probeLease;
    }

    /** The longest time half-open; zero: without end. */
    public Duration maxWaitDurationInHalfOpenState() {
        return builder.maxWaitDurationInHalfOpenState;
    }

    /** The state after the longest time half-open. */
    public State transitionToStateAfterWaitDuration() {
        return builder.transitionToStateAfterWaitDuration;
    }

    /** The first wait in the open state. */
    public Duration waitDurationInOpenState() {
        return builder.waitDurationInOpenState;
    }

    /** The wait is multiplied by this each time the probes fail. */
    public double waitMultiplierInOpenState() {
        return builder.waitMultiplierInOpenState;
    }

    /** The longest wait in the open state. */
    public Duration maxWaitDurationInOpenState() {
        return builder.maxWaitDurationInOpenState;
    }

    /** Whether it becomes half-open when the wait is over, instead of with the first call after that. */
    public boolean automaticTransitionFromOpenToHalfOpenEnabled() {
        return builder.automaticTransitionFromOpenToHalfOpenEnabled;
    }

    /** The first state. */
    public State initialState() {
        return builder.initialState;
    }

    /** The longest time for which a pushback holds the breaker open; zero: not at all. */
    public Duration maxPushbackHold() {
        return builder.maxPushbackHold;
    }

    // ---- for the policy

    /** The options of the resilience4j config that could not be kept, one sentence each, after the name of the rule. */
    List<String> warnings() {
        CircuitBreakerConfig origin = builder.origin;
        return origin == null ? List.of() : ForeignConfig.warnings(origin);
    }

    /** The config that these settings were made from; null if there was none. */
    @Nullable
    CircuitBreakerConfig origin() {
        return builder.origin;
    }

    /** These settings for the engine. */
    Rules rules() {
        return rules;
    }

    @Override
    public String toString() {
        return "CircuitBreakerSettings[" + OPTIONS.text(builder) + "]";
    }

    /** Collects the options; checks them all in {@link #build}. Not safe for several threads. */
    public static final class Builder {
        private static final int USUAL_MINIMUM = 20;

        private double failureRateThreshold = 90;
        private double slowCallRateThreshold = 100;
        private Duration slowCallDurationThreshold = Duration.ofMinutes(1);
        private boolean runningCallsCountAsSlow = true;
        private SlidingWindowType slidingWindowType = SlidingWindowType.COUNT_BASED;
        private int slidingWindowSize = 50;
        private @Nullable Integer minimumNumberOfCalls;
        private Duration outageDurationThreshold = Duration.ofSeconds(2);

        /** The minimum as resilience4j uses it half-open, which may exceed the size of the window; 0: the usual minimum. */
        private int minimumInHalfOpen;

        private int permittedNumberOfCallsInHalfOpenState = 5;
        private Duration probeLease = Duration.ofSeconds(5);
        private Duration maxWaitDurationInHalfOpenState = Duration.ZERO;
        private State transitionToStateAfterWaitDuration = State.OPEN;
        private Duration waitDurationInOpenState = Duration.ofMillis(100);
        private double waitMultiplierInOpenState = 1.05;
        private Duration maxWaitDurationInOpenState = Duration.ofSeconds(2);
        private @Nullable IntervalFunction waitIntervalFunctionInOpenState;
        private boolean automaticTransitionFromOpenToHalfOpenEnabled;
        private State initialState = State.CLOSED;
        private Duration maxPushbackHold = Duration.ofSeconds(10);
        /** If there is a config, half-open works as in resilience4j. */
        private @Nullable CircuitBreakerConfig origin;

        private Builder() {}

        /** What resilience4j does not have is off. */
        private Builder(CircuitBreakerConfig config) {
            boolean counts = config.getSlidingWindowType() == CircuitBreakerConfig.SlidingWindowType.COUNT_BASED;
            int minimum = config.getMinimumNumberOfCalls();
            failureRateThreshold = config.getFailureRateThreshold();
            slowCallRateThreshold = config.getSlowCallRateThreshold();
            slowCallDurationThreshold = config.getSlowCallDurationThreshold();
            runningCallsCountAsSlow = false;
            outageDurationThreshold = Duration.ZERO;
            slidingWindowType = counts ? SlidingWindowType.COUNT_BASED : SlidingWindowType.TIME_BASED;
            slidingWindowSize = config.getSlidingWindowSize();
            minimumNumberOfCalls = counts ? Math.min(minimum, slidingWindowSize) : minimum;
            minimumInHalfOpen = minimum;
            permittedNumberOfCallsInHalfOpenState = config.getPermittedNumberOfCallsInHalfOpenState();
            probeLease = Duration.ZERO;
            // In resilience4j, less than a millisecond is no limit.
            maxWaitDurationInHalfOpenState =
                    Duration.ofMillis(config.getMaxWaitDurationInHalfOpenState().toMillis());
            transitionToStateAfterWaitDuration =
                    State.valueOf(config.getTransitionToStateAfterWaitDuration().name());
            waitDurationInOpenState = ForeignConfig.firstWait(config);
            waitMultiplierInOpenState = 1;
            maxWaitDurationInOpenState = DAY;
            waitIntervalFunctionInOpenState = config.getWaitIntervalFunctionInOpenState();
            automaticTransitionFromOpenToHalfOpenEnabled = config.isAutomaticTransitionFromOpenToHalfOpenEnabled();
            initialState = State.valueOf(config.getInitialState().name());
            maxPushbackHold = Duration.ZERO;
            origin = config;
        }

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
            minimumInHalfOpen = other.minimumInHalfOpen;
            origin = other.origin;
        }

        /** The percentage of failed calls at which the breaker opens. From 1 to 100; default 90. */
        public Builder failureRateThreshold(double percent) {
            failureRateThreshold = percent;
            return this;
        }

        /**
         * The percentage of slow calls at which the breaker opens. From 1 to 100; default 100. A slow call that succeeds is
         * still an answer: think twice before you lower the threshold.
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

        /**
         * Whether a running call counts as slow once it has run for longer than that. Then calls that hang open the breaker
         * before they end. Default: yes.
         */
        public Builder runningCallsCountAsSlow(boolean count) {
            runningCallsCountAsSlow = count;
            return this;
        }

        /** Whether the window holds the last calls or the last seconds. Default: calls. A count window reads no clock. */
        public Builder slidingWindowType(SlidingWindowType type) {
            slidingWindowType = Objects.requireNonNull(type, "slidingWindowType");
            return this;
        }

        /** The size of the window. From 1 to 100,000 calls, or 1 to 3,600 seconds; default 50. */
        public Builder slidingWindowSize(int size) {
            slidingWindowSize = size;
            return this;
        }

        /**
         * The number of calls that the window must hold before its rates count. From 1 to 1,000,000, in a count window to
         * its size; default 20, or the size of a smaller count window.
         */
        public Builder minimumNumberOfCalls(int calls) {
            minimumNumberOfCalls = calls;
            minimumInHalfOpen = 0;
            return this;
        }

        /**
         * It also opens after nothing but failures for this long, without a success between them, if five calls have failed, or
         * {@link #minimumNumberOfCalls} if that is less. Their retries and hedges do not count here. A window of calls has no clock:
         * with few calls it takes minutes to see an outage. Zero: not for that; else 1 ms to 1 day; default 2 s.
         */
        public Builder outageDurationThreshold(Duration duration) {
            outageDurationThreshold = Objects.requireNonNull(duration, "outageDurationThreshold");
            return this;
        }

        /**
         * The number of probes at first. Each time they have failed it is halved, rounded up, but never below two (or one,
         * if one is permitted). The breaker closes or opens as soon as the result of all probes, or of the minimum number of
         * calls, is certain. From 1 to 1,000; default 5.
         */
        public Builder permittedNumberOfCallsInHalfOpenState(int calls) {
            permittedNumberOfCallsInHalfOpenState = calls;
            return this;
        }

        /**
         * How long a probe keeps its place without a result. Then another call gets the place, so that probes that never end
         * do not keep the breaker half-open for ever. A late result still counts. Zero: without end; else from 1 ms to 1
         * day; default 5 s.
         */
        public Builder probeLease(Duration lease) {
            probeLease = Objects.requireNonNull(lease, "probeLease");
            return this;
        }

        /** The longest time half-open. Zero, the default: without end; else from 1 ms to 1 day, in whole milliseconds. */
        public Builder maxWaitDurationInHalfOpenState(Duration wait) {
            maxWaitDurationInHalfOpenState = Objects.requireNonNull(wait, "maxWaitDurationInHalfOpenState");
            return this;
        }

        /** The state after the longest time half-open: open, the default, or closed. */
        public Builder transitionToStateAfterWaitDuration(State state) {
            transitionToStateAfterWaitDuration = Objects.requireNonNull(state, "transitionToStateAfterWaitDuration");
            return this;
        }

        /**
         * The first wait in the open state. From 1 ms to 1 day, in whole milliseconds; default 100 ms. If the wait outlasts
         * the fault, all answers in the rest of the wait are lost. Replaces a {@link #waitIntervalFunctionInOpenState}.
         */
        public Builder waitDurationInOpenState(Duration wait) {
            waitDurationInOpenState = Objects.requireNonNull(wait, "waitDurationInOpenState");
            waitIntervalFunctionInOpenState = null;
            return this;
        }

        /**
         * The wait is multiplied by this each time the probes fail. From 1 (the wait does not grow) to 10; default 1.05:
         * each wait is about a twentieth of the time since the breaker first opened. After the breaker has closed, the next
         * wait is the first one again.
         */
        public Builder waitMultiplierInOpenState(double multiplier) {
            waitMultiplierInOpenState = multiplier;
            return this;
        }

        /** The wait does not grow beyond this. From 1 ms to 1 day; default 2 s, and never less than the first wait. */
        public Builder maxWaitDurationInOpenState(Duration wait) {
            maxWaitDurationInOpenState = Objects.requireNonNull(wait, "maxWaitDurationInOpenState");
            return this;
        }

        /**
         * The wait in milliseconds for each opening in a row, instead of the three options before. The first opening is 1.
         * The call that opens the breaker asks the function, which must be quick. Less than 1 ms counts as 1 ms, more than 1
         * day as 1 day. If the function throws or returns null, the three options before hold, and a warning is logged once.
         */
        public Builder waitIntervalFunctionInOpenState(IntervalFunction function) {
            waitIntervalFunctionInOpenState = Objects.requireNonNull(function, "waitIntervalFunctionInOpenState");
            return this;
        }

        /**
         * Whether it becomes half-open when the wait is over, instead of with the first call after that. There is no timer:
         * every call, meter and {@code state()} sees the new state from then on, and the first of them causes the events.
         * Default: no.
         */
        public Builder automaticTransitionFromOpenToHalfOpenEnabled(boolean enabled) {
            automaticTransitionFromOpenToHalfOpenEnabled = enabled;
            return this;
        }

        /** The first state. A breaker that takes over from one with another first state goes on in its own. Default: closed. */
        public Builder initialState(State state) {
            initialState = Objects.requireNonNull(state, "initialState");
            return this;
        }

        /**
         * The longest time for which a pushback holds the breaker open. When the breaker opens, it stays open for as long as
         * the dependency asked, but no longer than this. A gate inside the breaker obeys the pushback in its place. Zero: such a
         * pushback is a failure like any other; else to 1 day; default 10 s.
         */
        public Builder maxPushbackHold(Duration hold) {
            maxPushbackHold = Objects.requireNonNull(hold, "maxPushbackHold");
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

        private Rules rules() {
            Thresholds thresholds = new Thresholds(
                    (float) failureRateThreshold,
                    (float) slowCallRateThreshold,
                    minimum(),
                    false,
                    slowCallDurationThreshold.toNanos());
            OpenWait openWait = new OpenWait(
                    waitDurationInOpenState,
                    waitMultiplierInOpenState,
                    maxWaitDurationInOpenState,
                    waitIntervalFunctionInOpenState);
            Rules.HalfOpen halfOpen = new Rules.HalfOpen(
                    permittedNumberOfCallsInHalfOpenState,
                    minimumInHalfOpen > 0 ? minimumInHalfOpen : minimum(),
                    origin != null,
                    probeLease.toNanos(),
                    maxWaitDurationInHalfOpenState.toNanos(),
                    ours(transitionToStateAfterWaitDuration));
            return new Rules(
                    ours(initialState),
                    thresholds,
                    outageDurationThreshold.toNanos(),
                    counts(),
                    slidingWindowSize,
                    openWait,
                    automaticTransitionFromOpenToHalfOpenEnabled,
                    halfOpen);
        }

        private static dev.holdfast.circuitbreaker.internal.engine.State ours(State state) {
            return dev.holdfast.circuitbreaker.internal.engine.State.valueOf(state.name());
        }

        /**
         * The settings.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range
         */
        public CircuitBreakerSettings build() {
            Checks checks = OPTIONS.check(this);
            if (!counts()) {
                checks.range("slidingWindowSize", slidingWindowSize, 1, MOST_SECONDS);
            } else if (minimumNumberOfCalls != null) {
                checks.atMost("minimumNumberOfCalls", minimumNumberOfCalls, "slidingWindowSize", slidingWindowSize);
            }
            State after = transitionToStateAfterWaitDuration;
            checks.that(
                            after == State.OPEN || after == State.CLOSED,
                            "transitionToStateAfterWaitDuration",
                            after,
                            "OPEN or CLOSED")
                    .done();
            return new CircuitBreakerSettings(this);
        }
    }
}
