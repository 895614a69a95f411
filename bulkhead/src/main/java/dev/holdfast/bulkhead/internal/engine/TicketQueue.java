/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import org.jspecify.annotations.Nullable;

/**
 * Who waits for a permit, and who is next. A ring through a ticket that is never granted, so that a ticket is taken out of
 * the middle without a search. Guarded by the lock of the permits.
 */
public final class TicketQueue {
    /** No queue stands for so long. */
    public static final long NEVER = Long.MAX_VALUE;

    private final Ticket ring = new Ticket();
    private final boolean newestFirst;
    private final long standingNanos;
    private long since;

    /**
     * An empty queue.
     *
     * @param newestFirst the newest ticket is served first, and a newcomer takes the place of the oldest
     * @param standingNanos after so long without an empty moment, whoever joins is {@link Ticket#late}
     */
    public TicketQueue(boolean newestFirst, long standingNanos) {
        this.newestFirst = newestFirst;
        this.standingNanos = standingNanos;
    }

    void append(Ticket ticket, long now) {
        if (isEmpty()) {
            since = now;
        }
        // A thread whose time is late makes the difference negative, which is not long.
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

    /** Takes out who is to be served next; there is one. */
    Ticket next() {
        return take(newestFirst ? ring.before : ring.after);
    }

    /** Takes out who makes room for a newcomer; null if it is the newcomer that is turned away. */
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
