/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.ByPipeline;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Passage;
import dev.holdfast.stalecache.Tally.Kind;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a call uses on both ways: the values, the loads under way, what was measured. Safe for any number of threads. */
final class CacheState {
    /**
     * What it knows of a pipeline that it is in.
     *
     * @param attemptNanos the longest time that an attempt has had, if layers further in limit it
     * @param besideActive whether it is in shadow, and another cache is active beside it, which sees the same loads
     */
    record Place(long attemptNanos, boolean besideActive) {
        /** One that may be in shadow touches no active one. */
        Place together(Place other) {
            return new Place(Math.max(attemptNanos, other.attemptNanos), besideActive || other.besideActive);
        }
    }

    private static final Place UNKNOWN = new Place(Long.MAX_VALUE, false);

    final StaleCacheSettings settings;
    final Store store;
    final Flights flights;
    Tally tally = new Tally();
    Unshared unshared = new Unshared();
    Paces paces = new Paces();
    /** This cache, and those that were in its place, or are. */
    volatile Lineage lineage = new Lineage();

    final long refreshTimeout;
    final boolean answersSlow;
    final boolean keepsIfIgnored;
    final boolean storesIgnored;
    private final long fixedSlowAfter;
    private final boolean measuresSlow;
    private final ByPipeline<Place> places = new ByPipeline<>(Place::together);

    CacheState(StaleCacheSettings settings) {
        this.settings = settings;
        store = new Store(settings);
        flights =
                new Flights(settings.maxFollowers(), Math.min(settings.maxFollowers(), settings.maxFollowersIfSlow()));
        refreshTimeout = settings.refreshTimeout().toNanos();
        fixedSlowAfter = settings.staleIfSlow().map(Duration::toNanos).orElse(0L);
        answersSlow = settings.staleIfSlow().isEmpty() || fixedSlowAfter > 0;
        measuresSlow = fixedSlowAfter == 0;
        keepsIfIgnored = settings.keepIfIgnored();
        storesIgnored = !settings.freshIfIgnored().isZero();
        lineage.add(this);
    }

    /** Whether the load can go on, or be made again, in the background. */
    boolean mayRunElsewhere(Passage passage) {
        return passage.repeatable() && !paces.of(passage).runsOnCallersOnly(passage.now());
    }

    /** Null for a call that does not use the cache. */
    @Nullable
    Object key(Passage passage) {
        CallKey asked = passage.key();
        return asked == null || !passage.idempotent() ? null : asked;
    }

    /** How long a leader may be on its way to a thread while calls wait for it: as long as one attempt. */
    long patience(Passage passage) {
        return Math.min(place(passage).attemptNanos, refreshTimeout);
    }

    Place place(Passage passage) {
        return place(passage.pipeline());
    }

    private Place place(String pipeline) {
        return Objects.requireNonNullElse(places.get(pipeline), UNKNOWN);
    }

    long slowAfter(Pace pace) {
        return measuresSlow ? pace.slowAfter() : fixedSlowAfter;
    }

    int answer(Passage passage, Entry entry, Kind kind, Source source) {
        tally.request(kind);
        long age = entry.age(passage.now());
        return entry.outcome() == Outcome.SUCCESS
                ? passage.answer(entry.value(), source, age)
                : passage.answer(entry.outcome(), entry.value(), source, age);
    }

    /** This load may have begun before a reload, or in a cache that somebody puts back. */
    void removeElsewhere(Object key, String pipeline) {
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

    /** From now on it is in this pipeline. */
    void joins(String pipeline, long attemptNanos, boolean besideActive) {
        // Its calls of before are still on their way, with the time that they had.
        places.tell(
                pipeline,
                before -> new Place(
                        before == null ? attemptNanos : Math.max(before.attemptNanos, attemptNanos), besideActive));
    }

    /** The values, the totals, and what was learned of operations and keys. */
    void takeOver(CacheState earlier) {
        tally = earlier.tally;
        unshared = earlier.unshared;
        paces = earlier.paces;
        Lineage.join(earlier, this);
        store.takeOver(earlier.store);
    }

    /** Here, and in the caches of its lineage. */
    void clear() {
        lineage.forEach(cache -> {
            cache.store.clear();
            cache.flights.forgetAll(any -> true);
        });
    }

    /** Here, and in the caches of its lineage. */
    void invalidate(Object key) {
        lineage.forEach(cache -> {
            cache.store.removeGiven(key);
            cache.flights.forgetAll(kept -> key.equals(((CallKey) kept).key()));
        });
    }
}
