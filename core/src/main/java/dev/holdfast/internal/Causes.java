/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import org.jspecify.annotations.Nullable;

/** Walks from an error to its cause. A user's exception may override any method, and throw in it. */
public final class Causes {
    /** The most causes to look at, because a chain may be a ring. */
    public static final int MOST = 64;

    private Causes() {}

    /** The cause; null if there is none, or the error does not tell it. Never throws. */
    public static @Nullable Throwable of(Throwable error) {
        try {
            return error.getCause();
        } catch (Throwable broken) {
            return null;
        }
    }
}
