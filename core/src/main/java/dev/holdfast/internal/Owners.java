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

    /** Null: several, or code beside pipelines. */
    private @Nullable WeakReference<Object> only;

    private Owners(@Nullable Object pipeline) {
        only = pipeline == null ? null : new WeakReference<>(pipeline);
    }

    /** A pipeline has this policy from now on. */
    public static void uses(Policy policy, Object pipeline) {
        synchronized (OF_POLICIES) {
            Owners known = OF_POLICIES.putIfAbsent(policy, new Owners(pipeline));
            if (known != null && !known.isOnly(pipeline)) {
                known.only = null;
            }
        }
    }

    /** This policy does not belong to one pipeline, however many have it. */
    public static void share(Policy policy) {
        synchronized (OF_POLICIES) {
            OF_POLICIES.computeIfAbsent(policy, any -> new Owners(null)).only = null;
        }
    }

    /** Whether a policy may take over from the one that it replaces in this pipeline. */
    public static boolean mayTakeOver(Policy policy, Policy previous, Object pipeline) {
        synchronized (OF_POLICIES) {
            Owners before = OF_POLICIES.get(previous);
            Owners after = OF_POLICIES.get(policy);
            return before != null && before.isOnly(pipeline) && (after == null || after.isOnly(pipeline));
        }
    }

    /** Whether no other pipeline has this policy, or had it. */
    public static boolean isOnly(Policy policy, Object pipeline) {
        synchronized (OF_POLICIES) {
            Owners known = OF_POLICIES.get(policy);
            return known != null && known.isOnly(pipeline);
        }
    }

    /** Whether this policy stays when one of its pipelines goes. */
    public static boolean isShared(Policy policy) {
        synchronized (OF_POLICIES) {
            Owners known = OF_POLICIES.get(policy);
            return known != null && known.only == null;
        }
    }

    private boolean isOnly(Object pipeline) {
        return only != null && only.get() == pipeline;
    }
}
