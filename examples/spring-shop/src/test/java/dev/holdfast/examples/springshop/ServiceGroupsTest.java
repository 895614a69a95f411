/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.springshop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.config.Holdfast;
import dev.holdfast.springboot.HoldfastInterceptorCustomizer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.http.client.ClientHttpRequestFactoryBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.registry.ImportHttpServices;

/** A group of HTTP services has the pipeline of its name. */
class ServiceGroupsTest {
    private final AtomicInteger requests = new AtomicInteger();
    private final List<@Nullable String> sent = new CopyOnWriteArrayList<>();
    private HttpServer server;

    interface Stock {
        @GetExchange("/stock")
        String stock();
    }

    interface Prices {
        @GetExchange("/price")
        String price();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @ImportHttpServices(group = "inventory", types = Stock.class)
    @ImportHttpServices(group = "bare", types = Prices.class)
    static class Application {}

    @Configuration(proxyBeanMethods = false)
    static class Strangers {
        @Bean
        HoldfastInterceptorCustomizer withoutHeaders() {
            return options -> options.headers(null);
        }
    }

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            sent.add(exchange.getRequestHeaders().getFirst("Holdfast-Attempt"));
            boolean first = requests.incrementAndGet() % 2 == 1;
            byte[] body = "12".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(first ? 500 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private ConfigurableApplicationContext run(String... more) {
        return run(new SpringApplication(Application.class), more);
    }

    private ConfigurableApplicationContext run(SpringApplication application, String... more) {
        application.setWebApplicationType(WebApplicationType.NONE);
        String address = "http://127.0.0.1:" + server.getAddress().getPort();
        application.setDefaultProperties(Map.of(
                "spring.main.banner-mode", "off",
                "spring.http.serviceclient.inventory.base-url", address,
                "spring.http.serviceclient.bare.base-url", address,
                "holdfast.pipelines.inventory.extends", "standard",
                "holdfast.pipelines.inventory.retry.backoff.initial", "1ms"));
        return application.run(more);
    }

    private static long keyed(ConfigurableApplicationContext context) {
        return context.getBean(Holdfast.class).pipelines().stream()
                .filter(pipeline -> pipeline.name().startsWith("shops/"))
                .count();
    }

    @Test
    void itsRequestsAreRepeated() {
        try (ConfigurableApplicationContext context = run()) {
            assertThat(context.getBean(Stock.class).stock()).isEqualTo("12");
            assertThat(requests).hasValue(2);
        }
    }

    @Test
    void itsOptionsComeFromABean() {
        try (ConfigurableApplicationContext context = run(new SpringApplication(Application.class, Strangers.class))) {
            assertThat(context.getBean(Stock.class).stock()).isEqualTo("12");
            assertThat(sent).containsExactly(null, null);
        }
    }

    @Test
    void aGroupWithoutAPipelineIsAsItWas() {
        try (ConfigurableApplicationContext context = run()) {
            assertThatThrownBy(() -> context.getBean(Prices.class).price())
                    .isInstanceOf(HttpServerErrorException.class);
            assertThat(requests).hasValue(1);
        }
    }

    /** Of two, both would retry and count. */
    @Test
    void itsPipelineTakesThePlaceOfTheOneOfAllClients() {
        try (ConfigurableApplicationContext context =
                run("--holdfast.pipelines.shops.extends=standard", "--holdfast.spring.http-clients=shops")) {
            assertThat(context.getBean(Stock.class).stock()).isEqualTo("12");
            assertThat(requests).hasValue(2);
            assertThat(keyed(context)).isZero();
            assertThat(context.getBean(Prices.class).price()).isEqualTo("12");
            assertThat(keyed(context)).isOne();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Apache {
        @Bean
        ClientHttpRequestFactoryBuilder<?> apache() {
            return ClientHttpRequestFactoryBuilder.httpComponents();
        }
    }

    /** Apache's would answer each 503 with a request of its own. It goes on to do so in a group without a pipeline. */
    @Test
    void itsClientRepeatsNothingByItself() {
        server.removeContext("/");
        server.createContext("/", exchange -> {
            sent.add(exchange.getRequestHeaders().getFirst("Holdfast-Attempt"));
            exchange.getResponseHeaders().add("Retry-After", "0");
            exchange.sendResponseHeaders(503, -1);
            exchange.close();
        });
        SpringApplication application = new SpringApplication(Application.class, Apache.class);
        try (ConfigurableApplicationContext context = run(application)) {
            assertThatThrownBy(() -> context.getBean(Stock.class).stock())
                    .isInstanceOf(HttpServerErrorException.ServiceUnavailable.class);
            assertThat(sent).containsExactly("1", "2", "3");
            sent.clear();
            assertThatThrownBy(() -> context.getBean(Prices.class).price())
                    .isInstanceOf(HttpServerErrorException.ServiceUnavailable.class);
            assertThat(sent).containsExactly(null, null);
        }
    }

    @Test
    void aPropertySwitchesItOff() {
        try (ConfigurableApplicationContext context = run("--holdfast.spring.service-groups=false")) {
            assertThatThrownBy(() -> context.getBean(Stock.class).stock()).isInstanceOf(HttpServerErrorException.class);
        }
    }

    /** What its pipeline must not have is told at the start, though its client is made later. */
    @Test
    void alsoThatOfALazyOneIsCheckedAtTheStart() {
        assertThatThrownBy(() -> run(
                                "--spring.main.lazy-initialization=true",
                                "--holdfast.pipelines.inventory.fallback.value=none")
                        .close())
                .hasMessageContaining("the pipeline 'inventory' of HTTP clients has a fallback with a value");
    }
}
