/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import io.github.resilience4j.core.IntervalFunction;
import java.util.List;

/** The section {@code circuit-breaker} of a configuration file. Found by {@link java.util.ServiceLoader}. */
public final class CircuitBreakerPolicyFactory implements PolicyFactory<CircuitBreakerSettings.Builder> {

    /** For the service loader. */
    public CircuitBreakerPolicyFactory() {}

    @Override
    public String key() {
        return "circuit-breaker";
    }

    @Override
    public CircuitBreakerSettings.Builder builder() {
        return CircuitBreakerSettings.builder();
    }

    @Override
    public List<Option<CircuitBreakerSettings.Builder, ?>> options() {
        return List.of(
                Option.decimal("failure-rate-threshold", CircuitBreakerSettings.Builder::failureRateThreshold),
                Option.decimal("slow-call-rate-threshold", CircuitBreakerSettings.Builder::slowCallRateThreshold),
                Option.duration(
                        "slow-call-duration-threshold", CircuitBreakerSettings.Builder::slowCallDurationThreshold),
                Option.flag("running-calls-count-as-slow", CircuitBreakerSettings.Builder::runningCallsCountAsSlow),
                Option.choice(
                        "sliding-window-type",
                        SlidingWindowType.class,
                        CircuitBreakerSettings.Builder::slidingWindowType),
                Option.integer("sliding-window-size", CircuitBreakerSettings.Builder::slidingWindowSize),
                Option.integer("minimum-number-of-calls", CircuitBreakerSettings.Builder::minimumNumberOfCalls),
                Option.integer(
                        "permitted-number-of-calls-in-half-open-state",
                        CircuitBreakerSettings.Builder::permittedNumberOfCallsInHalfOpenState),
                Option.duration("probe-lease", CircuitBreakerSettings.Builder::probeLease),
                Option.duration(
                        "max-wait-duration-in-half-open-state",
                        CircuitBreakerSettings.Builder::maxWaitDurationInHalfOpenState),
                Option.choice(
                        "transition-to-state-after-wait-duration",
                        State.class,
                        CircuitBreakerSettings.Builder::transitionToStateAfterWaitDuration),
                Option.duration("wait-duration-in-open-state", CircuitBreakerSettings.Builder::waitDurationInOpenState),
                Option.decimal(
                        "wait-multiplier-in-open-state", CircuitBreakerSettings.Builder::waitMultiplierInOpenState),
                Option.duration(
                        "max-wait-duration-in-open-state", CircuitBreakerSettings.Builder::maxWaitDurationInOpenState),
                Option.bound(
                        "wait-interval-function-in-open-state",
                        IntervalFunction.class,
                        CircuitBreakerSettings.Builder::waitIntervalFunctionInOpenState),
                Option.flag(
                        "automatic-transition-from-open-to-half-open-enabled",
                        CircuitBreakerSettings.Builder::automaticTransitionFromOpenToHalfOpenEnabled),
                Option.choice("initial-state", State.class, CircuitBreakerSettings.Builder::initialState),
                Option.duration("max-pushback-hold", CircuitBreakerSettings.Builder::maxPushbackHold));
    }

    @Override
    public Policy create(CircuitBreakerSettings.Builder builder) {
        return CircuitBreakerPolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 500;
    }
}
