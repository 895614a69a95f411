/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.Objects;
import java.util.stream.Stream;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.util.ClassUtils;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Calls the method for each subscription to its Mono or Flux. Spring Security's guards of these proceed with the same invocation for
 * each, and an invocation passes all further advice only once: a second subscription would skip the pipeline, and further guards, too.
 */
final class EachSubscription implements MethodInterceptor {
    private static final String CONFIGURATIONS = "org.springframework.security.config.annotation.method.configuration.";

    /** Whether the application has {@code @EnableReactiveMethodSecurity}. It cannot have the guards of threads then. */
    static boolean isNeeded(BeanFactory beans) {
        ClassLoader loader = EachSubscription.class.getClassLoader();
        return beans instanceof ListableBeanFactory all
                && Stream.of(
                                "ReactiveAuthorizationManagerMethodSecurityConfiguration",
                                "ReactiveMethodSecurityConfiguration")
                        .map(name -> CONFIGURATIONS + name)
                        .filter(name -> ClassUtils.isPresent(name, loader))
                        .map(name -> ClassUtils.resolveClassName(name, loader))
                        .anyMatch(type ->
                                BeanFactoryUtils.beanNamesForTypeIncludingAncestors(all, type, true, false).length > 0);
    }

    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        ProxyMethodInvocation call = (ProxyMethodInvocation) invocation;
        Class<?> type = invocation.getMethod().getReturnType();
        if (type == Mono.class) {
            return Mono.defer(() -> (Mono<?>) published(call));
        }
        return type == Flux.class ? Flux.defer(() -> (Flux<?>) published(call)) : invocation.proceed();
    }

    private static Object published(ProxyMethodInvocation call) {
        try {
            return Objects.requireNonNull(
                    call.invocableClone().proceed(), "the method returned null in place of a Mono or Flux");
        } catch (RuntimeException | Error thrown) {
            throw thrown;
        } catch (Throwable checked) {
            throw new IllegalStateException(checked);
        }
    }
}
