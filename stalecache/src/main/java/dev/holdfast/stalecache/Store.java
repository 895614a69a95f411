/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.holdfast.Outcome;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Perishable.Freshness;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The last good values, and what each may still be used for. Caffeine bounds their number and their weight, and drops values
 * that are too old for any use. The caller passes the pipeline's time, so nothing here reads a clock. Safe for any number of
 * threads.
 */
final class Store {
    private static final long LONGEST_BACKOFF = TimeUnit.MINUTES.toNanos(1);
    private static final long TICK = TimeUnit.SECONDS.toNanos(1);
    /** This part of the bounds may be put beyond them until values are dropped. */
    private static final int SLACK = 16;

    private final StaleCacheSettings settings;
    final Cache<Object, Entry> entries;
    private final Epochs epochs = new Epochs();
    /** Of values that say nothing: one object for all of them. */
    private final Windows usual;

    /** Null if only the number is bounded. */
    private final @Nullable Weights weights;

    private final long slack;
    /** What was put so far: the number, or what it {@linkplain Weights counts}. */
    private final AtomicLong put = new AtomicLong();
    /** How much had been put, at least, when values were dropped last. */
    private final AtomicLong dropped = new AtomicLong();

    private final long heaviest;
    private final long firstBackoff;

    /** For how long Caffeine keeps values: as long as the longest one is good. */
    private volatile long longestKept;

    /** The time that Caffeine sees: that of the last call, or up to a tick before. */
    private volatile long latest;

    private volatile boolean started;

    Store(StaleCacheSettings settings) {
        this.settings = settings;
        usual = Windows.of(settings, Freshness.usual());
        longestKept = usual.kept();
        firstBackoff = settings.refreshBackoff().toNanos();
        OptionalLong maxWeight = settings.maxWeight();
        heaviest = settings.maxValueWeight().orElse(maxWeight.orElse(Long.MAX_VALUE));
        // Caffeine works on the calling thread: it moves a few nodes of a list, and needs no pool that outlives the
        // pipeline. Which values are still good is decided here, to the nanosecond; the tick more only keeps
        // Caffeine from being early. One time for all values, since a hit is slower with a time for each.
        Caffeine<Object, Object> cache = Caffeine.newBuilder()
                .executor(Runnable::run)
                .expireAfterWrite(Duration.ofNanos(longestKept + TICK))
                .ticker(() -> latest);
        if (maxWeight.isPresent()) {
            weights = new Weights(maxWeight.getAsLong(), settings.maxEntries());
            slack = weights.most() / SLACK;
            entries = cache.maximumWeight(weights.most()).weigher(weights).build();
        } else {
            weights = null;
            slack = settings.maxEntries() / SLACK;
            entries = cache.maximumSize(settings.maxEntries()).build();
        }
    }

    /** What has become of a value. */
    enum Put {
        KEPT,
        /** Its key was removed since it was read. What is there may be younger. */
        TOO_LATE,
        /** It is not to be kept, and the old value has gone. */
        NOT_KEPT
    }

    /** Stores the entry, and first sees to it that Caffeine does not drop it while it is good. */
    private void keep(Object key, Entry entry, long now) {
        if (entry.untilUseless(now) > longestKept) {
            keepLonger(entry.untilUseless(now));
        }
        entries.put(key, entry);
    }

    /**
     * Waits until values are dropped, if too many were put meanwhile. One thread at a time drops values, and the others pass it
     * by, however long it is just not on a processor. Not under the lock of an epoch.
     */
    private void hasPut(Entry entry) {
        long counted = put.addAndGet(weights == null ? 1 : weights.of(entry.weight()));
        if (counted - dropped.get() > slack) {
            entries.cleanUp();
            dropped.accumulateAndGet(counted, Math::max);
        }
    }

    /** Values that are good for a shorter time then go when they are asked for, or when there is no room. */
    private synchronized void keepLonger(long nanos) {
        if (nanos > longestKept) {
            entries.policy()
                    .expireAfterWrite()
                    .ifPresent(expiry -> expiry.setExpiresAfter(Duration.ofNanos(nanos + TICK)));
            longestKept = nanos;
        }
    }

    /**
     * Takes over the values of another store, with their age and what they have said of themselves. What they have not said is
     * as the settings here say. A load that is under way ends in the other one.
     */
    void takeOver(Store other) {
        latest = other.latest;
        started = other.started;
        for (Object key : other.entries.asMap().keySet()) {
            int epoch = epochs.of(key);
            // Looked at after the epoch: a removal is seen here, or moves the epoch.
            Entry entry = other.entries.getIfPresent(key);
            Entry moved = entry == null ? null : moved(entry, other.settings);
            if (moved != null) {
                boolean kept = epochs.storeIn(epoch, key, () -> keepIfYounger(key, moved));
                if (kept) {
                    hasPut(moved);
                }
            }
        }
    }

    /** A cache that somebody puts back may have loaded a value meanwhile. */
    private void keepIfYounger(Object key, Entry moved) {
        Entry there = entries.getIfPresent(key);
        if (there == null || !there.isYoungerThan(moved)) {
            keep(key, moved, latest);
        }
    }

