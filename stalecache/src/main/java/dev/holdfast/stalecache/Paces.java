/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.Passage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** The paces of the operations, a bounded number of them. Safe for any number of threads. */
final class Paces {
    /** How many operations are measured separately. Names that are made of paths would have no end. */
    private static final int MOST = 1_000;

    private final ConcurrentMap<String, Pace> paces = new ConcurrentHashMap<>();
    private final Pace others = new Pace();

    /** The pace of the call's operation. */
    Pace of(Passage passage) {
        String operation = passage.operation();
        String name = operation == null ? "" : operation;
        Pace known = paces.get(name);
        if (known != null) {
            return known;
        }
        return paces.size() < MOST ? paces.computeIfAbsent(name, any -> new Pace()) : others;
    }
}
