/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

/** Why a retry policy did not try again. */
public enum Refusal {
    /** All attempts are used up. */
    EXHAUSTED,
    /** The wait before the next attempt does not fit into the remaining time. */
    DEADLINE,
    /** Whether the work was done is not known, and the operation is not idempotent. */
    NOT_IDEMPOTENT,
    /** The dependency said that it does not want to be asked again. */
    PUSHBACK,
    /** The retry budget is used up. */
    BUDGET,
    /** The call runs inside a retry of an outer pipeline, which does the retrying. */
    NESTED,
    /**
     * The next attempt was turned away locally. Only in the history of a call: an observer is told of the rejection itself.
     */
    REJECTED
}
