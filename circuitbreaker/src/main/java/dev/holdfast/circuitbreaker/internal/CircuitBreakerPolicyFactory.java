/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
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
        return CircuitBreakerSettings.options();
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
