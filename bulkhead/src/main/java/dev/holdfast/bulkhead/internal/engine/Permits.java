/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import dev.holdfast.internal.ShortLock;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.Completion;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a bulkhead: a number of permits and a bounded queue.
 *
 * <p>A permit that comes back while a call waits is handed to the next call in the queue. It is not free in between, so no
 * call overtakes, and a waiting call never has to try again. While no call waits, taking or returning a permit is one
 * compare-and-set: on one word at first; once threads contend for it, each thread uses its own cell. The sum of all cells is
 * the limit at every instant. A call is rejected only if all cells are empty. The lock is taken only for the queue, to open
 * and close the cells, and to resize. It is held for a few instructions, and no thread parks while it holds the lock. Has no
 * clock.
 */
public final class Permits {
    /** The maximum number of permits, and of waiting calls. */
    public static final int MOST = 1_000_000;

    private static final int USUAL_RANK = 1;

    private static final int BITS = 20;
    private static final long MASK = (1L << BITS) - 1;
    private static final long ONE_WAITING = 1L << (2 * BITS);

    /** The cells are in use. Then no call waits, and the limit is not exceeded. */
    private static final long OPEN = 1L << (3 * BITS);

    /** The index of the word, away from other data on both sides. */
    private static final int WORD = Stripes.STRIDE;

    /**
     * From the low end: permits given (out, or in a cell), the limit, waiting tickets, {@link #OPEN}. One word, so that "a
     * permit is free and no call waits" is one decision, also during a resize. Only the permits given change without the
     * lock. While a call waits, at least as many permits are given as the limit.
     */
    private final AtomicLongArray word = Stripes.words(1);

    private final FreeCells cells;
    /** Volatile: may change while calls run. */
    private volatile int queueLimit;

    /** How many permits are out that {@link #tryAcquireSpare} gave. */
    private final AtomicInteger spare = new AtomicInteger();

    private final TicketQueue queue;
    private final ShortLock lock = new ShortLock();

    /** Creates this many free permits, and a queue for this many tickets. */
    public Permits(int limit, int queueLimit, TicketQueue queue) {
        this(limit, queueLimit, queue, new FreeCells(Stripes.count()));
    }

    Permits(int limit, int queueLimit, TicketQueue queue, FreeCells cells) {
        this.queueLimit = queueLimit;
        this.queue = queue;
        this.cells = cells;
        word.set(WORD, (long) limit << BITS);
    }

    /** Changes the length of the queue. Tickets that wait already stay. */
    public void queueLimit(int newLimit) {
        queueLimit = newLimit;
    }

    /** Takes a permit if one is free and no call waits for it. */
    public boolean tryAcquire(int stripe) {
        // In this order: a cell that holds a permit is open, so no call waits at that moment either.
        return ((word() & OPEN) != 0 && cells.take(stripe)) || acquireShared();
    }

    /**
     * As {@link #tryAcquire}, for work that comes behind all other: such work has at most half of the permits, and at least one.
     * Give it back with {@link #releaseSpare}.
     */
    public boolean tryAcquireSpare(int stripe) {
        if (spare.incrementAndGet() <= Math.max(1, limit() / 2) && tryAcquire(stripe)) {
            return true;
        }
        spare.decrementAndGet();
        return false;
    }

    private boolean acquireShared() {
        boolean contended = false;
        while (true) {
            long seen = word();
            if (admits(seen)) {
                if (swap(seen, seen + 1)) {
                    return acquired(contended);
                }
                contended = true;
            } else if ((seen & OPEN) == 0) {
                return false;
            } else if (cells.takeAny()) {
                return true;
            } else {
                closeCells();
            }
        }
    }

    private boolean acquired(boolean contended) {
        if (contended) {
            openCells();
        }
        return true;
    }

    /** As {@link #join(long, int)}, with the usual rank. */
    public @Nullable Ticket join(long now) {
        return join(now, USUAL_RANK);
    }

    /**
     * Joins the queue, after {@link #tryAcquire} returned false. If a permit came back meanwhile, the ticket is granted
     * already.
     *
     * @param rank 0, which is served first, to one less than {@link TicketQueue#LANES}
     * @return null if the queue is full
     */
    public @Nullable Ticket join(long now, int rank) {
        Ticket ticket = new Ticket(this);
        Ticket displaced = null;
        lock.lock();
        try {
            close();
            while (true) {
                long seen = word();
                if (admits(seen)) {
                    if (swap(seen, seen + 1)) {
                        ticket.grant();
                        ticket.complete(); // no call waits for it yet, and none may begin to
                        return ticket;
                    }
                } else if (waiting(seen) < queueLimit) {
                    if (swap(seen, seen + ONE_WAITING)) {
                        queue.append(ticket, rank, now);
                        return ticket;
                    }
                } else {
                    displaced = queueLimit == 0 ? null : queue.displaced(rank);
                    if (displaced == null) {
                        return null;
                    }
                    // One for the other: as many wait as before, which may be more than a queue that was made shorter
                    // has room for.
                    displaced.displace();
                    queue.append(ticket, rank, now);
                    return ticket;
                }
            }
        } finally {
            lock.unlock();
            if (displaced != null) {
                wake(displaced);
            }
        }
    }

