/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Passage;
import dev.holdfast.stalecache.Tally.Kind;

/** Loads that no call makes on its own thread: refreshes, and the rest of a load whose caller took the old value. */
final class Background {
    private final CacheState cache;
    private final LostLeaders lostLeaders;

    Background(CacheState cache, LostLeaders lostLeaders) {
        this.cache = cache;
        this.lostLeaders = lostLeaders;
    }

    void refresh(Passage passage, Object key, Entry entry) {
        // Here no call waits for it, which would see that it is lost. A task that has no thread by now is too late
        // anyway.
        lostLeaders.giveUpOnLost(passage, key, cache.refreshTimeout + Flight.GRACE_NANOS);
        if (entry.mayBeRefreshed(passage.now()) && !cache.flights.isUnderWay(key)) {
            inBackground(passage, key, entry, false);
        }
    }

    /**
     * Starts a load, unless there is one already, or one has ended since the caller looked.
     *
     * @param calledFor whether the call would else go to the dependency itself: then the last refresh does not matter
     */
    void inBackground(Passage passage, Object key, Entry seen, boolean calledFor) {
        long now = passage.now();
        Ticket ticket = cache.flights.beginInBackground(key, now, cache.slowAfter(cache.paces.of(passage)));
        if (ticket == null) {
            return;
        }
        try {
            if (cache.store.find(key, now) == seen && (calledFor || seen.mayBeRefreshed(now))) {
                fork(passage, ticket);
            } else {
                cache.flights.leave(ticket, now);
            }
        } catch (Throwable thrown) {
            // A key's equals may throw.
            cache.flights.leave(ticket, now);
            throw thrown;
        }
    }

    private void fork(Passage passage, Ticket ticket) {
        try {
            ticket.ends(passage.now(), cache.refreshTimeout);
            passage.beside().fork(ticket, cache.refreshTimeout);
        } catch (Throwable e) {
            cache.flights.leave(ticket, passage.now());
            throw e;
        }
    }

    /** The leader was slow: it takes the old value, and the load goes on without it. */
    int goOnWithout(Passage passage, Ticket ticket, Entry spare) {
        long now = passage.now();
        Flight flight = ticket.flight();
        cache.paces.of(passage).slow(true);
        Ticket next = flight.goOnInBackground(ticket, now);
        if (next == null) {
            next = cache.flights.beginInBackground(flight.key(), now, 0);
        }
        if (next != null) {
            fork(passage, next);
        }
        return cache.answer(passage, spare, Kind.STALE_IF_SLOW, Source.STALE_REVALIDATING);
    }
}
