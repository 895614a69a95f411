/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.aot.test.generate.TestGenerationContext;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.test.util.TestPropertyValues;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.test.tools.CompileWithForkedClassLoader;
import org.springframework.core.test.tools.TestCompiler;

/** An application whose beans are defined by code that its build generates, as with {@code process-aot}. */
@CompileWithForkedClassLoader
class AheadOfTimeTest {
    private static final TestPropertyValues PROPERTIES = TestPropertyValues.of(
            "holdfast.pipelines.inventory.fallback.only-of-operations=true",
            "holdfast.pipelines.inventory.timeout=1m",
            "holdfast.pipelines.prices.timeout=2m",
            "holdfast.spring.http-clients=prices");
    private static final List<String> AT_THE_END = new ArrayList<>();

    @BeforeEach
    void forget() {
        AT_THE_END.clear();
    }

    static class Inventory {
        @Protected(value = "inventory", fallback = "none")
        public String stock() {
            throw new IllegalStateException("the stock service is down");
        }

        String none(IllegalStateException error) {
            return "none, since " + error.getMessage();
        }
    }

    /** It is made before all that it calls. */
    record Early(ObjectProvider<Inventory> inventory) implements DisposableBean {
        @Override
        public void destroy() {
            AT_THE_END.add(inventory.getObject().stock());
        }
    }

    record Prices(Pipeline pipeline) {}

    @Configuration(proxyBeanMethods = false)
    static class Shop {
        @Bean
        Early early(ObjectProvider<Inventory> inventory) {
            return new Early(inventory);
        }

        @Bean
        Inventory stock() {
            return new Inventory();
        }

        @Bean
        Prices ofPrices(@Qualifier("prices") Pipeline pipeline) {
            return new Prices(pipeline);
        }
    }

    private static void generated(Class<?> application, Consumer<GenericApplicationContext> started) {
        TestGenerationContext generated = new TestGenerationContext();
        try (AnnotationConfigApplicationContext atBuild = new AnnotationConfigApplicationContext()) {
            PROPERTIES.applyTo(atBuild);
            atBuild.register(application, HoldfastAutoConfiguration.class);
            new ApplicationContextAotGenerator().processAheadOfTime(atBuild, generated);
        }
        generated.writeGeneratedContent();
        TestCompiler.forSystem().with(generated).compile(compiled -> {
            try (GenericApplicationContext context = new GenericApplicationContext()) {
                PROPERTIES.applyTo(context);
                initializer(compiled.getInstance(ApplicationContextInitializer.class))
                        .initialize(context);
                context.refresh();
                started.accept(context);
            }
        });
    }

    @SuppressWarnings("unchecked") // it is for any context
    private static ApplicationContextInitializer<ConfigurableApplicationContext> initializer(Object of) {
        return (ApplicationContextInitializer<ConfigurableApplicationContext>) of;
    }

    @Test
    void pipelinesAreBeansAndMethodsAreProtected() {
        generated(Shop.class, context -> {
            assertThat(context.getBean(Prices.class).pipeline())
                    .isSameAs(context.getBean(Holdfast.class).pipeline("prices"));
            assertThat(context.getBean(Inventory.class).stock()).isEqualTo("none, since the stock service is down");
        });
    }

    @Test
    void pipelinesAreClosedAfterTheOtherBeans() {
        List<Pipeline> pipelines = new ArrayList<>();
        generated(
                Shop.class,
                context -> pipelines.addAll(context.getBean(Holdfast.class).pipelines()));
        assertThat(AT_THE_END).containsExactly("none, since the stock service is down");
        assertThat(pipelines)
                .hasSize(2)
                .allSatisfy(pipeline ->
                        assertThatThrownBy(() -> pipeline.run(() -> {})).hasMessageContaining("closed"));
    }
}
