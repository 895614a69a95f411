/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What happened in the calls inside the attempts of a call. They report it, on whichever threads they run. */
final class Inside {
    /** Shared values are remembered up to this number. With more of them, every value counts as shared. */
    private static final int MOST_VALUES = 1_000;

    /** Whether the call may discard values. If not, shared values need not be remembered. */
    private final boolean discards;

    private volatile boolean begun;
    private volatile boolean old;
    // Guarded by this.
    private int underWay;
    private @Nullable Set<Object> shared;

    Inside(boolean discards) {
        this.discards = discards;
    }

    /** One of them begins: until it ends, its dependency may begin with the work at any moment. */
    synchronized void starts() {
        underWay++;
    }

    synchronized void ends() {
        underWay--;
    }

    /** One of them has had an attempt with which its dependency may have begun. */
    void begun() {
        begun = true;
    }

    synchronized boolean hasBegun() {
        return begun || underWay > 0;
    }

    /** One of them was answered with something old or made up. */
    void old() {
        old = true;
    }

    boolean isOld() {
        return old;
    }

    /** One of them was answered with a value that other calls have too, or that is kept. */
    void shares(Object value) {
        if (discards) {
            addShared(value);
        }
    }

    private synchronized void addShared(Object value) {
        if (shared == null) {
            shared = Collections.newSetFromMap(new IdentityHashMap<>(4));
        }
        if (shared.size() <= MOST_VALUES) {
            shared.add(value);
        }
    }

    synchronized boolean isShared(Object value) {
        return shared != null && (shared.size() > MOST_VALUES || shared.contains(value));
    }
}
