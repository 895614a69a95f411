/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Lazily;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The objects with names that a file may use: those that code bound, and what the file itself shares. */
final class Bindings {
    private final Map<String, Object> byName;
    private final Set<String> noNames;
    private final boolean any;

    /**
     * These, and any other name as well, if nobody knows what code will bind.
     *
     * @param noNames what objects of a framework are called that no file can name
     */
    Bindings(Map<String, Object> byName, Set<String> noNames, boolean any) {
        this.any = any;
        this.noNames = noNames;
        this.byName = new TreeMap<>(byName);
    }

    void add(String name, Object value) {
        byName.put(name, value);
    }

    Optional<Object> find(String name) {
        Object found = byName.get(name);
        return Optional.ofNullable(
                found instanceof Lazily lazily ? lazily.value().get() : found);
    }

    boolean has(String name) {
        return byName.containsKey(name);
    }

    /** Whether a framework has an object that is called so, and no file can name it. */
    boolean isNoName(String text) {
        return noNames.contains(text);
    }

    /** Whether a name that is not known is taken to be bound by code. */
    boolean hasAny() {
        return any;
    }

    Set<String> names() {
        return byName.keySet();
    }

    /** The names of those of a type. */
    Set<String> names(Class<?> type) {
        return byName.keySet().stream()
                .filter(name -> isOf(type, byName.get(name)))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static boolean isOf(Class<?> type, @Nullable Object bound) {
        return bound instanceof Lazily lazily ? type.isAssignableFrom(lazily.type()) : type.isInstance(bound);
    }

    /** The type of a bound object, for a message. A lambda is shown by its interface. */
    static String described(Object bound) {
        Class<?> type = bound.getClass();
        boolean lambda = (type.isHidden() || type.isSynthetic()) && type.getInterfaces().length > 0;
        return (lambda ? type.getInterfaces()[0] : type).getSimpleName();
    }
}
