/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.Causes;
import dev.holdfast.internal.NotAnswered;
import dev.holdfast.internal.OwnFallbacks;
import dev.holdfast.spi.Policy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.BridgeMethodResolver;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/** The methods that answer in place of one that failed, those for the nearest errors first. */
final class FallbackMethods {
    /** What ends calls here in place of these: a method for one of them would never be asked. */
    private static final Map<String, Instead> INSTEAD = Map.of(
            "io.github.resilience4j.circuitbreaker.CallNotPermittedException",
            rejected(Reason.CIRCUIT_OPEN),
            "io.github.resilience4j.bulkhead.BulkheadFullException",
            rejected(Reason.BULKHEAD_FULL),
            "io.github.resilience4j.ratelimiter.RequestNotPermitted",
            rejected(Reason.THROTTLED),
            TimeoutException.class.getName(),
            new Instead(CallTimeoutException.class, ""));

    private final List<Answering> all;
    private final int arguments;

    private FallbackMethods(List<Answering> all, int arguments) {
        this.all = all;
        this.arguments = arguments;
    }

    /**
     * One of them.
     *
     * @param taken the classes of its parameters, as the bean's class says what type variables stand for
     * @param error that of the error which it takes; null: it takes none, and so answers each
     * @param direct calls it past the proxy; null: by reflection
     */
    private record Answering(
            Method method,
            List<Class<?>> taken,
            @Nullable Class<?> error,
            @Nullable MethodHandle direct) {}

    /**
     * Those of this name that stand in for this method of a bean of this type. The pipeline keeps its fallback policy from now on.
     *
     * @throws IllegalArgumentException if there is none, or if the pipeline would not ask it
     */
    static FallbackMethods of(Method method, Class<?> type, String name, Pipeline pipeline) {
        if (!hasPolicy(pipeline)) {
            throw noPolicy(name, pipeline);
        }
        List<Method> named = new ArrayList<>();
        ReflectionUtils.doWithMethods(
                method.getDeclaringClass(),
                named::add,
                candidate -> isNamed(candidate, name) && !isAlike(candidate, method, type));
        if (named.isEmpty() && isNamed(method, name)) {
            throw new IllegalArgumentException("fallback: " + name + " is the method itself");
        }
        List<Answering> fitting = fitting(named, method, type);
        if (fitting.isEmpty()) {
            throw new IllegalArgumentException("fallback: "
                    + method.getDeclaringClass().getName() + " has "
                    + (named.isEmpty()
                            ? "no method " + name
                            : named.stream().map(one -> shown(one, type)).toList() + ", which does not fit")
                    + "; expected " + expected(method, type, name));
        }
        for (Answering one : fitting) {
            checkErrors(one.method(), method);
        }
        fitting.sort(Comparator.comparingInt(one -> -depth(one.error())));
        // A reload may have come between, or may be just about to take the policy away.
        if (!OwnFallbacks.keep(pipeline, () -> hasPolicy(pipeline))) {
            throw noPolicy(name, pipeline);
        }
        return new FallbackMethods(List.copyOf(fitting), taken(method, type).size());
    }

    /** What the compiler makes of a function is none that somebody wrote. */
    private static boolean isNamed(Method candidate, String name) {
        return candidate.getName().equals(name)
                ? !candidate.isBridge()
                : !candidate.isSynthetic() && KotlinNames.of(candidate).equals(name);
    }

    /** Of those with the same parameters, the lowest, as it overrides the others. */
    private static List<Answering> fitting(List<Method> named, Method method, Class<?> type) {
        List<Class<?>> given = taken(method, type);
        List<Answering> fitting = new ArrayList<>();
        named.stream()
                .filter(candidate -> fits(candidate, method, type))
                // One of Sku comes before one of String, if the method itself has a Sku: the JVM sees String in both.
                .sorted(Comparator.comparing(
                        candidate -> KotlinNames.hasValueClasses(candidate) != KotlinNames.hasValueClasses(method)))
                .forEach(candidate -> {
                    List<Class<?>> taken = taken(candidate, type);
                    Method known = fitting.stream()
                            .filter(one -> one.taken().equals(taken))
                            .map(Answering::method)
                            .findFirst()
                            .orElse(null);
                    if (known == null) {
                        ReflectionUtils.makeAccessible(candidate);
                        fitting.add(new Answering(
                                candidate,
                                taken,
                                taken.size() > given.size() ? taken.get(given.size()) : null,
                                direct(candidate, type)));
                    } else if (known.getDeclaringClass() == candidate.getDeclaringClass()
                            && KotlinNames.hasValueClasses(known)
                            && KotlinNames.hasValueClasses(candidate)) {
                        throw new IllegalArgumentException("fallback: "
                                + known.getDeclaringClass().getName() + " has more than one "
                                + KotlinNames.of(candidate) + " that differ in their value classes alone, which the JVM"
                                + " does not see; expected one with a name that no other one has");
                    }
                });
        return fitting;
    }

