/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.registry.HttpServiceGroup;
import org.springframework.web.service.registry.ImportHttpServices;
import reactor.core.publisher.Mono;

/** A group of services has the pipeline of its name. */
class HoldfastServiceGroupsTest {
    interface Stock {
        @GetExchange("/stock")
        String stock();
    }

    interface Plain {
        @GetExchange("/plain")
        String plain();
    }

    interface Prices {
        @GetExchange("/prices")
        Mono<String> prices();
    }

    @Configuration(proxyBeanMethods = false)
    @ImportHttpServices(group = "inventory", types = Stock.class)
    @ImportHttpServices(group = "plain", types = Plain.class)
    @ImportHttpServices(group = "prices", types = Prices.class, clientType = HttpServiceGroup.ClientType.WEB_CLIENT)
    static class Services {
        @Bean
        RestClientHttpServiceGroupConfigurer pipelines(HoldfastServiceGroupsTest test) {
            return HoldfastServiceGroups.ofRestClient(
                    test::pipeline, options -> options.operation(request -> "blocking"));
        }

        @Bean
        WebClientHttpServiceGroupConfigurer reactivePipelines(HoldfastServiceGroupsTest test) {
            return HoldfastServiceGroups.ofWebClient(
                    test::pipeline, options -> options.operation(request -> "reactive"));
        }

        @Bean
        RestClientHttpServiceGroupConfigurer addresses(HoldfastServiceGroupsTest test) {
            return groups -> groups.forEachClient((group, client) ->
                    client.baseUrl(test.address()).requestFactory(new JdkClientHttpRequestFactory()));
        }

        @Bean
        WebClientHttpServiceGroupConfigurer reactiveAddresses(HoldfastServiceGroupsTest test) {
            return groups -> groups.forEachClient(
                    (group, client) -> client.baseUrl(test.address()).clientConnector(new JdkClientHttpConnector()));
        }
    }

    private final HttpServer server;
    private final AtomicInteger asked = new AtomicInteger();
    private final List<String> attempts = new CopyOnWriteArrayList<>();
    private final Map<String, Pipeline> pipelines = Map.of("inventory", made("inventory"), "prices", made("prices"));

    HoldfastServiceGroupsTest() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] body = exchange.getRequestURI().getPath().getBytes(UTF_8);
            exchange.sendResponseHeaders(asked.incrementAndGet() % 2 == 1 ? 500 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    private Pipeline made(String name) {
        return Pipeline.builder(name)
                .policies(RetryPolicy.of(
                        r -> r.initialBackoff(Duration.ofMillis(1)).budgetEnabled(false)))
                .observer(new CallObserver() {
                    @Override
                    public void attemptSettled(
                            String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                        attempts.add(of + " " + operation + " " + outcome);
                    }
                })
                .build();
    }

    private @Nullable Pipeline pipeline(String name) {
        return pipelines.get(name);
    }

    private String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @AfterEach
    void close() {
        server.stop(0);
        pipelines.values().forEach(Pipeline::close);
    }

    private AnnotationConfigApplicationContext context() {
        AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
        context.registerBean(HoldfastServiceGroupsTest.class, () -> this);
        context.register(Services.class);
        return context;
    }

    @Test
    void eachGroupHasThePipelineOfItsNameWithTheOptions() {
        try (AnnotationConfigApplicationContext context = context()) {
            context.refresh();
            assertThat(context.getBean(Stock.class).stock()).isEqualTo("/stock");
            assertThat(attempts).containsExactly("inventory blocking FAILURE", "inventory blocking SUCCESS");
            attempts.clear();
            assertThat(context.getBean(Prices.class).prices().block()).isEqualTo("/prices");
            assertThat(attempts).containsExactly("prices reactive FAILURE", "prices reactive SUCCESS");
        }
    }

    @Test
    void aGroupWithoutAPipelineStaysAsItIs() {
        try (AnnotationConfigApplicationContext context = context()) {
            context.refresh();
            assertThatThrownBy(() -> context.getBean(Plain.class).plain()).hasMessageContaining("500");
            assertThat(attempts).isEmpty();
            assertThat(asked).hasValue(1);
        }
    }

    @Test
    @Logs("cancelling refresh attempt.*no pipeline")
    void aNameWithoutAPipelineIsFoundWhenTheContextStarts() {
        try (AnnotationConfigApplicationContext context = context()) {
            context.registerBean(
                    "strict",
                    RestClientHttpServiceGroupConfigurer.class,
                    () -> HoldfastServiceGroups.ofRestClient(name -> {
                        throw new IllegalArgumentException("no pipeline '" + name + "'");
                    }));
            assertThatThrownBy(context::refresh).hasStackTraceContaining("no pipeline '");
        }
    }
}
