/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import dev.holdfast.internal.ShortLock;
import dev.holdfast.internal.Stripes;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a throttle: the generic cell rate algorithm (ITU-T I.371) in its virtual scheduling form. Calls take places
 * on a line of time, one {@code cost} apart. A call may start as soon as its place is at most {@code tolerance} ahead. So in
 * any time t, at most {@code burst + t * limit / per} calls start, to the nanosecond, also after places were given back.
 *
 * <p>A reservation is one compare-and-set. The engine has no clock: the caller passes the time. All comparisons are
 * differences, so a clock that wraps around does no harm. Safe for any number of threads. If threads contend for the line
 * and the burst is large enough, each thread takes several places at a time for a cell of its own. A call is rejected only
 * after all cells were tried. All places are still one cost apart.
 *
 * <p>A call may weigh more: it takes so many places that follow one another, and starts when the last of them is near enough. Once
 * there was such a call, no thread takes places for a cell any more, because a heavy call could not have them.
 *
 * <p>The settings never change. {@link #with} closes the line, and another line with other settings goes on for it.
 *
 * <p>Rounding: the cost of a call is rounded up, so the rate is never exceeded. If the limit does not divide the time, up to
 * ten binary places below a nanosecond are kept. Then the rate is too low by less than one in a million, for up to a million
 * calls a second; beyond, by less than one in a thousand.
 */
public final class Gcra {
    /** No reservation. Never the end of a place. */
    public static final long NONE = 0;

    /** No reservation, because the line is closed: {@link #successor} has the places. Never the end of a place. */
    public static final long MOVED = 1;

    private static final long NANOS_PER_HOUR = 3_600_000_000_000L;
    /** Arbitrary. Keeps the places of a clock that starts at zero away from {@link #NONE}. */
    private static final long ORIGIN = 0x2545_F491_4F6C_DD1DL;

    private static final int EXACT_BITS = 20;
    private static final int MAX_SHIFT = 10;

    /** At most an eighth of the burst may lie in cells. */
    private static final int SHARE = 8;

    private static final int LARGEST_BATCH = 32;
    /** The index of the line, away from other data on both sides. */
    private static final int LINE = Stripes.STRIDE;

    private final int limit;
    private final long perNanos;
    private final int burst;
    final int shift;
    final long cost;
    private final long tolerance;
    private final long furthest;

    /**
     * The end of the last place that was taken (the theoretical arrival time of the next call), in fractions of a
     * nanosecond, modulo 2^64; {@link #NONE} before the first call, {@link #MOVED} once the line is closed.
     */
    private final AtomicLongArray last = Stripes.words(1);

    private final PlaceCells cells;
    /** How many places a thread takes at a time. With 1 the burst is too small for cells. */
    private final int batch;
    /** Places for a cell begin at least this far ahead of now: they can be used for this long. */
    private final long headStart;
    /**
     * Whether threads have contended, and no call was heavy. A thread that reads it late goes on as before. A thread that sets it
     * looks at {@link #heavy} afterwards, and a thread that sets that resets this afterwards. So one of the two resets it.
     */
    private volatile boolean contended;

    /** Whether a call took more than one place. Never changes back. */
    private volatile boolean heavy;

    /** Under the lock. If {@link #last} moved back instead, a call could start at the same time as another one. */
    private final VacantPlaces vacant;

    private final ShortLock lock = new ShortLock();

    /** Written under the lock. A thread that reads an old value takes a later place, as if none were vacant. */
    private volatile boolean vacancies;

    /** What goes on for this line; null before it is closed. Written under the lock. */
    private volatile @Nullable Succession succession;

    /** The line before; null if there was none. Written before this line is used, and under the lock. */
    private @Nullable Succession inheritance;

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
        this.limit = limit;
        this.perNanos = perNanos;
        this.burst = burst;
        shift = perNanos % limit == 0 ? 0 : binaryPlaces(perNanos / limit);
        long per = perNanos << shift;
        cost = per / limit + (per % limit == 0 ? 0 : 1);
        tolerance = (burst - 1) * cost;
        // The longest wait is two hours, of a critical call. The third hour is for threads that have read an old time.
        furthest = tolerance + cost + ((3 * NANOS_PER_HOUR) << shift);
        vacant = new VacantPlaces(cost);
        cells = new PlaceCells(stripes, cost, tolerance);
        batch = Math.max(1, Math.min(LARGEST_BATCH, burst / SHARE / stripes));
        headStart = burst / SHARE * cost;
    }

    private static int binaryPlaces(long nanos) {
        int bits = Long.SIZE - Long.numberOfLeadingZeros(nanos);
        return Math.min(MAX_SHIFT, Math.max(0, EXACT_BITS + 1 - bits));
    }

    /**
     * Takes the next place, if its wait is not too long.
     *
     * @param longestWait in nanoseconds; 0: only a place without a wait
     * @param stripe of the calling thread
     * @return the end of the place, for {@link #waitNanos} and {@link #giveBack}; {@link #NONE} if the wait is too long,
     *     {@link #MOVED} if the line is closed: then nothing was taken
     */
    public long reserve(long now, long longestWait, int stripe) {
        if (contended) {
            long place = cells.take(stripe, units(now));
            if (place != NONE) {
                return place;
            }
        }
        long place = vacancies ? takeVacant(now, longestWait, cost) : NONE;
        if (place == NONE && contended) {
            place = reserveBatch(now, stripe);
        }
        return place != NONE ? place : reserveLast(now, longestWait, cost);
    }

    /**
     * Takes the next places that follow one another, if the wait is not too long. The calls that come later do not overtake it.
     *
     * @param longestWait in nanoseconds; 0: only places without a wait
     * @param weight how many; 1 to the burst
     * @return the end of the last place, for {@link #waitNanos} and {@link #giveBack(long, int)}; {@link #NONE} if the wait is
     *     too long, {@link #MOVED} if the line is closed: then nothing was taken
     */
    public long reserveHeavy(long now, long longestWait, int weight) {
        if (!heavy) {
            heavy = true;
        }
        if (contended) {
            contended = false;
        }
        long length = weight * cost;
        long end = vacancies ? takeVacant(now, longestWait, length) : NONE;
        return end != NONE ? end : reserveLast(now, longestWait, length);
    }

    private long reserveLast(long now, long longestWait, long length) {
        while (true) {
            long seen = last();
            if (seen == MOVED) {
                return MOVED;
            }
            long end = next(seen, now, length);
            long wait = waitNanos(end, now);
            long other = wait > 0 && contended && length == cost ? cells.takeAny(units(now)) : NONE;
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

    /** Threads contend: from now on each takes several places at a time, if the burst is large enough. */
    void contend() {
        if (batch > 1 && !heavy) {
            contended = true;
            if (heavy) {
                contended = false;
            }
        }
    }

    /** Takes several places that need no wait. Returns the first and puts the others into the cell. */
    private long reserveBatch(long now, int stripe) {
        long units = units(now);
        if (!cells.claim(stripe, units)) {
            return NONE;
        }
        while (true) {
            long seen = last();
            long first = units + Math.max(ahead(seen, now), headStart) + cost;
            long end = first + (batch - 1) * cost;
            // Not around zero: ends near zero have another meaning.
            if (seen == MOVED || waitNanos(end, now) > 0 || (first < 2 && end >= 0)) {
                cells.fill(stripe, NONE, NONE);
                return NONE;
            }
            if (swap(seen, end)) {
                cells.fill(stripe, first + cost, end);
                return first;
            }
        }
    }

    /** {@link #NONE} if no vacant places suit. If only their wait is too long, then the wait for later ones is, too. */
    private long takeVacant(long now, long longestWait, long length) {
        lock.lock();
        try {
            long end = firstVacant(now, length);
            if (end == NONE || waitNanos(end, now) > longestWait) {
                return NONE;
            }
            vacant.take(end, length);
            vacancies = !vacant.isEmpty();
            return end;
        } finally {
            lock.unlock();
        }
    }

    private long firstVacant(long now, long length) {
        vacant.forgetPast(units(now));
        vacancies = !vacant.isEmpty();
        Succession before = inheritance;
        return vacant.first(length, before == null ? units(now) : before.earliest(now));
    }

    /** How long the holder of a reservation must wait before it starts; 0 or more. */
    public long waitNanos(long end, long now) {
        long early = end - cost - tolerance - units(now);
        return early <= 0 ? 0 : (early + (1L << shift) - 1) >> shift;
    }

    /** How long a call would have to wait now; 0 or more. */
    public long untilFree(long now) {
        return untilFree(now, 1);
    }

    /** How long a call of this weight would have to wait now; 0 or more. */
    public long untilFree(long now, int weight) {
        if (weight == 1 && contended && cells.usable(units(now)) > 0) {
            return 0;
        }
        long length = weight * cost;
        if (vacancies) {
            lock.lock();
            try {
                long end = firstVacant(now, length);
                if (end != NONE) {
                    return waitNanos(end, now);
                }
            } finally {
                lock.unlock();
            }
        }
        return waitNanos(next(last(), now, length), now);
    }

    /**
     * Gives back a reservation that was not used; once for each. Other reservations keep their places. The next call takes
     * the free place. If all are given back, the line is as if none had been made.
     */
    public void giveBack(long end) {
        giveBack(end, 1);
    }

    /** The same for the places of a call of this weight. */
    public void giveBack(long end, int weight) {
        giveBack(end - weight * cost, end);
    }

    private void giveBack(long begin, long end) {
        boolean undone = swap(end, notNone(begin));
        if (undone && !vacancies) {
            return;
        }
        Succession after;
        lock.lock();
        try {
            after = succession;
            if (after == null) {
                if (!undone) {
                    vacant.add(begin, end);
                }
                undoLast();
            }
        } finally {
            lock.unlock();
        }
        if (after != null && !undone) {
            after.to().giveBack(after.place(begin), after.place(end));
        }
    }

    private void undoLast() {
        while (!vacant.isEmpty() && swap(vacant.lastEnd(), notNone(vacant.lastBegin()))) {
            vacant.removeLast();
        }
        vacancies = !vacant.isEmpty();
    }

    /**
     * The line with other settings: this one, if they are the same. Else this line is closed, and the other one goes on for it:
     * what may start now, in parts of a call, is kept up to the new burst; waiting calls keep their times, and those that come
     * later start behind them. What is given back here goes there. Until the last of the waiting calls has started, the
     * larger burst and the larger limit bound every window.
     *
     * @param newLimit at most one a nanosecond
     * @param newPerNanos at most one day
     * @param newBurst at most the limit
     */
    public Gcra with(int newLimit, long newPerNanos, int newBurst, long now) {
        Gcra last = current();
        last.lock.lock();
        try {
            if (last.succession == null) {
                boolean same = newLimit == last.limit && newPerNanos == last.perNanos && newBurst == last.burst;
                return same ? last : last.close(new Gcra(newLimit, newPerNanos, newBurst), now);
            }
        } finally {
            last.lock.unlock();
        }
        return last.with(newLimit, newPerNanos, newBurst, now);
    }

    /** Under the lock. */
    private Gcra close(Gcra other, long now) {
        other.heavy = heavy;
        heavy = true; // no thread takes places for a cell any more
        contended = false;
        long seen = last.getAndSet(LINE, MOVED);
        Succession after = new Succession(this, other, now, units(now) + ahead(seen, now));
        for (long end = cells.takeAny(units(now)); end != NONE; end = cells.takeAny(units(now))) {
            vacant.add(end - cost, end);
        }
        vacant.forgetPast(units(now));
        vacant.moveTo(other.vacant, after::place);
        vacancies = false;
        other.last.set(LINE, after.last());
        other.undoLast();
        other.inheritance = after;
        inheritance = null; // else each line would keep all lines before it
        succession = after;
        return other;
    }

    /** The line that goes on for this one, and is not closed; this one, if it is not. */
    public Gcra current() {
        Gcra line = this;
        for (Succession after = succession; after != null; after = line.succession) {
            line = after.to();
        }
        return line;
    }

    /** The line that goes on for this one. Only after {@link #MOVED}. */
    public Gcra successor() {
        lock.lock(); // whoever closes the line has it until the other one can be used
        try {
            return Objects.requireNonNull(succession).to();
        } finally {
            lock.unlock();
        }
    }

    /** How many calls may start at once after a quiet time. */
    public int burst() {
        return burst;
    }

    /** How far ahead a place may end whose call starts now, in fractions of a nanosecond. */
    long reach() {
        return tolerance + cost;
    }

    /** How much shorter than {@link #reach} that of the lines before was, as long as they have places. */
    long margin(long now) {
        Succession before = inheritance;
        return before == null ? 0 : before.margin(now);
    }

    /** How many calls could start at once now: 0 to the burst. Vacant places are not counted. */
    public long available(long now) {
        long free = tolerance + cost - ahead(last(), now);
        long inCells = contended ? cells.usable(units(now)) : 0;
        return Math.max(0, Math.min(burst, Math.floorDiv(free, cost) + inCells));
    }

    /** Limits how many calls may start at once now, if that is less than the burst. Only before the first call. */
    public void startWith(long available, long now) {
        if (available < burst) {
            last.set(LINE, notNone(units(now) + (burst - available) * cost));
        }
    }

    private long next(long seen, long now, long length) {
        return notNone(units(now) + ahead(seen, now) + length);
    }

    /** How far the taken places reach beyond now; 0 if they are past. */
    private long ahead(long seen, long now) {
        long ahead = seen - units(now);
        // Further than any reservation: these places are past by so much that the difference wrapped around.
        return seen == NONE || ahead < 0 || ahead > furthest ? 0 : ahead;
    }

    long units(long now) {
        return (now << shift) + ORIGIN;
    }

    private long last() {
        return last.get(LINE);
    }

    private boolean swap(long seen, long end) {
        return last.compareAndSet(LINE, seen, end);
    }

    static long notNone(long end) {
        return end == NONE || end == MOVED || end == PlaceCells.BUSY ? 2 : end;
    }
}
