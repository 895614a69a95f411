/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.throttling.internal.GatePolicyFactory;
import java.time.Duration;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class GatePolicyFactoryTest {
    private final GatePolicyFactory factory = new GatePolicyFactory();

    @Test
    void isFoundOnTheClassPath() {
        assertThat(ServiceLoader.load(PolicyFactory.class)).hasAtLeastOneElementOfType(GatePolicyFactory.class);
    }

    @Test
    void standsBetweenBreakerAndThrottle() {
        assertThat(factory.key()).isEqualTo("gate");
        assertThat(factory.position()).isEqualTo(550);
    }

    @Test
    void everyOptionReachesTheBuilder() {
        GateSettings.Builder builder = factory.builder();
        for (Option<GateSettings.Builder, ?> option : factory.options()) {
            set(builder, option);
        }

        GatePolicy policy = (GatePolicy) factory.create(builder);

        assertThat(policy).hasToString("gate");
        assertThat(policy.settings()).hasToString("maxHold=7s, maxWait=7s, jitter=0.7, defaultHold=7s");
        assertThat(policy.settingsMap()).isEqualTo(policy.settings().asMap());
        assertThat(factory.options().stream().map(Option::name).collect(Collectors.joining(" ")))
                .isEqualTo("max-hold max-wait jitter default-hold");
    }

    private static <V> void set(GateSettings.Builder builder, Option<GateSettings.Builder, V> option) {
        Object value = option.type() == Double.class ? (Object) 0.7 : Duration.ofSeconds(7);
        option.set(builder, option.type().cast(value));
    }
}
