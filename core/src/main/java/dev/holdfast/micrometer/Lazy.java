/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.internal.ShortLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A value that is made once, when it is first needed. */
final class Lazy<T> {
    private final Supplier<T> maker;
    // Not a monitor: the registry waits for locks of others, and a virtual thread would keep its carrier.
    private final ShortLock making = new ShortLock();
    // Volatile: a thread that sees it without the lock must see all of it.
    private volatile @Nullable T made;

    Lazy(Supplier<T> maker) {
        this.maker = maker;
    }

    T get() {
        T known = made;
        return known != null ? known : make();
    }

    private T make() {
        making.lock();
        try {
            T known = made;
            if (known == null) {
                known = maker.get();
                made = known;
            }
            return known;
        } finally {
            making.unlock();
        }
    }
}
