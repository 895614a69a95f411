/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.stalecache.Flight.Landing;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/** The loads that are under way, at most one for each key. Safe for any number of threads. */
final class Flights {
    private final ConcurrentMap<Object, Flight> underWay = new ConcurrentHashMap<>();

    /** A part in the flight of this key: the leader's if there was none, else that of one who waits. */
    Ticket board(Object key) {
        while (true) {
            Flight flight = underWay.get(key);
            if (flight == null) {
                Ticket leader = tryBegin(key, false);
                if (leader != null) {
                    return leader;
                }
            } else {
                Ticket ticket = flight.join();
                if (ticket != null) {
                    return ticket;
                }
                // Over, and whoever ended it is about to do the same.
                underWay.remove(key, flight);
            }
        }
    }

    /** The leader's part in a new flight; null if there is one already. */
    @Nullable
    Ticket tryBegin(Object key, boolean refresh) {
        Ticket leader = Flight.begin(key, refresh);
        return underWay.putIfAbsent(key, leader.flight()) == null ? leader : null;
    }

    boolean isUnderWay(Object key) {
        return underWay.containsKey(key);
    }

    /** The leader is back with something that all may share. */
    void land(Ticket leader, Landing landing) {
        Flight flight = leader.flight();
        var told = flight.land(leader, landing);
        if (flight.isOver()) {
            // Before anybody is told: who asks again after that must not meet this flight.
            underWay.remove(flight.key(), flight);
        }
        for (Ticket ticket : told) {
            ticket.complete();
        }
    }

    /** This call takes no part any more. If it led the flight, the one who has waited longest does. */
    void leave(Ticket ticket) {
        Flight flight = ticket.flight();
        Ticket next = flight.leave(ticket);
        if (next != null) {
            next.complete();
        } else if (flight.isOver()) {
            underWay.remove(flight.key(), flight);
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
