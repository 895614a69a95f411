/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import org.jspecify.annotations.Nullable;

/**
 * The queue of tickets that wait for a permit, in one lane for each rank. The first lane is served first, but while there are
 * several, the ticket that has waited longest is passed over at most {@value #PASSED_OVER} times in a row. A lane is a ring
 * through a ticket that is never granted, so a ticket leaves from the middle without a search. Guarded by the lock of the
 * permits.
 */
public final class TicketQueue {
    /** No queue stands for this long. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Ranks that wait: 0 to one less than this. */
    public static final int LANES = 3;

    static final int PASSED_OVER = 7;

    private final Ticket[] lanes = {new Ticket(), new Ticket(), new Ticket()};
    private final boolean newestFirst;
    private final long standingNanos;
    private long since;
    private long appended;
    private int passedOver;

    /**
     * An empty queue.
     *
     * @param newestFirst in each lane the newest ticket is served first; in a full queue a new ticket takes the place of the oldest
     *     one of its lane
     * @param standingNanos if the queue was not empty for this long, a new ticket is {@link Ticket#late}
     */
    public TicketQueue(boolean newestFirst, long standingNanos) {
        this.newestFirst = newestFirst;
        this.standingNanos = standingNanos;
    }

    void append(Ticket ticket, int rank, long now) {
        if (isEmpty()) {
            since = now;
        }
        Ticket lane = lanes[rank];
        // If a thread's time is late, the difference is negative, which is not long.
        ticket.late = now - since >= standingNanos;
        ticket.number = appended++;
        ticket.before = lane.before;
        ticket.after = lane;
        ticket.before.after = ticket;
        lane.before = ticket;
    }

    boolean isEmpty() {
        return lastLane() < 0;
    }

    boolean holds(Ticket ticket) {
        return ticket.after != ticket;
    }

    /** Removes and returns the next ticket; there is one. */
    Ticket next() {
        Ticket next = lanes[0];
        Ticket oldest = lanes[0];
        int waiting = 0;
        for (int lane = LANES - 1; lane >= 0; lane--) {
            Ticket ring = lanes[lane];
            if (ring.after != ring) {
                waiting++;
                next = newestFirst ? ring.before : ring.after;
                oldest = waiting == 1 || ring.after.number < oldest.number ? ring.after : oldest;
            }
        }
        boolean itsTurn = next == oldest || passedOver == PASSED_OVER;
        passedOver = itsTurn || waiting == 1 ? 0 : passedOver + 1;
        return take(itsTurn && waiting > 1 ? oldest : next);
    }

    /**
     * Removes and returns the ticket that makes room for a new one: the newest of a later rank, or the oldest, if the newest is
     * served first. Null if the new one is rejected.
     */
    @Nullable
    Ticket displaced(int rank) {
        int last = lastLane();
        if (last > rank && !newestFirst) {
            return take(lanes[last].before);
        }
        return newestFirst && last >= rank ? take(lanes[last].after) : null;
    }

    /** -1 if no ticket waits. */
    private int lastLane() {
        int lane = LANES - 1;
        while (lane >= 0 && lanes[lane].after == lanes[lane]) {
            lane--;
        }
        return lane;
    }

    Ticket take(Ticket ticket) {
        ticket.before.after = ticket.after;
        ticket.after.before = ticket.before;
        ticket.before = ticket;
        ticket.after = ticket;
        return ticket;
    }
}
