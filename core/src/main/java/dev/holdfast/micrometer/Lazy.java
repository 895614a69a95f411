/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A value that is made once, when it is first needed. */
final class Lazy<T> {
    private final Supplier<T> maker;
    // Volatile: a thread that sees it without the lock must see all of it.
    private volatile @Nullable T made;

    Lazy(Supplier<T> maker) {
        this.maker = maker;
    }

    T get() {
        T known = made;
        return known != null ? known : make();
    }

    private synchronized T make() {
        T known = made;
        if (known == null) {
            known = maker.get();
            made = known;
        }
        return known;
    }
}
