/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spring.HoldfastFilter;
import dev.holdfast.spring.HoldfastInterceptor;
import dev.holdfast.testlogs.Logged;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.http.client.ClientHttpRequestFactoryBuilder;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.util.ClassUtils;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientResponseException;

/** The clients that Spring Boot makes, with a pipeline by one property. */
class ClientsTest {
    private static final String OF_BOOT_3 = "org.springframework.boot.test.web.client.TestRestTemplate";
    private static final String OF_BOOT_4 = "org.springframework.boot.resttestclient.TestRestTemplate";

    private static final List<String> OPERATIONS = new CopyOnWriteArrayList<>();

    private final List<String> requests = new CopyOnWriteArrayList<>();
    private HttpServer server;
    private ConfigurableApplicationContext context;

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Shop {}

    /** Of services that belong to others. */
    @Configuration(proxyBeanMethods = false)
    static class Strangers {
        @Bean
        @Order(2)
        HoldfastInterceptorCustomizer byRoute() {
            return options -> options.operation(request -> request.getURI().getPath());
        }

        @Bean
        @Order(1)
        HoldfastInterceptorCustomizer withoutHeaders() {
            return options -> options.headers(null).operation(request -> "overridden");
        }

        @Bean
        HoldfastFilterCustomizer ofWebClient() {
            return options ->
                    options.headers(null).operation(request -> request.url().getPath());
        }

