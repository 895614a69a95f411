/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The keys whose last value was for the call alone that had loaded it. Calls for such a key do not wait for one another, since
 * each would have to load in the end. Remembers a bounded number, for a little while. Safe for any number of threads.
 */
final class Unshared {
    static final long NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int MOST = 10_000;

    /** When the value of a key came; null before the first one, for the caches in which there never is one. */
    private volatile @Nullable Cache<Object, Long> since;

    boolean has(Object key, long now) {
        Cache<Object, Long> known = since;
        Long came = known == null ? null : known.getIfPresent(key);
        return came != null && now - came < NANOS;
    }

    /** A value of this key has come now, which others may have or not. */
    void note(Object key, boolean shared, long now) {
        Cache<Object, Long> known = since;
        if (!shared) {
            cache().put(key, now);
        } else if (known != null) {
            known.invalidate(key);
        }
    }

    private synchronized Cache<Object, Long> cache() {
        Cache<Object, Long> known = since;
        if (known == null) {
            known = Caffeine.newBuilder()
                    .maximumSize(MOST)
                    .executor(Runnable::run)
                    .build();
            since = known;
        }
        return known;
    }
}
