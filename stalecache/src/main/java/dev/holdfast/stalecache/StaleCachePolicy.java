/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.ByPipeline;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.stalecache.Flight.Landing;
import dev.holdfast.stalecache.Flight.Lost;
import dev.holdfast.stalecache.Flight.Running;
import dev.holdfast.stalecache.Tally.Kind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the last good value of each key, and answers with it when the value is fresh, while it is being refreshed, when the call
 * is slow, or when the call failed (RFC 5861). Concurrent calls for one key share one call to the dependency.
 *
 * <pre>{@code
 * Pipeline.builder("inventory").standard().with(StaleCachePolicy.of(c -> c.fresh(ofSeconds(5)))).build()
 * }</pre>
 *
 * <p>All calls for a key get the same value. So <b>everything that the answer depends on belongs in the key or the
 * partition</b>, above all the user. If a function reads the user's token from a thread-local, use {@link
 * dev.holdfast.Operation#decorate(dev.holdfast.CheckedFunction, java.util.function.Supplier)}. Values must not change and must not
 * need to be closed. Null is not stored. A value that is {@link dev.holdfast.spi.Perishable} says itself how long it is good, and
 * whether it is kept and shared. A call without a key, or of an operation that is not idempotent, does not use the cache.
 *
 * <p>Of concurrent calls for a key, the first is the leader. The others wait, each until its own deadline. They get the leader's
 * value or error, and every end that says something about the dependency or the process, such as a timeout or an open breaker. If
 * the end is personal to the leader (its own deadline, its cancellation, an interrupt), the call that has waited longest becomes
 * the leader. A leader whose attempt has not ended soon after its limit is the leader no longer. A call inside the load that it
 * would wait for fails at once with an {@link IllegalStateException}.
 *
 * <p>Safe for any number of threads and pipelines with the same {@link TimeSource}. Each pipeline has its own keys.
 */
public final class StaleCachePolicy extends Policy {
    static final String NAME = "stale-cache";

    private final StaleCacheSettings settings;
    private final Store store;
    private final Flights flights;
    private Tally tally = new Tally();
    private Unshared unshared = new Unshared();
    private Paces paces = new Paces();
    /** This cache, and those that were in its place, or are. */
    volatile Lineage lineage = new Lineage();

    /**
     * What it knows of a pipeline that it is in.
     *
     * @param attemptNanos the longest time that an attempt has had, if layers further in limit it
     * @param besideActive whether it is in shadow, and another cache is active beside it, which sees the same loads
     */
    private record Place(long attemptNanos, boolean besideActive) {}

    private static final Place UNKNOWN = new Place(Long.MAX_VALUE, false);

    private final ByPipeline<Place> places = new ByPipeline<>();

    private final long refreshTimeout;
    private final long fixedSlowAfter;
    private final boolean measuresSlow;
    private final boolean answersFailed;
    private final boolean answersSlow;
    private final boolean keepsIfIgnored;
    private final boolean storesIgnored;
    private final AtomicReference<@Nullable TimeSource> bound = new AtomicReference<>();

    private StaleCachePolicy(StaleCacheSettings settings) {
        super(NAME, ENTER | SUCCESS | FAILURE | ATTEMPTS);
        lineage.add(this);
        this.settings = settings;
        store = new Store(settings);
        flights =
                new Flights(settings.maxFollowers(), Math.min(settings.maxFollowers(), settings.maxFollowersIfSlow()));
        refreshTimeout = settings.refreshTimeout().toNanos();
        fixedSlowAfter = settings.staleIfSlow().map(Duration::toNanos).orElse(0L);
        answersFailed = !settings.staleIfError().isZero();
        answersSlow = settings.staleIfSlow().isEmpty() || fixedSlowAfter > 0;
        measuresSlow = fixedSlowAfter == 0;
        keepsIfIgnored = settings.keepIfIgnored();
        storesIgnored = !settings.freshIfIgnored().isZero();
    }

    /** A cache with the defaults: every call goes to the dependency, and old values answer for failures and slow calls. */
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

    /** The settings that this cache was made with. */
    public StaleCacheSettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /** The number of values, approximately; drops those that are too old. */
    public long size() {
        TimeSource time = bound.get();
        return time == null ? store.size() : store.size(time.nanos());
    }

