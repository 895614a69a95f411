/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

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

    /** At which so many may wait, and so many while it is slow. */
    Flights(int room, int roomIfSlow) {
        this.room = room;
        this.roomIfSlow = roomIfSlow;
    }

    /**
     * A part in the flight of this key: the leader's if there was none, else that of one who waits; null if too many wait.
     *
     * @param nested whether the call is not retried, since it runs inside a later attempt of an outer pipeline
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
            Boarding came = flight.join(ticket, flight.isSlow(now) ? roomIfSlow : room, now);
            if (came != Boarding.OVER) {
                return came == Boarding.ABOARD ? ticket : null;
            }
            // Whoever ended it is about to do the same.
            underWay.remove(key, flight);
        }
    }

    /** The part of a load in the background that leads a new flight; null if there is a flight already. */
    @Nullable
    Ticket beginInBackground(Object key, long now, long slowAfter) {
        return begun(Flight.begin(key, true, false, now, slowAfter));
    }

    private @Nullable Ticket begun(Ticket leader) {
        return underWay.putIfAbsent(leader.flight().key(), leader.flight()) == null ? leader : null;
    }

    boolean isUnderWay(Object key) {
        return underWay.containsKey(key);
    }

    /** The leader is back with something that all may share; whether somebody does. */
    boolean land(Ticket leader, Landing landing) {
        return tell(leader.flight(), leader.flight().land(leader, landing));
    }

    /** The leader is back with something that only these may share; whether somebody does. */
    boolean landInPart(Ticket leader, Landing landing, Predicate<Ticket> sharing) {
        return tell(leader.flight(), leader.flight().landInPart(leader, landing, sharing));
    }

    /** This call takes no part any more. If it led the flight, the one who has waited longest does. */
    void leave(Ticket ticket) {
        Ticket next = ticket.flight().leave(ticket);
        tell(ticket.flight(), next == null ? List.of() : List.of(next));
    }

    /** Whether one of them is told how the flight has ended. */
    private boolean tell(Flight flight, List<Ticket> told) {
        if (flight.isOver()) {
            // Before anybody is told: who asks again after that must not meet this flight.
            underWay.remove(flight.key(), flight);
        }
        boolean shared = false;
        for (Ticket ticket : told) {
            shared |= ticket.landing() != null;
            ticket.complete();
        }
        return shared;
    }

    /** Whether one who came so late is still too much, now that the flight is slow. */
    boolean isTooMany(Ticket ticket, long now) {
        Flight flight = ticket.flight();
        return ticket.place() >= roomIfSlow && flight.isSlow(now) && flight.waiting() > roomIfSlow;
    }

    /** Whether this one is to ask once more when the flight becomes slow. */
    boolean maySoonBeTooMany(Ticket ticket) {
        return ticket.place() >= roomIfSlow;
    }

    /** Nobody joins any more what is under way for these keys. */
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
