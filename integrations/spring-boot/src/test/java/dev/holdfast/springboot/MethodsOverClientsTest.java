/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Pipeline;
import dev.holdfast.Refusal;
import dev.holdfast.config.Holdfast;
import dev.holdfast.spi.CallObserver;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.web.client.RestClient;

/** A method with a pipeline whose client has one by {@code http-clients}, as the page says. */
class MethodsOverClientsTest {
    private static final List<String> REFUSED = new CopyOnWriteArrayList<>();

    private final AtomicInteger requests = new AtomicInteger();
    private HttpServer server;

    static class Prices {
        private final RestClient client;

        Prices(RestClient.Builder builder) {
            client = builder.build();
        }

        @Protected(value = "prices", fallback = "listPrice")
        public BigDecimal price(String address) {
            return Objects.requireNonNull(client.get().uri(address).retrieve().body(BigDecimal.class), "price");
        }

        BigDecimal listPrice(String address) {
            return BigDecimal.TEN;
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import(Prices.class)
    static class Shop {
        @Bean
        CallObserver observer() {
            return new CallObserver() {
                @Override
                public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
                    REFUSED.add(pipeline.replaceAll("/.*", "") + " " + why);
                }
            };
        }
    }

    @BeforeEach
    void start() throws IOException {
        REFUSED.clear();
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.incrementAndGet();
            exchange.sendResponseHeaders(503, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private BigDecimal price(String... more) {
        SpringApplication application = new SpringApplication(Shop.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        Stream<String> properties = Stream.of(
                "--logging.level.root=OFF",
                "--spring.main.banner-mode=off",
                "--holdfast.defaults.retry.backoff.initial=1ms",
                // The first request loads a client's classes, which may take its time.
                "--holdfast.defaults.timeout=1h",
                "--holdfast.defaults.deadline=4h",
                "--holdfast.pipelines.shops.extends=standard",
                "--holdfast.pipelines.prices.fallback.only-of-operations=true",
                "--holdfast.spring.http-clients=shops");
        try (ConfigurableApplicationContext context =
                application.run(Stream.concat(properties, Stream.of(more)).toArray(String[]::new))) {
            assertThat(context.getBean(Holdfast.class).pipelines())
                    .extracting(Pipeline::name)
                    .contains("prices", "shops");
            return context.getBean(Prices.class)
                    .price("http://127.0.0.1:" + server.getAddress().getPort());
        }
    }

    @Test
    void aMethodWithAFallbackAloneSendsWhatTheClientsPipelineSends() {
        assertThat(price()).isEqualTo(BigDecimal.TEN);
        assertThat(requests).hasValue(3);
        assertThat(REFUSED).containsExactly("shops EXHAUSTED");
    }

    @Test
    void whereBothRetryTheInnerOneDoesSoInTheFirstAttemptOnly() {
        assertThat(price("--holdfast.pipelines.prices.extends=standard")).isEqualTo(BigDecimal.TEN);
        assertThat(requests).hasValue(5);
        assertThat(REFUSED).containsExactly("shops EXHAUSTED", "shops NESTED", "shops NESTED", "prices EXHAUSTED");
    }
}
