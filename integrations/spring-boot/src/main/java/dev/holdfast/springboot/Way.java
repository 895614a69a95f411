/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Call;
import dev.holdfast.internal.SafeLog;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/** How a method gives its result, and so how a call of it goes through a pipeline. */
interface Way {
    /** The rest of an invocation, as often as there are attempts. */
    @FunctionalInterface
    interface Proceeding {
        @Nullable
        Object proceed() throws Exception;
    }

    /** Gives another result of the method. */
    @FunctionalInterface
    interface Fallback {
        @Nullable
        Object answer(@Nullable Throwable error);
    }

    /**
     * Calls the method.
     *
     * @param fallback from an error to a result of the method; null: there is none
     */
    @Nullable
    Object invoke(Call<Object> call, Proceeding method, @Nullable Fallback fallback) throws Exception;

    /** A call that fails before it begins: later, if its result comes later. */
    Object failed(RuntimeException error);

    /** Whether another result can stand in for that of the method. */
    default boolean allowsFallback() {
        return true;
    }

    /**
     * The way of this method of a bean.
     *
     * @param bean the bean's class, which may say what a type variable stands for
     * @throws IllegalArgumentException if there is none for what it returns
     */
    static Way of(Method method, Class<?> bean) {
        ResolvableType result = FallbackMethods.result(method, bean);
        Class<?> type = result.toClass();
        boolean suspending = KotlinDetector.isSuspendingFunction(method);
        if (suspending && Later.is(result)) {
            throw new IllegalArgumentException("is suspending and returns " + Later.shown(result)
                    + ", whose work comes after the function; expected what this work gives, as of await() or toList(),"
                    + " or a function that is not suspending and returns a CompletionStage, a CompletableFuture,"
                    + " a Mono or a Flux");
        }
        if (suspending || isReactive(type)) {
            List<String> missing = missing(suspending);
            if (!missing.isEmpty()) {
                throw new IllegalArgumentException((suspending ? "is suspending" : "returns " + type.getSimpleName())
                        + ", which needs " + String.join(" and ", missing));
            }
            if (suspending && isUnboxed(type)) {
                throw new IllegalArgumentException("is suspending and returns the value class " + type.getName()
                        + ", which no proxy can hand on from a suspending function;"
                        + " expected what is in it, or another class; in place of kotlin.Result, throw the error");
            }
            // The compiler calls the function itself by another name, and Spring looks for one of this name.
            if (suspending && method.isBridge()) {
                throw new IllegalArgumentException("is a suspending function of a generic interface or superclass, of"
                        + " which " + bean.getName() + " makes one with a value class, which no proxy can call;"
                        + " expected what is in the value class, or another class");
            }
            return new Reactive(
                    !suspending && type.getSimpleName().equals("Flux"),
                    suspending && type == Object.class ? new Unseen(method) : null);
        }
        if (type == CompletionStage.class || type == CompletableFuture.class) {
            return new Staged();
        }
        // No policy would see the work.
        if (Later.is(result)) {
            throw new IllegalArgumentException("returns " + Later.shown(result)
                    + "; expected a value, a CompletionStage, a CompletableFuture, a Mono or a Flux");
        }
        return new Blocking(type == Object.class ? new Unseen(method) : null);
    }

    /** The artifacts without which each call of such a method would fail. */
    private static List<String> missing(boolean suspending) {
        List<String> missing = new ArrayList<>();
        if (isMissing("dev.holdfast.reactor.ReactiveCall")) {
            missing.add("dev.holdfast:holdfast-reactor");
        }
        if (suspending && isMissing("kotlinx.coroutines.reactor.MonoKt")) {
            missing.add("org.jetbrains.kotlinx:kotlinx-coroutines-reactor (without a version: Spring Boot has it)");
        }
        if (suspending && isMissing("kotlin.reflect.full.KClasses")) {
            missing.add("org.jetbrains.kotlin:kotlin-reflect (without a version: Spring Boot has it)");
        }
        return missing;
    }

    private static boolean isMissing(String type) {
        return !ClassUtils.isPresent(type, Way.class.getClassLoader());
    }

    private static boolean isReactive(Class<?> type) {
        return type.getName().equals("reactor.core.publisher.Mono")
                || type.getName().equals("reactor.core.publisher.Flux");
    }

    /**
     * Whether a suspending function that returns it gives what is in it at once, and it itself if it has waited. Spring's proxies give
     * it itself in both cases: a kept answer comes at once, and so may one of another thread before the caller waits.
     */
    private static boolean isUnboxed(Class<?> type) {
        return Stream.of(type.getAnnotations())
                        .anyMatch(one -> one.annotationType().getName().equals("kotlin.jvm.JvmInline"))
                && Stream.of(type.getDeclaredFields())
                        .anyMatch(field -> !Modifier.isStatic(field.getModifiers())
                                && !field.getType().isPrimitive());
    }

    /** Warns once of a result whose work no policy sees, of a method whose type does not say what it returns. */
    final class Unseen {
        private static final SafeLog LOG = SafeLog.of(Protected.class.getName());

        private final Method method;
        private final AtomicBoolean warned = new AtomicBoolean();

        Unseen(Method method) {
            this.method = method;
        }

        void look(@Nullable Object result) {
            if (result != null && !warned.get() && Later.is(result.getClass()) && warned.compareAndSet(false, true)) {
                Class<?> type = result.getClass();
                LOG.warn(
                        "@Protected on " + method + ": returned a "
                                + (type.isAnonymousClass() ? type.getName() : type.getSimpleName())
                                + ", whose work no policy sees, since the method does not declare it;"
                                + " expected a CompletionStage, a Mono or a Flux as its type",
                        null);
            }
        }
    }

    /** On the thread of the caller. A cache may call the method again in the background, with the same arguments. */
    final class Blocking implements Way {
        private final @Nullable Unseen unseen;

        /**
         * Of a method.
         *
         * @param unseen if its type does not say what it returns; else null
         */
        Blocking(@Nullable Unseen unseen) {
            this.unseen = unseen;
        }

        @Override
        @SuppressWarnings("NullAway") // a method may return null
        public @Nullable Object invoke(Call<Object> call, Proceeding method, @Nullable Fallback fallback)
                throws Exception {
            Call<Object> whole = fallback == null ? call : call.fallback(fallback::answer);
            return whole.refreshable().<Exception>call(attempt -> seen(method.proceed()));
        }

        @Override
        public Object failed(RuntimeException error) {
            throw error;
        }

        private @Nullable Object seen(@Nullable Object result) {
            if (unseen != null) {
                unseen.look(result);
            }
            return result;
        }
    }

    /** With a stage. */
    final class Staged implements Way {
        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // it is the result
        public Object invoke(Call<Object> call, Proceeding method, @Nullable Fallback fallback) {
            Call<Object> whole =
                    fallback == null ? call : call.fallbackAsync(error -> stage(fallback.answer(error), "fallback"));
            return whole.refreshable().callAsync(attempt -> {
                try {
                    return stage(method.proceed(), "method");
                } catch (Exception e) {
                    return CompletableFuture.failedStage(e);
                }
            });
        }

        @Override
        public CompletableFuture<Object> failed(RuntimeException error) {
            return CompletableFuture.failedFuture(error);
        }

        @SuppressWarnings("unchecked") // of the method
        private static CompletionStage<Object> stage(@Nullable Object result, String of) {
            if (result == null) {
                throw new NullPointerException("the " + of + " returned null in place of a CompletionStage");
            }
            return (CompletionStage<Object>) result;
        }
    }
}
