/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.bulkhead.BulkheadSettings.QueueOrder;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for a permit, and who is next. A ring through a ticket that is never granted, so that a ticket is taken out of
 * the middle without a search. Guarded by the lock of the permits.
 */
final class TicketQueue {
    private final Ticket ring = new Ticket();
    private final QueueOrder order;
    private final long standingNanos;
    private long since;

    /**
     * An empty queue.
     *
     * @param standingNanos after so long without an empty moment, whoever joins is {@link Ticket#late}
     */
    TicketQueue(QueueOrder order, long standingNanos) {
        this.order = order;
        this.standingNanos = standingNanos;
    }

    void append(Ticket ticket, long now) {
        if (isEmpty()) {
            since = now;
        }
        // A thread whose time is late makes the difference negative, which is not long.
        ticket.late = order == QueueOrder.CODEL && now - since >= standingNanos;
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
        return take(order == QueueOrder.LIFO ? ring.before : ring.after);
    }

    /** Takes out who makes room for a newcomer; null if it is the newcomer that is turned away. */
    @Nullable
    Ticket displaced() {
        return order == QueueOrder.LIFO && !isEmpty() ? take(ring.after) : null;
    }

    Ticket take(Ticket ticket) {
        ticket.before.after = ticket.after;
        ticket.after.before = ticket.before;
        ticket.before = ticket;
        ticket.after = ticket;
        return ticket;
    }
}
