/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Policy;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.BooleanSupplier;

/**
 * The pipelines whose calls bring fallbacks of their own for as long as the program runs. Such a call fails if no policy asks for its
 * fallback. So these pipelines keep a policy that does.
 */
public final class OwnFallbacks {
    /** True: the pipeline keeps it. False: it is just being taken away. */
    private static final Map<Object, Boolean> PIPELINES = new WeakHashMap<>();

    private OwnFallbacks() {}

    /**
     * From now on this pipeline keeps the policy that asks for fallbacks of calls, if it has one.
     *
     * @param hasPolicy whether it has; only looks, since a lock is held: so the policy is not taken away between the look and the note
     * @return false if it has none, or if that is just being taken away; then nothing is kept
     */
    public static boolean keep(Object pipeline, BooleanSupplier hasPolicy) {
        synchronized (PIPELINES) {
            if (Boolean.FALSE.equals(PIPELINES.get(pipeline)) || !hasPolicy.getAsBoolean()) {
                return false;
            }
            PIPELINES.put(pipeline, true);
            return true;
        }
    }

    /** Whether these policies in the place of those take away the policy that asks for fallbacks of calls. */
    public static boolean isTakenBy(List<Policy> after, List<Policy> before) {
        return ask(before) && !ask(after);
    }

    /** Whether one of these policies asks for fallbacks of calls. */
    public static boolean ask(List<Policy> policies) {
        return policies.stream().anyMatch(policy -> (policy.hears() & Policy.OWN_FALLBACK) != 0);
    }

    /** Why the policy of the pipeline with this name is not taken away. */
    public static String refusal(String name) {
        return "pipeline '" + name + "': there are methods with a fallback of their own, so"
                + " that it needs a policy that asks for it; keep  fallback: { only-of-operations: true }";
    }

    /**
     * The policy is about to be taken away, until {@link #taken}. No lock is held meanwhile: foreign code runs, and a bean that is
     * made need not wait for it.
     *
     * @return false if the pipeline keeps it
     */
    public static boolean take(Object pipeline) {
        synchronized (PIPELINES) {
            Boolean known = PIPELINES.putIfAbsent(pipeline, false);
            return known == null || !known;
        }
    }

    /** The policy has been taken away, or has stayed after all. */
    public static void taken(Object pipeline) {
        synchronized (PIPELINES) {
            PIPELINES.remove(pipeline, false);
        }
    }
}
