/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Passage;
import org.jspecify.annotations.Nullable;

/** Under what values are kept: two dependencies that share a cache must never share a value. Safe for any number of threads. */
final class Keys {

    /** A key of another pipeline than the first. */
    private record Foreign(String pipeline, CallKey key) implements Comparable<Foreign> {
        @Override
        public int compareTo(Foreign other) {
            return key.compareTo(other.key);
        }
    }

    private volatile @Nullable String firstPipeline;

    Object of(Passage passage, CallKey key) {
        String pipeline = passage.pipeline();
        String first = firstPipeline;
        return pipeline.equals(first == null ? first(pipeline) : first) ? key : new Foreign(pipeline, key);
    }

    private synchronized String first(String pipeline) {
        String first = firstPipeline;
        if (first == null) {
            firstPipeline = pipeline;
            return pipeline;
        }
        return first;
    }

    /** What the user gave. */
    static Object given(Object key) {
        return key instanceof Foreign foreign ? foreign.key.key() : ((CallKey) key).key();
    }
}
