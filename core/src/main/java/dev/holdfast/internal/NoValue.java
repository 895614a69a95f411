/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.CheckedRunnable;
import dev.holdfast.CheckedSupplier;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Adapts an action without a value to one with a value. */
public final class NoValue {
    private NoValue() {}

    public static <E extends Exception> CheckedSupplier<@Nullable Object, E> of(CheckedRunnable<E> action) {
        Objects.requireNonNull(action, "action");
        return () -> {
            action.run();
            return null;
        };
    }
}
