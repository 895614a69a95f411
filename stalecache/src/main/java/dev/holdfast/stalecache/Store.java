/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.holdfast.spi.CallKey;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The last good values, and what each may still be used for. Caffeine bounds their number, and drops values that are too old
 * for any use. The caller passes the pipeline's time, so nothing here reads a clock. Safe for any number of threads.
 */
final class Store {
    private static final long LONGEST_BACKOFF = TimeUnit.MINUTES.toNanos(1);
    private static final long TICK = TimeUnit.SECONDS.toNanos(1);

    private final Cache<Object, Entry> entries;
    private final Epochs epochs = new Epochs();
    private final long freshNanos;
    private final long revalidateUntil;
    private final long usableOnErrorUntil;
    private final long keptUntil;
    private final long firstBackoff;

    /** The time that Caffeine sees: that of the last call, or up to a tick before. */
    private volatile long latest;

    private volatile boolean started;

    Store(StaleCacheSettings settings) {
        freshNanos = settings.fresh().toNanos();
        revalidateUntil = freshNanos + settings.staleWhileRevalidate().toNanos();
        usableOnErrorUntil = freshNanos + settings.staleIfError().toNanos();
        keptUntil = Math.max(revalidateUntil, usableOnErrorUntil);
        firstBackoff = settings.refreshBackoff().toNanos();
        // Caffeine works on the calling thread: it moves a few nodes of a list, and needs no pool that outlives the
        // pipeline. Which values are still good is decided here, to the nanosecond; the tick more only keeps
        // Caffeine from being early.
        entries = Caffeine.newBuilder()
                .maximumSize(settings.maxEntries())
                .executor(Runnable::run)
                .expireAfterWrite(Duration.ofNanos(keptUntil + TICK))
                .ticker(() -> latest)
                .build();
    }

    /** Takes over the values of another store, with their age. A load that is under way ends in the other one. */
    void takeOver(Store other) {
        latest = other.latest;
        started = other.started;
        entries.putAll(other.entries.asMap());
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
        if (entry != null && entry.age(now) >= keptUntil) {
            entries.asMap().remove(key, entry);
            return null;
        }
        return entry;
    }

    boolean isFresh(Entry entry, long now) {
        return entry.age(now) < freshNanos;
    }

    boolean isWorthRevalidating(Entry entry, long now) {
        return entry.age(now) < revalidateUntil;
    }

    boolean isUsableOnError(Entry entry, long now) {
        return entry.age(now) < usableOnErrorUntil;
    }

    /** The value that may be the answer to a call that failed; null if there is none. */
    @Nullable
    Entry onError(Object key, long now) {
        Entry entry = find(key, now);
        return entry != null && isUsableOnError(entry, now) ? entry : null;
    }

    /** The epoch of this key. A load notes it before it reads a value. */
    int epoch(Object key) {
        return epochs.of(key);
    }

    /**
     * Keeps a new good value, unless its key was removed since it was read. Null removes the old value and is not kept.
     * Returns whether the value is kept.
     *
     * @param epoch the key's epoch before the value was read
     */
    boolean put(Object key, @Nullable Object value, long now, int epoch) {
        advance(now);
        if (value == null) {
            remove(key);
            return false;
        }
        return keptUntil > 0 && epochs.storeIn(epoch, key, () -> entries.put(key, Entry.of(value, now)));
    }

    void refreshFailed(Object key, long now, long retryAfter) {
        Entry entry = find(key, now);
        if (entry != null) {
            entry.refreshFailed(now, firstBackoff, Math.max(LONGEST_BACKOFF, firstBackoff), retryAfter);
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
