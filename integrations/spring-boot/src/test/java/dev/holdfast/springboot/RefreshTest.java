/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logged;
import dev.holdfast.testlogs.Logs;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.context.ApplicationContext;
import org.springframework.core.env.MapPropertySource;

/** Reading again when the context says so. */
@Logs("configuration was read again: changed (stock, )?inventory")
class RefreshTest {
    private final Map<String, Object> properties = new HashMap<>(Map.of("holdfast.pipelines.inventory.deadline", "1s"));
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withInitializer(context -> context.getEnvironment()
                    .getPropertySources()
                    .addFirst(new MapPropertySource("remote", properties)));

    private void change(ApplicationContext context, String value) {
        properties.put("holdfast.pipelines.inventory.deadline", value);
        context.publishEvent(new EnvironmentChangeEvent(context, Set.of("holdfast.pipelines.inventory.deadline")));
    }

    private static String settings(ApplicationContext context) {
        return context.getBean(Pipeline.class).snapshot().policies().toString();
    }

    @Test
    void aPipelineThatSomebodyHoldsHasTheNewSettings() {
        runner.run(context -> {
            change(context, "2s");
            assertThat(settings(context)).contains("PT2S");
        });
    }

    static class Inventory {
        @Protected(value = "inventory", fallback = "none")
        public String stock() {
            throw new IllegalStateException("by intent");
        }

        String none() {
            return "none";
        }
    }

    /** Otherwise each call of the method would fail. */
    @Test
    @Logs("pipeline 'inventory': there are methods with a fallback of their own")
    void aChangeThatTakesTheFallbackOfAMethodAwayIsRefused() {
        properties.put("holdfast.pipelines.inventory.fallback.only-of-operations", "true");
        runner.withBean(Inventory.class).run(context -> {
            properties.remove("holdfast.pipelines.inventory.fallback.only-of-operations");
            change(context, "2s");
            assertThat(settings(context)).contains("PT1S");
            assertThat(context.getBean(Inventory.class).stock()).isEqualTo("none");
            properties.put("holdfast.pipelines.inventory.fallback.only-of-operations", "true");
            change(context, "3s");
            assertThat(settings(context)).contains("PT3S");
        });
    }

    static class Stock {
        @Protected("inventory")
        public String stock() {
            return "7";
        }
    }

    private void rename(ApplicationContext context) {
        properties.remove("holdfast.pipelines.inventory.deadline");
        properties.put("holdfast.pipelines.stock.deadline", "2s");
        context.publishEvent(new EnvironmentChangeEvent(context, Set.of("holdfast.pipelines.inventory.deadline")));
        assertThat(context.getBean(Holdfast.class).pipelines())
                .extracting(Pipeline::name)
                .containsExactly("inventory");
        change(context, "3s");
        assertThat(settings(context)).contains("PT3S");
    }

    /** It would go on, and a restart would fail. */
    @Test
    @Logs(
            "are refused[^$]*pipelines.inventory: pipeline 'inventory': @Protected on .*stock\\(\\) names it, and a restart"
                    + " would fail; keep it")
    void aChangeThatRenamesThePipelineOfAMethodIsRefused() {
        runner.withBean(Stock.class).run(this::rename);
    }

    @Test
    @Logs(
            "are refused[^$]*pipeline 'inventory': the group of HTTP services 'inventory' has it, and would have none after a"
                    + " restart; keep it")
    void soIsOneThatRenamesThatOfAGroup() {
        runner.run(context -> {
            ClientPipelines.find(context.getBean(Holdfast.class), context.getEnvironment(), "inventory");
            rename(context);
        });
    }

    /** It was not made before. */
    @Test
    void aFunctionThatOnlyTheChangeNamesIsFound() {
        runner.withBean("last", Function.class, () -> error -> "last").run(context -> {
            properties.put("holdfast.pipelines.inventory.fallback.function", "last");
            change(context, "2s");
            assertThat(context.getBean(Pipeline.class).<Object, RuntimeException>call(() -> {
                        throw new IllegalStateException("by intent");
                    }))
                    .isEqualTo("last");
        });
    }

