/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;

/**
 * The pipelines that something in the program has by their names for as long as it runs. A configuration that has one of them no longer
 * is refused: the program would not start with it, or would start without the pipeline.
 */
public final class Named {
    private static final Map<Object, String> PIPELINES = new WeakHashMap<>();

    private Named() {}

    /**
     * From now on the configuration of this pipeline keeps it.
     *
     * @param why what has its name, and what a restart without it would do
     */
    public static void keep(Object pipeline, String why) {
        synchronized (PIPELINES) {
            PIPELINES.putIfAbsent(pipeline, why);
        }
    }

    /** Why a configuration without the pipeline of this name is refused; empty if it is not. */
    public static Optional<String> refusal(Object pipeline, String name) {
        synchronized (PIPELINES) {
            return Optional.ofNullable(PIPELINES.get(pipeline))
                    .map(why -> "pipeline '" + name + "': " + why + "; keep it");
        }
    }
}
