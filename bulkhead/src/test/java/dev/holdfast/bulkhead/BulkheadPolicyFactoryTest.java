/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.bulkhead.internal.BulkheadPolicyFactory;
import dev.holdfast.internal.Replicas;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.ServiceLoader;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class BulkheadPolicyFactoryTest {
    private final BulkheadPolicyFactory factory = new BulkheadPolicyFactory();

    @Test
    void isFoundOnTheClassPath() {
        assertThat(ServiceLoader.load(PolicyFactory.class)).hasAtLeastOneElementOfType(BulkheadPolicyFactory.class);
    }

    @Test
    void standsBetweenThrottleAndTimeout() {
        assertThat(factory.key()).isEqualTo("bulkhead");
        assertThat(factory.position()).isEqualTo(700);
    }

    @Test
    void makesAPolicyWithItsDefaults() {
        assertThat(factory.create(factory.builder()))
                .isInstanceOfSatisfying(
                        BulkheadPolicy.class,
                        policy -> assertThat(policy.settings())
                                .usingRecursiveComparison()
                                .isEqualTo(BulkheadSettings.builder().build()));
    }

    @Test
    void everyOptionReachesTheBuilder() {
        BulkheadSettings.Builder builder = factory.builder();
        for (Option<BulkheadSettings.Builder, ?> option : factory.options()) {
            set(builder, option);
        }

        BulkheadPolicy policy = (BulkheadPolicy) factory.create(builder);

        assertThat(policy.name()).isEqualTo("bulkhead");
        assertThat(policy.settings())
                .hasToString(
                        "maxConcurrentCalls=7, limit=GRADIENT2, minConcurrentCalls=7, initialConcurrentCalls=7, "
                                + "maxWaitingCalls=7, maxWait=7s, queueOrder=CODEL, codelTarget=7s, codelInterval=7s, lease=7s, dedicatedThreads, replicas=7");
        assertThat(factory.options().stream().map(Option::name).collect(Collectors.joining(" ")))
                .isEqualTo(
                        "max-concurrent-calls limit min-concurrent-calls initial-concurrent-calls "
                                + "max-waiting-calls max-wait queue-order codel-target codel-interval lease dedicated-threads replicas");
    }

    private static <V> void set(BulkheadSettings.Builder builder, Option<BulkheadSettings.Builder, V> option) {
        V[] constants = option.type().getEnumConstants();
        Object number = option.type() == Integer.class ? (Object) 7 : Duration.ofSeconds(7);
        Object other = option.type() == Boolean.class ? (Object) true : number;
        Object any = option.type() == IntSupplier.class ? (Object) Replicas.of(7) : other;
        Object value = constants != null ? constants[constants.length - 1] : any;
        option.set(builder, option.type().cast(value));
    }
}
