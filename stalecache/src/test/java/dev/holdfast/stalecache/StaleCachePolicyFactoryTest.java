/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.stalecache.internal.StaleCachePolicyFactory;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

// Once in a JVM: another test may have been the first.
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
                        "stale-if-slow",
                        "keep-if-ignored",
                        "fresh-if-ignored",
                        "refresh-ahead",
                        "freshness",
                        "max-entries",
                        "max-weight",
                        "max-value-weight",
                        "weigher",
                        "max-followers",
                        "max-followers-if-slow",
                        "refresh-timeout",
                        "refresh-backoff");
    }

    @Test
    void standsOutsideOfRetry() {
        assertThat(factory.position()).isEqualTo(300);
        assertThat(factory.create(factory.builder())).isInstanceOf(StaleCachePolicy.class);
    }

    @Test
    void isInAStandardPipelineIfSomebodyPutsItIn() {
        Pipeline.Builder standard = Pipeline.builder("inventory")
                .standard()
                .without("circuit-breaker")
                .without("bulkhead");
        try (Pipeline caching = standard.with(StaleCachePolicy.ofDefaults()).build()) {
            assertThat(caching).hasToString("inventory: deadline > stale-cache > retry > timeout > call");
        }
    }
}
