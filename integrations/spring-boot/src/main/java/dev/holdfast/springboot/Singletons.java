/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The beans that there is one of, by their objects. Their answers may be kept: the answers of two beans of one class, or of a bean of
 * one request, may differ by what is in the bean.
 */
final class Singletons {
    private final Map<Same, String> names = new ConcurrentHashMap<>();

    /** An object, and no other one that is equal. */
    private record Same(Object object) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Same same && same.object == object;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(object);
        }
    }

    void add(Object bean, String name) {
        names.put(new Same(bean), name);
    }

    /** The name of this bean; null if there may be several. */
    @Nullable
    String name(Object bean) {
        return names.get(new Same(bean));
    }
}
