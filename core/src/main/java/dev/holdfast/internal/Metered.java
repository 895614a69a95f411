/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.Map;
import java.util.WeakHashMap;

/** The pipelines that an observer with meters has seen, whatever its registry makes of the meters, which may drop or rename them. */
public final class Metered {
    private static final Map<Object, Boolean> PIPELINES = new WeakHashMap<>();

    private Metered() {}

    /** Such an observer counts what happens in this pipeline. */
    public static void add(Object pipeline) {
        synchronized (PIPELINES) {
            PIPELINES.put(pipeline, true);
        }
    }

    /** Whether such an observer has counted it. */
    public static boolean has(Object pipeline) {
        synchronized (PIPELINES) {
            return PIPELINES.containsKey(pipeline);
        }
    }
}