    /** What its holder throws is not the new one's: that has its ticket, and must learn of it. */
    private static void wake(Ticket displaced) {
        try {
            displaced.complete();
        } catch (RuntimeException | Error thrown) {
            // It must not throw; see Completion.Waiter. All waiters were told.
        }
    }

    /**
     * Leaves the queue.
     *
     * @return false if the ticket had been granted before: its holder has a permit, and must use or release it
     */
    public boolean withdraw(Ticket ticket) {
        lock.lock();
        try {
            boolean waits = !ticket.granted();
            if (waits && queue.holds(ticket)) {
                queue.take(ticket);
                word.getAndAdd(WORD, -ONE_WAITING);
            }
            return waits;
        } finally {
            lock.unlock();
        }
    }

    /** Returns a permit. If a call waits, the next one gets it. Call it once for each permit that was taken or granted. */
    public void release(int stripe) {
        if ((word() & OPEN) == 0 || !cells.put(stripe)) {
            releaseShared();
        }
    }

    /** Returns a permit of {@link #tryAcquireSpare}. */
    public void releaseSpare(int stripe) {
        spare.decrementAndGet();
        release(stripe);
    }

    private void releaseShared() {
        boolean contended = false;
        while (true) {
            long seen = word();
            if (waiting(seen) > 0 && given(seen) <= limit(seen)) {
                if (handOver()) {
                    return;
                }
            } else if (swap(seen, seen - 1)) {
                if (contended) {
                    openCells();
                }
                return;
            } else {
                contended = true;
            }
        }
    }

    private boolean handOver() {
        Ticket next;
        lock.lock();
        try {
            long seen = word();
            if (waiting(seen) == 0 || given(seen) > limit(seen)) { // the last ticket left, or the limit has shrunk
                return false;
            }
            next = granted(0);
        } finally {
            lock.unlock();
        }
        next.complete();
        return true;
    }

    /** Changes the number of permits. Never waits: permits beyond a smaller limit are not given out again. */
    public void resize(int newLimit) {
        List<Ticket> served;
        lock.lock();
        try {
            served = new ArrayList<>(waiting(word())); // large enough: nothing may throw once a call has a permit
            close();
            for (long seen = word(); !swap(seen, (seen & ~(MASK << BITS)) | ((long) newLimit << BITS)); ) {
                seen = word();
            }
            for (long seen = word(); waiting(seen) > 0 && given(seen) < limit(seen); seen = word()) {
                served.add(granted(1));
            }
        } finally {
            lock.unlock();
        }
        Completion.completeAll(served);
    }

    /** Gives the next ticket in the queue a permit: one that was out already (0), or a free one (1). Under the lock. */
    private Ticket granted(int taken) {
        Ticket next = queue.next();
        next.grant();
        word.getAndAdd(WORD, taken - ONE_WAITING);
        return next;
    }

    /** Threads contend: from now on each has a cell, until a call must wait or finds no permit. */
    void openCells() {
        // A thread that does not get the lock goes on: another thread opens the cells, or a call waits.
        if ((word() & OPEN) != 0 || !lock.tryLock()) {
            return;
        }
        try {
            long seen = word();
            while (waiting(seen) == 0 && given(seen) <= limit(seen) && (seen & OPEN) == 0) {
                // The bit before the cells: a thread that reads the word without it knows that no cell holds a permit.
                if (swap(seen, seen | OPEN)) {
                    cells.open();
                }
                seen = word();
            }
        } finally {
            lock.unlock();
        }
    }

    private void closeCells() {
        lock.lock();
        try {
            close();
        } finally {
            lock.unlock();
        }
    }

    /** Brings all free permits back to the word, and clears the bit in the same step. Under the lock. */
    private void close() {
        if ((word() & OPEN) == 0) {
            return;
        }
        long free = cells.close();
        for (long seen = word(); !swap(seen, (seen & ~OPEN) - free); ) {
            seen = word();
        }
    }

    /** The number of permits. */
    public int limit() {
        return limit(word());
    }

    /** The length of the queue. */
    public int queueLimit() {
        return queueLimit;
    }

    /** How many permits are in use now; an estimate while threads contend. */
    public int inFlight() {
        int given = given(word());
        return Math.max(0, given - (int) cells.sum());
    }

    /** How many calls wait now. */
    public int waiting() {
        return waiting(word());
    }

    /** Whether threads contended, and use the cells. */
    boolean striped() {
        return (word() & OPEN) != 0;
    }

    private long word() {
        return word.get(WORD);
    }

    private boolean swap(long seen, long next) {
        return word.compareAndSet(WORD, seen, next);
    }

    private static boolean admits(long seen) {
        return waiting(seen) == 0 && given(seen) < limit(seen);
    }

    private static int given(long seen) {
        return (int) (seen & MASK);
    }

    private static int limit(long seen) {
        return (int) ((seen >>> BITS) & MASK);
    }

    private static int waiting(long seen) {
        return (int) ((seen >>> (2 * BITS)) & MASK);
    }
}
