/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One load of one key: its leader, the calls that wait for it, and how long they may wait. Safe for any number of threads. No
 * call is told anything while the lock is held.
 */
final class Flight {
    /** An attempt may end this late after its limit: it must be interrupted, and a thread must wake up. */
    static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** Followers look at the leader's attempt this long after its limit, so that they know whether the process runs. */
    private static final long LOOK_NANOS = GRACE_NANOS / 2;
    /**
     * If nobody has looked this soon after the limit, the process may have stood still. Then the limit strikes later, too
     * (see the page of the timeout): it is another look.
     */
    private static final long ON_TIME_NANOS = GRACE_NANOS * 4 / 5;
    /** As much longer does an attempt run, then. */
    private static final long STOOD_STILL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    /** A follower whose leader has no attempt under way looks again after this time, and then after twice as long each time. */
    private static final long FIRST_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    /**
     * How a flight ended.
     *
     * @param begun whether the dependency may have begun the work of one of its attempts
     * @param old whether the answer holds an old value or a fallback from inside the load
     * @param shared whether the value may be the answer to other calls; if not, it is not here
     */
    record Landing(
            Outcome outcome,
            @Nullable Object value,
            @Nullable Throwable error,
            Source source,
            boolean begun,
            boolean old,
            boolean shared) {
        static Landing failed(Outcome outcome, @Nullable Throwable error, boolean begun) {
            return new Landing(outcome, null, error, Source.LIVE, begun, false, true);
        }

        /** With a value that is for the leader alone. */
        static Landing unshared(Outcome outcome) {
            return new Landing(outcome, null, null, Source.LIVE, false, false, false);
        }
    }

    /** The leader's attempt that is under way. */
    static final class Running {
        final String limitedBy;
        final boolean personal;
        final int attempt;
        final long since;
        private final long limitNanos;
        // Written under the lock of the flight.
        private boolean seen;
        /** From then on; set before anybody is told that it is outlived. */
        volatile long outlivedAt;

        Running(String limitedBy, boolean personal, int attempt, long since, long limitNanos) {
            this.limitedBy = limitedBy;
            this.personal = personal;
            this.attempt = attempt;
            this.since = since;
            this.limitNanos = limitNanos;
        }

        /** {@link Long#MAX_VALUE} if it has no limit. */
        private long untilLook(long now) {
            if (limitNanos >= Long.MAX_VALUE - GRACE_NANOS) {
                return Long.MAX_VALUE;
            }
            return seen ? outlivedAt - now : since + limitNanos + LOOK_NANOS - now;
        }

        /**
         * The first look after the limit says how long it may take to come back.
         *
         * @param isAwaited whether somebody waits for its answer, or nobody asks the dependency until it is back
         */
        private boolean isOutlived(long now, boolean isAwaited) {
            long late = limitNanos >= Long.MAX_VALUE - GRACE_NANOS ? -1 : now - since - limitNanos;
            if (late < 0) {
                return false;
            }
            if (!seen) {
                seen = true;
                boolean stoodStill = isAwaited && late >= ON_TIME_NANOS;
                outlivedAt = (stoodStill ? now + STOOD_STILL_NANOS : now - late) + GRACE_NANOS;
            }
            return now - outlivedAt >= 0;
        }
    }

    private final Object key;
    private final Set<Ticket> waiting = new LinkedHashSet<>();
    private @Nullable Ticket leader;
    private boolean over;
    /** How many leaders left the flight for personal reasons. */
    private volatile int lost;

    /** When the leader began, or was told to lead. */
    private volatile long begunAt;

    private volatile long slowAt;
    private volatile @Nullable Running running;
    /** Whether the leader is on its way to a thread: a load in the background that had no attempt, a call that is told to lead. */
    private volatile boolean onItsWay;

    private Flight(Object key, boolean onItsWay, long now, long slowAfter) {
        this.key = key;
        this.onItsWay = onItsWay;
        begunAt = now;
        slowAt = now + slowAfter;
    }

    /** The ticket of the leader of a new flight. */
    static Ticket begin(Object key, boolean refresh, boolean nested, long now, long slowAfter) {
        Flight flight = new Flight(key, refresh, now, slowAfter);
        Ticket leader = new Ticket(flight, refresh, nested);
        flight.leader = leader;
        return leader;
    }

    Object key() {
        return key;
    }

    synchronized boolean isLedBy(Ticket ticket) {
        return leader == ticket;
    }

    synchronized int waiting() {
        return waiting.size();
    }

    synchronized boolean isOver() {
        return over;
    }

    // ---- how long it takes

    long begunAt() {
        return begunAt;
    }

    boolean isSlow(long now) {
        return now - slowAt >= 0;
    }

    long untilSlow(long now) {
        return slowAt - now;
    }

    /** This call knows that it leads, and begins with the same time as the first leader. Returns false if it leads no more. */
    synchronized boolean led(Ticket ticket, long now, long slowAfter) {
        if (leader != ticket) {
            return false;
        }
        begunAt = now;
        slowAt = now + slowAfter;
        onItsWay = false;
        return true;
    }

    /** Does nothing if this call leads no more. */
    synchronized void attemptStarts(Ticket ticket, Running attempt) {
        if (leader == ticket) {
            onItsWay = false;
            running = attempt;
        }
    }

