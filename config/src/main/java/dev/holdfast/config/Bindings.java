/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The objects that code bound under names, for use in the file. Immutable. */
final class Bindings {
    private final Map<String, Object> byName;

    Bindings(Map<String, Object> byName) {
        this.byName = new TreeMap<>(byName);
    }

    Optional<Object> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    Set<String> names() {
        return byName.keySet();
    }

    /** The type of a bound object, for a message. A lambda is shown by its interface. */
    static String described(Object bound) {
        Class<?> type = bound.getClass();
        boolean lambda = (type.isHidden() || type.isSynthetic()) && type.getInterfaces().length > 0;
        return (lambda ? type.getInterfaces()[0] : type).getSimpleName();
    }
}
