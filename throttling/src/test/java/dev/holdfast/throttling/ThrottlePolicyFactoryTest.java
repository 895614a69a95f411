/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.internal.Replicas;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.throttling.internal.ThrottlePolicyFactory;
import java.time.Duration;
import java.util.ServiceLoader;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ThrottlePolicyFactoryTest {
    private final ThrottlePolicyFactory factory = new ThrottlePolicyFactory();

    @Test
    void isFoundOnTheClassPath() {
        assertThat(ServiceLoader.load(PolicyFactory.class)).hasAtLeastOneElementOfType(ThrottlePolicyFactory.class);
    }

    @Test
    void standsBetweenBreakerAndBulkhead() {
        assertThat(factory.key()).isEqualTo("throttle");
        assertThat(factory.position()).isEqualTo(600);
    }

    @Test
    void everyOptionReachesTheBuilder() {
        ThrottleSettings.Builder builder = factory.builder();
        for (Option<ThrottleSettings.Builder, ?> option : factory.options()) {
            set(builder, option);
        }

        ThrottlePolicy policy = (ThrottlePolicy) factory.create(builder);

        assertThat(policy.name()).isEqualTo("throttle");
        assertThat(policy.settings()).hasToString("limit=7, per=7s, burst=7, maxWait=7s, replicas=7");
        assertThat(factory.options().stream().map(Option::name).collect(Collectors.joining(" ")))
                .isEqualTo("limit per burst max-wait replicas");
    }

    private static <V> void set(ThrottleSettings.Builder builder, Option<ThrottleSettings.Builder, V> option) {
        Object other = option.type() == IntSupplier.class ? (Object) Replicas.of(7) : Duration.ofSeconds(7);
        Object value = option.type() == Integer.class ? (Object) 7 : other;
        option.set(builder, option.type().cast(value));
    }
}
