/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import dev.holdfast.internal.Stripes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a bulkhead: a number of permits and a bounded queue.
 *
 * <p>A permit that comes back while somebody waits is handed to the next in the queue and was never free in between, so
 * nobody overtakes and a waiter never has to try again. Taking and returning is one compare-and-set while nobody waits: on
 * one word, until threads are seen to contend for it, and then each on a cell of its own. The sum of all is the limit at any
 * time, and a call is refused only when all are known to be empty. The lock is taken only for the queue, to open and close
 * the cells and to resize, for a few instructions, and nobody parks while holding it. Knows no time.
 */
public final class Permits {
    /** How many there may be at most, and how many may wait for them. */
    public static final int MOST = 1_000_000;

    private static final int BITS = 20;
    private static final long MASK = (1L << BITS) - 1;
    private static final long ONE_WAITING = 1L << (2 * BITS);

    /** The cells are in use. Then nobody waits, and no more are given than the limit. */
    private static final long OPEN = 1L << (3 * BITS);

    /** Where the word is: apart from whatever lies before and behind. */
    private static final int WORD = Stripes.STRIDE;

    /**
     * From the low end: permits given (out, or in a cell), the limit, waiting tickets, {@link #OPEN}. One word, so that "a
     * permit is free and nobody waits" is one decision, whatever is resized meanwhile. All but the permits given change under
     * the lock alone. While somebody waits, no fewer permits are given than the limit.
     */
    private final AtomicLongArray word = Stripes.words(1);

    private final FreeCells cells;
    /** Volatile: it may be changed while calls come. */
    private volatile int queueLimit;

    private final TicketQueue queue;
    private final ReentrantLock lock = new ReentrantLock();

    /** So many permits, all of them free, before which so many tickets may wait. */
    public Permits(int limit, int queueLimit, TicketQueue queue) {
        this(limit, queueLimit, queue, new FreeCells(Stripes.count()));
    }

    Permits(int limit, int queueLimit, TicketQueue queue, FreeCells cells) {
        this.queueLimit = queueLimit;
        this.queue = queue;
        this.cells = cells;
        word.set(WORD, (long) limit << BITS);
    }

    /** So many may wait from now on. Those that wait already stay. */
    public void queueLimit(int newLimit) {
        queueLimit = newLimit;
    }

    /** Takes a permit if one is free and nobody waits for it. */
    public boolean tryAcquire(int stripe) {
        // In this order: a cell that has a permit is open, so nobody waits at that moment either.
        return ((word() & OPEN) != 0 && cells.take(stripe)) || acquireShared();
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

    /**
     * Joins the queue, after {@link #tryAcquire} said no. The ticket is granted already if a permit came back meanwhile.
     *
     * @return null if the queue is full
     */
    public @Nullable Ticket join(long now) {
        Ticket ticket = new Ticket();
        Ticket displaced = null;
        lock.lock();
        try {
            close();
            while (true) {
                long seen = word();
                if (admits(seen)) {
                    if (swap(seen, seen + 1)) {
                        ticket.grant();
                        ticket.complete(); // nobody can wait for it yet, and nobody may begin to
                        return ticket;
                    }
                } else if (waiting(seen) < queueLimit) {
                    if (swap(seen, seen + ONE_WAITING)) {
                        queue.append(ticket, now);
                        return ticket;
                    }
                } else {
                    displaced = queue.displaced();
                    if (displaced == null) {
                        return null;
                    }
                    displaced.displace();
                    word.getAndAdd(WORD, -ONE_WAITING);
                }
            }
        } finally {
            lock.unlock();
            if (displaced != null) {
                displaced.complete();
            }
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

    /** Returns a permit, to the next that waits if anybody does. Once for each that was taken or granted. */
    public void release(int stripe) {
        if ((word() & OPEN) == 0 || !cells.put(stripe)) {
            releaseShared();
        }
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
            if (waiting(seen) == 0 || given(seen) > limit(seen)) { // the last one has given up, or the limit has shrunk
                return false;
            }
            next = granted(0);
        } finally {
            lock.unlock();
        }
        next.complete();
        return true;
    }

    /** Changes how many permits there are. Never waits: what is out beyond a smaller limit is not given out again. */
    public void resize(int newLimit) {
        List<Ticket> served;
        lock.lock();
        try {
            served = new ArrayList<>(waiting(word())); // large enough: nothing may be thrown once somebody has a permit
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
        Ticket.completeAll(served);
    }

    /** The next in the queue, with a permit: one that was out already (0), or a free one (1). Under the lock. */
    private Ticket granted(int taken) {
        Ticket next = queue.next();
        next.grant();
        word.getAndAdd(WORD, taken - ONE_WAITING);
        return next;
    }

    /** Threads contend: from now on each has a cell, until somebody must wait or finds nothing. */
    void openCells() {
        // Whoever does not get the lock goes on without: another one opens them, or somebody waits.
        if ((word() & OPEN) != 0 || !lock.tryLock()) {
            return;
        }
        try {
            long seen = word();
            while (waiting(seen) == 0 && given(seen) <= limit(seen) && (seen & OPEN) == 0) {
                // The bit before the cells: whoever reads the word without it knows that no cell holds anything.
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

    /** Brings all free permits back to the word, and takes the bit away in the same step. Under the lock. */
    private void close() {
        if ((word() & OPEN) == 0) {
            return;
        }
        long free = cells.close();
        for (long seen = word(); !swap(seen, (seen & ~OPEN) - free); ) {
            seen = word();
        }
    }

    /** How many permits there are. */
    public int limit() {
        return limit(word());
    }

    /** How many may wait. */
    public int queueLimit() {
        return queueLimit;
    }

    /** How many permits are out just now; roughly while threads contend. */
    public int inFlight() {
        int given = given(word());
        return Math.max(0, given - (int) cells.sum());
    }

    /** How many wait just now. */
    public int waiting() {
        return waiting(word());
    }

    /** Whether threads were seen to contend, and use the cells. */
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
