/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.holdfast.spi.CallKey;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The last good values, and for what they are still good. Bounded by Caffeine, which also drops what is good for nothing any
 * more. Time is the pipeline's, which the caller says, so that nothing here reads a clock. Safe for any number of threads.
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

    /** What Caffeine takes for the time: what the last call to say so said, or up to a tick before. */
    private volatile long latest;

    private volatile boolean started;

    Store(StaleCacheSettings settings) {
        freshNanos = settings.fresh().toNanos();
        revalidateUntil = freshNanos + settings.staleWhileRevalidate().toNanos();
        usableOnErrorUntil = freshNanos + settings.staleIfError().toNanos();
        keptUntil = Math.max(revalidateUntil, usableOnErrorUntil);
        firstBackoff = settings.refreshBackoff().toNanos();
        // On the calling thread: a few nodes of a list are moved, and there is no pool that outlives the pipeline.
        // Which
        // values are still good is decided here, to the nanosecond; the tick more only keeps Caffeine from being early.
        entries = Caffeine.newBuilder()
                .maximumSize(settings.maxEntries())
                .executor(Runnable::run)
                .expireAfterWrite(Duration.ofNanos(keptUntil + TICK))
                .ticker(() -> latest)
                .build();
    }

    private void isNow(long now) {
        if (!started || now - latest >= TICK) {
            // A write for all threads now and then. One that is a little older than another's does no harm.
            latest = now;
            started = true;
        }
    }

    /** What is known of this key; null if it is nothing, or too old for anything. */
    @Nullable
    Entry find(Object key, long now) {
        isNow(now);
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

    /** To be noted before a value of this key is read. */
    int epoch(Object key) {
        return epochs.of(key);
    }

    /**
     * A new good value, unless something was forgotten since it was read; null takes the old one away, but cannot be kept.
     * True if it is kept.
     *
     * @param epoch of the key, when the value began to be read
     */
    boolean put(Object key, @Nullable Object value, long now, int epoch) {
        isNow(now);
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

    // ---- forgetting: the epoch first, so that what is stored before that is found and nothing is stored after it

    /** The dependency has no such thing any more. */
    void remove(Object key) {
        epochs.move(key);
        entries.invalidate(key);
    }

    /** The values of all keys that were given so. */
    void removeGiven(Object given) {
        epochs.moveGiven(given);
        entries.asMap().keySet().removeIf(key -> given.equals(((CallKey) key).key()));
    }

    long size() {
        return entries.estimatedSize();
    }

    /** As {@link #size}, after what is good for nothing any more at this time has been dropped. */
    long size(long now) {
        isNow(now);
        entries.cleanUp();
        return size();
    }

    void clear() {
        epochs.moveAll();
        entries.invalidateAll();
    }
}
