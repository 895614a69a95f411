/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The last good values, and for what they are still good. Bounded by Caffeine; their age is the pipeline's time, which the
 * caller says, so that nothing here reads a clock. Safe for any number of threads.
 */
final class Store {
    private static final long LONGEST_BACKOFF = TimeUnit.MINUTES.toNanos(1);

    private final Cache<Object, Entry> entries;
    private final long freshNanos;
    private final long revalidateUntil;
    private final long usableOnErrorUntil;
    private final long keptUntil;
    private final long firstBackoff;

    Store(StaleCacheSettings settings) {
        // On the calling thread: a few nodes of a list are moved, and there is no pool that outlives the pipeline.
        entries = Caffeine.newBuilder()
                .maximumSize(settings.maxEntries())
                .executor(Runnable::run)
                .build();
        freshNanos = settings.fresh().toNanos();
        revalidateUntil = freshNanos + settings.staleWhileRevalidate().toNanos();
        usableOnErrorUntil = freshNanos + settings.staleIfError().toNanos();
        keptUntil = Math.max(revalidateUntil, usableOnErrorUntil);
        firstBackoff = settings.refreshBackoff().toNanos();
    }

    /** What is known of this key; null if it is nothing, or too old for anything. */
    @Nullable
    Entry find(Object key, long now) {
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

    /** The value that may be the answer to a call that failed; null if there is none. */
    @Nullable
    Entry onError(Object key, long now) {
        Entry entry = find(key, now);
        return entry != null && entry.age(now) < usableOnErrorUntil ? entry : null;
    }

    /** A new good value; null takes the place of the old one too, but cannot be kept. True if it is kept. */
    boolean put(Object key, @Nullable Object value, long now) {
        if (value == null) {
            entries.invalidate(key);
            return false;
        }
        if (keptUntil > 0) {
            entries.put(key, Entry.of(value, now));
        }
        return true;
    }

    void refreshFailed(Object key, long now, long retryAfter) {
        long most = Math.max(LONGEST_BACKOFF, firstBackoff);
        entries.asMap()
                .computeIfPresent(key, (same, entry) -> entry.refreshFailed(now, firstBackoff, most, retryAfter));
    }

    long size() {
        return entries.estimatedSize();
    }

    void clear() {
        entries.invalidateAll();
    }
}
