/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

/** Why there was no further attempt. */
public enum Refusal {
    /** All attempts are used up. */
    EXHAUSTED,
    /** The wait before the next attempt does not fit into the remaining time. */
    DEADLINE,
    /** The operation is not idempotent, and the dependency may have done the work. */
    NOT_IDEMPOTENT,
    /** The request can be sent only once, and may have been sent ({@link Call#sentOnce}). */
    SENT_ONCE,
    /** The dependency forbids a retry of this call. */
    PUSHBACK,
    /** The retry budget allows none: few tokens are left, or nothing has succeeded for a second. */
    BUDGET,
    /** The breaker, the gate or a rejection tells the retry to wait for longer than it may ({@code max-retry-after}). */
    HELD,
    /** The call runs inside a retry of an outer pipeline. */
    NESTED,
    /**
     * The next attempt was rejected locally. Only in the history of a call: observers get the rejection itself.
     */
    REJECTED
}
