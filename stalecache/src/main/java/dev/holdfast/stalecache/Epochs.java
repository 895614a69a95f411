/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.CallKey;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * How often something was forgotten, counted for groups of keys. A load notes the epoch of its key before it reads, and its
 * value is kept only if the epoch is still the same. Nothing is remembered of a single key: that two keys meet in one counter
 * costs a value that is not kept. Safe for any number of threads.
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

    /** What is told of this key just now. */
    int of(Object key) {
        // Each of the three only grows, so that the sum stays the same only if all of them do.
        return all.get() + counters.get(index(((CallKey) key).key(), COUNTERS)) + counters.get(index(key, COUNTERS));
    }

    /** Stores something of this key, in one step with the look at its epoch; false, and nothing is stored, if that has moved. */
    boolean storeIn(int epoch, Object key, Runnable store) {
        synchronized (lock(((CallKey) key).key())) {
            if (of(key) != epoch) {
                return false;
            }
            store.run();
            return true;
        }
    }

    /** From now on nothing is stored that was read before, of all keys that were given so. Who removes afterwards finds all. */
    void moveGiven(Object given) {
        synchronized (lock(given)) {
            counters.incrementAndGet(index(given, COUNTERS));
        }
    }

    /** As {@link #moveGiven}, of this key alone. */
    void move(Object key) {
        synchronized (lock(((CallKey) key).key())) {
            counters.incrementAndGet(index(key, COUNTERS));
        }
    }

    /** As {@link #moveGiven}, of all keys. */
    void moveAll() {
        for (Object lock : locks) {
            // Once would do, but for those who have looked and not stored yet.
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
