/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Call;
import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.internal.SafeLog;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.UndeclaredThrowableException;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.context.expression.MethodBasedEvaluationContext;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.expression.EvaluationException;
import org.springframework.expression.Expression;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.BeanReference;
import org.springframework.expression.spel.ast.CompoundExpression;
import org.springframework.expression.spel.ast.FunctionReference;
import org.springframework.expression.spel.ast.MethodReference;
import org.springframework.expression.spel.ast.PropertyOrFieldReference;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.expression.spel.support.ReflectivePropertyAccessor;

/** A method with its pipeline: everything that its annotation says, looked up and checked once. */
final class ProtectedMethod {
    private static final SafeLog LOG = SafeLog.of(Protected.class.getName());
    private static final SpelExpressionParser EXPRESSIONS = new SpelExpressionParser();
    private static final Pattern NUMBERED = Pattern.compile("[ap]([0-9]+)");
    private static final ParameterNameDiscoverer NAMES = new DefaultParameterNameDiscoverer();

    private final Method method;
    private final Pipeline pipeline;
    private final Operation<Object> operation;
    private final Way way;
    private final boolean isFiltered;
    private final boolean isKeyed;
    private final @Nullable Expression key;
    private final @Nullable FallbackMethods fallbacks;

    ProtectedMethod(Method method, Class<?> type, Protected said, Pipeline pipeline, Classifier classifier) {
        this.method = method;
        this.pipeline = pipeline;
        way = Way.of(method, type);
        operation = pipeline.operation(
                said.operation().isEmpty() ? KotlinNames.of(method) : said.operation(),
                o -> prioritized(o.idempotent(said.idempotent()).classifier(classifier), said.priority()));
        // What must not be done twice is not answered from memory.
        boolean hasKey = said.idempotent() || !said.key().isEmpty();
        // A caller who may see less would take entries out of the kept answer.
        isFiltered = hasKey && Guards.isFiltered(method, type);
        isKeyed = hasKey && !isFiltered;
        key = said.key().isEmpty() ? null : expression(method, type, said.key());
        if (!said.fallback().isEmpty() && !way.allowsFallback()) {
            throw new IllegalArgumentException("fallback: a Flux has none; use onErrorResume");
        }
        fallbacks = said.fallback().isEmpty() ? null : FallbackMethods.of(method, type, said.fallback(), pipeline);
    }

    /** The bean calls its fallbacks itself, and some may be for errors that never come. */
    void warnOfFallbacks() {
        if (fallbacks != null) {
            fallbacks
                    .forErrorsOfOthers(method, pipeline)
                    .forEach(line -> LOG.warn("@Protected on " + method + ": " + line, null));
            fallbacks
                    .withPipelines()
                    .forEach(fallback -> LOG.warn(
                            "@Protected on " + method + ": its fallback " + KotlinNames.of(fallback)
                                    + " has @Protected, too."
                                    + " It is called from inside the bean: no proxy sees this call, and so it has no"
                                    + " pipeline and no fallback of its own then",
                            null));
        }
    }

    private static Operation.Options<Object> prioritized(Operation.Options<Object> options, Call.Priority[] said) {
        if (said.length > 1) {
            throw new IllegalArgumentException("priority: has " + Arrays.toString(said) + "; expected one");
        }
        return said.length == 0 ? options : options.priority(said[0]);
    }

    private static Expression expression(Method method, Class<?> type, String text) {
        try {
            SpelExpression parsed = EXPRESSIONS.parseRaw(text);
            checkBeginning(parsed.getAST(), method, text);
            checkNames(parsed.getAST(), method, text);
            // Of less than a class, the bean may have more.
            if (!Modifier.isAbstract(type.getModifiers())) {
                checkRoot(parsed.getAST(), type, text);
            }
            return parsed;
        } catch (ParseException e) {
            throw new IllegalArgumentException("key: '" + text + "' is no expression: " + e.getMessage(), e);
        }
    }

    /** Without the sign it would be a property of the bean. */
    private static void checkBeginning(SpelNode node, Method method, String text) {
        SpelNode first = node.getChildCount() > 0 ? node.getChild(0) : node;
        @Nullable String @Nullable [] names = NAMES.getParameterNames(method);
        if (first instanceof PropertyOrFieldReference property
                && names != null
                && Arrays.asList(names).contains(property.getName())) {
            throw new IllegalArgumentException(
                    "key: '" + text + "' has " + property.getName() + "; did you mean #" + property.getName() + "?");
        }
    }

    /** A name that is none would be null in each call, and a bean or a function would end each. */
    private static void checkNames(SpelNode node, Method method, String text) {
        if (node instanceof BeanReference || node instanceof FunctionReference) {
            throw new IllegalArgumentException("key: '" + text + "' has " + node.toStringAST()
                    + ", and knows neither beans nor functions; expected arguments, with their properties and methods");
        }
        if (node instanceof VariableReference) {
            checkName(node.toStringAST().substring(1), method, text);
        }
        for (int i = 0; i < node.getChildCount(); i++) {
            checkNames(node.getChild(i), method, text);
        }
    }

