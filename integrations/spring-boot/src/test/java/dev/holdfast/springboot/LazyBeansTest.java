/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.config.Holdfast;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;

/** Beans that the start does not make: with {@code spring.main.lazy-initialization}, those marked as lazy, prototypes. */
class LazyBeansTest {
    private static final Logger LOGGER = Logger.getLogger(Holdfast.class.getName());

    private final List<String> logged = new CopyOnWriteArrayList<>();
    private final List<String> names = new CopyOnWriteArrayList<>(List.of("shops", "other"));
    private final ApplicationContextRunner runner =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class));

    /** That of the property: it is the application's, and no context's. */
    private final ApplicationContextRunner lazy = runner.withInitializer(LazyBeansTest::makeLazy);

    private static void makeLazy(ConfigurableApplicationContext context) {
        context.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor());
    }

    @BeforeEach
    void hear() {
        LOGGER.setFilter(entry -> !logged.add(entry.getMessage()));
    }

    @AfterEach
    void hearNoMore() {
        LOGGER.setFilter(null);
    }

    /** As from a file that may change. */
    private Holdfast own() {
        return Holdfast.builder()
                .load(
                        "code",
                        () -> List.of(names.stream()
                                .map(name -> new Holdfast.Property(
                                        List.of("pipelines", name, "timeout", "limit"), "1s", "code", 1, 1))
                                .toList()));
    }

    private static void refuses(Holdfast holdfast, List<String> names, String why) {
        names.remove("shops");
        assertThatThrownBy(holdfast::reload).hasMessageContaining("pipelines.shops: pipeline 'shops': " + why);
        names.remove("other");
        names.add("shops");
        assertThatCode(holdfast::reload).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void theWarningsOfTheApplicationsOwnPipelinesComeAllTheSame(int beans) {
        ApplicationContextRunner each = lazy.withPropertyValues("holdfast.defaults.timeout=1s");
        for (int i = 0; i < beans; i++) {
            each = each.withBean("mine" + i, Holdfast.class, this::own);
        }
        each.run(context -> assertThat(logged)
                .hasSize(beans)
                .allSatisfy(text -> assertThat(text).contains("mean nothing: the application makes the bean 'mine")));
    }

    @Test
    void theApplicationsOwnPipelinesKeepWhatTheStarterIsTold() {
        lazy.withBean(Holdfast.class, this::own)
                .withPropertyValues("holdfast.spring.http-clients=shops")
                .run(context ->
                        refuses(context.getBean(Holdfast.class), names, "holdfast.spring.http-clients names it"));
    }

    @ParameterizedTest
    @CsvSource({
        "holdfast.spring.http-clients=shpos, no pipeline 'shpos'; did you mean 'shops'?",
        "holdfast.spring.health.down-if-open=shpos, no pipeline 'shpos'; did you mean 'shops'?",
        "holdfast.pipelines.gone.timeout=1s, The application makes the bean of Holdfast itself"
    })
    void mistakesBesideTheApplicationsOwnPipelinesEndTheStart(String property, String message) {
        lazy.withBean(Holdfast.class, this::own)
                .withPropertyValues(property)
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining(message));
    }

    @Test
    void theWarningOfAHealthThatNobodyAsksForComesAllTheSame() {
        lazy.withPropertyValues(
                        "holdfast.pipelines.shops.circuit-breaker.failure-rate-threshold=60",
                        "holdfast.spring.health.down-if-open=shops")
                .run(context -> assertThat(logged)
                        .singleElement()
                        .asString()
                        .contains("down-if-open: does nothing without management.health.holdfast.enabled=true"));
    }

    @Test
    void aReactiveApplicationHasNoMaxDeadlineEither() {
        new ReactiveWebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withInitializer(LazyBeansTest::makeLazy)
                .withPropertyValues("holdfast.spring.server.max-deadline=10s")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("does nothing in a reactive application"));
    }

    /** Its own word is the last. */
    @Test
    void pipelinesThatTheApplicationDeclaresAsLazyAreNotMade() {
        lazy.withBean("one", Holdfast.class, this::own, definition -> definition.setLazyInit(true))
                .withBean("two", Holdfast.class, this::own, definition -> definition.setLazyInit(true))
                .run(context ->
                        assertThat(Stream.of("one", "two")).noneMatch(context.getBeanFactory()::containsSingleton));
    }

    static class Stock {
        @Protected("shops")
        public String stock() {
            return "7";
        }
    }

    interface Named {
        @Protected("${stock.pipeline}")
        String stock();
    }

    static class Factory implements FactoryBean<Named> {
        @Override
        public Named getObject() {
            throw new IllegalStateException("made");
        }

        @Override
        public Class<?> getObjectType() {
            return Named.class;
        }
    }

    @Test
    void whatMethodsOfThemNameIsKept() {
        String why =
                "@Protected on public java.lang.String dev.holdfast.springboot.LazyBeansTest$Stock.stock() names it,"
                        + " and the bean could not be made after a restart; keep it";
        ApplicationContextRunner own = runner.withBean(Holdfast.class, this::own);
        for (ApplicationContextRunner each : List.of(
                lazy.withBean(Holdfast.class, this::own).withBean("stock", Stock.class),
                own.withBean("stock", Stock.class, Stock::new, definition -> definition.setLazyInit(true)),
                own.withBean(
                        "stock",
                        Stock.class,
                        Stock::new,
                        definition -> definition.setScope(BeanDefinition.SCOPE_PROTOTYPE)))) {
            names.clear();
            names.addAll(List.of("shops", "other"));
            each.run(context -> {
                refuses(context.getBean(Holdfast.class), names, why);
                assertThat(context.getBeanFactory().containsSingleton("stock")).isFalse();
            });
        }
    }

    @Test
    void soIsWhatTheProductOfAFactoryNames() {
        runner.withBean(Holdfast.class, this::own)
                .withBean(Factory.class)
                .withPropertyValues("stock.pipeline=shops")
                .run(context -> refuses(context.getBean(Holdfast.class), names, "@Protected on "));
    }

    /** As always, they are told when the bean is made. */
    @Test
    void mistakesOfThemDoNotEndTheStart() {
        names.remove("shops");
        runner.withBean(Holdfast.class, this::own)
                .withBean(Factory.class) // whose placeholder stands for nothing
                .withBean("stock", Stock.class, Stock::new, definition -> definition.setLazyInit(true))
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThatThrownBy(() -> context.getBean(Stock.class)).hasMessageContaining("no pipeline 'shops'");
                });
    }

    interface Api {}

    /** By the name that Spring gives the client of a group. */
    private ApplicationContextRunner withGroup(String group) {
        return runner.withBean(Holdfast.class, this::own)
                .withBean(
                        group + "#" + Api.class.getName(),
                        Api.class,
                        () -> new Api() {},
                        definition -> definition.setLazyInit(true));
    }

    @Test
    void thePipelineOfAGroupIsKept() {
        withGroup("Shops")
                .withPropertyValues("holdfast.spring.service-groups=true")
                .run(context -> refuses(
                        context.getBean(Holdfast.class),
                        names,
                        "the group of HTTP services 'Shops' has it, and would have none after a restart; keep it"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"holdfast.spring.service-groups=false", "no.property=at-all"})
    void groupsThatGetNoneOfThemKeepNone(String property) {
        withGroup("shops").withPropertyValues(property).run(context -> {
            Holdfast holdfast = context.getBean(Holdfast.class);
            names.remove("shops");
            assertThatCode(holdfast::reload).doesNotThrowAnyException();
        });
    }

    @Test
    void aTextAsAnAnswerOfAGroupEndsTheStart() {
        runner.withPropertyValues("holdfast.pipelines.shops.fallback.value=none")
                .withBean(
                        "shops#" + Api.class.getName(),
                        Api.class,
                        () -> new Api() {},
                        definition -> definition.setLazyInit(true))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("the pipeline 'shops' of HTTP clients has a fallback with a value"));
    }
}
