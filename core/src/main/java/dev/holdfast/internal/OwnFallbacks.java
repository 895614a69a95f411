/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;

/**
 * The pipelines whose calls bring fallbacks of their own for as long as the program runs. Such a call fails if no policy asks for its
 * fallback. So these pipelines keep a policy that does.
 */
public final class OwnFallbacks {
    private static final Map<Object, Boolean> NEEDED = new WeakHashMap<>();
    private static final Set<Object> PIPELINES = Collections.synchronizedSet(Collections.newSetFromMap(NEEDED));

    private OwnFallbacks() {}

    /** From now on this pipeline keeps the policy that asks for fallbacks of calls, if it has one. */
    public static void keep(Object pipeline) {
        PIPELINES.add(pipeline);
    }

    /** Whether this pipeline keeps it. */
    public static boolean isKept(Object pipeline) {
        return PIPELINES.contains(pipeline);
    }
}
