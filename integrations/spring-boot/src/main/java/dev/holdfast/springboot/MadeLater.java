/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/**
 * Looks at beans that the start does not make, such as lazy ones and prototypes: their names and types say which pipelines they will
 * have. None is made for this.
 */
final class MadeLater implements SmartInitializingSingleton {
    private final ConfigurableListableBeanFactory beans;
    private final ObjectProvider<Holdfast> holdfast;
    private final Look look;

    MadeLater(ConfigurableListableBeanFactory beans, ObjectProvider<Holdfast> holdfast, Look look) {
        this.beans = beans;
        this.holdfast = holdfast;
        this.look = look;
    }

    /** Is called for each. */
    interface Look {
        void at(Holdfast holdfast, String name, Class<?> type);
    }

    @Override
    public void afterSingletonsInstantiated() {
        holdfast.ifUnique(this::lookAtEach);
    }

    private void lookAtEach(Holdfast pipelines) {
        for (String name : beans.getBeanDefinitionNames()) {
            Class<?> type = isMade(name) ? null : type(name);
            if (type != null) {
                look.at(pipelines, name, type);
            }
        }
    }

    /** A factory that is made says nothing of its product. */
    private boolean isMade(String name) {
        return beans.containsSingleton(name) && !beans.isFactoryBean(name);
    }

    /** Null if it cannot be seen without making something, or needs a class that is not there. */
    private @Nullable Class<?> type(String name) {
        try {
            return beans.getType(name, false);
        } catch (BeansException | LinkageError unknown) {
            return null;
        }
    }
}
