/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.timeout;

import dev.holdfast.internal.Checks;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.Map;

/**
 * Limits the time of everything inside it. It stands innermost in the default order, so it limits one attempt.
 *
 * <p>If an asynchronous attempt does not end in time, its future is cancelled. A blocking attempt is interrupted. If it ignores
 * the interrupt, its caller gets the {@link dev.holdfast.CallTimeoutException} only when the action returns, and observers are
 * told of an overrun. The limit strikes within some milliseconds.
 */
public final class TimeoutPolicy extends Policy {
    private final Duration limit;
    private final long nanos;

    private TimeoutPolicy(Duration limit) {
        super("timeout", ENTER);
        Checks.limit("timeout", limit);
        this.limit = limit;
        this.nanos = limit.toNanos();
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

    /** The limit. */
    public Duration limit() {
        return limit;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return Map.of("limit", limit);
    }

    @Override
    public long longest() {
        return nanos;
    }

    @Override
    public int enter(Passage passage) {
        passage.limit(nanos);
        return PROCEED;
    }
}
