/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import dev.holdfast.http.Pipelines;
import dev.holdfast.spring.HoldfastFilter;
import dev.holdfast.spring.HoldfastInterceptor;
import dev.holdfast.spring.HoldfastServiceGroups;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.restclient.RestClientCustomizer;
import org.springframework.boot.restclient.RestTemplateCustomizer;
import org.springframework.boot.webclient.WebClientCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;

/** Pipelines around the clients that Spring Boot 4 makes. They are innermost, so that all else of a client runs once for a call. */
@Configuration(proxyBeanMethods = false)
class ClientsConfiguration {

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

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({RestClientHttpServiceGroupConfigurer.class, HoldfastServiceGroups.class})
    @ConditionalOnSetting(value = "service-groups", isSwitch = true)
    static class RestClientGroups {
        @Bean
        @Order(Ordered.LOWEST_PRECEDENCE)
        RestClientHttpServiceGroupConfigurer holdfastRestClientGroups(
                Holdfast holdfast, Environment environment, ObjectProvider<HoldfastInterceptorCustomizer> options) {
            return HoldfastServiceGroups.ofRestClient(
                    name -> ClientPipelines.find(holdfast, environment, name), ClientPipelines.blocking(options));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({WebClientHttpServiceGroupConfigurer.class, HoldfastServiceGroups.class})
    @ConditionalOnSetting(value = "service-groups", isSwitch = true)
    static class WebClientGroups {
        @Bean
        @Order(Ordered.LOWEST_PRECEDENCE)
        WebClientHttpServiceGroupConfigurer holdfastWebClientGroups(
                Holdfast holdfast, Environment environment, ObjectProvider<HoldfastFilterCustomizer> options) {
            return HoldfastServiceGroups.ofWebClient(
                    name -> ClientPipelines.find(holdfast, environment, name), ClientPipelines.reactive(options));
        }
    }
}
