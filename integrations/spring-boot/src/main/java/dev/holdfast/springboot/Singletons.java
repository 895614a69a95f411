/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The beans that there is one of, by their objects. Their answers may be kept: the answers of two beans of one class, or of a bean of
 * one request, may differ by what is in the bean. So may those of two beans that have one name, one after the other. A bean that the
 * application has taken away is not held here.
 */
final class Singletons {
    private final Map<Object, Object> tokens = new ConcurrentHashMap<>();
    private final ReferenceQueue<Object> gone = new ReferenceQueue<>();

    /** An object, and no other one that is equal. */
    private static final class Held extends WeakReference<Object> {
        private final int hash;

        Held(Object object, ReferenceQueue<Object> gone) {
            super(object, gone);
            hash = System.identityHashCode(object);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other == this;
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    /** A key for look-ups. It holds no weak reference, so a call creates no work for the collector. */
    private record Same(Object object) {
        // The map asks the key that is looked for.
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Held held && held.refersTo(object);
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(object);
        }
    }

    void add(Object bean) {
        for (Reference<?> old = gone.poll(); old != null; old = gone.poll()) {
            tokens.remove(old);
        }
        // A bean under another name is the same; it is seen by one thread at a time.
        if (token(bean) == null) {
            tokens.put(new Held(bean, gone), new Object());
        }
    }

    /** What stands for this bean, as long as there is one, and for no other one; null if there may be several. */
    @Nullable
    Object token(Object bean) {
        return tokens.get(new Same(bean));
    }
}
