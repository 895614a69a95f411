/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a policy knows of each pipeline that it is in, by the name of the pipeline. Nobody says when a pipeline has gone, so of more
 * than a thousand the ones that were told of first are forgotten. Safe for any number of threads.
 */
public final class ByPipeline<T> {
    private static final int MOST = 1_000;

    /** In the order in which they were told. Replaced as a whole. */
    private volatile Map<String, T> all = Map.of();

    /** Null of a pipeline that is not known. */
    public @Nullable T get(String pipeline) {
        return all.get(pipeline);
    }

    /** Of all that are known. */
    public Collection<T> values() {
        return all.values();
    }

    /** What another policy knows of pipelines that are not known here. */
    public synchronized void addThoseOf(ByPipeline<T> earlier) {
        Map<String, T> next = new LinkedHashMap<>(earlier.all);
        next.putAll(all);
        all = bounded(next);
    }

    /** From now on this is known of the pipeline; it may depend on what was known, or null. */
    public synchronized void tell(String pipeline, UnaryOperator<@Nullable T> known) {
        Map<String, T> next = new LinkedHashMap<>(all);
        T before = next.remove(pipeline);
        next.put(pipeline, known.apply(before));
        all = bounded(next);
    }

    private static <T> Map<String, T> bounded(Map<String, T> next) {
        while (next.size() > MOST) {
            next.remove(next.keySet().iterator().next());
        }
        return next;
    }
}