    /** The entry with these settings in place of others; null if it is not to be kept. */
    private @Nullable Entry moved(Entry entry, StaleCacheSettings others) {
        Freshness said = settings.weighsOtherwise(others) ? weighed(entry) : entry.said();
        Entry moved = entry.with(said, windows(said, entry.outcome()));
        return isKept(said) && moved.isGood(latest) ? moved : null;
    }

    private Freshness weighed(Entry entry) {
        try {
            return entry.said().weight(settings.freshnessOf(entry.value(), 0).weight());
        } catch (Throwable thrown) {
            // Code of the user's. A value whose weight nobody knows has no place under a bound.
            return entry.said().notKept();
        }
    }

    private void advance(long now) {
        if (!started || now - latest >= TICK) {
            // Written rarely, because all threads read it. A time a little older than another's does no harm.
            latest = now;
            started = true;
        }
    }

    /** The entry of this key; null if there is none, or it is too old for any use. */
    @Nullable
    Entry find(Object key, long now) {
        advance(now);
        Entry entry = entries.getIfPresent(key);
        if (entry != null && !entry.isGood(now)) {
            entries.asMap().remove(key, entry);
            return null;
        }
        return entry;
    }

    /** The value that may be the answer to a call that failed; null if there is none. */
    @Nullable
    Entry onError(Object key, long now) {
        Entry entry = find(key, now);
        return entry != null && entry.isUsableOnError(now) ? entry : null;
    }

    /** The epoch of this key. A load notes it before it reads a value. */
    int epoch(Object key) {
        return epochs.of(key);
    }

    /**
     * Keeps a new good value, unless its key was removed since it was read. The old value goes also if the new one is not kept:
     * because it says so, weighs too much, or is too old for any use. Null is not kept, and removes the old value as {@link
     * #remove} does.
     *
     * @param epoch the key's epoch before the value was read
     */
    Put put(Object key, @Nullable Object value, Freshness said, long now, int epoch) {
        advance(now);
        if (value == null) {
            remove(key);
            return Put.NOT_KEPT;
        }
        Entry entry = entry(value, Outcome.SUCCESS, said, now);
        if (entry == null) {
            // Without the epoch: other loads that are under way bring values that are as good as ever.
            entries.invalidate(key);
            return Put.NOT_KEPT;
        }
        if (!epochs.storeIn(epoch, key, () -> keep(key, entry, now))) {
            return Put.TOO_LATE;
        }
        hasPut(entry);
        return Put.KEPT;
    }

    /**
     * As {@link #remove}, and keeps the answer in place of the old value, unless its key was removed since it was read. Returns
     * whether the answer is kept.
     *
     * @param epoch the key's epoch before the answer was read
     */
    boolean putIgnored(Object key, Object answer, Freshness said, long now, int epoch) {
        advance(now);
        Entry entry = entry(answer, Outcome.IGNORED, said, now);
        if (entry == null) {
            remove(key);
            return false;
        }
        Runnable inPlace = () -> {
            epochs.move(key);
            keep(key, entry, now);
        };
        if (!epochs.storeIn(epoch, key, inPlace)) {
            remove(key);
            return false;
        }
        hasPut(entry);
        return true;
    }

    /** Null if it is not to be kept. */
    private @Nullable Entry entry(Object value, Outcome outcome, Freshness said, long now) {
        Entry entry = Entry.of(value, outcome, said, windows(said, outcome), now);
        return isKept(said) && entry.isGood(now) ? entry : null;
    }

    private boolean isKept(Freshness said) {
        return said.kept() && said.weight() <= heaviest;
    }

    private Windows windows(Freshness said, Outcome outcome) {
        if (outcome == Outcome.IGNORED) {
            return Windows.ofIgnored(settings, said);
        }
        Windows own = Windows.of(settings, said);
        return own.isAs(usual) ? usual : own;
    }

    void refreshFailed(Object key, long now, long retryAfter) {
        Entry entry = find(key, now);
        if (entry != null) {
            entry.refreshFailed(now, firstBackoff, Math.max(LONGEST_BACKOFF, firstBackoff), retryAfter);
        }
    }

    /** The next one comes after the first backoff and up to half of it more, by this chance: keys that were rejected together spread. */
    void refreshRejected(Object key, long now, long retryAfter, double random) {
        Entry entry = find(key, now);
        if (entry != null) {
            entry.refreshRejected(now, firstBackoff + (long) (random * firstBackoff / 2), retryAfter);
        }
    }

    // ---- removal: the epoch moves first, so that earlier values are found and no old load is stored afterwards

    /** The dependency has no such value any more. */
    void remove(Object key) {
        epochs.move(key);
        entries.invalidate(key);
    }

    /** Removes the values of all keys that the user gave so. */
    void removeGiven(Object given) {
        epochs.moveGiven(given);
        entries.asMap().keySet().removeIf(key -> given.equals(((CallKey) key).key()));
    }

    long size() {
        return entries.estimatedSize();
    }

    /** As {@link #size}, after values that are too old for any use have been dropped. */
    long size(long now) {
        advance(now);
        entries.cleanUp();
        return size();
    }

    void clear() {
        epochs.moveAll();
        entries.invalidateAll();
    }
}
