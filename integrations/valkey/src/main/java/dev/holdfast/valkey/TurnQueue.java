/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.throttling.internal.engine.Gcra;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The calls of one process that wait for a permit, in one lane for each rank. The first lane is served first, but while there are
 * several, the call that has waited longest is passed over at most {@value #PASSED_OVER} times in a row. A lane is a ring, so a call
 * leaves from the middle without a search.
 *
 * <p>A call that waits is told when it has got something. The first one also watches the time for all, and is told to look when it
 * becomes the first. Guarded by the lock of the permits: whoever has it tells the {@link #called} calls afterwards.
 */
final class TurnQueue {
    static final int PASSED_OVER = 7;

    private static final int LANES = Passage.LAST_RANK + 1;

    /** What a call starts with. */
    static final class Grant {
        /** {@link SharedPermits#PERMIT}, a place of the share, or {@link Gcra#NONE}. */
        final long place;
        /** Null for a permit. */
        final @Nullable Gcra share;
        /** When the permit was asked for: it is lost if its call starts much later; null if it does not grow old. */
        final @Nullable Long since;

        Grant(long place, @Nullable Gcra share, @Nullable Long since) {
            this.place = place;
            this.share = share;
            this.since = since;
        }
    }

    /** The place of one call. */
    static final class Ticket {
        final int rank;
        private Ticket before = this;
        private Ticket after = this;
        private long number;
        /** What its call awaits, until it is told to look; null while it does not wait. */
        private @Nullable Completion wake;

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
    /** The call that watches the time for all. */
    private @Nullable Ticket watch;

    private ArrayList<Completion> called = new ArrayList<>();

    TurnQueue() {
        for (int rank = 0; rank < LANES; rank++) {
            lanes[rank] = new Ticket(rank);
        }
    }

    /** Returns how many are in front of it; -1 if it waits already. */
    int joins(Ticket ticket) {
        if (ticket.waits()) {
            return -1;
        }
        Ticket lane = lanes[ticket.rank];
        ticket.number = added++;
        ticket.before = lane.before;
        ticket.after = lane;
        ticket.before.after = ticket;
        lane.before = ticket;
        return sizes(ticket.rank) + sizes[ticket.rank]++;
    }

    void remove(Ticket ticket) {
        ticket.before.after = ticket.after;
        ticket.after.before = ticket.before;
        ticket.before = ticket;
        ticket.after = ticket;
        sizes[ticket.rank]--;
    }

    int size() {
        return sizes(LANES);
    }

    /** How many wait whose rank is before this one. */
    private int sizes(int end) {
        int sum = 0;
        for (int rank = 0; rank < end; rank++) {
            sum += sizes[rank];
        }
        return sum;
    }

    boolean isEmpty() {
        return first() == null;
    }

    private @Nullable Ticket first() {
        for (Ticket lane : lanes) {
            if (lane.waits()) {
                return lane.after;
            }
        }
        return null;
    }

    /** Gives it to the call whose turn it is, which leaves the queue. Returns false if none waits. */
    boolean grant(Grant grant) {
        called.ensureCapacity(called.size() + 1); // nothing may throw once a call has a permit
        Ticket next = next();
        if (next == null) {
            return false;
        }
        next.grant = grant;
        call(next);
        return true;
    }

    private @Nullable Ticket next() {
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

    /** What the call of this ticket awaits. */
    Completion await(Ticket ticket) {
        Completion wake = ticket.wake == null ? new Completion() : ticket.wake;
        ticket.wake = wake;
        return wake;
    }

    /** Whether this is the first call. Then it watches the time. */
    boolean watches(Ticket ticket) {
        boolean first = ticket == first();
        watch = first ? ticket : watch;
        return first;
    }

    /** The time has changed for which the first one has watched. */
    void watchAnew() {
        watch = null;
    }

    /** The calls that are to be told to look. The caller completes them once it does not have the lock any more. */
    List<Completion> called() {
        Ticket first = first();
        if (first != watch) {
            watch = first;
            call(first);
        }
        if (called.isEmpty()) {
            return List.of();
        }
        List<Completion> all = called;
        called = new ArrayList<>();
        return all;
    }

    private void call(@Nullable Ticket ticket) {
        Completion wake = ticket == null ? null : ticket.wake;
        if (ticket != null && wake != null) {
            called.add(wake);
            ticket.wake = null;
        }
    }
}
