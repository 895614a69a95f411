/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Counters by ordinal, each made when it is first needed; so that what never happens has no meter. */
final class Cells<T> {
    private final AtomicReferenceArray<@Nullable T> cells;
    private final IntFunction<T> maker;

    Cells(int size, IntFunction<T> maker) {
        this.cells = new AtomicReferenceArray<>(size);
        this.maker = maker;
    }

    T at(int ordinal) {
        T cell = cells.get(ordinal);
        return cell != null ? cell : make(ordinal);
    }

    // Locked: two cells of one ordinal would be one meter, which would show only the first.
    private synchronized T make(int ordinal) {
        T cell = cells.get(ordinal);
        if (cell == null) {
            cell = maker.apply(ordinal);
            cells.set(ordinal, cell);
        }
        return cell;
    }
}