    /** Whether a call of one in a bean of this type is one of the other, as of the one of a superclass that it overrides. */
    static boolean isAlike(Method one, Method other, Class<?> type) {
        return one.getName().equals(other.getName())
                && KotlinDetector.isSuspendingFunction(one) == KotlinDetector.isSuspendingFunction(other)
                && taken(one, type).equals(taken(other, type));
    }

    private record Instead(Class<?> error, String which) {}

    private static Instead rejected(Reason reason) {
        return new Instead(CallRejectedException.class, ", whose reason() is " + reason);
    }

    private static boolean hasPolicy(Pipeline pipeline) {
        return AroundPolicy.behind(pipeline.policies()).stream().anyMatch(FallbackPolicy.class::isInstance);
    }

    private static IllegalArgumentException noPolicy(String name, Pipeline pipeline) {
        return new IllegalArgumentException("fallback: the pipeline '" + pipeline.name()
                + "' has no fallback policy, so nobody would call " + name
                + "; add  fallback: { only-of-operations: true }  (with on-ignored: true it answers ignored errors, too,"
                + " as in resilience4j); if the pipeline has an order, name fallback in it, too");
    }

    /** A caller of the method expects what the method declares. */
    private static void checkErrors(Method fallback, Method method) {
        for (Class<?> thrown : fallback.getExceptionTypes()) {
            boolean unchecked = RuntimeException.class.isAssignableFrom(thrown) || Error.class.isAssignableFrom(thrown);
            if (!unchecked
                    && Arrays.stream(method.getExceptionTypes()).noneMatch(known -> known.isAssignableFrom(thrown))) {
                throw new IllegalArgumentException("fallback: " + fallback + " throws " + thrown.getSimpleName()
                        + ", which the method does not declare");
            }
        }
    }

    private static String expected(Method method, Class<?> type, String name) {
        String suspend = KotlinDetector.isSuspendingFunction(method) ? "suspend " : "";
        if (KotlinNames.hasValueClasses(method)) {
            return suspend + name + " with the result and the parameters of " + KotlinNames.of(method)
                    + ", and perhaps a Throwable after them";
        }
        String parameters = Stream.concat(taken(method, type).stream(), Stream.of(Throwable.class))
                .map(Class::getSimpleName)
                .collect(Collectors.joining(", "));
        return suspend + result(method, type).toClass().getSimpleName() + " " + name + "(" + parameters + ")";
    }

    private static String shown(Method candidate, Class<?> type) {
        String name = candidate.getDeclaringClass().getTypeName() + "." + KotlinNames.of(candidate);
        return KotlinNames.hasValueClasses(candidate)
                ? name
                : result(candidate, type).toClass().getTypeName() + " " + name
                        + taken(candidate, type).stream()
                                .map(Class::getTypeName)
                                .collect(Collectors.joining(", ", "(", ")"));
    }

    private static boolean fits(Method candidate, Method method, Class<?> type) {
        List<Class<?>> given = taken(method, type);
        List<Class<?>> taken = taken(candidate, type);
        boolean withError =
                taken.size() == given.size() + 1 && Throwable.class.isAssignableFrom(taken.get(given.size()));
        return KotlinDetector.isSuspendingFunction(candidate) == KotlinDetector.isSuspendingFunction(method)
                && haveValueClassesAlike(candidate, method, withError)
                && (withError || taken.size() == given.size())
                && given.equals(taken.subList(0, given.size()))
                && (KotlinNames.givesNothing(candidate) || fits(result(candidate, type), result(method, type)));
    }

    /** As far as the names say it: with an error, that of the candidate stands for one type more. */
    private static boolean haveValueClassesAlike(Method candidate, Method method, boolean withError) {
        return !KotlinNames.hasValueClasses(candidate)
                || (withError
                        ? KotlinNames.hasValueClasses(method)
                        : KotlinNames.valueClasses(candidate).equals(KotlinNames.valueClasses(method)));
    }

    /** The parameters that a caller writes: the last one of a suspending function is its continuation. */
    private static List<Class<?>> taken(Method method, Class<?> type) {
        int count = method.getParameterCount() - (KotlinDetector.isSuspendingFunction(method) ? 1 : 0);
        return IntStream.range(0, count)
                .<Class<?>>mapToObj(
                        i -> ResolvableType.forMethodParameter(method, i, type).toClass())
                .toList();
    }

    /** That of a suspending function is known from its continuation. */
    static ResolvableType result(Method method, Class<?> type) {
        return KotlinDetector.isSuspendingFunction(method)
                ? ResolvableType.forMethodParameter(method, method.getParameterCount() - 1, type)
                        .getGeneric(0)
                : ResolvableType.forMethodReturnType(method, type);
    }

    /** Also what a stage is of, if both say so. Of a list, what is in it may be more than its type. */
    private static boolean fits(ResolvableType given, ResolvableType wanted) {
        Class<?> later = wanted.toClass();
        Class<?> of = wanted.getGeneric(0).resolve();
        Class<?> given0 = given.getGeneric(0).resolve();
        return ClassUtils.isAssignable(later, given.toClass())
                && (!Later.is(later) || of == null || given0 == null || ClassUtils.isAssignable(of, given0));
    }

