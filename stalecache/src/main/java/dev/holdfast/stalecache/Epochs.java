/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.CallKey;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Counts removals for groups of keys. A load notes the epoch of its key before it reads, and its value is kept only if the
 * epoch is still the same. There is no state for a single key. If two keys share a counter, a value may not be kept. Safe for
 * any number of threads.
 */
final class Epochs {
    private static final int COUNTERS = 1 << 12;
    private static final int LOCKS = 1 << 6;

    private final AtomicIntegerArray counters = new AtomicIntegerArray(COUNTERS);
    private final AtomicInteger all = new AtomicInteger();
    private final Object[] locks = new Object[LOCKS];

    Epochs() {
        Arrays.setAll(locks, any -> new Object());
    }

    /** The epoch of this key now. */
    int of(Object key) {
        // Each of the three only grows, so that the sum stays the same only if all of them do.
        return all.get() + counters.get(index(((CallKey) key).key(), COUNTERS)) + counters.get(index(key, COUNTERS));
    }

    /** Checks the epoch of this key and stores a value in one step. Returns false, and stores nothing, if the epoch has moved. */
    boolean storeIn(int epoch, Object key, Runnable store) {
        synchronized (lock(((CallKey) key).key())) {
            if (of(key) != epoch) {
                return false;
            }
            store.run();
            return true;
        }
    }

    /** From now on no earlier load is stored, for all keys that the user gave so. A removal afterwards finds all values. */
    void moveGiven(Object given) {
        synchronized (lock(given)) {
            counters.incrementAndGet(index(given, COUNTERS));
        }
    }

    /** As {@link #moveGiven}, for this key alone. */
    void move(Object key) {
        synchronized (lock(((CallKey) key).key())) {
            counters.incrementAndGet(index(key, COUNTERS));
        }
    }

    /** As {@link #moveGiven}, for all keys. */
    void moveAll() {
        for (Object lock : locks) {
            // Once would be enough, except for threads that have checked and not stored yet.
            synchronized (lock) {
                all.incrementAndGet();
            }
        }
    }

    private Object lock(Object given) {
        return locks[index(given, LOCKS)];
    }

    private static int index(Object key, int length) {
        int hash = key.hashCode() * 0x9E3779B9;
        return (hash ^ hash >>> 16) & length - 1;
    }
}
