/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static dev.holdfast.spi.Policy.PROCEED;

import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Passage;
import dev.holdfast.stalecache.Flight.Landing;
import dev.holdfast.stalecache.Flight.Running;
import dev.holdfast.stalecache.Tally.Kind;
import org.jspecify.annotations.Nullable;

/** A call on its way to the dependency: it is answered, leads a load, waits for one, or goes alone. */
final class WayIn {
    private final CacheState cache;
    private final LostLeaders lostLeaders;
    private final Background background;

    WayIn(CacheState cache, LostLeaders lostLeaders, Background background) {
        this.cache = cache;
        this.lostLeaders = lostLeaders;
        this.background = background;
    }

    int enter(Passage passage) {
        try {
            return passage.object() instanceof Ticket ticket ? resume(passage, ticket) : lookUp(passage);
        } catch (Throwable thrown) {
            // Code of the user's, such as the key's equals.
            cache.tally.request(Kind.MISS);
            throw thrown;
        }
    }

    private int lookUp(Passage passage) {
        CallKey key = passage.key();
        if (key == null || !passage.idempotent()) {
            cache.tally.request(key == null ? Kind.NO_KEY : Kind.NOT_IDEMPOTENT);
            return PROCEED;
        }
        long now = passage.now();
        Entry entry = cache.store.find(key, now);
        if (entry != null && entry.isFresh(now)) {
            if (entry.isRefreshedAhead(now) && cache.mayRunElsewhere(passage)) {
                background.refresh(passage, key, entry);
            }
            return cache.answer(passage, entry, Kind.FRESH, Source.FRESH);
        }
        if (entry != null && entry.isWorthRevalidating(now) && cache.mayRunElsewhere(passage)) {
            background.refresh(passage, key, entry);
            return cache.answer(passage, entry, Kind.STALE_REVALIDATING, Source.STALE_REVALIDATING);
        }
        return load(passage, key, entry);
    }

    private int load(Passage passage, Object key, @Nullable Entry old) {
        long now = passage.now();
        if (cache.unshared.has(key, now)) {
            // What the others load would not be for this call.
            return PROCEED;
        }
        lostLeaders.giveUpOnLost(passage, key, cache.patience(passage));
        Entry spare = old != null && old.isUsableOnError(now) ? old : null;
        Pace pace = cache.paces.of(passage);
        if (spare != null && cache.answersSlow && pace.isSlow() && cache.mayRunElsewhere(passage)) {
            // A call that leads on its own thread could take the old value only after its load.
            background.inBackground(passage, key, spare, true);
        }
        Ticket ticket = cache.flights.board(key, passage.outerAttempt() > 1, now, cache.slowAfter(pace));
        if (ticket == null) {
            return turnAway(passage, spare);
        }
        passage.object(ticket);
        return ticket.leads() ? leadOrAnswer(passage, ticket, spare) : follow(passage, ticket);
    }

    private int leadOrAnswer(Passage passage, Ticket ticket, @Nullable Entry spare) {
        long now = passage.now();
        Entry entry = cache.store.find(ticket.flight().key(), now);
        if (entry == null || !entry.isFresh(now)) {
            return lead(passage, ticket, spare);
        }
        // Another flight landed between the first look at the store and the start of this one.
        passage.object(null);
        cache.flights.land(ticket, new Landing(entry.outcome(), entry.value(), null, Source.LIVE, false, false, true));
        return cache.answer(passage, entry, Kind.FRESH, Source.FRESH);
    }

    /** If there is an old value, limits the leader's time. */
    private int lead(Passage passage, Ticket ticket, @Nullable Entry spare) {
        ticket.ends(passage.now(), passage.remaining());
        if (spare != null && cache.answersSlow) {
            if (cache.mayRunElsewhere(passage)) {
                ticket.takesOldIfSlow(true);
                passage.limit(cache.slowAfter(cache.paces.of(passage)));
            } else {
                // A load that cannot go on in the background has one attempt's time; the attempt's own limit is first.
                long attempt = cache.place(passage).attemptNanos();
                passage.limit(attempt == Long.MAX_VALUE ? Long.MAX_VALUE : attempt + 1);
            }
        }
        return PROCEED;
    }