    /** Does nothing if this call leads no more. */
    synchronized void attemptEnds(Ticket ticket) {
        if (leader == ticket) {
            running = null;
        }
    }

    /** Nanoseconds until a follower checks whether the leader still leads. */
    synchronized long untilLook(long patience, long now) {
        Running attempt = running;
        if (attempt != null) {
            // The next leader may be lost, and tells nobody of it. So all look at times, whatever an attempt may take.
            return Math.min(Math.max(1, attempt.untilLook(now)), Math.max(patience, now - attempt.since));
        }
        return Math.min(Math.max(FIRST_LOOK_NANOS, now - begunAt), Math.max(1, untilLost(patience, now)));
    }

    /** How long a leader may still be without an attempt under way; {@link Long#MAX_VALUE}: for ever. */
    private long untilLost(long patience, long now) {
        long end = leader == null ? Long.MAX_VALUE : leader.untilEnd(now);
        long late = end >= Long.MAX_VALUE - GRACE_NANOS ? Long.MAX_VALUE : end + GRACE_NANOS;
        return onItsWay ? Math.min(late, patience - Math.max(0, now - begunAt)) : late;
    }

    /** The leader whose attempt has outlived its limit, and this attempt; null if there is none. */
    synchronized @Nullable Lost outlived(long now) {
        Running attempt = running;
        if (leader == null || attempt == null) {
            return null;
        }
        // A call that comes long after the limit, and finds nobody, loads by itself.
        boolean isAwaited = !waiting.isEmpty() || leader.isRefresh();
        return attempt.isOutlived(now, isAwaited) ? new Lost(leader, attempt) : null;
    }

    /**
     * The leader that has no attempt under way, and is lost: it has been on its way to a thread for this long, because none was
     * free or it was lost on the way, or its call is over; null if there is none.
     */
    synchronized @Nullable Ticket lostWithoutAttempt(long patience, long now) {
        return running == null && untilLost(patience, now) <= 0 ? leader : null;
    }

    /** A leader that does not come back from this attempt in time. */
    record Lost(Ticket leader, Running attempt) {}

    // ---- calls that take part

    /** The result of the try to wait. */
    enum Boarding {
        ABOARD,
        OVER,
        FULL
    }

    Ticket ticket(boolean nested) {
        return new Ticket(this, false, nested);
    }

    /** Adds a waiting call, if fewer than {@code room} wait already. */
    synchronized Boarding join(Ticket ticket, int room, long now) {
        if (over) {
            return Boarding.OVER;
        }
        if (waiting.size() >= room) {
            return Boarding.FULL;
        }
        ticket.boarded(waiting.size(), lost, now);
        waiting.add(ticket);
        return Boarding.ABOARD;
    }

    /** The leader is back. Returns the calls to tell. Does nothing if the ticket is not the leader's. */
    synchronized List<Ticket> land(Ticket ticket, Landing brought) {
        if (leader != ticket) {
            return List.of();
        }
        leader = null;
        over = true;
        return landFor(brought, any -> true);
    }

    /**
     * As {@link #land}, for an end that only some of the waiting calls share. One of the others leads from now on, and the
     * rest go on waiting. The flight is over if there are no others.
     */
    synchronized List<Ticket> landInPart(Ticket ticket, Landing brought, Predicate<Ticket> sharing, long now) {
        if (leader != ticket) {
            return List.of();
        }
        List<Ticket> told = landFor(brought, sharing);
        Ticket next = promoted(now);
        if (next != null) {
            told.add(next);
        }
        return told;
    }

    private List<Ticket> landFor(Landing brought, Predicate<Ticket> sharing) {
        List<Ticket> told = new ArrayList<>(waiting.size());
        waiting.removeIf(ticket -> {
            boolean shares = sharing.test(ticket);
            if (shares) {
                ticket.land(brought);
                told.add(ticket);
            }
            return shares;
        });
        return told;
    }

    /** This call is no longer part of the flight. Returns the new leader, which must be told; null if there is none. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    synchronized @Nullable Ticket leave(Ticket ticket, long now) {
        if (leader != ticket) {
            waiting.remove(ticket);
            return null;
        }
        lost++;
        return promoted(now);
    }

    /** How long this call has waited, if a leader has left the flight meanwhile; else 0. */
    long waitedInVain(Ticket ticket, long now) {
        return lost == ticket.lostBefore() ? 0 : now - ticket.since();
    }

    private @Nullable Ticket promoted(long now) {
        running = null;
        leader = null;
        if (waiting.isEmpty()) {
            over = true;
            return null;
        }
        Ticket next = waiting.iterator().next();
        waiting.remove(next);
        lead(next, now);
        return next;
    }

    /** The load goes on without the call that began it. Returns the new leader's ticket; null if that call led no more. */
    synchronized @Nullable Ticket goOnInBackground(Ticket ticket, long now) {
        if (leader != ticket) {
            return null;
        }
        running = null;
        Ticket next = new Ticket(this, true, false);
        lead(next, now);
        return next;
    }

    private void lead(Ticket next, long now) {
        leader = next;
        begunAt = now;
        onItsWay = true;
    }
}
