/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import dev.holdfast.spi.Completion;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A place in the queue. Completed when it gets a permit, or when a later call takes its place. */
public final class Ticket extends Completion {
    private final @Nullable Permits permits;
    // The links are guarded by the lock of the permits. A ticket outside a queue is a ring of its own.
    Ticket before = this;
    Ticket after = this;
    /** How many joined the queue before it. */
    long number;
    // Written before other threads see the ticket.
    boolean late;
    /** Its holder waits so long at most. Written and read by the holder. */
    private long waitNanos;
    // Written under the lock before the completion, read without the lock. The grant counts from here on.
    private volatile boolean granted;
    private volatile boolean displaced;

    /** Of no permits: an end of a lane. */
    Ticket() {
        permits = null;
    }

    /** Of these permits. */
    Ticket(Permits permits) {
        this.permits = permits;
    }

    /** Where it has its place, and where a permit that it was granted goes back to. */
    public Permits permits() {
        return Objects.requireNonNull(permits);
    }

    /** Whether the holder of this ticket holds a permit. Never changes back. */
    public boolean granted() {
        return granted;
    }

    /** Whether this ticket joined a standing queue. */
    public boolean late() {
        return late;
    }

    /** The longest wait of the holder: the second time if the ticket is {@link #late} and that time is shorter. */
    public long waitNanos(long longest, long longestIfLate) {
        waitNanos = late ? Math.min(longest, longestIfLate) : longest;
        return waitNanos;
    }

    /** What {@link #waitNanos(long, long)} has said. */
    public long waitNanos() {
        return waitNanos;
    }

    /** Whether a later call took its place. Never changes back. */
    public boolean displaced() {
        return displaced;
    }

    void grant() {
        granted = true;
    }

    void displace() {
        displaced = true;
    }
}
