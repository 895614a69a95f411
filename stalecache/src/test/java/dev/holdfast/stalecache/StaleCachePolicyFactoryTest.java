/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Option;
import dev.holdfast.spi.PolicyFactory;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class StaleCachePolicyFactoryTest {
    private final StaleCachePolicyFactory factory = new StaleCachePolicyFactory();

    @Test
    void isFoundByTheServiceLoader() {
        assertThat(ServiceLoader.load(PolicyFactory.class)).hasAtLeastOneElementOfType(StaleCachePolicyFactory.class);
    }

    @Test
    void everyOptionOfTheBuilderMayStandInAFile() {
        assertThat(factory.key()).isEqualTo("stale-cache");
        assertThat(factory.options())
                .extracting(Option::name)
                .containsExactly(
                        "fresh",
                        "stale-while-revalidate",
                        "stale-if-error",
                        "max-entries",
                        "refresh-timeout",
                        "refresh-backoff");
    }

    @Test
    void standsOutsideOfRetryAndIsPartOfTheStandard() {
        assertThat(factory.position()).isEqualTo(300);
        assertThat(factory.standard()).get().isInstanceOf(StaleCachePolicy.class);
        assertThat(factory.create(factory.builder())).isInstanceOf(StaleCachePolicy.class);
    }
}
