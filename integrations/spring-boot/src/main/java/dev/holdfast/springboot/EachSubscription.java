/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.Objects;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.aop.ProxyMethodInvocation;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Calls the method for each subscription to its Mono or Flux. Spring Security's guards of these proceed with the same invocation for
 * each, and an invocation passes all further advice only once: a second subscription would skip the pipeline, and further guards, too.
 */
final class EachSubscription implements MethodInterceptor {
    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        ProxyMethodInvocation call = (ProxyMethodInvocation) invocation;
        Class<?> type = invocation.getMethod().getReturnType();
        if (type == Mono.class) {
            return Mono.defer(() -> Mono.from(published(call)));
        }
        return type == Flux.class ? Flux.defer(() -> published(call)) : invocation.proceed();
    }

    private static Publisher<?> published(ProxyMethodInvocation call) {
        try {
            return (Publisher<?>) Objects.requireNonNull(
                    call.invocableClone().proceed(), "the method returned null in place of a Mono or Flux");
        } catch (Throwable thrown) {
            return Mono.error(thrown);
        }
    }
}