        @Bean
        CallObserver observed() {
            return new CallObserver() {
                @Override
                public void attemptSettled(
                        String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    OPERATIONS.add(String.valueOf(operation));
                }
            };
        }
    }

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.add(exchange.getRequestHeaders().getFirst("Holdfast-Attempt"));
            exchange.sendResponseHeaders(requests.size() % 2 == 1 ? 500 : 204, -1);
            exchange.close();
        });
        server.start();
        context = run(Shop.class);
    }

    private static ConfigurableApplicationContext run(Class<?>... sources) {
        SpringApplication application = new SpringApplication(sources);
        application.setWebApplicationType(WebApplicationType.NONE);
        return application.run(
                "--logging.level.root=OFF",
                "--spring.main.banner-mode=off",
                "--holdfast.pipelines.shops.extends=standard",
                "--holdfast.pipelines.shops.retry.backoff.initial=1ms",
                // The first request loads a client's classes, which may take its time.
                "--holdfast.pipelines.shops.timeout=1h",
                "--holdfast.pipelines.shops.deadline=4h",
                "--holdfast.pipelines.shops.stale-cache.fresh=1h",
                "--holdfast.spring.http-clients=shops");
    }

    @AfterEach
    void stop() {
        context.close();
        server.stop(0);
    }

    private String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private List<String> pipelines() {
        return context.getBean(Holdfast.class).pipelines().stream()
                .map(Pipeline::name)
                .toList();
    }

    @Test
    void aRestClientHasAPipelineForEachHost() {
        RestClient client = context.getBean(RestClient.Builder.class).build();
        client.get().uri(address() + "/stock").retrieve().toBodilessEntity();
        assertThat(requests).containsExactly("1", "2");
        assertThat(pipelines()).containsExactly("shops", "shops/" + address());
    }

    @Test
    void aClientGetsNothingThatWasKeptForThatOfAnotherBuilder() {
        RestClient ann = context.getBean(RestClient.Builder.class)
                .defaultHeader("X-Tenant", "ann")
                .build();
        RestClient bob = context.getBean(RestClient.Builder.class)
                .defaultHeader("X-Tenant", "bob")
                .build();
        ann.get().uri(address() + "/stock").retrieve().toBodilessEntity();
        ann.get().uri(address() + "/stock").retrieve().toBodilessEntity();
        assertThat(requests).containsExactly("1", "2");

        bob.get().uri(address() + "/stock").retrieve().toBodilessEntity();

        assertThat(requests).containsExactly("1", "2", "1", "2");
    }

    /** As http.md says: Spring copies the interceptor, and shows nothing by which they differ. */
    @Test
    void clientsOfOneBuilderAreOneToTheCache() {
        RestClient.Builder builder = context.getBean(RestClient.Builder.class);
        RestClient plain = builder.build();
        RestClient cloned = builder.clone().defaultHeader("X-Tenant", "ann").build();
        RestClient mutated = plain.mutate().defaultHeader("X-Tenant", "bob").build();
        for (RestClient client : List.of(plain, cloned, mutated)) {
            client.get().uri(address() + "/stock").retrieve().toBodilessEntity();
        }
        assertThat(requests).containsExactly("1", "2");
    }

    /** The way that the pages name. */
    @Test
    void whatVariesWithADefaultHeaderIsKeptForEach() {
        server.removeContext("/");
        server.createContext("/", exchange -> {
            requests.add(exchange.getRequestHeaders().getFirst("X-Tenant"));
            exchange.getResponseHeaders().add("Vary", "X-Tenant");
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        RestClient blocking = context.getBean(RestClient.Builder.class).build();
        WebClient reactive = context.getBean(WebClient.Builder.class).build();
        for (int i = 0; i < 3; i++) {
            for (String tenant : List.of("ann", "bob")) {
                blocking.mutate()
                        .defaultHeader("X-Tenant", tenant)
                        .build()
                        .get()
                        .uri(address() + "/stock")
                        .retrieve()
                        .toBodilessEntity();
                reactive.mutate()
                        .defaultHeader("X-Tenant", tenant)
                        .build()
                        .get()
                        .uri(address() + "/stock")
                        .retrieve()
                        .toBodilessEntity()
                        .block(Duration.ofMinutes(1));
            }
        }
        // The first answer tells each client what it varies with, and is not kept.
        assertThat(requests).containsExactly("ann", "ann", "bob", "bob", "ann", "ann");
    }

    @Test
    void optionsOfTheClientsComeFromBeans() throws ReflectiveOperationException {
        OPERATIONS.clear();
        try (ConfigurableApplicationContext strangers = run(Shop.class, Strangers.class)) {
            strangers
                    .getBean(RestClient.Builder.class)
                    .build()
                    .get()
                    .uri(address() + "/rest")
                    .retrieve()
                    .toBodilessEntity();
            restTemplate(strangers).getForObject(address() + "/template", String.class);
            strangers
                    .getBean(WebClient.Builder.class)
                    .build()
                    .get()
                    .uri(address() + "/web")
                    .retrieve()
                    .toBodilessEntity()
                    .block(Duration.ofMinutes(1));
        }
        assertThat(requests).containsExactly(null, null, null, null, null, null);
        assertThat(OPERATIONS).containsExactly("/rest", "/rest", "/template", "/template", "/web", "/web");
    }

    @Test
    void soHasARestTemplate() throws ReflectiveOperationException {
        restTemplate(context).getForObject(address() + "/stock", String.class);
        assertThat(requests).containsExactly("1", "2");
    }

    /** Such as the builder of a RestClient that is made of a RestTemplate. Two pipelines would multiply their retries. */
    @Test
    void aClientThatComesByTwiceHasOnePipeline() throws ReflectiveOperationException {
        RestClient.Builder rest = RestClient.builder(restTemplate(context));
        customize("holdfastRestClientCustomizer", RestClient.Builder.class, rest);
        RestTemplate template = restTemplate(context);
        customize("holdfastRestTemplateCustomizer", RestTemplate.class, template);
        WebClient.Builder web = context.getBean(WebClient.Builder.class);
        customize("holdfastWebClientCustomizer", WebClient.Builder.class, web);

        rest.requestInterceptors(all -> assertThat(all).singleElement().isInstanceOf(HoldfastInterceptor.class));
        assertThat(template.getInterceptors()).singleElement().isInstanceOf(HoldfastInterceptor.class);
        web.filters(all ->
                assertThat(all).filteredOn(HoldfastFilter.class::isInstance).hasSize(1));
    }

    /** The interface of the bean, too, has another package. */
    private <T> void customize(String bean, Class<T> kind, T client) throws ReflectiveOperationException {
        Object customizer = context.getBean(bean);
        Method customize = customizer.getClass().getDeclaredMethod("customize", kind);
        customize.setAccessible(true);
        customize.invoke(customizer, client);
    }

    /** Its builder has another package in each version. */
    private static RestTemplate restTemplate(ConfigurableApplicationContext of) throws ReflectiveOperationException {
        Object builder = of.getBean("restTemplateBuilder");
        return (RestTemplate)
                Objects.requireNonNull(builder.getClass().getMethod("build").invoke(builder), "made");
    }

    /** It must see what the server answers. */
    @Test
    void theClientOfATestHasNone() throws ReflectiveOperationException {
        answerUnavailable();
        // It has another package in each version, too.
        Object builder = context.getBean("restTemplateBuilder");
        Class<?> type = ClassUtils.resolveClassName(
                ClassUtils.isPresent(OF_BOOT_3, null) ? OF_BOOT_3 : OF_BOOT_4, ClientsTest.class.getClassLoader());
        Object plain = type.getConstructor(builder.getClass()).newInstance(builder);
        Object ann = Objects.requireNonNull(
                type.getMethod("withBasicAuth", String.class, String.class).invoke(plain, "ann", "secret"), "made");
        for (Object client : List.of(plain, ann)) {
            Object answer = type.getMethod("getForEntity", String.class, Class.class, Object[].class)
                    .invoke(client, address() + "/stock", String.class, new Object[0]);
            assertThat(answer).asString().contains("503");
        }
        assertThat(requests).containsExactly(null, null);
        assertThat(pipelines()).containsExactly("shops");
    }

    @Test
    void onlyAGroupWithNoPipelineAtAllIsSpokenOf() {
        Holdfast holdfast = context.getBean(Holdfast.class);
        try (Logged log = new Logged(Holdfast.class.getName()).start()) {
            assertThat(ClientPipelines.find(holdfast, context.getEnvironment(), "plain"))
                    .isNull();
            assertThat(log.messages()).isEmpty();

            assertThat(ClientPipelines.find(holdfast, new StandardEnvironment(), "plain"))
                    .isNull();
            assertThat(log.messages()).hasSize(1).first().asString().contains("'plain' has no pipeline");
        }
    }

    /** To Spring they are one name. */
    @ParameterizedTest
    @CsvSource({"my-inv, myInv", "myInv, my-inv", "my_inv, MYINV", "prices/eu, ", "inv, "})
    void aGroupHasThePipelineOfItsNameHoweverItIsSpelt(String group, @Nullable String pipeline) {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues(
                        "holdfast.pipelines." + Objects.requireNonNullElse(pipeline, "prices-eu") + ".timeout=1s",
                        "holdfast.spring.http-clients=" + Objects.requireNonNullElse(pipeline, "prices-eu"))
                .run(started -> {
                    Pipeline found =
                            ClientPipelines.find(started.getBean(Holdfast.class), started.getEnvironment(), group);
                    assertThat(found == null ? null : found.name()).isEqualTo(pipeline);
                });
    }

    /** With brackets two are meant. */
    @Test
    void ofTwoThatAreSpeltAlikeAGroupHasThatOfItsVeryName() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues(
                        "holdfast.pipelines.[my-inv].timeout=1s",
                        "holdfast.pipelines.[myInv].timeout=1s",
                        "holdfast.spring.http-clients=my-inv")
                .run(started -> {
                    Holdfast holdfast = started.getBean(Holdfast.class);
                    assertThat(ClientPipelines.find(holdfast, started.getEnvironment(), "myInv"))
                            .isSameAs(holdfast.pipeline("myInv"));
                    assertThat(ClientPipelines.find(holdfast, started.getEnvironment(), "my_inv"))
                            .isNull();
                });
    }

    @Test
    void soHasAWebClient() {
        WebClient client = context.getBean(WebClient.Builder.class).build();
        client.get().uri(address() + "/stock").retrieve().toBodilessEntity().block(Duration.ofMinutes(1));
        assertThat(requests).containsExactly("1", "2");
        assertThat(pipelines()).containsExactly("shops", "shops/" + address());
    }

    private void answerUnavailable() {
        server.removeContext("/");
        server.createContext("/", exchange -> {
            requests.add(exchange.getRequestHeaders().getFirst("Holdfast-Attempt"));
            exchange.getResponseHeaders().add("Retry-After", "0");
            exchange.sendResponseHeaders(503, -1);
            exchange.close();
        });
    }

    /** Apache's client would answer a 503 with a request of its own, and both repeat what meets a stale connection. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theClientBelowRepeatsNothingByItself(boolean ofApache) {
        answerUnavailable();
        ClientHttpRequestFactoryBuilder<?> builder =
                ofApache ? ClientHttpRequestFactoryBuilder.httpComponents() : ClientHttpRequestFactoryBuilder.reactor();
        RestClient client = context.getBean(RestClient.Builder.class)
                .requestFactory(asBean(builder).build())
                .build();

        assertThatThrownBy(
                        () -> client.get().uri(address() + "/stock").retrieve().toBodilessEntity())
                .isInstanceOf(HttpServerErrorException.ServiceUnavailable.class);

        assertThat(requests).containsExactly("1", "2", "3");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void neitherDoesAReactiveOne(boolean ofApache) {
        answerUnavailable();
        ClientHttpConnectorBuilder<?> builder =
                ofApache ? ClientHttpConnectorBuilder.httpComponents() : ClientHttpConnectorBuilder.reactor();
        WebClient client = context.getBean(WebClient.Builder.class)
                .clientConnector(asBean(builder).build())
                .build();

        assertThatThrownBy(() -> client.get()
                        .uri(address() + "/stock")
                        .retrieve()
                        .toBodilessEntity()
                        .block(Duration.ofMinutes(1)))
                .isInstanceOf(WebClientResponseException.ServiceUnavailable.class);

        assertThat(requests).containsExactly("1", "2", "3");
    }

    /** There Spring Boot has none of its own for a blocking client, and would take what is on the class path: Apache's. */
    @Test
    void neitherDoesABlockingOneInAReactiveApplication() {
        answerUnavailable();
        new ReactiveWebApplicationContextRunner()
                .withUserConfiguration(Shop.class)
                .withPropertyValues(
                        "holdfast.pipelines.shops.extends=standard",
                        "holdfast.pipelines.shops.retry.backoff.initial=1ms",
                        "holdfast.spring.http-clients=shops")
                .run(reactive -> {
                    RestClient client = context.getBean(RestClient.Builder.class)
                            .requestFactory(reactive.getBean(ClientHttpRequestFactoryBuilder.class)
                                    .build())
                            .build();
                    assertThatThrownBy(() -> client.get()
                                    .uri(address() + "/stock")
                                    .retrieve()
                                    .toBodilessEntity())
                            .isInstanceOf(HttpServerErrorException.ServiceUnavailable.class);
                });

        assertThat(requests).containsExactly("1", "2", "3");
    }

    private static final String NEVER_A_RESPONSE = " has a fallback with a value, which is a text and never a response;"
            + " expected the fallback on a method with @Protected, or fallback: { function: ... } with a function that makes"
            + " a response";

    /** Each call would end with a ClassCastException. */
    @ParameterizedTest
    @ValueSource(strings = {"pipelines.shops", "templates.calm"})
    void aTextAsAnAnswerOfClientsEndsTheStart(String at) {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues(
                        "holdfast.pipelines.shops.timeout=1s",
                        "holdfast.templates.calm.timeout=1s",
                        "holdfast.pipelines.shops.extends=calm",
                        "holdfast." + at + ".fallback.value=0",
                        "holdfast.spring.http-clients=shops")
                .run(started -> assertThat(started.getStartupFailure())
                        .hasStackTraceContaining("holdfast.spring.http-clients: the pipeline 'shops' of HTTP clients"
                                + NEVER_A_RESPONSE));
    }

    @Test
    void aFallbackThatMayBeAResponseStarts() {
        ApplicationContextRunner runner = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.spring.http-clients=shops");
        runner.withPropertyValues("holdfast.pipelines.shops.fallback.only-of-operations=true")
                .run(started -> assertThat(started).hasNotFailed());
        runner.withPropertyValues("holdfast.pipelines.shops.fallback.function=answer")
                .withBean("answer", Function.class, () -> error -> "unknown")
                .run(started -> assertThat(started).hasNotFailed());
    }

    @Test
    void aTextAsAnAnswerOfAGroupIsRefused() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.pipelines.prices.fallback.value=0")
                .run(started -> assertThatThrownBy(() -> ClientPipelines.find(
                                started.getBean(Holdfast.class), started.getEnvironment(), "prices"))
                        .isInstanceOf(WrongSettingException.class)
                        .hasMessageContaining("prices")
                        .hasMessageEndingWith(": the pipeline 'prices' of HTTP clients" + NEVER_A_RESPONSE));
    }

    /** It would do nothing. */
    @Test
    void aReactiveApplicationHasNoMaxDeadline() {
        new ReactiveWebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.pipelines.shops.extends=standard")
                .run(reactive -> assertThat(reactive).hasNotFailed());
        new ReactiveWebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues(
                        "holdfast.pipelines.shops.extends=standard", "holdfast.spring.server.max-deadline=10s")
                .run(reactive -> assertThat(reactive.getStartupFailure())
                        .hasStackTraceContaining("holdfast.spring.server.max-deadline: does nothing"));
    }

    /** As the one that Spring Boot makes. */
    @SuppressWarnings("unchecked")
    private <B> B asBean(B builder) {
        return (B) context.getAutowireCapableBeanFactory().initializeBean(builder, "builder");
    }
}
