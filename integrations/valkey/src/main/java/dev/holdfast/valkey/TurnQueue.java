/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.throttling.internal.engine.Gcra;
import org.jspecify.annotations.Nullable;

/**
 * The calls of one process that wait for a permit, in one lane for each rank. The first lane is served first, but while there are
 * several, the call that has waited longest is passed over at most {@value #PASSED_OVER} times in a row. A lane is a ring, so a call
 * leaves from the middle without a search. Guarded by the lock of the permits.
 */
final class TurnQueue {
    static final int PASSED_OVER = 7;

    private static final int LANES = Passage.LAST_RANK + 1;

    /**
     * What a call starts with.
     *
     * @param place {@link SharedPermits#PERMIT}, a place of the share, or {@link Gcra#NONE}
     * @param since when the permit was asked for: it is lost if the call starts much later; null if it does not grow old
     */
    record Grant(long place, @Nullable Gcra share, @Nullable Long since) {}

    /** The place of one call. */
    static final class Ticket {
        final int rank;
        private Ticket before = this;
        private Ticket after = this;
        private long number;
        /** What its call awaits, until that has been called; null while no call waits. */
        @Nullable
        Completion wake;

        /** Given as it leaves the queue. */
        @Nullable
        Grant grant;

        Ticket(int rank) {
            this.rank = rank;
        }

        boolean waits() {
            return after != this;
        }
    }

    private final Ticket[] lanes = new Ticket[LANES];
    private final int[] sizes = new int[LANES];
    private long added;
    private int passedOver;

    TurnQueue() {
        for (int rank = 0; rank < LANES; rank++) {
            lanes[rank] = new Ticket(rank);
        }
    }

    void add(Ticket ticket) {
        Ticket lane = lanes[ticket.rank];
        ticket.number = added++;
        ticket.before = lane.before;
        ticket.after = lane;
        ticket.before.after = ticket;
        lane.before = ticket;
        sizes[ticket.rank]++;
    }

    void remove(Ticket ticket) {
        ticket.before.after = ticket.after;
        ticket.after.before = ticket.before;
        ticket.before = ticket;
        ticket.after = ticket;
        sizes[ticket.rank]--;
    }

    int size() {
        return sizes(Passage.LAST_RANK);
    }

    /** How many wait whose rank is this or an earlier one: in front of a call of this rank that joins now. */
    int sizes(int last) {
        int sum = 0;
        for (int rank = 0; rank <= last; rank++) {
            sum += sizes[rank];
        }
        return sum;
    }

    /** The first of the first lane; null if none waits. */
    @Nullable
    Ticket first() {
        for (Ticket lane : lanes) {
            if (lane.waits()) {
                return lane.after;
            }
        }
        return null;
    }

    /** Removes and returns the call whose turn it is; null if none waits. */
    @Nullable
    Ticket next() {
        Ticket first = first();
        if (first == null) {
            return null;
        }
        Ticket oldest = first;
        for (int rank = first.rank + 1; rank < LANES; rank++) {
            Ticket other = lanes[rank].after;
            oldest = other != lanes[rank] && other.number < oldest.number ? other : oldest;
        }
        boolean itsTurn = first == oldest || passedOver == PASSED_OVER;
        passedOver = itsTurn ? 0 : passedOver + 1;
        Ticket next = itsTurn ? oldest : first;
        remove(next);
        return next;
    }
}
