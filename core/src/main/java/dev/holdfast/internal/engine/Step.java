/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

/** What a driver has to do next for a call. */
enum Step {
    /** Deliver its outcome. */
    DONE,
    /** Let a time pass. */
    PAUSE,
    /** Wait for a completion. */
    AWAIT,
    /** Run the action. */
    ACT,
    /** Run the function that answers in the place of an attempt, and wait for its stage. */
    STAGE,

    // Inside the walk alone.
    /** Walk on, down from the cursor. */
    GO_DOWN,
    /** Walk on, up from the cursor. */
    GO_UP
}
