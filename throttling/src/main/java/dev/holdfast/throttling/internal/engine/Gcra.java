/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import dev.holdfast.internal.Stripes;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The engine of a throttle: the generic cell rate algorithm (ITU-T I.371) in its virtual scheduling form. Calls take
 * places on a line of time, one {@code cost} apart; a call may start as soon as its place is at most {@code tolerance}
 * ahead. So never more than {@code burst + t * limit / per} calls start in any time t, to the nanosecond,
 * whatever is given back.
 *
 * <p>One compare-and-set a reservation and no clock: the caller says what time it is. All comparisons are differences, so
 * a clock that wraps around does no harm. Safe for any number of threads. Once threads are seen to contend for the line, each
 * takes several places at a time for a cell of its own, if the burst is large enough; a call is refused only after all cells
 * were tried. All places are still one cost apart.
 *
 * <p>Rounding: the cost of a call is rounded up, so the rate is never exceeded. Where the limit does not divide the time,
 * up to ten binary places below a nanosecond are kept, so that the rate comes out too low by less than one in a million up
 * to a million calls a second, and by less than one in a thousand beyond.
 */
public final class Gcra {
    /** No reservation. Never the end of one. */
    public static final long NONE = 0;

    private static final long NANOS_PER_HOUR = 3_600_000_000_000L;
    /** Arbitrary, so that the places of a clock that starts at zero stay clear of {@link #NONE}. */
    private static final long ORIGIN = 0x2545_F491_4F6C_DD1DL;

    private static final int EXACT_BITS = 20;
    private static final int MAX_SHIFT = 10;

    /** This part of the burst may lie in cells. */
    private static final int SHARE = 8;

    private static final int LARGEST_BATCH = 32;
    /** Where the line is: apart from whatever lies before and behind. */
    private static final int LINE = Stripes.STRIDE;

    private final int burst;
    private final int shift;
    private final long cost;
    private final long tolerance;
    private final long furthest;

    /**
     * The end of the last place that was taken (the theoretical arrival time of the next call), in fractions of a
     * nanosecond, modulo 2^64; {@link #NONE} before the first call.
     */
    private final AtomicLongArray last = Stripes.words(1);

    private final PlaceCells cells;
    /** How many places a thread takes at a time; 1: the burst is too small for cells. */
    private final int batch;
    /** How far ahead of now those for a cell begin at least: so long can they be used. */
    private final long headStart;
    /** Whether threads were seen to contend. Never changes back; who reads it late goes on as before. */
    private volatile boolean contended;

    /**
     * Ends of places that were given back while later ones were taken already. A later call takes the first of them that
     * it is not too late for: moving {@link #last} back instead would let it start beside one that is there already.
     */
    private final TreeSet<Long> vacant = new TreeSet<>((a, b) -> Long.compare(a - b, 0));

    private final ReentrantLock lock = new ReentrantLock();

    /** Vacant places; written under the lock. A thread that reads an old value takes a later place, as if none were vacant. */
    private volatile int vacancies;

    /**
     * An unused throttle.
     *
     * @param limit at most one a nanosecond
     * @param perNanos at most one day
     * @param burst at most the limit
     */
    public Gcra(int limit, long perNanos, int burst) {
        this(limit, perNanos, burst, Stripes.count());
    }

    /** With this many cells. */
    Gcra(int limit, long perNanos, int burst, int stripes) {
        this.burst = burst;
        shift = perNanos % limit == 0 ? 0 : binaryPlaces(perNanos / limit);
        long per = perNanos << shift;
        cost = per / limit + (per % limit == 0 ? 0 : 1);
        tolerance = (burst - 1) * cost;
        // The longest wait is an hour; the other one is for threads whose idea of the time is late.
        furthest = tolerance + cost + ((2 * NANOS_PER_HOUR) << shift);
        cells = new PlaceCells(stripes, cost, tolerance);
        batch = Math.max(1, Math.min(LARGEST_BATCH, burst / SHARE / stripes));
        headStart = burst / SHARE * cost;
    }

    private static int binaryPlaces(long nanos) {
        int bits = Long.SIZE - Long.numberOfLeadingZeros(nanos);
        return Math.min(MAX_SHIFT, Math.max(0, EXACT_BITS + 1 - bits));
    }

    /**
     * Takes the next place, if the wait for it is not too long.
     *
     * @param longestWait in nanoseconds; 0: only a place that needs no wait
     * @param stripe of the calling thread
     * @return the end of the place, to be kept for {@link #waitNanos} and {@link #giveBack}; {@link #NONE} if the wait was
     *     too long: then nothing was taken
     */
    public long reserve(long now, long longestWait, int stripe) {
        if (contended) {
            long place = cells.take(stripe, units(now));
            if (place != NONE) {
                return place;
            }
        }
        return vacancies == 0 ? reserveLast(now, longestWait, stripe) : reserveVacant(now, longestWait, stripe);
    }

