/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.timeout;

import dev.holdfast.internal.TimeLimitPolicy;
import java.time.Duration;

/**
 * Limits the time of everything inside it. It stands innermost in the default order, so it limits one attempt.
 *
 * <p>If an asynchronous attempt does not end in time, its future is cancelled. A blocking attempt is interrupted. If it ignores
 * the interrupt, its caller gets the {@link dev.holdfast.CallTimeoutException} only when the action returns, and observers are
 * told of an overrun. The limit strikes within some milliseconds.
 */
public final class TimeoutPolicy extends TimeLimitPolicy {
    private TimeoutPolicy(Duration limit) {
        super("timeout", limit);
    }

    /**
     * A timeout of this time.
     *
     * @param limit 1 ms to 1 day
     * @throws IllegalArgumentException if it is out of range
     */
    public static TimeoutPolicy of(Duration limit) {
        return new TimeoutPolicy(limit);
    }
}
