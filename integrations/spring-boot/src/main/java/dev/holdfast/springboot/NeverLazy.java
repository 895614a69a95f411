/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import java.util.List;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.boot.LazyInitializationExcludeFilter;

/**
 * What checks at the start does so with {@code spring.main.lazy-initialization}, too. A bean that the application itself declares as lazy
 * stays lazy.
 */
final class NeverLazy implements LazyInitializationExcludeFilter {
    private static final List<Class<?>> CHECKED =
            List.of(Holdfast.class, SpringSettings.class, HoldfastAutoConfiguration.ReactiveServer.class);

    @Override
    public boolean isExcluded(String name, BeanDefinition definition, Class<?> type) {
        return PipelineBeans.isOne(definition) || CHECKED.stream().anyMatch(checked -> checked.isAssignableFrom(type));
    }
}
