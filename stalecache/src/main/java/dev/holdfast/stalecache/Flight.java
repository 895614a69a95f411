/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.Outcome;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One load of one key: who leads it, who waits for it, and what came of it. Safe for any number of threads; nobody is told
 * anything while the lock is held.
 */
final class Flight {

    /** What the leader brought. */
    record Landing(
            Outcome outcome,
            @Nullable Object value,
            @Nullable Throwable error) {}

    private final Object key;
    private final Set<Ticket> waiting = new LinkedHashSet<>();
    private @Nullable Ticket leader;
    private boolean over;
    private volatile @Nullable Landing landing;

    private Flight(Object key) {
        this.key = key;
    }

    /** The ticket of the leader of a new flight. */
    static Ticket begin(Object key, boolean refresh) {
        Flight flight = new Flight(key);
        Ticket leader = new Ticket(flight, refresh);
        flight.leader = leader;
        return leader;
    }

    Object key() {
        return key;
    }

    /** What came of it; null as long as nothing has, and for ever if everybody has left. */
    @Nullable
    Landing landing() {
        return landing;
    }

    synchronized boolean isLedBy(Ticket ticket) {
        return leader == ticket;
    }

    synchronized int waiting() {
        return waiting.size();
    }

    /** A place among those who wait; null if the flight is over. */
    synchronized @Nullable Ticket join() {
        if (over) {
            return null;
        }
        Ticket ticket = new Ticket(this, false);
        waiting.add(ticket);
        return ticket;
    }

    /** The leader is back: who has to be told. Nothing happens if it is not the leader who says so. */
    synchronized List<Ticket> land(Ticket ticket, Landing brought) {
        if (leader != ticket) {
            return List.of();
        }
        leader = null;
        over = true;
        landing = brought;
        List<Ticket> told = new ArrayList<>(waiting);
        waiting.clear();
        return told;
    }

    /** This call is no longer part of the flight: who leads it from now on and has to be told; null if nobody new does. */
    synchronized @Nullable Ticket leave(Ticket ticket) {
        if (leader != ticket) {
            waiting.remove(ticket);
            return null;
        }
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

    synchronized boolean isOver() {
        return over;
    }
}
