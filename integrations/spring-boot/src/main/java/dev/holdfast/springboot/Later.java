/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/** Results whose work begins or ends after the method has returned. */
final class Later {
    /** Those of Spring's and Kotlin's may not be on the class path. */
    private static final List<? extends Class<?>> TYPES = Stream.of(
                    "java.util.concurrent.Future",
                    "java.util.concurrent.Callable",
                    "java.util.concurrent.CompletionStage",
                    "java.util.stream.BaseStream",
                    "kotlin.sequences.Sequence",
                    "kotlinx.coroutines.Job",
                    "kotlinx.coroutines.channels.ReceiveChannel",
                    "kotlinx.coroutines.flow.Flow",
                    "org.springframework.web.context.request.async.DeferredResult",
                    "org.springframework.web.context.request.async.WebAsyncTask",
                    "org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter",
                    "org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody")
            .filter(name -> ClassUtils.isPresent(name, Later.class.getClassLoader()))
            .map(name -> ClassUtils.resolveClassName(name, Later.class.getClassLoader()))
            .toList();

    /** They have such a result in them, if any. */
    private static final Set<String> AROUND = Set.of(
            "java.util.Optional", "org.springframework.http.HttpEntity", "org.springframework.http.ResponseEntity");

    /** What implements them may be a value all the same, as Spring Data's {@code Page} is a {@code Supplier}. */
    private static final Set<String> THEMSELVES = Set.of(
            "java.util.function.Supplier", "java.util.Iterator", "kotlin.Lazy", "kotlin.jvm.functions.Function0");

    private Later() {}

    /** Whether a result of this type is one. */
    static boolean is(Class<?> type) {
        return THEMSELVES.contains(type.getName())
                || TYPES.stream().anyMatch(later -> later.isAssignableFrom(type))
                || ReactiveAdapterRegistry.getSharedInstance().getAdapter(type) != null;
    }

    /** Also if it is in another one, such as {@code ResponseEntity<Mono<String>>}. */
    static boolean is(ResolvableType type) {
        return is(type.toClass()) || (AROUND.contains(type.toClass().getName()) && is(type.getGeneric(0)));
    }

    /** The name of one, and of what it is in. */
    static String shown(ResolvableType type) {
        String name = type.toClass().getSimpleName();
        return is(type.toClass())
                ? name
                : name + " with " + type.getGeneric(0).toClass().getSimpleName();
    }
}
