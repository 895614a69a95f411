/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import org.jspecify.annotations.Nullable;

/** Walks from an error to what caused it. An exception of a user's may override anything, and throw in it. */
public final class Causes {
    /** How many are looked at; a chain may be a ring. */
    public static final int MOST = 64;

    private Causes() {}

    /** What caused it; null if nothing did, or it does not say. Never throws. */
    public static @Nullable Throwable of(Throwable error) {
        try {
            return error.getCause();
        } catch (Throwable broken) {
            return null;
        }
    }
}
