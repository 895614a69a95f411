/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Reason;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.ArrayDeque;
import java.util.Deque;

/** A bounded number of permits and a bounded queue, as small as can be: a policy that does have something to lose. */
final class PermitsPolicy extends Policy {
    private static final long HOLDS = 1;

    /** Who waits, and whether a permit was handed to it. */
    private static final class Ticket {
        final Completion turn = new Completion();
        boolean granted;
    }

    private final int permits;
    private final int places;
    private final Deque<Ticket> queue = new ArrayDeque<>();
    private int out;
    private int most;

    PermitsPolicy(int permits, int places) {
        super("permits", ENTER | ENDED);
        this.permits = permits;
        this.places = places;
    }

    synchronized int out() {
        return out;
    }

    synchronized int most() {
        return most;
    }

    synchronized int waiting() {
        return queue.size();
    }

    @Override
    public synchronized int enter(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            if (ticket.granted) {
                passage.object(null);
                passage.slot(HOLDS);
                return PROCEED;
            }
            return passage.await(ticket.turn, Long.MAX_VALUE);
        }
        if (out < permits) {
            most = Math.max(most, ++out);
            passage.slot(HOLDS);
            return PROCEED;
        }
        if (queue.size() >= places) {
            return passage.reject(Reason.BULKHEAD_FULL, -1, "permits of '" + passage.pipeline() + "' are out");
        }
        Ticket ticket = new Ticket();
        queue.add(ticket);
        passage.object(ticket);
        return passage.await(ticket.turn, Long.MAX_VALUE);
    }

    @Override
    public void abandon(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            giveUp(ticket);
        }
    }

    private void giveUp(Ticket ticket) {
        boolean granted;
        synchronized (this) {
            granted = ticket.granted;
            queue.remove(ticket);
        }
        if (granted) {
            release();
        }
    }

    @Override
    public void ended(Passage passage) {
        if (passage.slot() == HOLDS) {
            passage.slot(0);
            release();
        }
    }

    private void release() {
        Ticket next;
        synchronized (this) {
            next = queue.poll();
            if (next == null) {
                out--;
            } else {
                next.granted = true;
            }
        }
        if (next != null) {
            next.turn.complete();
        }
    }
}
