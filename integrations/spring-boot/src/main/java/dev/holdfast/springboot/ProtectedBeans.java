/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInterceptor;
import org.jspecify.annotations.Nullable;
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

    private final transient Supplier<@Nullable Holdfast> holdfast;
    private final transient Function<Pipeline, Classifier> classifiers;
    private final transient Map<Key, ProtectedMethod> methods = new ConcurrentHashMap<>();

    private transient @Nullable ConfigurableBeanFactory placeholders;

    /** A method as a class has it, which may be below the one that declares it. */
    private record Key(Class<?> type, Method method) {}

    ProtectedBeans(Supplier<@Nullable Holdfast> holdfast, Function<Pipeline, Classifier> classifiers) {
        this.holdfast = holdfast;
        this.classifiers = classifiers;
        advisor = new DefaultPointcutAdvisor(
                new AnnotationMatchingPointcut(null, Protected.class, true), (MethodInterceptor) invocation -> {
                    Class<?> type = AopUtils.getTargetClass(Objects.requireNonNull(invocation.getThis()));
                    return method(type, AopUtils.getMostSpecificMethod(invocation.getMethod(), type))
                            .invoke(invocation);
                });
        // Outside of all other advice: each attempt is a whole one.
        setBeforeExistingAdvisors(true);
    }

    @Override
    public void setBeanFactory(BeanFactory factory) {
        super.setBeanFactory(factory);
        placeholders = factory instanceof ConfigurableBeanFactory configurable ? configurable : null;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        Class<?> type = AopUtils.getTargetClass(bean);
        if (isEligible(type)) {
            check(type, name);
        }
        return super.postProcessAfterInitialization(bean, name);
    }

    /** What is wrong is told at the start, and not with the first call. */
    private void check(Class<?> type, String name) {
        Map<Method, Protected> all = MethodIntrospector.selectMethods(
                type, (Method method) -> AnnotatedElementUtils.findMergedAnnotation(method, Protected.class));
        try {
            all.keySet().forEach(method -> method(type, method));
        } catch (IllegalArgumentException wrong) {
            throw new BeanCreationException(name, String.valueOf(wrong.getMessage()), wrong);
        }
        OwnCalls.warn(type, all.keySet());
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
