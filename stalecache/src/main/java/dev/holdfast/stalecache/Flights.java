/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.Completion;
import dev.holdfast.stalecache.Flight.Boarding;
import dev.holdfast.stalecache.Flight.Landing;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The loads that are under way, at most one for each key. Safe for any number of threads. */
final class Flights {
    private final ConcurrentMap<Object, Flight> underWay = new ConcurrentHashMap<>();
    private final int room;
    private final int roomIfSlow;

    /** At most {@code room} calls may wait for a load, and {@code roomIfSlow} while it is slow. */
    Flights(int room, int roomIfSlow) {
        this.room = room;
        this.roomIfSlow = roomIfSlow;
    }

    /**
     * A ticket for the flight of this key: the leader's if there was no flight, else a waiting call's; null if too many wait.
     *
     * @param nested whether the call is not retried, because it runs inside a later attempt of an outer pipeline
     * @param slowAfter after how long the flight is slow, if it is a new one
     */
    @Nullable
    Ticket board(Object key, boolean nested, long now, long slowAfter) {
        while (true) {
            Flight flight = underWay.get(key);
            if (flight == null) {
                Ticket leader = begun(Flight.begin(key, false, nested, now, slowAfter));
                if (leader != null) {
                    return leader;
                }
                continue;
            }
            Ticket ticket = flight.ticket(nested);
            Boarding boarding = flight.join(ticket, flight.isSlow(now) ? roomIfSlow : room, now);
            if (boarding != Boarding.OVER) {
                return boarding == Boarding.ABOARD ? ticket : null;
            }
            // The thread that ended the flight is about to do the same.
            underWay.remove(key, flight);
        }
    }

    /** The leader's ticket of a load in the background; null if there is a flight already. */
    @Nullable
    Ticket beginInBackground(Object key, long now, long slowAfter) {
        Flight over = underWay.get(key);
        if (over != null && over.isOver()) {
            underWay.remove(key, over);
        }
        return begun(Flight.begin(key, true, false, now, slowAfter));
    }

    private @Nullable Ticket begun(Ticket leader) {
        return underWay.putIfAbsent(leader.flight().key(), leader.flight()) == null ? leader : null;
    }

    /** The load of this key, which may be over by now; null if there is none. */
    @Nullable
    Flight underWay(Object key) {
        return underWay.get(key);
    }

    boolean isUnderWay(Object key) {
        Flight flight = underWay(key);
        return flight != null && !flight.isOver();
    }

    /** The leader is back with an end that all may share. Returns whether a call shares it. */
    boolean land(Ticket leader, Landing landing) {
        return tell(leader.flight(), leader.flight().land(leader, landing));
    }

    /** The leader is back with an end that only these may share. Returns whether a call shares it. */
    boolean landInPart(Ticket leader, Landing landing, Predicate<Ticket> sharing, long now) {
        return tell(leader.flight(), leader.flight().landInPart(leader, landing, sharing, now));
    }

    /** This call takes no part any more. If it led the flight, the call that has waited longest leads now. */
    void leave(Ticket ticket, long now) {
        Ticket next = ticket.flight().leave(ticket, now);
        tell(ticket.flight(), next == null ? List.of() : List.of(next));
    }

    /** Returns whether one of these calls is told how the flight has ended, and has the same end. */
    private boolean tell(Flight flight, List<Ticket> told) {
        try {
            if (flight.isOver()) {
                // Before any call is told: a call that asks again afterwards must not find this flight.
                underWay.remove(flight.key(), flight);
            }
        } finally {
            // Also if a key's equals has thrown.
            Completion.completeAll(told);
        }
        boolean shared = false;
        for (Ticket ticket : told) {
            Landing landing = ticket.landing();
            shared |= landing != null && landing.shared();
        }
        return shared;
    }

    /** Whether this call must go because the flight is slow now, and too many wait for it. */
    boolean isTooMany(Ticket ticket, long now) {
        Flight flight = ticket.flight();
        return ticket.place() >= roomIfSlow && flight.isSlow(now) && flight.waiting() > roomIfSlow;
    }

    /** Whether this call must ask again when the flight becomes slow. */
    boolean maySoonBeTooMany(Ticket ticket) {
        return ticket.place() >= roomIfSlow;
    }

    /** No call joins the flights of these keys any more. */
    void forgetAll(Predicate<Object> keys) {
        for (Flight flight : underWay.values()) {
            if (keys.test(flight.key())) {
                underWay.remove(flight.key(), flight);
            }
        }
    }

    int size() {
        return underWay.size();
    }

    /** How many calls wait for others to land. */
    int waiting() {
        return underWay.values().stream().mapToInt(Flight::waiting).sum();
    }
}
