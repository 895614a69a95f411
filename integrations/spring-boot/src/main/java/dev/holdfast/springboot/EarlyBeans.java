/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import java.lang.reflect.Method;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.aop.framework.Advised;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.NoUniqueBeanDefinitionException;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.config.SmartInstantiationAwareBeanPostProcessor;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.beans.factory.support.AbstractBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.core.Ordered;
import org.springframework.util.StringUtils;

/**
 * Refuses a bean with {@link Protected} whose methods would run unprotected: one that is made before {@link ProtectedBeans} is there,
 * because another post-processor needs it, and one that is asked for before it is finished. Objects that nobody makes in the container,
 * such as mocks of a test, are left alone. One that is made in the background waits for the pipelines. The pipelines of a child context
 * count more than those of its parent.
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

    /** A bean that is made in the background cannot ask for the pipelines: Spring makes them on the main thread alone. */
    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {
        preferOwn(beans);
        for (String name : beans.getBeanDefinitionNames()) {
            Class<?> type = isInBackground(name, beans) ? beans.getType(name, false) : null;
            if (type != null && ProtectedBeans.hasProtected(type)) {
                Stream<String> pipelines = Stream.of(beans.getBeanNamesForType(Holdfast.class, true, false))
                        .filter(each -> !isInBackground(each, beans));
                BeanDefinition definition = beans.getBeanDefinition(name);
                definition.setDependsOn(StringUtils.concatenateStringArrays(
                        definition.getDependsOn(), pipelines.toArray(String[]::new)));
            }
        }
    }

    /**
     * Spring offers the pipelines of a parent context, too, and takes those whose bean has the name of a parameter, which is mostly
     * {@code holdfast}.
     */
    private static void preferOwn(ConfigurableListableBeanFactory beans) {
        List<String> own = Stream.of(beans.getBeanNamesForType(Holdfast.class, true, false))
                .filter(name -> beans.containsBeanDefinition(name) && isCandidate(beans.getBeanDefinition(name)))
                .toList();
        BeanFactory parent = beans.getParentBeanFactory();
        if (parent == null || own.isEmpty()) {
            return;
        }
        if (own.size() == 1) {
            beans.getBeanDefinition(own.get(0)).setPrimary(true);
        } else if (parent.containsBean(HoldfastAutoConfiguration.HOLDFAST)
                && !own.contains(HoldfastAutoConfiguration.HOLDFAST)
                && own.stream().noneMatch(name -> beans.getBeanDefinition(name).isPrimary())) {
            throw new NoUniqueBeanDefinitionException(Holdfast.class, own);
        }
    }

    /** Whether it may be injected where no qualifier asks for it. */
    private static boolean isCandidate(BeanDefinition definition) {
        return definition.isAutowireCandidate()
                && !(definition instanceof AbstractBeanDefinition own && !own.isDefaultCandidate());
    }

    private static boolean isInBackground(String name, ConfigurableListableBeanFactory beans) {
        return beans.containsBeanDefinition(name)
                && beans.getBeanDefinition(name) instanceof AbstractBeanDefinition definition
                && definition.isBackgroundInit();
    }

    private static final class Refusal implements SmartInstantiationAwareBeanPostProcessor {
        private final AbstractBeanFactory beans;
        private volatile boolean isOver;

        Refusal(AbstractBeanFactory beans) {
            this.beans = beans;
        }

        /**
         * Of a circle. What is given away here would have no pipeline, and the proxy of the finished bean would miss advice that
         * others give already now. Being the first, this one sees the bean as it was made. No {@code
         * BeanCurrentlyInCreationException}: Spring would go on after it.
         */
        @Override
        public Object getEarlyBeanReference(Object bean, String name) {
            boolean isProxied =
                    bean instanceof Advised advised && !advised.isFrozen(); // which stays, and takes the advice
            Method method = isProxied ? null : ProtectedBeans.anyProtected(bean);
            if (method != null) {
                throw new WrongSettingException("@Protected on " + method
                                + ": the bean is asked for before it is finished, by itself or in a"
                                + " circle of beans, and the method would run unprotected there; expected @Lazy where the"
                                + " bean is injected, or an ObjectProvider of it")
                        .of(name);
            }
            return bean;
        }

        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            if (!isOver) {
                isOver = beans.getBeanPostProcessors().stream().anyMatch(ProtectedBeans.class::isInstance);
                Method method = isOver ? null : ProtectedBeans.anyProtected(bean);
                if (method != null) {
                    throw new WrongSettingException("@Protected on " + method
                                    + ": the bean is made so early that it can have no proxy, and the"
                                    + " method would run unprotected, since a BeanPostProcessor or a"
                                    + " BeanFactoryPostProcessor needs the bean; expected an ObjectProvider of it there,"
                                    + " and a static method where a @Configuration makes the post-processor")
                            .of(name);
                }
            }
            return bean;
        }
    }
}
