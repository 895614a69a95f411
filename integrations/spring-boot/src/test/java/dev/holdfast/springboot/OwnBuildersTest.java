/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Holdfast;
import dev.holdfast.http.Pipelines;
import dev.holdfast.spring.HoldfastFilter;
import dev.holdfast.spring.HoldfastInterceptor;
import java.lang.reflect.Array;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.BeanUtils;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Scope;
import org.springframework.util.ClassUtils;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

/** What the starter says of builders of clients that are beans of the application's own. */
class OwnBuildersTest {
    private static final Logger LOGGER = Logger.getLogger(Holdfast.class.getName());
    private static final String BOOT = "org.springframework.boot.";
    private static final Class<?> TEMPLATES = type("restclient.RestTemplateBuilder", "web.client.RestTemplateBuilder");
    private static final Class<?> CUSTOMIZER =
            type("restclient.RestTemplateCustomizer", "web.client.RestTemplateCustomizer");
    private static final Class<?> TEMPLATE_CONFIGURER = type(
            "restclient.autoconfigure.RestTemplateBuilderConfigurer",
            "autoconfigure.web.client.RestTemplateBuilderConfigurer");
    private static final Class<?> CLIENT_CONFIGURER = type(
            "restclient.autoconfigure.RestClientBuilderConfigurer",
            "autoconfigure.web.client.RestClientBuilderConfigurer");

    private final List<String> logged = new CopyOnWriteArrayList<>();
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withUserConfiguration(Shop.class)
            .withPropertyValues("holdfast.pipelines.shops.timeout=1s", "holdfast.spring.http-clients=shops");

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Shop {}

