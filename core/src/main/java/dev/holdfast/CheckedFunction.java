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

    /**
     * The same, of a function that is told which attempt it is.
     *
     * @param <A> what it takes
     * @param <T> what it returns
     * @param <E> what it may throw
     */
    @FunctionalInterface
    interface WithAttempt<A extends @Nullable Object, T extends @Nullable Object, E extends Exception> {
        /** Returns a value or throws. */
        T apply(A argument, Attempt attempt) throws E;
    }

    /**
     * The same, of a function that also throws {@link InterruptedException}.
     *
     * @param <A> what it takes
     * @param <T> what it returns
     * @param <E> what else it may throw
     */
    @FunctionalInterface
    interface Interruptible<A extends @Nullable Object, T extends @Nullable Object, E extends Exception> {
        /** Returns a value or throws. */
        T apply(A argument) throws E, InterruptedException;
    }
}
