/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Holdfast;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.util.ClassUtils;

/** What a slice of a test has, such as that of {@code @RestClientTest}, with the configurations that the page names. */
class SlicesTest {
    private static final ClassLoader LOADER = SlicesTest.class.getClassLoader();
    private static final String OF_BOOT_3 = "dev.holdfast.springboot3.HoldfastBoot3AutoConfiguration";
    private static final boolean IS_BOOT_3 = ClassUtils.isPresent(OF_BOOT_3, LOADER);
    private static final String CLIENTS = "holdfastRestClientCustomizer";
    private static final String HEALTH = "holdfastHealthIndicator";

    private static ApplicationContextRunner slice(Class<?>... configurations) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(configurations))
                .withPropertyValues(
                        "holdfast.pipelines.shops.timeout=1s",
                        "holdfast.spring.http-clients=shops",
                        "management.health.holdfast.enabled=true");
    }

    @Test
    void aSliceWithTheNamedConfigurationsHasPipelinesClientsAndHealth() {
        List<Class<?>> all = new ArrayList<>();
        if (IS_BOOT_3) {
            all.add(ClassUtils.resolveClassName(OF_BOOT_3, LOADER));
        }
        all.add(HoldfastAutoConfiguration.class);
        slice(all.toArray(Class<?>[]::new))
                .run(context -> assertThat(context)
                        .hasSingleBean(Holdfast.class)
                        .hasBean(CLIENTS)
                        .hasBean(HEALTH));
    }

    /** With Spring Boot 3, clients and health are those of the second one. */
    @Test
    void theFirstOneAloneHasPipelines() {
        slice(HoldfastAutoConfiguration.class).run(context -> {
            assertThat(context).hasSingleBean(Holdfast.class);
            assertThat(context.containsBean(CLIENTS)).isNotEqualTo(IS_BOOT_3);
            assertThat(context.containsBean(HEALTH)).isNotEqualTo(IS_BOOT_3);
        });
    }
}
