/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.spi.Policy;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * What a configuration has made and a later one may keep: by what made it. A thing of the later configuration is the one of the
 * earlier if it was made of the same. Safe for any number of threads.
 */
final class Memory {
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
    synchronized Memory next() {
        return new Memory(new HashMap<>(now), new HashMap<>(shared));
    }

    /** Pipelines share this policy by this name. */
    synchronized void share(String name, Policy policy) {
        shared.put(name, policy);
    }

    /** Tells of each pair of a shared policy and the one whose name and place it takes. */
    synchronized void successions(BiConsumer<Policy, Policy> pair) {
        sharedBefore.forEach((name, previous) -> {
            Policy policy = shared.get(name);
            if (policy != null && policy != previous) {
                pair.accept(policy, previous);
            }
        });
    }

    /** Keeps it for the configuration after this one, also if nobody asks for it now. */
    synchronized void carry(Object madeOf) {
        Object kept = before.get(madeOf);
        if (kept != null) {
            now.putIfAbsent(madeOf, kept);
        }
    }

    @SuppressWarnings("unchecked") // what it is made of includes its kind
    synchronized <T> T kept(Object madeOf, Supplier<T> maker) {
        Object kept = now.containsKey(madeOf) ? now.get(madeOf) : before.get(madeOf);
        T thing = kept == null ? maker.get() : (T) kept;
        now.put(madeOf, thing);
        return thing;
    }
}
