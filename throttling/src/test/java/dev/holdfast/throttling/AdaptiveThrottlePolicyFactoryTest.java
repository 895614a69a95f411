/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.throttling.AdaptiveThrottlePolicy.Settings;
import dev.holdfast.throttling.internal.AdaptiveThrottlePolicyFactory;
import java.time.Duration;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class AdaptiveThrottlePolicyFactoryTest {
    private final AdaptiveThrottlePolicyFactory factory = new AdaptiveThrottlePolicyFactory();

    @Test
    void isFoundOnTheClassPath() {
        assertThat(ServiceLoader.load(PolicyFactory.class))
                .hasAtLeastOneElementOfType(AdaptiveThrottlePolicyFactory.class);
    }

    @Test
    void standsBetweenGateAndThrottle() {
        assertThat(factory.key()).isEqualTo("adaptive-throttle");
        assertThat(factory.position()).isEqualTo(575);
    }

    @Test
    void everyOptionReachesTheBuilder() {
        Settings.Builder builder = factory.builder();
        for (Option<Settings.Builder, ?> option : factory.options()) {
            set(builder, option);
        }

        AdaptiveThrottlePolicy policy = (AdaptiveThrottlePolicy) factory.create(builder);

        assertThat(policy).hasToString("adaptive-throttle");
        assertThat(policy.settings()).hasToString("multiplier=1.5, window=7s, maxRejected=0.9, padding=7");
        assertThat(policy.settingsMap()).isEqualTo(policy.settings().asMap());
        assertThat(policy.settings().toBuilder().build())
                .hasToString(policy.settings().toString());
        assertThat(factory.options().stream().map(Option::name).collect(Collectors.joining(" ")))
                .isEqualTo("multiplier window max-rejected padding");
    }

    private static <V> void set(Settings.Builder builder, Option<Settings.Builder, V> option) {
        Object value = option.type() == Double.class
                ? (Object) (option.name().equals("multiplier") ? 1.5 : 0.9)
                : option.type() == Integer.class ? (Object) 7 : Duration.ofSeconds(7);
        option.set(builder, option.type().cast(value));
    }
}
