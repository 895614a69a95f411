/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

/** Stands for a value that the classifier holds to be a failure, where the engine asks for an exception. */
final class ValueFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @SuppressWarnings("StaticAssignmentOfThrowable") // it has no stack trace, and nothing can be added to it
    static final ValueFailure INSTANCE = new ValueFailure();

    private ValueFailure() {
        super("the value counts as a failure", null, false, false);
    }
}
