/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.deadline;

import dev.holdfast.internal.TimeLimitPolicy;
import java.time.Duration;

/**
 * Limits the time of a whole call, including all attempts, waits and queues. It belongs outermost.
 *
 * <p>A wait that does not fit into the remaining time is not begun. A call that has not reached the dependency in time is
 * rejected with {@link dev.holdfast.Reason#DEADLINE_EXCEEDED}. An attempt that runs when the time is over is given up, as by a
 * timeout. A deadline of the call itself, or of its request ({@link dev.holdfast.Deadline}), can only shorten the time.
 */
public final class DeadlinePolicy extends TimeLimitPolicy {
    private DeadlinePolicy(Duration limit) {
        super("deadline", limit);
    }

    /**
     * A deadline of this time.
     *
     * @param limit 1 ms to 1 day
     * @throws IllegalArgumentException if it is out of range
     */
    public static DeadlinePolicy of(Duration limit) {
        return new DeadlinePolicy(limit);
    }
}
