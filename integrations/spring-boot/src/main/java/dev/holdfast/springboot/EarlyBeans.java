/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.lang.reflect.Method;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AbstractBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.core.Ordered;

/**
 * Refuses a bean with {@link Protected} that is made before {@link ProtectedBeans} is there, because another post-processor needs it:
 * its methods would run unprotected. Objects that nobody makes in the container, such as mocks of a test, are left alone.
 */
final class EarlyBeans implements BeanDefinitionRegistryPostProcessor, Ordered {
    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }

    @Override
    public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
        if (registry instanceof AbstractBeanFactory beans) {
            beans.addBeanPostProcessor(new Refusal(beans));
        }
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {
        // The earlier moment counts.
    }

    private static final class Refusal implements BeanPostProcessor {
        private final AbstractBeanFactory beans;
        private volatile boolean isOver;

        Refusal(AbstractBeanFactory beans) {
            this.beans = beans;
        }

        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            if (!isOver) {
                isOver = beans.getBeanPostProcessors().stream().anyMatch(ProtectedBeans.class::isInstance);
                Method method = isOver ? null : ProtectedBeans.anyProtected(bean);
                if (method != null) {
                    throw new BeanCreationException(
                            name,
                            "@Protected on " + method + ": the bean is made so early that it can have no proxy, and the"
                                    + " method would run unprotected, since a BeanPostProcessor or a"
                                    + " BeanFactoryPostProcessor needs the bean; expected an ObjectProvider of it there,"
                                    + " and a static method where a @Configuration makes the post-processor");
                }
            }
            return bean;
        }
    }
}
