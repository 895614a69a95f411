/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings;
import dev.holdfast.internal.SettingsPolicyFactory;

/** The section {@code circuit-breaker} of a configuration file. Found by {@link java.util.ServiceLoader}. */
public final class CircuitBreakerPolicyFactory extends SettingsPolicyFactory<CircuitBreakerSettings.Builder> {
    /** For the service loader. */
    public CircuitBreakerPolicyFactory() {
        super(
                "circuit-breaker",
                500,
                CircuitBreakerSettings::builder,
                CircuitBreakerSettings::options,
                builder -> CircuitBreakerPolicy.of(builder.build()));
    }
}
