/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The arguments of a call as its key. Arrays, also those of a variable number of arguments, are compared by what is in them. */
final class Arguments {
    private final @Nullable Object[] values;

    /** The first ones of these. */
    Arguments(@Nullable Object[] all, int count) {
        values = Arrays.copyOf(all, count);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Arguments arguments && Arrays.deepEquals(values, arguments.values);
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(values);
    }

    @Override
    public String toString() {
        return Arrays.deepToString(values);
    }
}