    @Test
    @Logs("deadline: is 2, which has no unit")
    void aMistakeIsLoggedAndTheLastGoodSettingsStay() {
        runner.run(context -> {
            change(context, "2");
            assertThat(settings(context)).contains("PT1S");
            change(context, "3s");
            assertThat(settings(context)).contains("PT3S");
        });
    }

    private double refused(ApplicationContext context) {
        return context.getBean(MeterRegistry.class)
                .get("holdfast.configuration.refused")
                .gauge()
                .value();
    }

    private ApplicationContextRunner metered() {
        properties.put("holdfast.spring.http-clients", "inventory");
        return runner.withBean(MeterRegistry.class, SimpleMeterRegistry::new);
    }

    /** What no start would take is not applied either. */
    @Test
    @Logs({
        "(?s)are refused.*holdfast.spring.http-client: unknown option",
        "(?s)are refused.*health.down-if-open: belongs below holdfast.spring",
        "(?s)are refused.*holdfast.spring.http-clients: no pipeline 'other' in the properties; a restart would fail"
    })
    void aMistakeInWhatTheStarterIsToldIsRefusedToo() {
        metered().run(context -> {
            for (String wrong : List.of("spring.http-client", "health.down-if-open")) {
                properties.put("holdfast." + wrong, "inventory");
                change(context, "2s");
                assertThat(settings(context)).as(wrong).contains("PT1S");
                assertThat(refused(context)).as(wrong).isEqualTo(1);
                properties.remove("holdfast." + wrong);
            }
            properties.put("holdfast.spring.http-clients", "other");
            change(context, "2s");
            assertThat(settings(context)).contains("PT1S");
            assertThat(refused(context)).isEqualTo(1);
            properties.put("holdfast.spring.http-clients", "inventory");
            change(context, "3s");
            assertThat(settings(context)).contains("PT3S");
            assertThat(refused(context)).isZero();
        });
    }

    private static final String NAMED = "holdfast.spring.health.down-if-open: the ";

    /** With the breaker in shadow a restart succeeds, and without it does not. */
    @Test
    @Logs({
        NAMED
                + "circuit breaker of 'inventory' is in shadow and never opens, so this does nothing for it; take its mode:"
                + " shadow out, or the name out of down-if-open",
        "(?s)the changed properties are in use, but a restart would fail.*" + NAMED + "pipeline 'inventory' has no"
    })
    @Logs(value = "does nothing without management.health.holdfast.enabled=true", sometimes = true)
    void aBreakerThatTheHealthAsksForMayGoIntoShadow() {
        String breaker = "holdfast.pipelines.inventory.circuit-breaker.mode";
        properties.put(breaker, "active");
        properties.put("holdfast.spring.health.down-if-open", "inventory");
        properties.put("management.health.holdfast.enabled", "true");
        List<String> logged = new CopyOnWriteArrayList<>();
        Logger logger = Logger.getLogger(Holdfast.class.getName());
        logger.setFilter(entry -> !entry.getMessage().contains(NAMED) || logged.add(entry.getMessage()));
        try {
            runner.run(context -> {
                change(context, "2s");
                assertThat(logged).as("active").isEmpty();
                properties.put(breaker, "shadow");
                change(context, "3s");
                assertThat(settings(context)).contains("PT3S", "circuit-breaker-shadow");
                assertThat(logged).singleElement().asString().contains("is in shadow");
                properties.remove(breaker);
                change(context, "4s");
                assertThat(logged).hasSize(2).last().asString().contains("a restart would fail");
                properties.put(breaker, "shadow");
            });
            runner.run(restarted -> assertThat(restarted).hasNotFailed());
        } finally {
            logger.setFilter(null);
        }
    }