    @Configuration(proxyBeanMethods = false)
    static class Blocking {
        @Bean
        RestClient.Builder mine() {
            return RestClient.builder();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Reactive {
        @Bean
        WebClient.Builder mine() {
            return WebClient.builder();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Prototype {
        @Bean
        @Scope("prototype")
        RestClient.Builder mine() {
            return RestClient.builder();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Protected {
        @Bean
        RestClient.Builder blocking(Holdfast holdfast) {
            return RestClient.builder()
                    .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(holdfast.pipeline("shops"))));
        }

        @Bean
        WebClient.Builder reactive(Holdfast holdfast) {
            return WebClient.builder().filter(HoldfastFilter.of(Pipelines.one(holdfast.pipeline("shops"))));
        }

        @Bean
        Object templates(Holdfast holdfast) {
            return plainTemplatesWith(HoldfastInterceptor.of(Pipelines.one(holdfast.pipeline("shops"))));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Templates {
        @Bean
        Object mine() {
            return plainTemplates();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Configured {
        @Bean
        RestClient.Builder blocking(BeanFactory beans) {
            RestClient.Builder plain = RestClient.builder();
            configured(beans, CLIENT_CONFIGURER, RestClient.Builder.class, plain);
            return plain;
        }

        @Bean
        Object templates(BeanFactory beans) {
            return configured(beans, TEMPLATE_CONFIGURER, TEMPLATES, plainTemplates());
        }
    }

    @BeforeEach
    void hear() {
        LOGGER.setFilter(entry -> !logged.add(entry.getMessage()));
    }

    @AfterEach
    void hearNoMore() {
        LOGGER.setFilter(null);
    }

    /** Some have another package in each version of Spring Boot. */
    private static Class<?> type(String of4, String of3) {
        ClassLoader loader = OwnBuildersTest.class.getClassLoader();
        return ClassUtils.resolveClassName(BOOT + (ClassUtils.isPresent(BOOT + of4, loader) ? of4 : of3), loader);
    }

    @ParameterizedTest
    @CsvSource({
        "Blocking, RestClientBuilderConfigurer.configure(RestClient.builder())",
        "Reactive, each of the beans WebClientCustomizer to customize it"
    })
    void oneWithoutAPipelineIsWarnedOf(String configuration, String expected) {
        Class<?> type = Stream.of(Blocking.class, Reactive.class)
                .filter(one -> one.getSimpleName().equals(configuration))
                .findFirst()
                .orElseThrow();
        runner.withUserConfiguration(type)
                .run(context -> assertThat(logged)
                        .singleElement()
                        .asString()
                        .contains(
                                "holdfast.spring.http-clients: does nothing to clients of the bean 'mine' of "
                                        + type.getName() + ".mine(): as far as can be seen, they have no pipeline"
                                        + " 'shops'; expected",
                                expected));
    }

    /** As one of those that a client is made of. */
    @Test
    void aPrototypeIsWarnedOfOnceWhenItIsMade() {
        runner.withUserConfiguration(Prototype.class).run(context -> {
            assertThat(logged).isEmpty();
            context.getBean(RestClient.Builder.class);
            context.getBean(RestClient.Builder.class);
            assertThat(logged).singleElement().asString().contains("the bean 'mine'");
        });
    }

    private static Object plainTemplates() {
        try {
            return TEMPLATES.getConstructor(CUSTOMIZER.arrayType()).newInstance(Array.newInstance(CUSTOMIZER, 0));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no such constructor", e);
        }
    }

    private static Object plainTemplatesWith(HoldfastInterceptor one) {
        try {
            Object made = TEMPLATES
                    .getMethod("additionalInterceptors", Collection.class)
                    .invoke(plainTemplates(), List.of(one));
            return Objects.requireNonNull(made, "made");
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no such method", e);
        }
    }

    /** By what Spring Boot has for it. */
    private static Object configured(BeanFactory beans, Class<?> configurer, Class<?> type, Object builder) {
        try {
            Object made = configurer.getMethod("configure", type).invoke(beans.getBean(configurer), builder);
            return Objects.requireNonNull(made, "made");
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no such method", e);
        }
    }

    @Test
    void soIsOneOfRestTemplates() {
        runner.withUserConfiguration(Templates.class)
                .run(context -> assertThat(logged)
                        .singleElement()
                        .asString()
                        .contains(
                                Templates.class.getName()
                                        + ".mine(): as far as can be seen, they have no pipeline 'shops'",
                                "RestTemplateBuilderConfigurer.configure(new RestTemplateBuilder())"));
    }

    @Test
    void thoseThatSpringBootsConfigurersHaveSeenAreNot() {
        runner.withUserConfiguration(Configured.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(logged).isEmpty();
        });
    }

    /** It has no customizers, and Spring Boot makes none beside it. */
    @Test
    void oneThatAConfigurerOfTheApplicationsOwnHasSeenIs() {
        withPlain(CLIENT_CONFIGURER).run(context -> {
            context.getBean(RestClient.Builder.class);
            assertThat(logged)
                    .singleElement()
                    .asString()
                    .contains(
                            "holdfast.spring.http-clients: does nothing to clients of the bean 'restClientBuilder' of ",
                            "; expected the RestClientBuilderConfigurer of Spring Boot in place of one of the"
                                    + " application's own, which has no customizers, see");
        });
    }

    private <C> ApplicationContextRunner withPlain(Class<C> configurer) {
        return runner.withBean("own", configurer, () -> BeanUtils.instantiateClass(configurer));
    }

    @Test
    void oneWithAnInterceptorOfItsOwnIsNot() {
        runner.withUserConfiguration(Protected.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(logged).isEmpty();
        });
    }

    @Test
    void thoseOfSpringBootAreNot() {
        runner.run(context -> {
            context.getBean(RestClient.Builder.class);
            context.getBean(WebClient.Builder.class);
            context.getBean(TEMPLATES);
            assertThat(logged).isEmpty();
        });
    }

    @Test
    void withoutThePropertyNoneIs() {
        new ApplicationContextRunner()
                .withUserConfiguration(Shop.class, Blocking.class)
                .withPropertyValues("holdfast.pipelines.shops.timeout=1s")
                .run(context -> assertThat(logged).isEmpty());
    }
}
