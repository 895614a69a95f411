/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a policy knows of each pipeline that it is in, by the name of the pipeline. Nobody says when a pipeline has gone, so of more
 * than a thousand the ones that were told of first are known together only. Safe for any number of threads.
 */
public final class ByPipeline<T> {
    private static final int MOST = 1_000;

    private final BinaryOperator<T> together;
    /** In the order in which they were told. Replaced as a whole. */
    private volatile Map<String, T> all = Map.of();
    /** What holds for each that is not among them any more; null: there is none. */
    private volatile @Nullable T others;

    /** What it knows of two is put together with this, if it cannot be known of each. */
    public ByPipeline(BinaryOperator<T> together) {
        this.together = together;
    }

    /** Null of a pipeline that it has not been told of. */
    public @Nullable T get(String pipeline) {
        T one = all.get(pipeline);
        return one == null ? others : one;
    }

    /** Of all that it was told of; null: of none. */
    public @Nullable T ofAll() {
        Map<String, T> each = all; // first: whatever is not there any more is among the others
        T known = others;
        for (T one : each.values()) {
            known = together(known, one);
        }
        return known;
    }

    /** What another policy knows of pipelines that are not known here. */
    public synchronized void addThoseOf(ByPipeline<T> earlier) {
        Map<String, T> next = new LinkedHashMap<>(earlier.all);
        next.putAll(all);
        T theirs = earlier.others;
        if (theirs != null) {
            others = together(others, theirs);
        }
        become(next);
    }

    /** From now on this is known of the pipeline; it may depend on what was known, or null. */
    public synchronized void tell(String pipeline, UnaryOperator<@Nullable T> known) {
        Map<String, T> next = new LinkedHashMap<>(all);
        T before = next.remove(pipeline);
        next.put(pipeline, known.apply(before));
        become(next);
    }

    private void become(Map<String, T> next) {
        Iterator<T> first = next.values().iterator();
        while (next.size() > MOST) {
            others = together(others, first.next()); // before it is no longer one of them
            first.remove();
        }
        all = next;
    }

    private T together(@Nullable T known, T one) {
        return known == null ? one : together.apply(known, one);
    }
}
