/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import com.github.benmanes.caffeine.cache.Weigher;

/**
 * Makes one bound of two: Caffeine bounds a number or a weight, and not both. Each value counts what it weighs, or its part of
 * the number if that is more. So if Caffeine keeps its bound, both are kept: the number exactly, and the weight within half a percent.
 * For how long Caffeine may be above it says the {@link Store}.
 */
final class Weights implements Weigher<Object, Entry> {
    private final long maxWeight;
    /** What a value counts that weighs nothing. */
    private final int least;
    /** What all values may count together: a whole number of times the least, so that the number is exact. */
    private final long most;

    Weights(long maxWeight, int maxEntries) {
        this.maxWeight = maxWeight;
        // As fine as Caffeine's numbers allow.
        least = Integer.MAX_VALUE / maxEntries;
        most = (long) least * maxEntries;
    }

    long most() {
        return most;
    }

    @Override
    public int weigh(Object key, Entry entry) {
        return of(entry.weight());
    }

    /**
     * What a value of this weight counts.
     *
     * @param weight at most the greatest weight of all values together
     */
    int of(long weight) {
        return Math.max(least, (int) ((double) weight / maxWeight * most));
    }
}
