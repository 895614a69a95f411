/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.deadline;

import dev.holdfast.internal.Checks;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.Map;

/**
 * Limits the time of a whole call, including all attempts, waits and queues. It belongs outermost.
 *
 * <p>A wait that does not fit into the remaining time is not begun. A call that has not reached the dependency in time is
 * rejected with {@link dev.holdfast.Reason#DEADLINE_EXCEEDED}. An attempt that runs when the time is over is given up, as by a
 * timeout. A deadline of the call itself, or of its request ({@link dev.holdfast.Deadline}), can only shorten the time.
 */
public final class DeadlinePolicy extends Policy {
    private final Duration limit;
    private final long nanos;

    private DeadlinePolicy(Duration limit) {
        super("deadline", ENTER);
        Checks.limit("deadline", limit);
        this.limit = limit;
        this.nanos = limit.toNanos();
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
