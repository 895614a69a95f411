/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import dev.holdfast.spring.HoldfastServiceGroups;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.http.client.ClientHttpRequestFactoryBuilder;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.autoconfigure.HttpClientSettingsPropertyMapper;
import org.springframework.boot.http.client.autoconfigure.service.HttpServiceClientProperties;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;

/**
 * Retries have one owner in a group with a pipeline: its client repeats nothing by itself. With {@code http-clients} none does, see {@link
 * OwnRetries}. Without it, the clients of others stay as they are, and such a group gets one that is made for it.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass({HttpServiceClientProperties.class, HoldfastServiceGroups.class})
@ConditionalOnSetting(value = "service-groups", isSwitch = true)
class GroupRetries {
    /** Just behind Spring Boot's own, which sets a client: one that the application sets comes later, and stays. */
    private static final int ORDER = Ordered.HIGHEST_PRECEDENCE + 11;

    /** What Spring Boot makes the client of a group of. */
    record Clients(
            Holdfast holdfast,
            Environment environment,
            @Nullable HttpServiceClientProperties groups,
            HttpClientSettingsPropertyMapper settings) {
        <B> void replace(String group, Supplier<B> builder, BiConsumer<B, HttpClientSettings> client) {
            if (groups == null
                    || SpringSettings.of(environment).httpClients() != null
                    || ClientPipelines.named(holdfast, group) == null) {
                return;
            }
            B given = builder.get();
            B once = OwnRetries.without(given);
            if (once != given) {
                client.accept(once, settings.map(groups.get(group)));
            }
        }
    }

    @Bean
    Clients holdfastGroupClients(
            Holdfast holdfast,
            Environment environment,
            ObjectProvider<HttpServiceClientProperties> groups,
            ObjectProvider<SslBundles> bundles,
            ObjectProvider<HttpClientSettings> defaults) {
        return new Clients(
                holdfast,
                environment,
                groups.getIfAvailable(),
                new HttpClientSettingsPropertyMapper(bundles.getIfAvailable(), defaults.getIfAvailable()));
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(RestClientHttpServiceGroupConfigurer.class)
    static class Blocking {
        @Bean
        RestClientHttpServiceGroupConfigurer holdfastRestClientGroupRetries(
                Clients clients, ObjectProvider<ClientHttpRequestFactoryBuilder<?>> builders) {
            return new RestClientHttpServiceGroupConfigurer() {
                @Override
                public int getOrder() {
                    return ORDER;
                }

                @Override
                public void configureGroups(Groups<RestClient.Builder> groups) {
                    groups.forEachClient((group, client) -> clients.replace(
                            group.name(),
                            () -> builders.getIfAvailable(ClientHttpRequestFactoryBuilder::detect),
                            (once, settings) -> client.requestFactory(once.build(settings))));
                }
            };
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(WebClientHttpServiceGroupConfigurer.class)
    static class Reactive {
        @Bean
        WebClientHttpServiceGroupConfigurer holdfastWebClientGroupRetries(
                Clients clients, ObjectProvider<ClientHttpConnectorBuilder<?>> builders) {
            return new WebClientHttpServiceGroupConfigurer() {
                @Override
                public int getOrder() {
                    return ORDER;
                }

                @Override
                public void configureGroups(Groups<WebClient.Builder> groups) {
                    groups.forEachClient((group, client) -> clients.replace(
                            group.name(),
                            () -> builders.getIfAvailable(ClientHttpConnectorBuilder::detect),
                            (once, settings) -> client.clientConnector(once.build(settings))));
                }
            };
        }
    }
}