    private long reserveLast(long now, long longestWait, int stripe) {
        long first = contended ? reserveBatch(now, stripe) : NONE;
        return first != NONE ? first : reserveOne(now, longestWait);
    }

    private long reserveOne(long now, long longestWait) {
        while (true) {
            long seen = last();
            long end = next(seen, now);
            long wait = waitNanos(end, now);
            long other = wait > 0 && contended ? cells.takeAny(units(now)) : NONE;
            if (other != NONE) {
                return other;
            }
            if (wait > longestWait) {
                return NONE;
            }
            if (swap(seen, end)) {
                return end;
            }
            contend();
        }
    }

    /** Threads contend: from now on each takes several places at a time, if the burst is large enough for that. */
    void contend() {
        if (batch > 1) {
            contended = true;
        }
    }

    /** Takes several places that need no wait, keeps the first and leaves the others in the cell. */
    private long reserveBatch(long now, int stripe) {
        long units = units(now);
        if (!cells.claim(stripe, units)) {
            return NONE;
        }
        while (true) {
            long seen = last();
            long first = units + Math.max(ahead(seen, now), headStart) + cost;
            long end = first + (batch - 1) * cost;
            // Not around zero, where ends mean something else.
            if (waitNanos(end, now) > 0 || (first < 2 && end >= 0)) {
                cells.fill(stripe, NONE, NONE);
                return NONE;
            }
            if (swap(seen, end)) {
                cells.fill(stripe, first + cost, end);
                return first;
            }
        }
    }

    private long reserveVacant(long now, long longestWait, int stripe) {
        lock.lock();
        try {
            forgetPast(now);
            if (vacant.isEmpty()) {
                return reserveLast(now, longestWait, stripe);
            }
            long end = vacant.first();
            if (waitNanos(end, now) > longestWait) {
                return NONE;
            }
            vacant.pollFirst();
            vacancies = vacant.size();
            return end;
        } finally {
            lock.unlock();
        }
    }

    /** Who starts after the beginning of a vacant place would be too close to the next one. */
    private void forgetPast(long now) {
        while (!vacant.isEmpty() && vacant.first() - cost - units(now) < 0) {
            vacant.pollFirst();
        }
        vacancies = vacant.size();
    }

    /** How long the holder of a reservation has to wait before it starts; 0 or more. */
    public long waitNanos(long end, long now) {
        long early = end - cost - tolerance - units(now);
        return early <= 0 ? 0 : (early + (1L << shift) - 1) >> shift;
    }

    /** How long a call that came now would have to wait; 0 or more. */
    public long untilFree(long now) {
        if (contended && cells.usable(units(now)) > 0) {
            return 0;
        }
        if (vacancies > 0) {
            lock.lock();
            try {
                forgetPast(now);
                if (!vacant.isEmpty()) {
                    return waitNanos(vacant.first(), now);
                }
            } finally {
                lock.unlock();
            }
        }
        return waitNanos(next(last(), now), now);
    }

    /**
     * Gives back a reservation that was not used; once for each. Others keep their places. Whoever comes next takes the one
     * that has become free, and once all are given back, all is as if none had been made.
     */
    public void giveBack(long end) {
        boolean undone = swap(end, notNone(end - cost));
        if (undone && vacancies == 0) {
            return;
        }
        lock.lock();
        try {
            if (!undone) {
                vacant.add(end);
            }
            while (!vacant.isEmpty() && swap(vacant.last(), notNone(vacant.last() - cost))) {
                vacant.pollLast();
            }
            vacancies = vacant.size();
        } finally {
            lock.unlock();
        }
    }

    /** How many calls could start at once now, vacant places not counted: 0 to the burst. */
    public long available(long now) {
        long free = tolerance + cost - ahead(last(), now);
        return Math.max(0, Math.min(burst, Math.floorDiv(free, cost) + cells.usable(units(now))));
    }

    /** Before the first call: only so many, at most the burst, may start at once now. */
    public void startWith(long available, long now) {
        if (available < burst) {
            last.set(LINE, notNone(units(now) + (burst - available) * cost));
        }
    }

    private long next(long seen, long now) {
        return notNone(units(now) + ahead(seen, now) + cost);
    }

    /** How far the places that are taken reach beyond now; 0 if they are past. */
    private long ahead(long seen, long now) {
        long ahead = seen - units(now);
        // Further than any reservation reaches: not ahead, but past by so much that the difference came round.
        return seen == NONE || ahead < 0 || ahead > furthest ? 0 : ahead;
    }

    private long units(long now) {
        return (now << shift) + ORIGIN;
    }

    private long last() {
        return last.get(LINE);
    }

    private boolean swap(long seen, long end) {
        return last.compareAndSet(LINE, seen, end);
    }

    private static long notNone(long end) {
        return end == NONE || end == PlaceCells.BUSY ? 2 : end;
    }
}
