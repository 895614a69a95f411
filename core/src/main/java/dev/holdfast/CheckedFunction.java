/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * A function that may throw a checked exception.
 *
 * @param <A> what it takes
 * @param <T> what it returns
 * @param <E> what it may throw
 */
@FunctionalInterface
public interface CheckedFunction<A extends @Nullable Object, T extends @Nullable Object, E extends Exception> {
    /** Returns a value or throws. */
    T apply(A argument) throws E;
}
