/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.circuitbreaker.internal.CircuitBreakerPolicyFactory;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class CircuitBreakerPolicyFactoryTest {
    private final CircuitBreakerPolicyFactory factory = new CircuitBreakerPolicyFactory();

    @Test
    void isFoundByTheServiceLoader() {
        assertThat(ServiceLoader.load(PolicyFactory.class))
                .hasAtLeastOneElementOfType(CircuitBreakerPolicyFactory.class);
    }

    @Test
    void everyOptionOfTheBuilderMayStandInAFile() {
        assertThat(factory.key()).isEqualTo("circuit-breaker");
        assertThat(factory.options())
                .extracting(Option::name)
                .containsExactly(
                        "failure-rate-threshold",
                        "slow-call-rate-threshold",
                        "slow-call-duration-threshold",
                        "running-calls-count-as-slow",
                        "sliding-window-type",
                        "sliding-window-size",
                        "minimum-number-of-calls",
                        "outage-duration-threshold",
                        "permitted-number-of-calls-in-half-open-state",
                        "probe-lease",
                        "max-wait-duration-in-half-open-state",
                        "transition-to-state-after-wait-duration",
                        "wait-duration-in-open-state",
                        "wait-multiplier-in-open-state",
                        "max-wait-duration-in-open-state",
                        "wait-interval-function-in-open-state",
                        "automatic-transition-from-open-to-half-open-enabled",
                        "initial-state",
                        "max-pushback-hold");
    }

    @Test
    void standsBetweenRetryAndThrottleAndIsPartOfTheStandard() {
        assertThat(factory.position()).isEqualTo(500);
        assertThat(factory.create(factory.builder())).isInstanceOf(CircuitBreakerPolicy.class);
        assertThat(factory.shorthand()).isEmpty();
    }

    @Test
    void makesAPolicyOfTheBuildersValues() {
        CircuitBreakerSettings.Builder builder = factory.builder().permittedNumberOfCallsInHalfOpenState(3);
        assertThat(((CircuitBreakerPolicy) factory.create(builder))
                        .asResilience4j()
                        .getCircuitBreakerConfig()
                        .getPermittedNumberOfCallsInHalfOpenState())
                .isEqualTo(3);
    }
}
