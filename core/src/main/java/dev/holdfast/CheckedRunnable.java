/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

/**
 * An action without a value that may throw a checked exception.
 *
 * @param <E> what it may throw
 */
@FunctionalInterface
public interface CheckedRunnable<E extends Exception> {
    /** Returns or throws. */
    void run() throws E;

    /**
     * The same, of an action that is told which attempt it is.
     *
     * @param <E> what it may throw
     */
    @FunctionalInterface
    interface WithAttempt<E extends Exception> {
        /** Returns or throws. */
        void run(Attempt attempt) throws E;
    }
}
