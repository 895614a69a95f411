/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.Iterator;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a policy knows of each pipeline that it is in, by the name of the pipeline. Nobody says when a pipeline has gone, so of very
 * many some are known together only. Safe for any number of threads.
 */
public final class ByPipeline<T> {
    /** Some megabytes at most, for one policy. */
    private static final int MOST = 10_000;

    private final BinaryOperator<T> together;
    private final ConcurrentMap<String, T> each = new ConcurrentHashMap<>();
    /** What is known of the others; null: there are none. */
    private volatile @Nullable T others;

    /** What it knows of two is put together with this, if it cannot be known of each. */
    public ByPipeline(BinaryOperator<T> together) {
        this.together = together;
    }

    /** Of a pipeline that is not known: what is known of the others together. Null if there are none. */
    public @Nullable T get(String pipeline) {
        T one = each.get(pipeline);
        return one == null ? others : one;
    }

    /** Of all that it was told of; null: of none. */
    public synchronized @Nullable T ofAll() {
        T known = others;
        for (T one : each.values()) {
            known = together(known, one);
        }
        return known;
    }

    /**
     * What another policy knows of pipelines that are not known here. What it knows of others together ends with it: in a reload, each
     * of them tells this one.
     */
    public synchronized void addThoseOf(ByPipeline<T> earlier) {
        earlier.each.forEach(each::putIfAbsent);
        bound();
    }

    /** From now on this is known of the pipeline; it may depend on what was known, or null. */
    public synchronized void tell(String pipeline, UnaryOperator<@Nullable T> known) {
        each.put(pipeline, known.apply(each.get(pipeline)));
        bound();
    }

    private void bound() {
        for (Iterator<T> some = each.values().iterator(); each.size() > MOST; some.remove()) {
            others = together(others, some.next()); // before it is no longer one of them
        }
    }

    private T together(@Nullable T known, T one) {
        return known == null ? one : together.apply(known, one);
    }
}