    /** It goes on, and a restart would not find it. */
    @Test
    @Logs(
            "(?s)are refused.*holdfast.spring.http-clients: no pipeline 'inventory' in the properties; a restart would fail")
    void aPipelineThatTheStarterNeedsCannotGo() {
        metered().run(context -> {
            properties.put("holdfast.pipelines.other.timeout", "1s");
            properties.remove("holdfast.pipelines.inventory.deadline");
            context.publishEvent(new EnvironmentChangeEvent(context, Set.of("holdfast.pipelines.inventory.deadline")));
            assertThat(refused(context)).isEqualTo(1);
        });
    }

    @Test
    void whatTheStarterIsToldHoldsAfterARestart() {
        metered().run(context -> {
            try (Logged log = new Logged(Holdfast.class.getName()).start()) {
                for (String groups : List.of("false", "false", "true")) {
                    properties.put("holdfast.spring.service-groups", groups);
                    change(context, "1s");
                }
                assertThat(log.messages())
                        .containsExactly(
                                "properties below holdfast.spring have changed, which holds only after a restart");
            }
            assertThat(refused(context)).isZero();
        });
    }

    /** Whether a pipeline suits is known when it has changed. */
    @Test
    @Logs("(?s)a restart would fail.*the pipeline 'inventory' of HTTP clients has a fallback with a value")
    void aChangeAfterWhichAPipelineDoesNotSuitIsWarnedOf() {
        metered().run(context -> {
            properties.put("holdfast.pipelines.inventory.fallback.value", "0");
            change(context, "2s");
            assertThat(settings(context)).contains("PT2S");
        });
    }

    static class Down extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Down() {
            super("the store is down");
        }
    }

    /** The event is for all listeners. */
    @ParameterizedTest
    @ValueSource(classes = {Down.class, UncheckedIOException.class, IllegalStateException.class})
    @Logs("(?s)changed properties are not read.*the store is down")
    void aSourceThatThrowsIsLoggedAndTheLastGoodSettingsStay(Class<? extends RuntimeException> type) {
        RuntimeException down = type == Down.class
                ? new Down()
                : type == UncheckedIOException.class
                        ? new UncheckedIOException(new IOException("the store is down"))
                        : new IllegalStateException("the store is down");
        AtomicReference<@Nullable RuntimeException> thrown = new AtomicReference<>();
        AtomicInteger heard = new AtomicInteger();
        runner.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(
                                new MapPropertySource("store", Map.of("holdfast.pipelines.inventory.deadline", "5s")) {
                                    @Override
                                    public @Nullable Object getProperty(String name) {
                                        RuntimeException error = thrown.get();
                                        if (error != null) {
                                            throw error;
                                        }
                                        return super.getProperty(name);
                                    }
                                }))
                .withInitializer(context ->
                        context.addApplicationListener((EnvironmentChangeEvent any) -> heard.incrementAndGet()))
                .run(context -> {
                    thrown.set(down);
                    change(context, "2s");
                    assertThat(settings(context)).contains("PT5S");
                    assertThat(heard).hasValue(1);
                    thrown.set(null);
                });
    }

    @Test
    @Logs("changed properties are not read")
    void aChangeAfterCodeHasClosedTheConfigurationIsLogged() {
        runner.run(context -> {
            context.getBean(Holdfast.class).close();
            change(context, "3s");
            assertThat(settings(context)).contains("PT1S");
        });
    }

    /** Of two spellings the lowest source's is the name; but a breaker that is open would be lost with the name. */
    @Test
    @Logs("changed my-shop, inventory")
    void aSourceWithAnotherSpellingDoesNotRenameAPipelineThatRuns() {
        runner.withInitializer(context -> properties.putAll(
                        Map.of("holdfast.pipelines.my-shop.deadline", "3s", "holdfast.pipelines.my-shop.retry", "")))
                .run(context -> {
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    Pipeline held = holdfast.pipeline("my-shop");
                    context.getEnvironment()
                            .getPropertySources()
                            .addLast(new MapPropertySource(
                                    "lower", Map.of("holdfast.pipelines.myShop.retry.max-attempts", "7")));
                    change(context, "2s");
                    assertThat(holdfast.pipeline("my-shop")).isSameAs(held);
                    assertThat(held.snapshot().policies().toString()).contains("max-attempts=7");
                });
    }
}
