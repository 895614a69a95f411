/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import org.jspecify.annotations.Nullable;

/**
 * The queue of tickets that wait for a permit. It is a ring through a ticket that is never granted, so a ticket leaves from
 * the middle without a search. Guarded by the lock of the permits.
 */
public final class TicketQueue {
    /** No queue stands for this long. */
    public static final long NEVER = Long.MAX_VALUE;

    private final Ticket ring = new Ticket();
    private final boolean newestFirst;
    private final long standingNanos;
    private long since;

    /**
     * An empty queue.
     *
     * @param newestFirst the newest ticket is served first; in a full queue a new ticket takes the place of the oldest
     * @param standingNanos if the queue was not empty for this long, a new ticket is {@link Ticket#late}
     */
    public TicketQueue(boolean newestFirst, long standingNanos) {
        this.newestFirst = newestFirst;
        this.standingNanos = standingNanos;
    }

    void append(Ticket ticket, long now) {
        if (isEmpty()) {
            since = now;
        }
        // If a thread's time is late, the difference is negative, which is not long.
        ticket.late = now - since >= standingNanos;
        ticket.before = ring.before;
        ticket.after = ring;
        ticket.before.after = ticket;
        ring.before = ticket;
    }

    boolean isEmpty() {
        return ring.after == ring;
    }

    boolean holds(Ticket ticket) {
        return ticket.after != ticket;
    }

    /** Removes and returns the next ticket; there is one. */
    Ticket next() {
        return take(newestFirst ? ring.before : ring.after);
    }

    /** Removes and returns the ticket that makes room for a new one; null if the new one is rejected. */
    @Nullable
    Ticket displaced() {
        return newestFirst && !isEmpty() ? take(ring.after) : null;
    }

    Ticket take(Ticket ticket) {
        ticket.before.after = ticket.after;
        ticket.after.before = ticket.before;
        ticket.before = ticket;
        ticket.after = ticket;
        return ticket;
    }
}
