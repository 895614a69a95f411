/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The key of a call, with operation and partition. Calls whose keys are equal may share an answer. Immutable.
 *
 * <p>Ordered as far as the user's keys are {@link Comparable}, so that a hash table stays fast if many hash codes are equal.
 * The order has no other meaning: it is not consistent with {@link #equals}.
 */
public final class CallKey implements Comparable<CallKey> {
    private final Object family;
    private final @Nullable Object partition;
    private final Object key;
    private final int hash;

    /**
     * The key of one call.
     *
     * @param family identifies the operations that share answers; equal for those of one name and one type
     * @param partition the tenant; null if there is none
     * @param key as the user gave it
     */
    public CallKey(Object family, @Nullable Object partition, Object key) {
        this.family = Objects.requireNonNull(family, "family");
        this.partition = partition;
        this.key = Objects.requireNonNull(key, "key");
        hash = (family.hashCode() * 31 + Objects.hashCode(partition)) * 31 + key.hashCode();
    }

    /** The tenant, if there is one. */
    public @Nullable Object partition() {
        return partition;
    }

    /** The key as the user gave it. */
    public Object key() {
        return key;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || (other instanceof CallKey that
                        && hash == that.hash
                        && key.equals(that.key)
                        && Objects.equals(partition, that.partition)
                        && family.equals(that.family));
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public int compareTo(CallKey other) {
        int byHash = Integer.compare(hash, other.hash);
        int byKey = byHash != 0 ? byHash : order(key, other.key);
        return byKey != 0 ? byKey : order(partition, other.partition);
    }

    /** Returns 0 if there is no order. A table then looks on both sides. */
    @SuppressWarnings("unchecked") // of one class
    private static int order(@Nullable Object one, @Nullable Object other) {
        if (!(one instanceof Comparable<?> comparable) || other == null || one.getClass() != other.getClass()) {
            return 0;
        }
        try {
            return ((Comparable<Object>) comparable).compareTo(other);
        } catch (RuntimeException incomparable) {
            return 0;
        }
    }

    @Override
    public String toString() {
        return family + (partition == null ? "" : "[" + partition + "]") + "(" + key + ")";
    }
}
