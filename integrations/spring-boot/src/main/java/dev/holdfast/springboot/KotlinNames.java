/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.lang.reflect.Method;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.core.KotlinDetector;

/** The names of Kotlin's functions. Its compiler changes them for the JVM. */
final class KotlinNames {
    /**
     * {@code price-jnpeSho}: a parameter or the result is of a value class. The suffix follows the types of the source; the JVM sees
     * what is in the value class. {@code price$shop}: the function is internal, and this is its module.
     */
    private static final Pattern NAME = Pattern.compile("(.+?)(-[\\w-]{7})?(\\$\\w+)?");

    private KotlinNames() {}

    /** The name in the source. */
    static String of(Method method) {
        return KotlinDetector.isKotlinType(method.getDeclaringClass()) ? of(method.getName()) : method.getName();
    }

    /** The name in the source, if it is that of a function of Kotlin. */
    static String of(String name) {
        Matcher parts = NAME.matcher(name);
        return parts.matches() ? parts.group(1) : name;
    }

    static boolean hasValueClasses(Method method) {
        return !valueClasses(method).isEmpty();
    }

    /** The same for functions whose types are the same; empty if none is a value class. */
    static String valueClasses(Method method) {
        Matcher parts = NAME.matcher(method.getName());
        boolean has =
                KotlinDetector.isKotlinType(method.getDeclaringClass()) && parts.matches() && parts.group(2) != null;
        return has ? parts.group(2) : "";
    }
}
