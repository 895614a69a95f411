/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What code bound under names, for the file to name. Immutable. */
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

    /** What was bound, for a message; a lambda is known by its interface only. */
    static String described(Object bound) {
        Class<?> type = bound.getClass();
        boolean lambda = (type.isHidden() || type.isSynthetic()) && type.getInterfaces().length > 0;
        return (lambda ? type.getInterfaces()[0] : type).getSimpleName();
    }
}
