/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot3;

import dev.holdfast.config.Holdfast;
import dev.holdfast.http.Pipelines;
import dev.holdfast.spring.HoldfastFilter;
import dev.holdfast.spring.HoldfastInterceptor;
import dev.holdfast.springboot.BreakerHealth;
import dev.holdfast.springboot.ClientPipelines;
import dev.holdfast.springboot.ConditionalOnSetting;
import dev.holdfast.springboot.HoldfastAutoConfiguration;
import dev.holdfast.springboot.HoldfastFilterCustomizer;
import dev.holdfast.springboot.HoldfastInterceptorCustomizer;
import dev.holdfast.springboot.SpringSettings;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.web.client.RestClientCustomizer;
import org.springframework.boot.web.client.RestTemplateCustomizer;
import org.springframework.boot.web.reactive.function.client.WebClientCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;

/** Health and clients, as {@link HoldfastAutoConfiguration} gives it to an application of Spring Boot 4. */
@AutoConfiguration(after = HoldfastAutoConfiguration.class)
@ConditionalOnBean(Holdfast.class)
public class HoldfastBoot3AutoConfiguration {

    /** For the container. */
    public HoldfastBoot3AutoConfiguration() {}

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HealthIndicator.class)
    @ConditionalOnProperty("management.health.holdfast.enabled")
    static class HealthConfiguration {
        @Bean
        HealthIndicator holdfastHealthIndicator(Holdfast holdfast, Environment environment) {
            BreakerHealth health = new BreakerHealth(
                    holdfast, SpringSettings.of(environment).health().downIfOpen());
            return () -> (health.isDown() ? Health.down() : Health.up())
                    .withDetails(health.states())
                    .build();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({RestClientCustomizer.class, HoldfastInterceptor.class})
    @ConditionalOnSetting("http-clients")
    static class RestClients {
        @Bean
        @Order(Ordered.LOWEST_PRECEDENCE)
        RestClientCustomizer holdfastRestClientCustomizer(
                Holdfast holdfast, Environment environment, ObjectProvider<HoldfastInterceptorCustomizer> options) {
            Pipelines pipelines = ClientPipelines.each(holdfast, environment);
            // One for each builder: to a stale cache it is the client. Clones and mutations share it.
            return client -> client.requestInterceptors(all -> ClientPipelines.addOnce(
                    all,
                    HoldfastInterceptor.class,
                    () -> HoldfastInterceptor.of(pipelines, ClientPipelines.blocking(options))));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({RestTemplateCustomizer.class, HoldfastInterceptor.class})
    @ConditionalOnSetting("http-clients")
    static class RestTemplates {
        @Bean
        @Order(Ordered.LOWEST_PRECEDENCE)
        RestTemplateCustomizer holdfastRestTemplateCustomizer(
                Holdfast holdfast, Environment environment, ObjectProvider<HoldfastInterceptorCustomizer> options) {
            Pipelines pipelines = ClientPipelines.each(holdfast, environment);
            return client -> {
                if (!ClientPipelines.isOfTest()) {
                    ClientPipelines.addOnce(
                            client.getInterceptors(),
                            HoldfastInterceptor.class,
                            () -> HoldfastInterceptor.of(pipelines, ClientPipelines.blocking(options)));
                }
            };
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({WebClientCustomizer.class, HoldfastFilter.class})
    @ConditionalOnSetting("http-clients")
    static class WebClients {
        @Bean
        @Order(Ordered.LOWEST_PRECEDENCE)
        WebClientCustomizer holdfastWebClientCustomizer(
                Holdfast holdfast, Environment environment, ObjectProvider<HoldfastFilterCustomizer> options) {
            Pipelines pipelines = ClientPipelines.each(holdfast, environment);
            return client -> client.filters(all -> ClientPipelines.addOnce(
                    all, HoldfastFilter.class, () -> HoldfastFilter.of(pipelines, ClientPipelines.reactive(options))));
        }
    }
}