    private int follow(Passage passage, Ticket ticket) {
        if (waitsForItself(passage, ticket.flight())) {
            leave(passage, ticket);
            cache.tally.request(Kind.MISS);
            return passage.fail(new IllegalStateException("stale cache of '" + passage.pipeline()
                    + "': this call runs inside the load of the very key that it asks for"));
        }
        long remaining = passage.remaining();
        ticket.ends(passage.now(), remaining);
        if (remaining != Long.MAX_VALUE) {
            // Afterwards this layer is not asked any more.
            ticket.lastCall(passage.now() + remaining - remaining / 16 - 1);
        }
        return leadOrAwait(passage, ticket);
    }

    /** Only the leader's load can wait for this call. A call that passes the cache by, or goes on alone, does not lead. */
    private static boolean waitsForItself(Passage passage, Flight flight) {
        return passage.runsInside(held -> held instanceof Ticket outer && flight.isLedBy(outer));
    }

    private int await(Passage passage, Ticket ticket) {
        Flight flight = ticket.flight();
        long now = passage.now();
        Entry spare = cache.store.onError(flight.key(), now);
        if (spare != null && cache.answersSlow && flight.isSlow(now)) {
            leave(passage, ticket);
            return cache.answer(passage, spare, Kind.STALE_IF_SLOW, Source.STALE_REVALIDATING);
        }
        if (spare != null && ticket.untilLastCall(now) <= 0) {
            leave(passage, ticket);
            return cache.answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        if (cache.flights.isTooMany(ticket, now)) {
            leave(passage, ticket);
            return turnAway(passage, spare);
        }
        if (flight.waitedInVain(ticket, now) >= cache.place(passage).attemptNanos()) {
            // It lost a leader, and waited for one attempt's time. A call of its own would not take longer.
            leave(passage, ticket);
            return PROCEED;
        }
        return passage.await(ticket, Math.max(1, untilNextLook(passage, ticket, spare != null)));
    }

    private long untilNextLook(Passage passage, Ticket ticket, boolean hasSpare) {
        Flight flight = ticket.flight();
        long now = passage.now();
        long wait = flight.untilLook(cache.patience(passage), now);
        if (hasSpare) {
            wait = Math.min(wait, ticket.untilLastCall(now));
        }
        long inVain = flight.waitedInVain(ticket, now);
        if (inVain > 0) {
            wait = Math.min(wait, cache.place(passage).attemptNanos() - inVain);
        }
        boolean looksWhenSlow = (hasSpare && cache.answersSlow) || cache.flights.maySoonBeTooMany(ticket);
        return looksWhenSlow && !flight.isSlow(now) ? Math.min(wait, flight.untilSlow(now)) : wait;
    }

    /** Asked again: the flight has ended, or this call leads it now, or it is time to look at it. */
    private int resume(Passage passage, Ticket ticket) {
        Flight flight = ticket.flight();
        lostLeaders.giveUpIfLost(passage, flight, cache.patience(passage));
        boolean told = ticket.isDone();
        Landing landing = ticket.landing();
        if (landing != null) {
            passage.object(null);
            return share(passage, ticket, landing);
        }
        if (told && !ticket.leads()) {
            // It was told to lead, and heard of it so late that it was taken for lost.
            passage.object(null);
            return lookUp(passage);
        }
        return leadOrAwait(passage, ticket);
    }

    private int leadOrAwait(Passage passage, Ticket ticket) {
        long now = passage.now();
        Flight flight = ticket.flight();
        if (ticket.leads() && flight.led(ticket, now, cache.slowAfter(cache.paces.of(passage)))) {
            return lead(passage, ticket, cache.store.onError(flight.key(), now));
        }
        return await(passage, ticket);
    }

    private int share(Passage passage, Ticket ticket, Landing landing) {
        if (landing.begun()) {
            passage.holdBegunWork();
        }
        boolean failed = Ends.isError(passage, landing.outcome(), landing.error());
        Entry spare = failed ? cache.store.onError(ticket.flight().key(), passage.now()) : null;
        if (spare != null) {
            return cache.answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        if (!landing.shared()) {
            // All that have waited go on at once, each for itself.
            return PROCEED;
        }
        if (Entry.isInDoubt(landing.value()) && !ticket.isOlder()) {
            return loadOnceMore(passage);
        }
        cache.tally.request(Kind.JOINED);
        if (landing.old()) {
            passage.holdOldAnswers();
        }
        return passage.share(landing.outcome(), landing.value(), landing.error(), landing.source());
    }

    /**
     * This call may have begun after what has brought the doubt, such as a write, and the load before that. It waits for a load that
     * begins from now on: the value of that one is as good as its own would be.
     */
    private int loadOnceMore(Passage passage) {
        int step = lookUp(passage);
        if (passage.object() instanceof Ticket next) {
            next.older();
        }
        return step;
    }

    private int turnAway(Passage passage, @Nullable Entry spare) {
        if (spare != null) {
            return cache.answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        cache.tally.request(Kind.FLIGHT_FULL);
        String pipeline = passage.pipeline();
        return passage.reject(
                Reason.FLIGHT_FULL,
                -1,
                () -> "stale cache of '" + pipeline + "': too many calls wait for another one of the same key",
                null);
    }

    private void leave(Passage passage, Ticket ticket) {
        passage.object(null);
        cache.flights.leave(ticket, passage.now());
    }

    void abandon(Passage passage) {
        if (!(passage.object() instanceof Ticket ticket)) {
            return;
        }
        Landing landing = ticket.landing();
        boolean isOfTheProcess = Ends.isOfTheProcess(passage);
        if (isOfTheProcess) {
            passage.object(null);
            // Each further leader would be refused, too.
            cache.flights.land(ticket, Landing.failed(passage.outcome(), passage.error(), Ends.mayHaveBegun(passage)));
        }
        leave(passage, ticket);
        boolean answered = isOfTheProcess && answersWithoutThread(passage, ticket, landing);
        if (!answered && passage.started()) {
            // It was to load again with all its time, and has none.
            cache.tally.request(Kind.MISS);
        }
    }

    /** What the leader has brought, or the old value: a rejection, as by a full bulkhead, is answered with it. */
    private boolean answersWithoutThread(Passage passage, Ticket ticket, @Nullable Landing landing) {
        if (landing != null
                && landing.shared()
                && !Ends.isError(passage, landing.outcome(), landing.error())
                && (ticket.isOlder() || !Entry.isInDoubt(landing.value()))) {
            share(passage, ticket, landing);
            return true;
        }
        Entry spare = cache.store.onError(ticket.flight().key(), passage.now());
        if (spare != null) {
            cache.answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        return spare != null;
    }

    void attemptStarts(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            boolean callers = passage.limitedBy().equals("call");
            String limitedBy = callers && ticket.isRefresh() ? StaleCachePolicy.NAME : passage.limitedBy();
            ticket.flight()
                    .attemptStarts(
                            ticket,
                            new Running(
                                    limitedBy,
                                    callers && !ticket.isRefresh(),
                                    passage.attempts(),
                                    passage.now(),
                                    passage.remaining()));
        }
        Object key = cache.key(passage);
        if (key != null) {
            // Last, because a key's hashCode may throw. Then the number stays 0, the epoch before all removals.
            passage.slot(cache.store.epoch(key));
        }
    }

    void attemptEnds(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            ticket.flight().attemptEnds(ticket);
        }
    }
}
