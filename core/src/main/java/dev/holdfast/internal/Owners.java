/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Policy;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Which pipeline has a policy for itself. What a policy holds may go over to the one that replaces it only where nobody else
 * has either of them: two pipelines that shared a bulkhead must not share the permits of those that replace it.
 */
public final class Owners {
    private static final Map<Policy, Owners> OF_POLICIES = new WeakHashMap<>();

    /** As what pipelines have it: active, which is the policy itself, or in shadow. Null: no pipeline had it so far. */
    private @Nullable WeakReference<Policy> layer;

    /** Null: several, or code beside pipelines. */
    private @Nullable WeakReference<Object> only;

    /** What it takes over from, although it has several owners: all of them change at the same time. */
    private @Nullable WeakReference<Policy> predecessor;

    private Owners(@Nullable Object pipeline) {
        only = pipeline == null ? null : new WeakReference<>(pipeline);
    }

    /** A pipeline has this policy from now on, as this layer: the policy itself, or it in shadow. */
    public static void uses(Policy policy, Policy layer, Object pipeline) {
        synchronized (OF_POLICIES) {
            Owners owners = OF_POLICIES.computeIfAbsent(policy, any -> new Owners(pipeline));
            if (!owners.isOnly(pipeline)) {
                owners.only = null;
            }
            owners.layer = new WeakReference<>(layer);
        }
    }

    /**
     * Whether a pipeline may have this policy as this layer. If others have it, too, it is active in all or in shadow in all: they
     * would be held to what it counts in shadow.
     */
    public static boolean mayUse(Policy policy, Policy layer, Object pipeline) {
        synchronized (OF_POLICIES) {
            Owners known = OF_POLICIES.get(policy);
            if (known == null || known.isOnly(pipeline) || known.layer == null) {
                return true;
            }
            // A layer that is gone is that of no pipeline.
            Policy others = known.layer.get();
            return others == null || others == layer;
        }
    }

    /** This policy does not belong to one pipeline, however many have it. */
    public static void share(Policy policy) {
        synchronized (OF_POLICIES) {
            Owners shared = new Owners(null);
            Owners known = OF_POLICIES.put(policy, shared);
            shared.layer = known == null ? null : known.layer;
        }
    }

    /** A policy that several pipelines have takes the place of another one in all of them, and takes over from it once. */
    public static void succeeds(Policy policy, Policy previous) {
        synchronized (OF_POLICIES) {
            OF_POLICIES.computeIfAbsent(policy, any -> new Owners(null)).predecessor = new WeakReference<>(previous);
        }
    }

    /** Whether a policy may take over from the one that it replaces in this pipeline. */
    public static boolean mayTakeOver(Policy policy, Policy previous, Object pipeline) {
        synchronized (OF_POLICIES) {
            Owners before = OF_POLICIES.get(previous);
            Owners after = OF_POLICIES.get(policy);
            if (after != null && after.predecessor != null && after.predecessor.get() == previous) {
                after.predecessor = null;
                return true;
            }
            return before != null && before.isOnly(pipeline) && (after == null || after.isOnly(pipeline));
        }
    }

    private boolean isOnly(Object pipeline) {
        return only != null && only.get() == pipeline;
    }
}
