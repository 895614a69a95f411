/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.CheckedRunnable;
import dev.holdfast.CheckedSupplier;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An action without a value, where one with a value is asked for. */
public final class NoValue {
    private NoValue() {}

    /** Its value is null. */
    public static <E extends Exception> CheckedSupplier<@Nullable Object, E> of(CheckedRunnable<E> action) {
        Objects.requireNonNull(action, "action");
        return () -> {
            action.run();
            return null;
        };
    }
}
