/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.ShortLock;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.function.Supplier;

/**
 * What a configuration has made and a later one may keep: by what made it. A thing of the later configuration is the one of the
 * earlier if it was made of the same. Safe for any number of threads.
 */
final class Memory {
    /** No monitor: factories of users run under it. */
    private final ShortLock lock = new ShortLock();

    private final Map<Object, Object> before;
    private final Map<Object, Object> now = new HashMap<>();
    /** Policies that pipelines share, by their names. */
    private final Map<String, Policy> sharedBefore;

    private final Map<String, Policy> shared = new HashMap<>();

    private Memory(Map<Object, Object> before, Map<String, Policy> sharedBefore) {
        this.before = before;
        this.sharedBefore = sharedBefore;
    }

    static Memory empty() {
        return new Memory(new HashMap<>(), new HashMap<>());
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

    /** A policy that pipelines share takes the place of another one with its name, in all of them. */
    record Succession(Policy policy, Policy previous) {}

    /** Pipelines share this policy by this name. */
    void share(String name, Policy policy) {
        lock.lock();
        try {
            shared.put(name, policy);
        } finally {
            lock.unlock();
        }
    }

    /** In the order of their names. */
    List<Succession> successions() {
        lock.lock();
        try {
            List<Succession> all = new ArrayList<>();
            new TreeMap<>(sharedBefore).forEach((name, previous) -> {
                Policy policy = shared.get(name);
                if (policy != null && policy != previous && kind(policy).equals(kind(previous))) {
                    all.add(new Succession(policy, previous));
                }
            });
            return all;
        } finally {
            lock.unlock();
        }
    }

    private static String kind(Policy policy) {
        return ShadowPolicy.inside(policy).name();
    }

    /**
     * Keeps the shared policies of these names for the configuration after this one, unless others have their places. Then what
     * takes the place of one later can take over from it.
     */
    void carryShared(BiPredicate<String, Policy> which) {
        lock.lock();
        try {
            sharedBefore.forEach((name, policy) -> {
                if (which.test(name, policy)) {
                    shared.putIfAbsent(name, policy);
                }
            });
        } finally {
            lock.unlock();
        }
    }

    /** Lets go of what only the configuration before had. */
    void forget() {
        lock.lock();
        try {
            before.clear();
            sharedBefore.clear();
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
