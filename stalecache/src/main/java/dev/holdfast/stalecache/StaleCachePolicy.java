/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.Outcome;
import dev.holdfast.Source;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.stalecache.Flight.Landing;
import dev.holdfast.stalecache.Tally.Kind;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the last good value of each key, and answers with it when it is fresh, while it is being refreshed, or when the
 * call failed (RFC 5861). Calls of one key at one time share a single call to the dependency.
 *
 * <p>A call without a key passes by. Values are shared by all who ask for the key: they must not change, and nothing that
 * has to be closed belongs here. Null is not kept. Followers of a shared call wait without blocking anything but
 * themselves, each until its own deadline; they get the leader's value or error, but not its cancellation, timeout,
 * interruption or rejection: then one of them becomes the leader. A call that runs inside the load of the very key that it
 * asks for fails at once with an {@link IllegalStateException}.
 *
 * <p>Safe for any number of threads and pipelines that go by the same {@link TimeSource}; each pipeline has its own keys.
 */
public final class StaleCachePolicy extends Policy {
    static final String NAME = "stale-cache";

    private final Store store;
    private final Flights flights = new Flights();
    private final Tally tally = new Tally();
    private final long refreshTimeout;
    private final AtomicReference<@Nullable TimeSource> bound = new AtomicReference<>();
    private volatile @Nullable String firstPipeline;

    private StaleCachePolicy(StaleCacheSettings settings) {
        super(NAME, ENTER | SUCCESS | FAILURE);
        store = new Store(settings);
        refreshTimeout = settings.refreshTimeout().toNanos();
    }

    /** A cache with the defaults: every call goes to the dependency, and old values answer for failures. */
    public static StaleCachePolicy ofDefaults() {
        return of(StaleCacheSettings.builder().build());
    }

    /**
     * A cache with these options.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range
     */
    public static StaleCachePolicy of(Consumer<? super StaleCacheSettings.Builder> options) {
        return of(StaleCacheSettings.of(options));
    }

    /** A cache with these settings. */
    public static StaleCachePolicy of(StaleCacheSettings settings) {
        return new StaleCachePolicy(settings);
    }

    /** About how many values are kept. */
    public long size() {
        return store.size();
    }

    /** Forgets all values. What is being loaded is stored when it comes. */
    public void clear() {
        store.clear();
    }

    /** How many loads are under way. */
    int underWay() {
        return flights.size();
    }

    /** How many calls wait for loads of others. */
    int waiting() {
        return flights.waiting();
    }

