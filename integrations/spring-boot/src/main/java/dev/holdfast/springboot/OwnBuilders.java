/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spring.HoldfastFilter;
import dev.holdfast.spring.HoldfastInterceptor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

/**
 * Warns of builders of clients that have no pipeline in spite of {@code http-clients}. Most are beans of the application's own: beside such
 * a bean Spring Boot makes none, and no customizer sees it. Nor does one see that of Spring Boot if the application makes its configurer.
 * Each is looked at when it is made: none is made for this.
 */
final class OwnBuilders implements BeanPostProcessor {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());
    private static final String HTTP_CLIENTS = "http-clients";
    private static final String BOOT = "org.springframework.boot.";
    private static final String CONFIGURED =
            "expected %1$sConfigurer.configure(%2$s) with the %1$sConfigurer of Spring Boot, which is a bean";
    private static final String CONFIGURER =
            "expected the RestClientBuilderConfigurer of Spring Boot in place of one of"
                    + " the application's own, which has no customizers";
    private static final String CUSTOMIZED = "expected each of the beans WebClientCustomizer to customize it";

    private final ConfigurableListableBeanFactory beans;
    private final Environment environment;
    private final Set<String> told = ConcurrentHashMap.newKeySet();

    OwnBuilders(ConfigurableListableBeanFactory beans, Environment environment) {
        this.beans = beans;
        this.environment = environment;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        // A proxy may stand for one that is not there yet.
        String expected = AopUtils.isAopProxy(bean) ? null : expected(bean, name);
        if (expected != null && told.add(name)) {
            Method method = method(name);
            LOG.warn(
                    SpringSettings.placed(environment, HTTP_CLIENTS, "")
                            + "does nothing to clients of the bean '" + name + "'"
                            + (method == null
                                    ? ""
                                    : " of " + method.getDeclaringClass().getName() + "." + method.getName() + "()")
                            + ": as far as can be seen, they have no pipeline '"
                            + SpringSettings.text(environment, HTTP_CLIENTS) + "'; " + expected + ", see "
                            + ConfigFailureAnalyzer.PAGES + "spring-boot.md#builders-of-your-own",
                    null);
        }
        return bean;
    }

    /** How to make it; null if it has a pipeline, or is none of these. */
    private @Nullable String expected(Object bean, String name) {
        if (Blocking.IS_THERE && Blocking.isWithout(bean)) {
            return isOfBoot(name) ? CONFIGURER : CONFIGURED.formatted("RestClientBuilder", "RestClient.builder()");
        }
        if (Reactive.IS_THERE && Reactive.isWithout(bean)) {
            return CUSTOMIZED;
        }
        return isTemplatesWithout(bean) && !isOfBoot(name)
                ? CONFIGURED.formatted("RestTemplateBuilder", "new RestTemplateBuilder()")
                : null;
    }

    /** Where RestClient is there. */
    private static final class Blocking {
        static final boolean IS_THERE = isPresent("org.springframework.web.client.RestClient");

        static boolean isWithout(Object bean) {
            AtomicBoolean without = new AtomicBoolean();
            if (bean instanceof RestClient.Builder builder) {
                builder.requestInterceptors(
                        all -> without.set(all.stream().noneMatch(HoldfastInterceptor.class::isInstance)));
            }
            return without.get();
        }
    }

    /** Where WebClient is there. */
    private static final class Reactive {
        static final boolean IS_THERE = isPresent("org.springframework.web.reactive.function.client.WebClient");

        static boolean isWithout(Object bean) {
            AtomicBoolean without = new AtomicBoolean();
            if (bean instanceof WebClient.Builder builder) {
                builder.filters(all -> without.set(all.stream().noneMatch(HoldfastFilter.class::isInstance)));
            }
            return without.get();
        }
    }

    /** It shows nothing of what it has, and to build a client would run the customizers of others. Its package depends on the version. */
    private static boolean isTemplatesWithout(Object bean) {
        Class<?> type = bean.getClass();
        return type.getName().startsWith(BOOT)
                && type.getSimpleName().equals("RestTemplateBuilder")
                && Stream.of("customizers", "interceptors").allMatch(field -> hasNoneOfOurs(bean, field));
    }

    private static boolean hasNoneOfOurs(Object builder, String name) {
        try {
            Field field = ReflectionUtils.findField(builder.getClass(), name);
            if (field == null) {
                return false;
            }
            field.setAccessible(true);
            Collection<?> all = field.get(builder) instanceof Collection<?> some ? some : List.of();
            return all.stream().noneMatch(one -> one.getClass().getName().startsWith("dev.holdfast."));
        } catch (ReflectiveOperationException | RuntimeException unknown) {
            return false;
        }
    }

    private boolean isOfBoot(String name) {
        Method method = method(name);
        return method != null && method.getDeclaringClass().getName().startsWith(BOOT);
    }

    private @Nullable Method method(String name) {
        return beans.containsBeanDefinition(name)
                        && beans.getMergedBeanDefinition(name) instanceof RootBeanDefinition definition
                ? definition.getResolvedFactoryMethod()
                : null;
    }

    private static boolean isPresent(String type) {
        return ClassUtils.isPresent(type, OwnBuilders.class.getClassLoader());
    }
}
