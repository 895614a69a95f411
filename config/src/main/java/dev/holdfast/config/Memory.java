/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.spi.Policy;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * What a configuration has made and a later one may keep: by what made it. A thing of the later configuration is the one of the
 * earlier if it was made of the same. Safe for any number of threads.
 */
final class Memory {
    /** No monitor: factories of users run under it. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Map<Object, Object> before;
    private final Map<Object, Object> now = new HashMap<>();
    /** Policies that pipelines share, by their names. */
    private final Map<String, Policy> sharedBefore;

    private final Map<String, Policy> shared;

    private Memory(Map<Object, Object> before, Map<String, Policy> sharedBefore) {
        this.before = before;
        this.sharedBefore = sharedBefore;
        shared = new HashMap<>(sharedBefore);
    }

    static Memory empty() {
        return new Memory(Map.of(), Map.of());
    }

    /** For the configuration after this one. */
    Memory next() {
        lock.lock();
        try {
            return new Memory(new HashMap<>(now), new HashMap<>(shared));
        } finally {
            lock.unlock();
        }
    }

    /** Pipelines share this policy by this name. */
    void share(String name, Policy policy) {
        lock.lock();
        try {
            shared.put(name, policy);
        } finally {
            lock.unlock();
        }
    }

    /** Tells of each pair of a shared policy and the one whose name and place it takes. */
    void successions(BiConsumer<Policy, Policy> pair) {
        lock.lock();
        try {
            sharedBefore.forEach((name, previous) -> {
                Policy policy = shared.get(name);
                if (policy != null && policy != previous) {
                    pair.accept(policy, previous);
                }
            });
        } finally {
            lock.unlock();
        }
    }

    /** Keeps it for the configuration after this one, also if nobody asks for it now. */
    void carry(Object madeOf) {
        lock.lock();
        try {
            Object kept = before.get(madeOf);
            if (kept != null) {
                now.putIfAbsent(madeOf, kept);
            }
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("unchecked") // what it is made of includes its kind
    <T> T kept(Object madeOf, Supplier<T> maker) {
        lock.lock();
        try {
            Object kept = now.containsKey(madeOf) ? now.get(madeOf) : before.get(madeOf);
            T thing = kept == null ? maker.get() : (T) kept;
            now.put(madeOf, thing);
            return thing;
        } finally {
            lock.unlock();
        }
    }
}
