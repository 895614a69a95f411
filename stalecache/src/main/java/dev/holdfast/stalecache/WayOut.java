/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static dev.holdfast.spi.Policy.KEEP;

import dev.holdfast.Outcome;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.stalecache.Flight.Landing;
import dev.holdfast.stalecache.Tally.Kind;
import org.jspecify.annotations.Nullable;

/** A call on its way back: its value is kept and shared, an old one takes its place, or its load goes on without it. */
final class WayOut {
    private final CacheState cache;
    private final Background background;

    WayOut(CacheState cache, Background background) {
        this.cache = cache;
        this.background = background;
    }

    int settle(Passage passage) {
        Ticket ticket = passage.object() instanceof Ticket held ? held : null;
        Object key = ticket == null ? cache.key(passage) : ticket.flight().key();
        if (key == null) {
            return KEEP;
        }
        try {
            return settle(passage, key, ticket);
        } catch (Throwable thrown) {
            if (ticket == null || !ticket.isRefresh()) {
                cache.tally.request(Kind.MISS);
            }
            if (ticket != null) {
                breakOff(passage, ticket, thrown);
            }
            throw thrown;
        }
    }

    /** Code of the user's has thrown: a function, or a value or a key. The calls that wait end as this one does. */
    private void breakOff(Passage passage, Ticket ticket, Throwable thrown) {
        passage.object(null);
        try {
            if (ticket.isRefresh()) {
                cache.tally.refresh(Outcome.IGNORED);
                cache.store.refreshFailed(ticket.flight().key(), passage.now(), -1);
            }
        } finally {
            cache.flights.land(
                    ticket,
                    Ends.isOfTheThread(thrown)
                            ? Landing.unshared(Outcome.IGNORED)
                            : Landing.failed(Outcome.IGNORED, thrown, Ends.mayHaveBegun(passage)));
        }
    }

    private int settle(Passage passage, Object key, @Nullable Ticket ticket) {
        if (ticket != null && ticket.takesOldIfSlow() && Ends.isCut(passage, StaleCachePolicy.NAME)) {
            Entry spare = cache.store.find(key, passage.now());
            if (spare == null || spare.outcome() == Outcome.IGNORED) {
                // The old value was removed meanwhile. So the call has all its time after all.
                ticket.takesOldIfSlow(false);
                return passage.retry(0);
            }
            passage.object(null);
            return background.goOnWithout(passage, ticket, spare);
        }
        if (Ends.hadNoPartition(passage)) {
            // Before the flight ends, because its next leader must know it.
            cache.paces.of(passage).callersOnly(passage.now());
        }
        Object value = passage.value();
        Freshness said = value == null ? Freshness.usual() : cache.settings.freshnessOf(value, passage.valueNanos());
        keepOrForget(passage, key, ticket, said);
        passage.object(null);
        if (ticket != null) {
            endFlight(passage, ticket, said.shared());
        }
        if (ticket != null && ticket.isRefresh()) {
            cache.tally.refresh(passage.outcome());
            return KEEP;
        }
        return standIn(passage, key);
    }

    private void keepOrForget(Passage passage, Object key, @Nullable Ticket ticket, Freshness said) {
        long now = passage.now();
        Outcome outcome = passage.outcome();
        // Answers of a fallback or cache further in are not stored, in this pipeline or one inside the action.
        boolean answered = passage.source() == Source.LIVE && !passage.holdsOldAnswers();
        boolean own = answered && said.ofKey();
        boolean live = own && outcome == Outcome.SUCCESS;
        if (answered && (outcome == Outcome.SUCCESS || outcome == Outcome.IGNORED)) {
            // An end that is no answer says nothing about the next one.
            cache.unshared.note(key, said.shared(), now);
        }
        if (store(passage, key, said, own)) {
            passage.shareValue();
        }
        if (ticket != null && ticket.isRefresh() && !live) {
            // Before the flight ends, or the next call would start another refresh.
            if (outcome == Outcome.REJECTED && !passage.started()) {
                cache.store.refreshRejected(key, now, passage.retryAfter(), passage.random());
            } else {
                cache.store.refreshFailed(key, now, passage.retryAfter());
            }
        }
        if (ticket != null && Ends.tellsItsTime(passage)) {
            learn(cache.paces.of(passage), now - ticket.flight().begunAt(), live, now);
        }
    }

    /** Keeps what has come, or forgets what was there. Returns whether the value is kept. */
    private boolean store(Passage passage, Object key, Freshness said, boolean own) {
        long now = passage.now();
        Object value = passage.value();
        // Without an attempt the value was read just now.
        int epoch = passage.started() ? (int) passage.slot() : cache.store.epoch(key);
        boolean kept = false;
        if (own && passage.outcome() == Outcome.SUCCESS) {
            Store.Put put = cache.store.put(key, value, said, now, epoch);
            if (put != Store.Put.NOT_KEPT) {
                return put == Store.Put.KEPT;
            }
        } else if (own
                && cache.storesIgnored
                && passage.outcome() == Outcome.IGNORED
                && passage.started()
                && value != null) {
            kept = cache.store.putIgnored(key, value, said, now, epoch);
        } else if (said.ofKey() && !cache.keepsIfIgnored && Ends.isGone(passage)) {
            cache.store.remove(key);
        } else {
            return false;
        }
        cache.removeElsewhere(key, passage.pipeline());
        return kept;
    }

    private void learn(Pace pace, long took, boolean live, long now) {
        pace.slow(took >= cache.slowAfter(pace));
        if (live) {
            pace.loaded(took, now);
        }
    }

    private void endFlight(Passage passage, Ticket leader, boolean sharesValue) {
        if (Ends.hadNoPartition(passage) || (!leader.isRefresh() && Ends.isPersonal(passage))) {
            cache.flights.leave(leader, passage.now());
            return;
        }
        Landing landing = sharesValue && !Ends.isOfTheThread(passage.error())
                ? new Landing(
                        passage.outcome(),
                        passage.value(),
                        passage.error(),
                        passage.source(),
                        Ends.mayHaveBegun(passage),
                        passage.holdsOldAnswers(),
                        true)
                : Landing.unshared(passage.outcome());
        // This call was not retried, because it is nested. Other calls would have been.
        boolean shared = passage.refusal() == Refusal.NESTED
                ? cache.flights.landInPart(leader, landing, Ticket::isNested, passage.now())
                : cache.flights.land(leader, landing);
        if (shared) {
            passage.shareValue();
        }
    }

    private int standIn(Passage passage, Object key) {
        boolean failed = Ends.isError(passage, passage.outcome(), passage.error());
        Entry spare = failed ? cache.store.onError(key, passage.now()) : null;
        if (spare != null) {
            return cache.answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        cache.tally.request(Kind.MISS);
        return KEEP;
    }
}
