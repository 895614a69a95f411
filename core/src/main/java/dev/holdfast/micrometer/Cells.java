/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** One counter for each constant, made when it is first needed; so that what never happens has no meter. */
final class Cells<E extends Enum<E>, T> {
    private final List<Lazy<T>> cells = new ArrayList<>();

    Cells(Class<E> constants, Function<E, T> maker) {
        for (E constant : constants.getEnumConstants()) {
            cells.add(new Lazy<>(() -> maker.apply(constant)));
        }
    }

    @SuppressWarnings("EnumOrdinal") // the list is made from the same constants, and an EnumMap is not safe for threads
    T of(E constant) {
        return cells.get(constant.ordinal()).get();
    }
}
