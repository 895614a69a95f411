/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.config.Holdfast;
import dev.holdfast.micrometer.MicrometerObserver;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What the starter says of a bean of Holdfast that the application makes itself. */
class OwnPipelinesTest {
    private static final Logger LOGGER = Logger.getLogger(Holdfast.class.getName());

    private final List<String> logged = new CopyOnWriteArrayList<>();
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withBean(MeterRegistry.class, SimpleMeterRegistry::new);

    @BeforeEach
    void hear() {
        LOGGER.setFilter(entry -> !logged.add(entry.getMessage()));
    }

    @AfterEach
    void hearNoMore() {
        LOGGER.setFilter(null);
    }

    private static Holdfast load(Holdfast.Builder builder) {
        return builder.load(
                "code",
                new ByteArrayInputStream("pipelines: { own: { circuit-breaker: } }".getBytes(StandardCharsets.UTF_8)));
    }

    @Configuration(proxyBeanMethods = false)
    static class Uncounted {
        @Bean
        Holdfast mine() {
            return load(Holdfast.builder());
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Counted {
        @Bean
        Holdfast mine(MeterRegistry registry) {
            return load(Holdfast.builder().observer(new MicrometerObserver(registry)));
        }
    }

    @Test
    void pipelinesOfTheApplicationsOwnWithoutMetersAreWarnedOf() {
        runner.withUserConfiguration(Uncounted.class)
                .run(context -> assertThat(logged)
                        .singleElement()
                        .asString()
                        .startsWith(
                                "the application makes the bean 'mine' of Holdfast itself, and its pipelines have no"
                                        + " meters in the MeterRegistry; expected"
                                        + " Holdfast.builder().observer(new MicrometerObserver(registry))"));
    }

    @Test
    void thoseWithMetersAreNot() {
        runner.withUserConfiguration(Counted.class).run(context -> {
            assertThat(context.getBean(MeterRegistry.class)
                            .get("holdfast.circuitbreaker.state")
                            .tag("pipeline", "own")
                            .meters())
                    .isNotEmpty();
            assertThat(logged).isEmpty();
        });
    }

    /** The application wants none, or wants them elsewhere. */
    @Test
    void neitherAreThoseWhoseMetersTheRegistryDropsOrAnotherOneHas() {
        SimpleMeterRegistry dropping = new SimpleMeterRegistry();
        dropping.config().meterFilter(MeterFilter.denyNameStartsWith("holdfast"));
        runner.withUserConfiguration(Counted.class)
                .withBean("dropping", MeterRegistry.class, () -> dropping, definition -> definition.setPrimary(true))
                .run(context -> {
                    assertThat(dropping.getMeters()).isEmpty();
                    assertThat(logged).isEmpty();
                });
        runner.withBean(
                        "mine",
                        Holdfast.class,
                        () -> load(Holdfast.builder().observer(new MicrometerObserver(new SimpleMeterRegistry()))))
                .run(context -> assertThat(logged).isEmpty());
    }

    @Test
    void oneWithoutMetersBesideOneWithIsWarnedOf() {
        runner.withUserConfiguration(Counted.class)
                .withBean("other", Holdfast.class, () -> load(Holdfast.builder()))
                .run(context -> assertThat(logged)
                        .singleElement()
                        .asString()
                        .startsWith(
                                "the application makes the bean 'other' of Holdfast itself, and its pipelines have no"
                                        + " meters"));
    }

    @Test
    void propertiesThatMeanNothingBesideThemAreWarnedOf() {
        runner.withUserConfiguration(Counted.class)
                .withPropertyValues(
                        "holdfast.pipelines.own.timeout=1s",
                        "holdfast.defaults.timeout=2s",
                        "holdfast.spring.http-clients=own")
                .run(context -> assertThat(logged)
                        .singleElement()
                        .asString()
                        .startsWith(
                                "properties below holdfast.pipelines, holdfast.defaults (\"holdfast.pipelines.own.timeout\" from")
                        .contains("mean nothing: the application makes the bean 'mine' of Holdfast itself"));
    }

    /** A spy of a test is another object. */
    @Test
    void aBeanThatStandsForThatOfTheStarterIsNone() {
        runner.withBean(BeanPostProcessor.class, () -> new BeanPostProcessor() {
                    @Override
                    public Object postProcessAfterInitialization(Object bean, String name) {
                        return bean instanceof Holdfast ? load(Holdfast.builder()) : bean;
                    }
                })
                .withPropertyValues("holdfast.pipelines.own.timeout=1s")
                .run(context -> assertThat(logged).isEmpty());
    }

    /** A restart would fail. */
    @Test
    void theyKeepWhatTheStarterIsTold() {
        List<String> names = new CopyOnWriteArrayList<>(List.of("clients", "health", "other"));
        runner.withBean(
                        "mine",
                        Holdfast.class,
                        () -> Holdfast.builder()
                                .load(
                                        "code",
                                        () -> List.of(names.stream()
                                                .map(name -> new Holdfast.Property(
                                                        List.of(
                                                                "pipelines",
                                                                name,
                                                                "circuit-breaker",
                                                                "failure-rate-threshold"),
                                                        "60",
                                                        "code",
                                                        1,
                                                        1))
                                                .toList())))
                .withPropertyValues(
                        "holdfast.spring.http-clients=clients", "holdfast.spring.health.down-if-open=health")
                .run(context -> {
                    Holdfast mine = context.getBean(Holdfast.class);
                    names.remove("other");
                    mine.reload();
                    names.remove("clients");
                    assertThatThrownBy(mine::reload)
                            .hasMessage("code pipelines.clients: pipeline 'clients': holdfast.spring.http-clients names"
                                    + " it, and a restart would fail; keep it");
                    names.set(0, "clients");
                    assertThatThrownBy(mine::reload)
                            .hasMessageContaining("holdfast.spring.health.down-if-open names it");
                });
    }

    @Test
    void pipelinesOfThePropertiesHaveNoSuchWarning() {
        runner.withPropertyValues("holdfast.pipelines.inventory.extends=standard")
                .run(context -> assertThat(logged).isEmpty());
    }

    @Test
    void aChildThatUsesThePipelinesOfItsParentHasNone() {
        runner.withPropertyValues("holdfast.pipelines.inventory.extends=standard")
                .run(parent -> runner.withParent(parent)
                        .withPropertyValues("holdfast.pipelines.inventory.extends=standard")
                        .run(context -> assertThat(logged).isEmpty()));
    }
}
