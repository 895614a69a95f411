/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import dev.holdfast.config.Holdfast.Property;
import dev.holdfast.internal.Metered;
import dev.holdfast.internal.SafeLog;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.stream.Collectors;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;

/** Beside a bean of Holdfast that the application makes itself, properties of pipelines do nothing, and no meters come by themselves. */
final class OwnPipelines implements SmartInitializingSingleton {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());
    private static final boolean HAS_METERS =
            ClassUtils.isPresent("io.micrometer.core.instrument.MeterRegistry", OwnPipelines.class.getClassLoader());

    private final ConfigurableListableBeanFactory beans;
    private final ObjectProvider<ClosedLast> ours;
    private final Environment environment;

    OwnPipelines(ConfigurableListableBeanFactory beans, ObjectProvider<ClosedLast> ours, Environment environment) {
        this.beans = beans;
        this.ours = ours;
        this.environment = environment;
    }

    /** A lazy bean is not made for this. */
    @Override
    public void afterSingletonsInstantiated() {
        for (String name : beans.getBeanNamesForType(Holdfast.class, false, false)) {
            if (beans.containsSingleton(name)
                    && beans.getBean(name) instanceof Holdfast holdfast
                    && ours.stream().noneMatch(closed -> closed.has(holdfast))
                    && !isOurs(name)) {
                warnOfProperties(name);
                SpringSettings.of(environment).keepNamed(holdfast);
                if (HAS_METERS && Meters.areMissing(holdfast, beans)) {
                    LOG.warn(
                            "the application makes the bean '" + name
                                    + "' of Holdfast itself, and its pipelines have no"
                                    + " meters in the MeterRegistry; expected"
                                    + " Holdfast.builder().observer(new MicrometerObserver(registry)), see "
                                    + ConfigFailureAnalyzer.PAGES + "spring-boot.md#a-file-that-is-watched",
                            null);
                }
            }
        }
    }

    /** Such as a spy of a test, which stands for the bean, and has its pipelines. */
    private boolean isOurs(String name) {
        return beans.containsBeanDefinition(name) && ClosedLast.isOurs(name, beans.getBeanDefinition(name));
    }

    private void warnOfProperties(String name) {
        List<Property> all = environment instanceof ConfigurableEnvironment configurable
                ? new EnvironmentProperties(configurable).all()
                : List.of();
        if (!all.isEmpty()) {
            LOG.warn(
                    "properties below "
                            + all.stream()
                                    .map(one -> "holdfast." + one.keys().get(0))
                                    .distinct()
                                    .collect(Collectors.joining(", "))
                            + " (" + place(all.get(0)) + ") mean nothing: the application makes the bean '" + name
                            + "' of Holdfast itself; expected them in what that bean reads, or no such bean",
                    null);
        }
    }

    private static String place(Property one) {
        return one.file() + (one.line() > 0 ? ":" + one.line() + ":" + one.column() : "");
    }

    /** Where Micrometer is there. */
    private static final class Meters {
        /** A policy that has numbers has meters from the beginning. */
        static boolean areMissing(Holdfast holdfast, ConfigurableListableBeanFactory beans) {
            MeterRegistry registry = beans.getBeanProvider(MeterRegistry.class).getIfUnique();
            return registry != null
                    && holdfast.pipelines().stream().noneMatch(Metered::has)
                    && holdfast.pipelines().stream()
                            .flatMap(pipeline -> pipeline.snapshot().policies().stream())
                            .anyMatch(policy -> !policy.numbers().isEmpty());
        }
    }
}
