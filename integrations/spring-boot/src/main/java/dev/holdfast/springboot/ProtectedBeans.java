/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.SafeLog;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInterceptor;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.autoproxy.AbstractBeanFactoryAwareAdvisingPostProcessor;
import org.springframework.aop.support.AopUtils;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.annotation.AnnotationMatchingPointcut;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotatedElementUtils;

/** Puts a proxy around each bean that has a method with {@link Protected}, as the outermost of its advice. */
final class ProtectedBeans extends AbstractBeanFactoryAwareAdvisingPostProcessor {
    private static final long serialVersionUID = 1L;
    private static final String STALE_CACHE = "stale-cache";
    private static final SafeLog LOG = SafeLog.of(Protected.class.getName());

    private final transient Supplier<@Nullable Holdfast> holdfast;
    private final transient Function<Pipeline, Classifier> classifiers;
    private final transient Map<Key, ProtectedMethod> methods = new ConcurrentHashMap<>();

    private final transient Singletons singletons = new Singletons();
    private final transient Set<String> warned = ConcurrentHashMap.newKeySet();
    private transient @Nullable BeanFactory beans;
    private transient @Nullable ConfigurableBeanFactory placeholders;

    /** A method as a class has it, which may be below the one that declares it. */
    private record Key(Class<?> type, Method method) {}

    ProtectedBeans(Supplier<@Nullable Holdfast> holdfast, Function<Pipeline, Classifier> classifiers) {
        this.holdfast = holdfast;
        this.classifiers = classifiers;
        advisor = new DefaultPointcutAdvisor(
                new AnnotationMatchingPointcut(null, Protected.class, true), (MethodInterceptor) invocation -> {
                    Object bean = Objects.requireNonNull(invocation.getThis());
                    Class<?> type = AopUtils.getTargetClass(bean);
                    return method(type, AopUtils.getMostSpecificMethod(invocation.getMethod(), type))
                            .invoke(invocation, singletons.name(bean));
                });
        // Outside of all other advice: each attempt is a whole one.
        setBeforeExistingAdvisors(true);
    }

    @Override
    public void setBeanFactory(BeanFactory factory) {
        super.setBeanFactory(factory);
        beans = factory;
        placeholders = factory instanceof ConfigurableBeanFactory configurable ? configurable : null;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        Class<?> type = AopUtils.getTargetClass(bean);
        if (isEligible(type)) {
            check(type, name, isSingleton(bean, name));
        }
        return super.postProcessAfterInitialization(bean, name);
    }

    /** What is wrong is told at the start, and not with the first call. */
    private void check(Class<?> type, String name, boolean singleton) {
        Map<Method, Protected> all = MethodIntrospector.selectMethods(
                type, (Method method) -> AnnotatedElementUtils.findMergedAnnotation(method, Protected.class));
        try {
            all.keySet().forEach(method -> method(type, method));
        } catch (IllegalArgumentException wrong) {
            throw new BeanCreationException(name, String.valueOf(wrong.getMessage()), wrong);
        }
        OwnCalls.warn(type, all.keySet());
        if (!singleton
                && all.keySet().stream().anyMatch(method -> method(type, method).isKeptWith(STALE_CACHE))
                && warned.add(name)) {
            LOG.warn(
                    "bean '" + name + "' is no singleton: answers of its methods with @Protected are not kept by the "
                            + STALE_CACHE + ", since those of another instance may differ",
                    null);
        }
    }

    /** Notes the object that calls will reach, if there is one of it. */
    private boolean isSingleton(Object bean, String name) {
        try {
            if (beans == null || !beans.isSingleton(name)) {
                return false;
            }
            boolean proxied =
                    bean instanceof Advised advised && advised.getTargetSource().isStatic();
            Object target = proxied ? ((Advised) bean).getTargetSource().getTarget() : bean;
            singletons.add(target == null ? bean : target, name);
            return true;
        } catch (Exception unknown) {
            // A bean of no definition, of which there may be more.
            return false;
        }
    }

    private ProtectedMethod method(Class<?> type, Method method) {
        Key key = new Key(type, method);
        ProtectedMethod known = methods.get(key);
        return known != null ? known : methods.computeIfAbsent(key, any -> made(method));
    }

    private ProtectedMethod made(Method method) {
        Protected said =
                Objects.requireNonNull(AnnotatedElementUtils.findMergedAnnotation(method, Protected.class), "said");
        try {
            int modifiers = method.getModifiers();
            if (Modifier.isPrivate(modifiers) || Modifier.isStatic(modifiers) || Modifier.isFinal(modifiers)) {
                throw new IllegalArgumentException("the method is " + Modifier.toString(modifiers)
                        + ", so that no proxy sees its calls; expected one that a class below could override");
            }
            Pipeline pipeline = pipeline(resolved(said.value()));
            return new ProtectedMethod(method, said, pipeline, classifiers.apply(pipeline));
        } catch (IllegalArgumentException wrong) {
            throw new WrongSettingException("@Protected on " + method + ": " + wrong.getMessage(), wrong);
        }
    }

    /** A name may be a placeholder. */
    private String resolved(String name) {
        String resolved = placeholders == null ? name : placeholders.resolveEmbeddedValue(name);
        return resolved == null ? name : resolved;
    }

    private Pipeline pipeline(String name) {
        Holdfast all = holdfast.get();
        if (all == null) {
            throw new IllegalArgumentException("no pipeline '" + name
                    + "'; the application has no property below holdfast.pipelines; is their profile active?");
        }
        return all.pipeline(name);
    }
}