    /** What the bean itself has not would end each call. */
    private static void checkRoot(SpelNode node, Class<?> type, String text) {
        if (node instanceof CompoundExpression && node.getChild(0).toStringAST().equals("#root")) {
            SpelNode first = node.getChild(1);
            boolean isThere = first instanceof PropertyOrFieldReference property
                    ? Members.OF_BEANS.hasProperty(type, property.getName())
                    : !(first instanceof MethodReference called)
                            || Stream.of(type.getMethods())
                                    .anyMatch(method -> method.getName().equals(called.getName()));
            if (!isThere) {
                throw new IllegalArgumentException("key: '" + text + "' has " + first.toStringAST()
                        + " of #root, which is the bean, and " + type.getName()
                        + " has none; expected an argument, by its name or as #p0 or #a0");
            }
        }
        for (int i = 0; i < node.getChildCount(); i++) {
            checkRoot(node.getChild(i), type, text);
        }
    }

    /** As an expression looks for it. */
    private static final class Members extends ReflectivePropertyAccessor {
        static final Members OF_BEANS = new Members();

        boolean hasProperty(Class<?> type, String name) {
            return findGetterForProperty(name, type, false) != null || findField(name, type, false) != null;
        }
    }

    private static void checkName(String name, Method method, String text) {
        @Nullable String @Nullable [] found = NAMES.getParameterNames(method);
        List<@Nullable String> names = found == null ? List.of() : Arrays.asList(found);
        Matcher numbered = NUMBERED.matcher(name);
        boolean isArgument = numbered.matches()
                && new BigInteger(numbered.group(1)).compareTo(BigInteger.valueOf(taken(method))) < 0;
        if (names.contains(name) || isArgument || name.equals("this") || name.equals("root")) {
            return;
        }
        if (taken(method) == 0) {
            throw new IllegalArgumentException(
                    "key: '" + text + "' has #" + name + ", and the method has no parameters");
        }
        throw new IllegalArgumentException("key: '" + text + "' has #" + name
                + (found == null
                        ? ", and the class has no names of parameters; expected #p0, or a class compiled with -parameters"
                        : "; expected one of " + names)
                + (numbered.matches()
                        ? "; the method has " + taken(method) + (taken(method) == 1 ? " argument" : " arguments")
                                + ", from #p0"
                        : ""));
    }

    /** How many arguments a caller writes. */
    private static int taken(Method method) {
        return method.getParameterCount() - (KotlinDetector.isSuspendingFunction(method) ? 1 : 0);
    }

    /** Whether answers could be kept, if the bean were the only one. */
    boolean isKeptWith(String cache) {
        return isKeyed && has(cache);
    }

    private boolean has(String cache) {
        return pipeline.policies().stream().anyMatch(policy -> policy.name().equals(cache));
    }

    /** Its answers would be kept otherwise. */
    void warnOfFilter(String cache) {
        if (isFiltered && has(cache)) {
            LOG.warn(
                    "@Protected on " + method + ": answers are not kept by the " + cache
                            + ", since @PostFilter takes out of the answer itself what a caller may not see",
                    null);
        }
    }

    /**
     * Runs the method under the policies.
     *
     * @param bean what stands for the bean; null if there may be several of its name: then no call has a key
     */
    @Nullable
    Object invoke(MethodInvocation invocation, @Nullable Object bean) throws Exception {
        Object behind = invocation.getThis();
        // The method may be that of an interface which only the proxy has.
        Object target = method.getDeclaringClass().isInstance(behind)
                ? behind
                : ((ProxyMethodInvocation) invocation).getProxy();
        @Nullable Object[] arguments = invocation.getArguments();
        Object found;
        try {
            found = isKeyed && bean != null ? key(target, arguments) : null;
        } catch (RuntimeException wrong) {
            return way.failed(wrong);
        }
        // Other methods and other beans may have the same arguments and another answer.
        Call<Object> call = found == null || bean == null
                ? operation.unkeyed()
                : operation.key(found).partition(List.of(method, bean));
        FallbackMethods own = fallbacks;
        return way.invoke(
                call, () -> proceed(invocation), own == null ? null : error -> own.answer(target, arguments, error));
    }

    /** An invocation proceeds once. So each attempt has its own. */
    private static @Nullable Object proceed(MethodInvocation invocation) throws Exception {
        try {
            return ((ProxyMethodInvocation) invocation).invocableClone().proceed();
        } catch (Exception | Error e) {
            throw e;
        } catch (Throwable other) {
            throw new UndeclaredThrowableException(other);
        }
    }

    /** Null: this call has none. */
    private @Nullable Object key(Object target, @Nullable Object[] arguments) {
        if (key == null) {
            return new Arguments(arguments, taken(method));
        }
        MethodBasedEvaluationContext context = new MethodBasedEvaluationContext(target, method, arguments, NAMES);
        try {
            Object found = key.getValue(context);
            boolean isArray = found != null && found.getClass().isArray();
            return isArray ? new Arguments(new Object[] {found}, 1) : found;
        } catch (EvaluationException e) {
            throw new IllegalArgumentException(
                    "@Protected on " + method + ": the key '" + key.getExpressionString() + "' failed: "
                            + e.getMessage(),
                    e);
        }
    }
}
