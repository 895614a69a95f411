/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * A supplier that may throw a checked exception.
 *
 * @param <T> what it returns
 * @param <E> what it may throw
 */
@FunctionalInterface
public interface CheckedSupplier<T extends @Nullable Object, E extends Exception> {
    /** Returns a value or throws. */
    T get() throws E;

    /**
     * The same, of an action that also throws {@link InterruptedException}.
     *
     * @param <T> what it returns
     * @param <E> what else it may throw
     */
    @FunctionalInterface
    interface Interruptible<T extends @Nullable Object, E extends Exception> {
        /** Returns a value or throws. */
        T get() throws E, InterruptedException;
    }
}