    /** Those that have a pipeline themselves, which they do not go through here. */
    List<Method> withPipelines() {
        return all.stream()
                .map(Answering::method)
                .filter(method -> AnnotatedElementUtils.hasAnnotation(method, Protected.class))
                .toList();
    }

    /**
     * A line for each that takes an error which no policy of this pipeline throws, unless there is one for what it throws instead.
     */
    List<String> forErrorsOfOthers(Method method, Pipeline pipeline) {
        List<String> lines = new ArrayList<>();
        for (Answering fallback : all) {
            Class<?> wanted = fallback.error();
            Instead instead = wanted == null ? null : INSTEAD.get(wanted.getName());
            if (wanted != null
                    && instead != null
                    && isMeant(wanted, method, pipeline)
                    && !isAnswered(instead.error())) {
                lines.add("its fallback " + KotlinNames.of(fallback.method()) + " is for " + wanted.getName()
                        + ", which no policy of the pipeline '" + pipeline.name()
                        + "' throws, so that it never answers for"
                        + " one; expected " + instead.error().getName() + instead.which());
            }
        }
        return lines;
    }

    /** The JDK's may be the method's own. */
    private static boolean isMeant(Class<?> wanted, Method method, Pipeline pipeline) {
        return wanted != TimeoutException.class
                || (AroundPolicy.behind(pipeline.policies()).stream().anyMatch(FallbackMethods::limitsTime)
                        && Arrays.stream(method.getExceptionTypes()).noneMatch(own -> own.isAssignableFrom(wanted)));
    }

    private static boolean limitsTime(Policy policy) {
        return policy instanceof TimeoutPolicy || policy instanceof DeadlinePolicy;
    }

    private boolean isAnswered(Class<?> error) {
        return all.stream().anyMatch(one -> one.error() == error);
    }

    private static int depth(@Nullable Class<?> type) {
        int depth = 0;
        for (Class<?> above = type; above != null; above = above.getSuperclass()) {
            depth++;
        }
        return depth;
    }

    /** The answer of the nearest. If none is for this, the call ends as it would without a fallback. */
    @Nullable
    Object answer(Object target, @Nullable Object[] given, @Nullable Throwable error) {
        for (Answering one : all) {
            Class<?> wanted = one.error();
            // A failure that was a value has no error.
            boolean suits = wanted == null || (error == null ? wanted == Throwable.class : wanted.isInstance(error));
            if (suits) {
                @Nullable Object[] taken = Arrays.copyOf(given, one.method().getParameterCount());
                if (given.length > arguments) {
                    taken[taken.length - 1] = given[arguments]; // the continuation: Spring takes its context
                }
                if (wanted != null) {
                    taken[arguments] = error;
                }
                return invoked(one, target, taken);
            }
        }
        throw new NotAnswered();
    }

    /**
     * For a default method of an interface that is not public, of which the bean is a proxy: Spring's clients of HTTP cannot call
     * it, so that the call would lose its error.
     */
    private static @Nullable MethodHandle direct(Method method, Class<?> type) {
        if (!Proxy.isProxyClass(type) || KotlinDetector.isSuspendingFunction(method)) {
            return null;
        }
        Method seen = asProxied(method, type);
        Class<?> home = seen.getDeclaringClass();
        if (!seen.isDefault() || Modifier.isPublic(home.getModifiers())) {
            return null;
        }
        try {
            return MethodHandles.privateLookupIn(home, MethodHandles.lookup())
                    .unreflectSpecial(seen, home)
                    .asFixedArity();
        } catch (IllegalAccessException closed) {
            throw new IllegalArgumentException(
                    "fallback: " + KotlinNames.of(method) + " cannot be called, since " + home.getName()
                            + " is not public; expected a public interface: " + closed.getMessage(),
                    closed);
        }
    }

    /** The one that a call of this proxy comes to: that of an interface below may override it. */
    private static Method asProxied(Method method, Class<?> proxy) {
        return Stream.of(proxy.getInterfaces())
                .map(each -> ClassUtils.getMethodIfAvailable(each, method.getName(), method.getParameterTypes()))
                .filter(Objects::nonNull)
                .map(BridgeMethodResolver::findBridgedMethod)
                .findFirst()
                .orElse(method);
    }

    /** As the method itself is called: that of a suspending function gives a Mono. */
    private static @Nullable Object invoked(Answering one, Object target, @Nullable Object[] arguments) {
        MethodHandle direct = one.direct();
        try {
            return direct == null
                    ? AopUtils.invokeJoinpointUsingReflection(target, one.method(), arguments)
                    : direct.bindTo(target).invokeWithArguments(arguments);
        } catch (Throwable thrown) {
            throw Causes.asItIs(thrown);
        }
    }
}
