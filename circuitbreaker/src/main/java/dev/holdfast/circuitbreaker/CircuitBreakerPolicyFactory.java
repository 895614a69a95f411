/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.spi.Option;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.util.List;
import java.util.Optional;

/** The section {@code circuit-breaker} of a configuration file. Found by {@link java.util.ServiceLoader}. */
public final class CircuitBreakerPolicyFactory implements PolicyFactory<CircuitBreakerSettings.Builder> {

    /** For the service loader. */
    public CircuitBreakerPolicyFactory() {}

    @Override
    public String key() {
        return CircuitBreakerPolicy.NAME;
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
                Option.choice(
                        "sliding-window-type",
                        SlidingWindowType.class,
                        CircuitBreakerSettings.Builder::slidingWindowType),
                Option.integer("sliding-window-size", CircuitBreakerSettings.Builder::slidingWindowSize),
                Option.integer("minimum-number-of-calls", CircuitBreakerSettings.Builder::minimumNumberOfCalls),
                Option.integer(
                        "permitted-number-of-calls-in-half-open-state",
                        CircuitBreakerSettings.Builder::permittedNumberOfCallsInHalfOpenState),
                Option.duration("wait-duration-in-open-state", CircuitBreakerSettings.Builder::waitDurationInOpenState),
                Option.duration(
                        "max-wait-duration-in-half-open-state",
                        CircuitBreakerSettings.Builder::maxWaitDurationInHalfOpenState));
    }

    @Override
    public Policy create(CircuitBreakerSettings.Builder builder) {
        return CircuitBreakerPolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 500;
    }

    @Override
    public Optional<Policy> standard() {
        return Optional.of(CircuitBreakerPolicy.ofDefaults());
    }
}
