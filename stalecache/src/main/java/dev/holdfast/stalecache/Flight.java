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
 * One load of one key: who leads it, who waits for it, and for how long it may be waited for. Safe for any number of threads;
 * nobody is told anything while the lock is held.
 */
final class Flight {
    /** By so much an attempt may be late after its limit: it has to be interrupted, and a thread to be woken. */
    static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** After so long a follower looks again whose leader has no attempt under way; and then after twice as long each time. */
    private static final long FIRST_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    /**
     * How it ended.
     *
     * @param old whether the answer holds something that was old or made up inside the load
     */
    record Landing(
            Outcome outcome,
            @Nullable Object value,
            @Nullable Throwable error,
            Source source,
            boolean old) {
        static Landing failed(Outcome outcome, @Nullable Throwable error) {
            return new Landing(outcome, null, error, Source.LIVE, false);
        }
    }

    /** An attempt of the leader's that is under way. */
    record Running(String limitedBy, boolean personal, int attempt, long since, long limitNanos) {

        /** {@link Long#MAX_VALUE} if it has no limit. */
        long untilOutlived(long now) {
            return limitNanos >= Long.MAX_VALUE - GRACE_NANOS ? Long.MAX_VALUE : since + limitNanos + GRACE_NANOS - now;
        }
    }

    private final Object key;
    private final Set<Ticket> waiting = new LinkedHashSet<>();
    private @Nullable Ticket leader;
    private boolean over;
    /** How many leaders left it for reasons of their own. */
    private volatile int lost;

    private volatile long begunAt;
    private volatile long slowAt;
    private volatile @Nullable Running running;
    /** Whether the leader has had an attempt. */
    private volatile boolean started;

    private Flight(Object key, long now, long slowAfter) {
        this.key = key;
        begunAt = now;
        slowAt = now + slowAfter;
    }

    /** The ticket of the leader of a new flight. */
    static Ticket begin(Object key, boolean refresh, boolean nested, long now, long slowAfter) {
        Flight flight = new Flight(key, now, slowAfter);
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

    /** A new leader has the same time as the first one. */
    void led(long now, long slowAfter) {
        begunAt = now;
        slowAt = now + slowAfter;
    }

    void attemptStarts(Running attempt) {
        started = true;
        running = attempt;
    }

    void attemptEnds() {
        running = null;
    }

    /** When a follower is to look whether the leader still leads; {@link Long#MAX_VALUE}: not before it is told. */
    synchronized long untilLook(long patience, long now) {
        Running attempt = running;
        if (attempt != null) {
            return attempt.untilOutlived(now);
        }
        long look = Math.max(FIRST_LOOK_NANOS, now - begunAt);
        return waitsForAThread() ? Math.min(look, Math.max(1, patience - (now - begunAt))) : look;
    }

    private boolean waitsForAThread() {
        return leader != null && leader.isRefresh() && !started;
    }

    /** The leader whose attempt has outlived its limit, with what it would have brought; null if there is none. */
    synchronized @Nullable Lost outlived(long now) {
        Running attempt = running;
        return leader == null || attempt == null || attempt.untilOutlived(now) > 0 ? null : new Lost(leader, attempt);
    }

    /**
     * The leader in the background that has not begun for so long, since no thread was there for it or it was lost on the way
     * to one; null if there is none.
     */
    synchronized @Nullable Ticket notBegun(long patience, long now) {
        return waitsForAThread() && now - begunAt >= patience ? leader : null;
    }

    /** A leader that does not come back from this attempt in time. */
    record Lost(Ticket leader, Running attempt) {}

    // ---- who takes part

    /** What came of the try to wait. */
    enum Boarding {
        ABOARD,
        OVER,
        FULL
    }

    Ticket ticket(boolean nested) {
        return new Ticket(this, false, nested);
    }

    /** A place among those who wait, if no more than this wait already. */
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

    /** The leader is back: who has to be told. Nothing happens if it is not the leader who says so. */
    synchronized List<Ticket> land(Ticket ticket, Landing brought) {
        if (leader != ticket) {
            return List.of();
        }
        leader = null;
        over = true;
        return told(brought, any -> true);
    }

    /**
     * As {@link #land}, of an end that some of those who wait would not have had: one of them leads from now on, the others
     * go on waiting. Over if there are none.
     */
    synchronized List<Ticket> landInPart(Ticket ticket, Landing brought, Predicate<Ticket> sharing) {
        if (leader != ticket) {
            return List.of();
        }
        List<Ticket> told = told(brought, sharing);
        Ticket next = promoted();
        if (next != null) {
            told.add(next);
        }
        return told;
    }

    private List<Ticket> told(Landing brought, Predicate<Ticket> sharing) {
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

    /** This call is no longer part of the flight: who leads it from now on and has to be told; null if nobody new does. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    synchronized @Nullable Ticket leave(Ticket ticket) {
        if (leader != ticket) {
            waiting.remove(ticket);
            return null;
        }
        lost++;
        return promoted();
    }

    /** For how long this one has waited, if a leader has left it meanwhile; else 0. */
    long waitedInVain(Ticket ticket, long now) {
        return lost == ticket.lostBefore() ? 0 : now - ticket.since();
    }

    private @Nullable Ticket promoted() {
        running = null;
        leader = null;
        if (waiting.isEmpty()) {
            over = true;
            return null;
        }
        Ticket next = waiting.iterator().next();
        waiting.remove(next);
        leader = next;
        return next;
    }

    /** The load goes on without the call that began it: the ticket of its new leader; null if that did not lead any more. */
    synchronized @Nullable Ticket goOnInBackground(Ticket ticket, long now) {
        if (leader != ticket) {
            return null;
        }
        begunAt = now;
        started = false;
        running = null;
        Ticket next = new Ticket(this, true, false);
        leader = next;
        return next;
    }
}
