/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.internal.SafeLog;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;

/**
 * What comes after an interceptor, so that it can be run any number of times.
 *
 * <p>Framework 7 gives it so. In Framework 6 it is an iterator over the interceptors that are left: whoever runs it a second time
 * gets the request alone, without them. So here they are taken out of it at once; there is no other way to them.
 */
final class Chain {
    private static final SafeLog LOG = SafeLog.of(HoldfastInterceptor.class.getName());

    private static final ClassValue<Optional<Field>> ITERATORS = new ClassValue<>() {
        @Override
        protected Optional<Field> computeValue(Class<?> type) {
            if (!type.getName().endsWith("$InterceptingRequestExecution")) {
                return Optional.empty();
            }
            try {
                Field iterator = type.getDeclaredField("iterator");
                iterator.setAccessible(true);
                return Optional.of(iterator);
            } catch (ReflectiveOperationException | RuntimeException e) {
                LOG.warn("interceptors after Holdfast's run for the first attempt only: let it be the last one", e);
                return Optional.empty();
            }
        }
    };

    private Chain() {}

    static ClientHttpRequestExecution repeatable(ClientHttpRequestExecution execution) {
        Optional<Field> iterator = ITERATORS.get(execution.getClass());
        if (iterator.isEmpty()) {
            return execution;
        }
        ClientHttpRequestExecution chain = execution;
        List<ClientHttpRequestInterceptor> left = left(iterator.get(), execution);
        for (int i = left.size() - 1; i >= 0; i--) {
            ClientHttpRequestInterceptor interceptor = left.get(i);
            ClientHttpRequestExecution next = chain;
            chain = (request, body) -> interceptor.intercept(request, body, next);
        }
        return chain;
    }

    private static List<ClientHttpRequestInterceptor> left(Field iterator, ClientHttpRequestExecution execution) {
        List<ClientHttpRequestInterceptor> left = new ArrayList<>();
        try {
            if (iterator.get(execution) instanceof Iterator<?> interceptors) {
                interceptors.forEachRemaining(each -> left.add((ClientHttpRequestInterceptor) each));
            }
        } catch (IllegalAccessException e) {
            throw new AssertionError("it was made accessible", e);
        }
        return left;
    }
}