    /**
     * Removes all values. A load that is under way is not stored, unless its attempt begins afterwards. If a reload has put
     * another cache in the place of this one, or one is in shadow there, this holds for that one, too.
     */
    public void clear() {
        lineage.forEach(cache -> {
            cache.store.clear();
            cache.flights.forgetAll(any -> true);
        });
    }

    /**
     * Removes the values of this key, in all operations, partitions and pipelines. A load that is under way for it is not stored,
     * unless its attempt begins afterwards, and later calls do not join it. If a reload has put another cache in the place of
     * this one, or one is in shadow there, this holds for that one, too. Looks at all keys: some milliseconds for 100,000.
     *
     * @param key as it was given to {@link dev.holdfast.Operation#key}, or the argument of the decorated function
     */
    public void invalidate(Object key) {
        Objects.requireNonNull(key, "key");
        lineage.forEach(cache -> {
            cache.store.removeGiven(key);
            cache.flights.forgetAll(kept -> key.equals(((CallKey) kept).key()));
        });
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
    public boolean mayAnswer() {
        return answersFailed;
    }

    @Override
    public int enter(Passage passage) {
        try {
            return passage.object() instanceof Ticket ticket ? resume(passage, ticket) : lookUp(passage);
        } catch (Throwable thrown) {
            // Code of the user's, such as the key's equals.
            tally.request(Kind.MISS);
            throw thrown;
        }
    }

    private int lookUp(Passage passage) {
        CallKey key = passage.key();
        if (key == null || !passage.idempotent()) {
            tally.request(key == null ? Kind.NO_KEY : Kind.NOT_IDEMPOTENT);
            return PROCEED;
        }
        long now = passage.now();
        Entry entry = store.find(key, now);
        if (entry != null && entry.isFresh(now)) {
            if (entry.isRefreshedAhead(now) && mayRunElsewhere(passage)) {
                refresh(passage, key, entry);
            }
            return answer(passage, entry, Kind.FRESH, Source.FRESH);
        }
        if (entry != null && entry.isWorthRevalidating(now) && mayRunElsewhere(passage)) {
            refresh(passage, key, entry);
            return answer(passage, entry, Kind.STALE_REVALIDATING, Source.STALE_REVALIDATING);
        }
        return load(passage, key, entry);
    }

    /** Whether the load can go on, or be made again, in the background. */
    private boolean mayRunElsewhere(Passage passage) {
        return passage.repeatable() && !paces.of(passage).runsOnCallersOnly(passage.now());
    }

    /** Null for a call that does not use the cache. */
    private @Nullable Object key(Passage passage) {
        CallKey asked = passage.key();
        return asked == null || !passage.idempotent() ? null : asked;
    }

    // ---- one call for all

    private int load(Passage passage, Object key, @Nullable Entry old) {
        long now = passage.now();
        if (unshared.has(key, now)) {
            // What the others load would not be for this call.
            return PROCEED;
        }
        giveUpOnLost(passage, key, patience(passage));
        Entry spare = old != null && old.isUsableOnError(now) ? old : null;
        Pace pace = paces.of(passage);
        if (spare != null && answersSlow && pace.isSlow() && mayRunElsewhere(passage)) {
            // A call that leads on its own thread could take the old value only after its load.
            inBackground(passage, key, spare, true);
        }
        Ticket ticket = flights.board(key, passage.outerAttempt() > 1, now, slowAfter(pace));
        if (ticket == null) {
            return turnAway(passage, spare);
        }
        passage.object(ticket);
        return ticket.leads() ? leadOrAnswer(passage, ticket, spare) : follow(passage, ticket);
    }

    private int leadOrAnswer(Passage passage, Ticket ticket, @Nullable Entry spare) {
        long now = passage.now();
        Entry entry = store.find(ticket.flight().key(), now);
        if (entry == null || !entry.isFresh(now)) {
            return lead(passage, ticket, spare);
        }
        // Another flight landed between the first look at the store and the start of this one.
        passage.object(null);
        flights.land(ticket, new Landing(entry.outcome(), entry.value(), null, Source.LIVE, false, true));
        return answer(passage, entry, Kind.FRESH, Source.FRESH);
    }

    /** If there is an old value, limits the leader's time. */
    private int lead(Passage passage, Ticket ticket, @Nullable Entry spare) {
        ticket.ends(passage.now(), passage.remaining());
        if (spare != null && answersSlow) {
            if (mayRunElsewhere(passage)) {
                ticket.takesOldIfSlow(true);
                passage.limit(slowAfter(paces.of(passage)));
            } else {
                // A load that cannot go on in the background has one attempt's time; the attempt's own limit is first.
                long attempt = place(passage).attemptNanos;
                passage.limit(attempt == Long.MAX_VALUE ? Long.MAX_VALUE : attempt + 1);
            }
        }
        return PROCEED;
    }

    private int follow(Passage passage, Ticket ticket) {
        if (waitsForItself(passage, ticket.flight())) {
            leave(passage, ticket);
            tally.request(Kind.MISS);
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
        Entry spare = store.onError(flight.key(), now);
        if (spare != null && answersSlow && flight.isSlow(now)) {
            leave(passage, ticket);
            return answer(passage, spare, Kind.STALE_IF_SLOW, Source.STALE_REVALIDATING);
        }
        if (spare != null && ticket.untilLastCall(now) <= 0) {
            leave(passage, ticket);
            return answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        if (flights.isTooMany(ticket, now)) {
            leave(passage, ticket);
            return turnAway(passage, spare);
        }
        if (flight.waitedInVain(ticket, now) >= place(passage).attemptNanos) {
            // It lost a leader, and waited for one attempt's time. A call of its own would not take longer.
            leave(passage, ticket);
            return PROCEED;
        }
        return passage.await(ticket, Math.max(1, untilNextLook(passage, ticket, spare != null)));
    }

    private long untilNextLook(Passage passage, Ticket ticket, boolean hasSpare) {
        Flight flight = ticket.flight();
        long now = passage.now();
        long wait = flight.untilLook(patience(passage), now);
        if (hasSpare) {
            wait = Math.min(wait, ticket.untilLastCall(now));
        }
        long inVain = flight.waitedInVain(ticket, now);
        if (inVain > 0) {
            wait = Math.min(wait, place(passage).attemptNanos - inVain);
        }
        boolean looksWhenSlow = (hasSpare && answersSlow) || flights.maySoonBeTooMany(ticket);
        return looksWhenSlow && !flight.isSlow(now) ? Math.min(wait, flight.untilSlow(now)) : wait;
    }

    /** Asked again: the flight has ended, or this call leads it now, or it is time to look at it. */
    private int resume(Passage passage, Ticket ticket) {
        Flight flight = ticket.flight();
        giveUpIfLost(passage, flight, patience(passage));
        boolean told = ticket.isDone();
        Landing landing = ticket.landing();
        if (landing != null) {
            passage.object(null);
            return share(passage, flight.key(), landing);
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
        if (ticket.leads() && flight.led(ticket, now, slowAfter(paces.of(passage)))) {
            return lead(passage, ticket, store.onError(flight.key(), now));
        }
        return await(passage, ticket);
    }

    /** How long a leader may be on its way to a thread while calls wait for it: as long as one attempt. */
    private long patience(Passage passage) {
        return Math.min(place(passage).attemptNanos, refreshTimeout);
    }

    private Place place(Passage passage) {
        return place(passage.pipeline());
    }

    private Place place(String pipeline) {
        return Objects.requireNonNullElse(places.get(pipeline), UNKNOWN);
    }

    /** For a call that is about to find a load under way. */
    private void giveUpOnLost(Passage passage, Object key, long patience) {
        Flight flight = flights.underWay(key);
        if (flight != null) {
            giveUpIfLost(passage, flight, patience);
        }
    }

    private void giveUpIfLost(Passage passage, Flight flight, long patience) {
        long now = passage.now();
        Lost lost = flight.outlived(now);
        if (lost != null) {
            giveUpOn(passage, lost);
        }
        Ticket without = flight.lostWithoutAttempt(patience, now);
        if (without != null) {
            // The call that has waited longest, if any, loads on its own thread, as it would without the cache.
            if (without.isRefresh()) {
                store.refreshFailed(flight.key(), now, -1);
            }
            flights.leave(without, now);
        }
    }

    /** The leader is not back although its limit is over. The flight is over for the others. */
    private void giveUpOn(Passage passage, Lost lost) {
        long now = passage.now();
        Ticket leader = lost.leader();
        Running attempt = lost.attempt();
        if (leader.flight().isSlow(now)) {
            // So the next load is in the background, where it holds no caller.
            paces.of(passage).slow(true);
        }
        if (leader.isRefresh()) {
            // Perhaps nobody has looked for long.
            store.refreshFailed(leader.flight().key(), attempt.outlivedAt, -1);
        }
        if (attempt.personal) {
            flights.leave(leader, now);
            return;
        }
        Throwable timeout =
                new CallTimeoutException(passage.pipeline(), attempt.limitedBy, attempt.attempt, now - attempt.since);
        flights.land(leader, Landing.failed(Outcome.TIMEOUT, timeout));
    }

    private int share(Passage passage, Object key, Landing landing) {
        boolean failed = Ends.isError(passage, landing.outcome(), landing.error());
        Entry spare = failed ? store.onError(key, passage.now()) : null;
        if (spare != null) {
            return answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        if (!landing.shared()) {
            // All that have waited go on at once, each for itself.
            return PROCEED;
        }
        tally.request(Kind.JOINED);
        if (landing.old()) {
            passage.holdOldAnswers();
        }
        return passage.share(landing.outcome(), landing.value(), landing.error(), landing.source());
    }

    private int turnAway(Passage passage, @Nullable Entry spare) {
        if (spare != null) {
            return answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        tally.request(Kind.FLIGHT_FULL);
        String pipeline = passage.pipeline();
        return passage.reject(
                Reason.FLIGHT_FULL,
                -1,
                () -> "stale cache of '" + pipeline + "': too many calls wait for another one of the same key",
                null);
    }

    private void leave(Passage passage, Ticket ticket) {
        passage.object(null);
        flights.leave(ticket, passage.now());
    }

    @Override
    public void abandon(Passage passage) {
        if (!(passage.object() instanceof Ticket ticket)) {
            return;
        }
        if (Ends.isOfTheProcess(passage)) {
            passage.object(null);
            // Each further leader would be refused, too.
            flights.land(ticket, Landing.failed(passage.outcome(), passage.error()));
        }
        leave(passage, ticket);
        if (passage.started()) {
            // It was to load again with all its time, and has none.
            tally.request(Kind.MISS);
        }
    }

    @Override
    public void attemptStarts(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            boolean callers = passage.limitedBy().equals("call");
            String limitedBy = callers && ticket.isRefresh() ? NAME : passage.limitedBy();
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
        Object key = key(passage);
        if (key != null) {
            // Last, because a key's hashCode may throw. Then the number stays 0, the epoch before all removals.
            passage.slot(store.epoch(key));
        }
    }

    @Override
    public void attemptEnds(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            ticket.flight().attemptEnds(ticket);
        }
    }

    // ---- loads in the background

    private void refresh(Passage passage, Object key, Entry entry) {
        // Here no call waits for it, which would see that it is lost. A task that has no thread by now is too late
        // anyway.
        giveUpOnLost(passage, key, refreshTimeout + Flight.GRACE_NANOS);
        if (entry.mayBeRefreshed(passage.now()) && !flights.isUnderWay(key)) {
            inBackground(passage, key, entry, false);
        }
    }

    /**
     * Starts a load, unless there is one already, or one has ended since the caller looked.
     *
     * @param calledFor whether the call would else go to the dependency itself: then the last refresh does not matter
     */
    private void inBackground(Passage passage, Object key, Entry seen, boolean calledFor) {
        long now = passage.now();
        Ticket ticket = flights.beginInBackground(key, now, slowAfter(paces.of(passage)));
        if (ticket == null) {
            return;
        }
        try {
            if (store.find(key, now) == seen && (calledFor || seen.mayBeRefreshed(now))) {
                fork(passage, ticket);
            } else {
                flights.leave(ticket, now);
            }
        } catch (Throwable thrown) {
            // A key's equals may throw.
            flights.leave(ticket, now);
            throw thrown;
        }
    }

    private void fork(Passage passage, Ticket ticket) {
        try {
            ticket.ends(passage.now(), refreshTimeout);
            passage.beside().fork(ticket, refreshTimeout);
        } catch (RuntimeException | Error e) {
            flights.leave(ticket, passage.now());
            throw e;
        }
    }

    /** The leader was slow: it takes the old value, and the load goes on without it. */
    private int goOnWithout(Passage passage, Ticket ticket, Entry spare) {
        long now = passage.now();
        Flight flight = ticket.flight();
        paces.of(passage).slow(true);
        Ticket next = flight.goOnInBackground(ticket, now);
        if (next == null) {
            next = flights.beginInBackground(flight.key(), now, 0);
        }
        if (next != null) {
            fork(passage, next);
        }
        return answer(passage, spare, Kind.STALE_IF_SLOW, Source.STALE_REVALIDATING);
    }

    // ---- on the way up

    @Override
    public int settle(Passage passage) {
        Ticket ticket = passage.object() instanceof Ticket held ? held : null;
        Object key = ticket == null ? key(passage) : ticket.flight().key();
        if (key == null) {
            return KEEP;
        }
        try {
            return settle(passage, key, ticket);
        } catch (Throwable thrown) {
            if (ticket == null || !ticket.isRefresh()) {
                tally.request(Kind.MISS);
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
                tally.refresh(Outcome.IGNORED);
                store.refreshFailed(ticket.flight().key(), passage.now(), -1);
            }
        } finally {
            flights.land(
                    ticket,
                    Ends.isOfTheThread(thrown)
                            ? Landing.unshared(Outcome.IGNORED)
                            : Landing.failed(Outcome.IGNORED, thrown));
        }
    }

    private int settle(Passage passage, Object key, @Nullable Ticket ticket) {
        if (ticket != null && ticket.takesOldIfSlow() && Ends.isCut(passage, NAME)) {
            Entry spare = store.find(key, passage.now());
            if (spare == null || spare.outcome() == Outcome.IGNORED) {
                // The old value was removed meanwhile. So the call has all its time after all.
                ticket.takesOldIfSlow(false);
                return passage.retry(0);
            }
            passage.object(null);
            return goOnWithout(passage, ticket, spare);
        }
        if (Ends.hadNoPartition(passage)) {
            // Before the flight ends, because its next leader must know it.
            paces.of(passage).callersOnly(passage.now());
        }
        Object value = passage.value();
        Freshness said = value == null ? Freshness.usual() : settings.freshnessOf(value, passage.valueNanos());
        keepOrForget(passage, key, ticket, said);
        passage.object(null);
        if (ticket != null) {
            endFlight(passage, ticket, said.shared());
        }
        if (ticket != null && ticket.isRefresh()) {
            tally.refresh(passage.outcome());
            return KEEP;
        }
        return standIn(passage, key);
    }

    private void keepOrForget(Passage passage, Object key, @Nullable Ticket ticket, Freshness said) {
        long now = passage.now();
        Outcome outcome = passage.outcome();
        // Answers of a fallback or cache further in are not stored, in this pipeline or one inside the action.
        boolean own = passage.source() == Source.LIVE && !passage.holdsOldAnswers();
        boolean live = own && outcome == Outcome.SUCCESS;
        if (live || (own && outcome == Outcome.IGNORED)) {
            // An end that is no answer says nothing about the next one.
            unshared.note(key, said.shared(), now);
        }
        if (store(passage, key, said, own)) {
            passage.shareValue();
        }
        if (ticket != null && ticket.isRefresh() && !live) {
            // Before the flight ends, or the next call would start another refresh.
            if (outcome == Outcome.REJECTED && !passage.started()) {
                store.refreshRejected(key, now, passage.retryAfter(), passage.random());
            } else {
                store.refreshFailed(key, now, passage.retryAfter());
            }
        }
        if (ticket != null && Ends.tellsItsTime(passage)) {
            learn(paces.of(passage), now - ticket.flight().begunAt(), live, now);
        }
    }

    /** Keeps what has come, or forgets what was there. Returns whether the value is kept. */
    private boolean store(Passage passage, Object key, Freshness said, boolean own) {
        long now = passage.now();
        Object value = passage.value();
        // Without an attempt the value was read just now.
        int epoch = passage.started() ? (int) passage.slot() : store.epoch(key);
        boolean kept = false;
        if (own && passage.outcome() == Outcome.SUCCESS) {
            Store.Put put = store.put(key, value, said, now, epoch);
            if (put != Store.Put.NOT_KEPT) {
                return put == Store.Put.KEPT;
            }
        } else if (own && storesIgnored && passage.outcome() == Outcome.IGNORED && passage.started() && value != null) {
            kept = store.putIgnored(key, value, said, now, epoch);
        } else if (!keepsIfIgnored && Ends.isGone(passage)) {
            store.remove(key);
        } else {
            return false;
        }
        removeElsewhere(key, passage.pipeline());
        return kept;
    }

    /** This load may have begun before a reload, or in a cache that somebody puts back. */
    private void removeElsewhere(Object key, String pipeline) {
        if (lineage.hasSeveral()) {
            boolean besideActive = place(pipeline).besideActive;
            lineage.forEach(cache -> {
                // Where one is in shadow beside another, each sees the loads itself, and has its own settings. So a
                // load removes from those that were, or are, in the same one of the two places.
                if (cache != this && cache.place(pipeline).besideActive == besideActive) {
                    cache.store.remove(key);
                }
            });
        }
    }

    private void learn(Pace pace, long took, boolean live, long now) {
        pace.slow(took >= slowAfter(pace));
        if (live) {
            pace.loaded(took, now);
        }
    }

    private void endFlight(Passage passage, Ticket leader, boolean sharesValue) {
        if (Ends.hadNoPartition(passage) || (!leader.isRefresh() && Ends.isPersonal(passage))) {
            flights.leave(leader, passage.now());
            return;
        }
        Landing landing = sharesValue && !Ends.isOfTheThread(passage.error())
                ? new Landing(
                        passage.outcome(),
                        passage.value(),
                        passage.error(),
                        passage.source(),
                        passage.holdsOldAnswers(),
                        true)
                : Landing.unshared(passage.outcome());
        // This call was not retried, because it is nested. Other calls would have been.
        boolean shared = passage.refusal() == Refusal.NESTED
                ? flights.landInPart(leader, landing, Ticket::isNested, passage.now())
                : flights.land(leader, landing);
        if (shared) {
            passage.shareValue();
        }
    }

    private int standIn(Passage passage, Object key) {
        boolean failed = Ends.isError(passage, passage.outcome(), passage.error());
        Entry spare = failed ? store.onError(key, passage.now()) : null;
        if (spare != null) {
            return answer(passage, spare, Kind.STALE_ON_ERROR, Source.STALE_ON_ERROR);
        }
        tally.request(Kind.MISS);
        return KEEP;
    }

    private int answer(Passage passage, Entry entry, Kind kind, Source source) {
        tally.request(kind);
        long age = entry.age(passage.now());
        return entry.outcome() == Outcome.SUCCESS
                ? passage.answer(entry.value(), source, age)
                : passage.answer(entry.outcome(), entry.value(), source, age);
    }

    // ---- measurements and settings

    private long slowAfter(Pace pace) {
        return measuresSlow ? pace.slowAfter() : fixedSlowAfter;
    }

    @Override
    public void bind(String pipeline, TimeSource time) {
        if (!bound.compareAndSet(null, time) && bound.get() != time) {
            throw new IllegalStateException("this stale cache is part of a pipeline with another TimeSource;"
                    + " make a policy for each source of time, or give both pipelines the same one");
        }
    }

    /** The values, the totals, and what was learned of operations and keys. */
    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof StaleCachePolicy cache) {
            tally = cache.tally;
            unshared = cache.unshared;
            paces = cache.paces;
            Lineage.join(cache, this);
            store.takeOver(cache.store);
        }
    }

    /** No values, but what is removed from one is removed from the other. */
    @Override
    public void shadows(Policy active) {
        if (active instanceof StaleCachePolicy cache) {
            Lineage.join(cache, this);
        }
    }

    @Override
    public void beside(String pipeline, List<Policy> policies) {
        int here = policies.stream().map(Policy::name).toList().indexOf(NAME);
        long attempt = policies.stream()
                .skip(here + 1L)
                .mapToLong(Policy::longest)
                .min()
                .orElse(Long.MAX_VALUE);
        boolean inShadow = policies.stream().noneMatch(policy -> policy == this);
        List<Policy> active = policies.stream()
                .filter(policy -> inShadow && policy instanceof StaleCachePolicy)
                .toList();
        active.forEach(this::shadows);
        // Its calls of before are still on their way, with the time that they had.
        places.tell(
                pipeline,
                before -> new Place(
                        before == null ? attempt : Math.max(before.attemptNanos, attempt), !active.isEmpty()));
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge("stalecache.size", "Values that are kept.", this::size);
        Tally.meters(meters, () -> tally);
    }
}
