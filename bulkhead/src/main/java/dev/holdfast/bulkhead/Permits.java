/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.spi.Completion;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a bulkhead: a number of permits and a bounded queue, first come, first served.
 *
 * <p>A permit that comes back while somebody waits is handed to the first in the queue and was never free in between, so
 * nobody overtakes and a waiter never has to try again. Taking and returning is one compare-and-set while nobody waits;
 * the lock is taken only for the queue, for a few instructions, and nobody parks while holding it. Knows no time.
 */
final class Permits {
    private static final long ONE_WAITING = 1L << 32;

    private final int limit;
    private final int queueLimit;

    /**
     * Permits that are out in the low half, waiting tickets in the high half: one word, so that "a permit is free and
     * nobody waits" is one decision. The high half changes under the lock alone, the low half at any time; while somebody
     * waits, all permits are out.
     */
    private final AtomicLong state = new AtomicLong();

    private final ReentrantLock lock = new ReentrantLock();

    /** A ring through a ticket that is never granted: a ticket is taken out of the middle without a search. */
    private final Ticket queue = new Ticket();

    Permits(int limit, int queueLimit) {
        this.limit = limit;
        this.queueLimit = queueLimit;
    }

    /** A place in the queue. Completed once a permit has been handed to it. */
    static final class Ticket extends Completion {
        // The links are guarded by the lock; a ticket that is in no queue is a ring of its own.
        private Ticket before = this;
        private Ticket after = this;
        // Written under the lock before the completion, read without: the grant counts from here on.
        private volatile boolean granted;

        /** Whether the holder of this ticket holds a permit. Never changes back. */
        boolean granted() {
            return granted;
        }
    }

    /** Takes a permit if one is free and nobody waits for it. */
    boolean tryAcquire() {
        while (true) {
            long seen = state.get();
            if (seen >= limit) { // also if anybody waits: the high half is above every limit
                return false;
            }
            if (state.compareAndSet(seen, seen + 1)) {
                return true;
            }
        }
    }

    /**
     * Joins the queue, after {@link #tryAcquire} said no. The ticket is granted already if a permit came back meanwhile.
     *
     * @return null if the queue is full
     */
    @Nullable
    Ticket join() {
        Ticket ticket = new Ticket();
        lock.lock();
        try {
            while (true) {
                long seen = state.get();
                if (seen < limit) {
                    if (state.compareAndSet(seen, seen + 1)) {
                        ticket.granted = true;
                        return ticket;
                    }
                } else if (waiting(seen) >= queueLimit) {
                    return null;
                } else if (state.compareAndSet(seen, seen + ONE_WAITING)) {
                    append(ticket);
                    return ticket;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Leaves the queue.
     *
     * @return false if the ticket had been granted before: its holder has a permit, and must use or release it
     */
    boolean withdraw(Ticket ticket) {
        lock.lock();
        try {
            if (ticket.granted) {
                return false;
            }
            if (ticket.after != ticket) {
                remove(ticket);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Returns a permit, to the first that waits if anybody does. Once for each that was taken or granted. */
    void release() {
        while (true) {
            long seen = state.get();
            if (seen >= ONE_WAITING) {
                if (handOver()) {
                    return;
                }
            } else if (state.compareAndSet(seen, seen - 1)) {
                return;
            }
        }
    }

    private boolean handOver() {
        Ticket first;
        lock.lock();
        try {
            first = queue.after;
            if (first == queue) { // the last one has just given up
                return false;
            }
            remove(first);
            first.granted = true;
        } finally {
            lock.unlock();
        }
        first.complete();
        return true;
    }

    private void append(Ticket ticket) {
        ticket.before = queue.before;
        ticket.after = queue;
        ticket.before.after = ticket;
        queue.before = ticket;
    }

    private void remove(Ticket ticket) {
        ticket.before.after = ticket.after;
        ticket.after.before = ticket.before;
        ticket.before = ticket;
        ticket.after = ticket;
        state.getAndAdd(-ONE_WAITING);
    }

    /** How many permits there are. */
    int limit() {
        return limit;
    }

    /** How many may wait. */
    int queueLimit() {
        return queueLimit;
    }

    /** How many permits are out just now. */
    int inFlight() {
        return (int) state.get();
    }

    /** How many wait just now. */
    int waiting() {
        return waiting(state.get());
    }

    private static int waiting(long seen) {
        return (int) (seen >>> 32);
    }
}