    @Override
    public int enter(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            return resume(passage, ticket);
        }
        Object key = key(passage);
        if (key == null) {
            tally.request(Kind.NO_KEY);
            return PROCEED;
        }
        long now = passage.now();
        Entry entry = store.find(key, now);
        if (entry != null && store.isFresh(entry, now)) {
            return answer(passage, entry, Kind.FRESH, Source.FRESH);
        }
        if (entry != null && store.isWorthRevalidating(entry, now) && passage.repeatable()) {
            refresh(passage, key, entry);
            return answer(passage, entry, Kind.STALE_REVALIDATING, Source.STALE_REVALIDATING);
        }
        return load(passage, key);
    }

    // ---- one call for all

    private int load(Passage passage, Object key) {
        Ticket ticket = flights.board(key);
        passage.object(ticket);
        if (!ticket.leads()) {
            return follow(passage, ticket);
        }
        Entry entry = store.find(key, passage.now());
        if (entry == null || !store.isFresh(entry, passage.now())) {
            return PROCEED;
        }
        // Another flight landed between the first look at the store and the start of this one.
        passage.object(null);
        flights.land(ticket, new Landing(Outcome.SUCCESS, entry.value(), null));
        return answer(passage, entry, Kind.FRESH, Source.FRESH);
    }

    private int follow(Passage passage, Ticket ticket) {
        if (passage.recursive()) {
            passage.object(null);
            flights.leave(ticket);
            return passage.fail(new IllegalStateException("stale cache of '" + passage.pipeline()
                    + "': this call runs inside the load of the very key that it asks for"));
        }
        return await(passage, ticket);
    }

    private int await(Passage passage, Ticket ticket) {
        long remaining = passage.remaining();
        boolean hasSpare = store.onError(ticket.flight().key(), passage.now()) != null;
        if (!hasSpare || remaining == Long.MAX_VALUE || passage.expired()) {
            return passage.await(ticket, Long.MAX_VALUE);
        }
        // Shortly before its time is over it can still take the old value; afterwards nobody asks this layer any more.
        return passage.await(ticket, remaining - remaining / 16 - 1);
    }

    /** Asked again: the flight has landed, or this call leads it now, or its time is nearly over. */
    private int resume(Passage passage, Ticket ticket) {
        Landing landing = ticket.flight().landing();
        if (landing != null) {
            passage.object(null);
            return share(passage, ticket.flight().key(), landing);
        }
        if (ticket.leads()) {
            return PROCEED;
        }
        Entry spare = passage.expired() ? store.onError(ticket.flight().key(), passage.now()) : null;
        if (spare == null) {
            return await(passage, ticket);
        }
        passage.object(null);
        flights.leave(ticket);
        return answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
    }

    private int share(Passage passage, Object key, Landing landing) {
        Entry spare = isError(landing.outcome()) ? store.onError(key, passage.now()) : null;
        if (spare != null) {
            return answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        tally.request(Kind.JOINED);
        return passage.share(landing.outcome(), landing.value(), landing.error());
    }

    @Override
    public void abandon(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            passage.object(null);
            flights.leave(ticket);
        }
    }

    // ---- refresh in the background

    private void refresh(Passage passage, Object key, Entry entry) {
        long now = passage.now();
        if (!entry.mayBeRefreshed(now) || flights.isUnderWay(key)) {
            return;
        }
        Ticket ticket = flights.tryBegin(key, true);
        if (ticket == null) {
            return;
        }
        if (store.find(key, now) != entry) {
            // Another refresh ended after this call had looked.
            flights.leave(ticket);
            return;
        }
        try {
            passage.fork(ticket, refreshTimeout);
        } catch (RuntimeException | Error e) {
            flights.leave(ticket);
            throw e;
        }
    }

    // ---- on the way up

    @Override
    public int settle(Passage passage) {
        Object key = key(passage);
        if (key == null) {
            return KEEP;
        }
        Ticket ticket = passage.object() instanceof Ticket held ? held : null;
        passage.object(null);
        boolean kept = false;
        try {
            // What a fallback or a cache further in made up is not stored.
            kept = passage.outcome() == Outcome.SUCCESS
                    && passage.source() == Source.LIVE
                    && store.put(key, passage.value(), passage.now());
            if (ticket != null && ticket.isRefresh() && !kept) {
                // Before the flight ends, or the next call would start another refresh.
                store.refreshFailed(key, passage.now(), passage.retryAfter());
            }
        } finally {
            if (ticket != null) {
                endFlight(passage, ticket);
            }
        }
        if (ticket != null && ticket.isRefresh()) {
            tally.refresh(passage.outcome());
            return KEEP;
        }
        return standIn(passage, key);
    }

    private void endFlight(Passage passage, Ticket leader) {
        Outcome outcome = passage.outcome();
        Throwable error = passage.error();
        boolean own = switch (outcome) {
            case SUCCESS, FAILURE, PUSHBACK, IGNORED ->
                error instanceof InterruptedException || error instanceof CancellationException;
            case REJECTED, TIMEOUT, CANCELLED, INTERRUPTED -> true;
        };
        if (own) {
            flights.leave(leader);
        } else {
            flights.land(leader, new Landing(outcome, passage.value(), error));
        }
    }

    private int standIn(Passage passage, Object key) {
        Entry spare = isError(passage.outcome()) ? store.onError(key, passage.now()) : null;
        if (spare != null) {
            return answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        tally.request(Kind.MISS);
        return KEEP;
    }

    private static boolean isError(Outcome outcome) {
        return switch (outcome) {
            case FAILURE, PUSHBACK, TIMEOUT, REJECTED -> true;
            case SUCCESS, IGNORED, CANCELLED, INTERRUPTED -> false;
        };
    }

    private int answer(Passage passage, Entry entry, Kind kind, Source source) {
        tally.request(kind);
        return passage.answer(entry.value(), source, entry.age(passage.now()));
    }

    // ---- keys and time

    /** A key of another pipeline than the first: two dependencies that share a cache must never share a value. */
    private record PipelineKey(String pipeline, Object key) {}

    private @Nullable Object key(Passage passage) {
        Object key = passage.key();
        if (key == null) {
            return null;
        }
        String pipeline = passage.pipeline();
        String first = firstPipeline;
        return first == null || first.equals(pipeline) ? own(pipeline, key) : new PipelineKey(pipeline, key);
    }

    private Object own(String pipeline, Object key) {
        if (firstPipeline == null) {
            synchronized (this) {
                if (firstPipeline == null) {
                    firstPipeline = pipeline;
                }
            }
        }
        return pipeline.equals(firstPipeline) ? key : new PipelineKey(pipeline, key);
    }

    @Override
    public void bind(TimeSource time) {
        if (!bound.compareAndSet(null, time) && bound.get() != time) {
            throw new IllegalStateException("this stale cache is part of a pipeline with another TimeSource;"
                    + " make a policy for each source of time, or give both pipelines the same one");
        }
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge("stalecache.size", "Values that are kept.", this::size);
        tally.meters(meters);
    }
}
