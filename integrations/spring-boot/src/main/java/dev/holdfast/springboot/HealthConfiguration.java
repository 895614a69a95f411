/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/** The breakers in the health of a Spring Boot 4 application, if it asks for them. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass(HealthIndicator.class)
@ConditionalOnProperty("management.health.holdfast.enabled")
class HealthConfiguration {
    @Bean
    HealthIndicator holdfastHealthIndicator(Holdfast holdfast, Environment environment) {
        BreakerHealth health = new BreakerHealth(
                holdfast, SpringSettings.of(environment).health().downIfOpen());
        return () -> (health.isDown() ? Health.down() : Health.up())
                .withDetails(health.states())
                .build();
    }
}
