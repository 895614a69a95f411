/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;

/**
 * One run of an action: what the action may want to know of it. Safe for any number of threads, also after the attempt.
 * Implemented by the pipeline; a test of an action may implement it too.
 */
public interface Attempt {
    /** Which attempt of the call it is; the first is 1. */
    int number();

    /** What is left for this attempt, never negative; about 292 years if nothing limits it. */
    Duration remaining();

    /** {@link #remaining} in nanoseconds; {@link Long#MAX_VALUE} if nothing limits it. */
    long remainingNanos();

    /** Whether the attempt has been given up: nobody waits for its answer any more. */
    boolean isCancelled();

    /**
     * Runs this when the attempt is given up, on another thread if the action blocks; at once, on this thread, if it has been
     * given up already; never if the attempt has ended by itself. For work that an interrupt or a cancelled future does not
     * stop: closing a socket, cancelling a statement.
     */
    void onCancel(Runnable hook);
}
