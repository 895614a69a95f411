/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.springframework.core.KotlinDetector;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.util.StringUtils;

/** The names and results of Kotlin's functions. Its compiler changes them for the JVM. */
final class KotlinNames {
    /**
     * {@code price-jnpeSho}: a parameter or the result is of a value class. The suffix follows the types of the source; the JVM sees
     * what is in the value class. {@code price$shop}: the function is internal, and this is its module.
     */
    private static final Pattern NAME = Pattern.compile("(.+?)(-[\\w-]{7})?(\\$\\w+)?");

    private KotlinNames() {}

    /** The name in the source. */
    static String of(Method method) {
        Matcher parts = NAME.matcher(method.getName());
        return KotlinDetector.isKotlinType(method.getDeclaringClass()) && parts.matches()
                ? parts.group(1) + (isWritten(method, parts) ? parts.group(2) : "")
                : method.getName();
    }

    /** Whether what looks as the compiler's suffix stands in the source, as that of {@code `get-abcdefg`}. */
    private static boolean isWritten(Method method, Matcher parts) {
        if (parts.group(2) == null) {
            return false;
        }
        // The names of the source, and those of the JVM that differ from them.
        List<String> names = MergedAnnotations.from(method.getDeclaringClass())
                .get("kotlin.Metadata")
                .getValue("d2", String[].class)
                .map(List::of)
                .orElse(List.of());
        String name = parts.group(1);
        String property = name.replaceFirst("^[gs]et(?=.)", "");
        return names.contains(name + parts.group(2))
                && Stream.of(name, property, StringUtils.uncapitalize(property)).noneMatch(names::contains);
    }

    /** The name in the source, if it is that of a function of Kotlin. */
    static String of(String name) {
        Matcher parts = NAME.matcher(name);
        return parts.matches() ? parts.group(1) : name;
    }

    /** Whether it always throws, and so stands for each type: its result is Kotlin's {@code Nothing}. */
    static boolean givesNothing(Method method) {
        if (!KotlinDetector.isKotlinType(method.getDeclaringClass())) {
            return false;
        }
        return KotlinDetector.isSuspendingFunction(method)
                ? isAnything(method.getGenericParameterTypes()[method.getParameterCount() - 1])
                : method.getReturnType() == Void.class;
    }

    /** The continuation of a {@code String} takes {@code ? super String}, that of {@code Nothing} {@code ?}. */
    private static boolean isAnything(Type continuation) {
        return continuation instanceof ParameterizedType of
                && of.getActualTypeArguments()[0] instanceof WildcardType taken
                && taken.getLowerBounds().length == 0;
    }

    static boolean hasValueClasses(Method method) {
        return !valueClasses(method).isEmpty();
    }

    /** The same for functions whose types are the same; empty if none is a value class. */
    static String valueClasses(Method method) {
        Matcher parts = NAME.matcher(method.getName());
        boolean has = KotlinDetector.isKotlinType(method.getDeclaringClass())
                && parts.matches()
                && parts.group(2) != null
                && !isWritten(method, parts);
        return has ? parts.group(2) : "";
    }
}
