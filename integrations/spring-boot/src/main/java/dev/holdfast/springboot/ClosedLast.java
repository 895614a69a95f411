/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.core.PriorityOrdered;

/**
 * Closes the pipelines when the other beans have been destroyed: an executor that ends its tasks first may still call them. The
 * container destroys first what it made last, and this is among the first that it makes.
 */
final class ClosedLast implements BeanFactoryPostProcessor, PriorityOrdered, DisposableBean {
    private final List<Holdfast> all = new CopyOnWriteArrayList<>();

    void add(Holdfast holdfast) {
        all.add(holdfast);
    }

    boolean has(Holdfast holdfast) {
        return all.contains(holdfast);
    }

    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }

    /**
     * Takes pipelines from the container, which would close them with the other beans. Here and not where they are declared: what
     * is generated ahead of time loses an empty destroy method.
     */
    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {
        for (String name : beans.getBeanDefinitionNames()) {
            if (beans.getBeanDefinition(name) instanceof AbstractBeanDefinition definition
                    && isOurs(name, definition)) {
                definition.setDestroyMethodName("");
            }
        }
    }

    static boolean isOurs(String name, BeanDefinition definition) {
        return PipelineBeans.isOne(definition)
                || (name.equals(HoldfastAutoConfiguration.HOLDFAST)
                        && HoldfastAutoConfiguration.Pipelines.class.getName().equals(definition.getFactoryBeanName()));
    }

    @Override
    public void destroy() {
        all.forEach(Holdfast::close);
    }
}
