/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks at errors, their causes and their types, and throws them as they are. A user's exception may override any method, and throw
 * in it.
 */
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

    /** Whether its class or one above has one of these names: for classes that may not be there. */
    public static boolean isNamed(Throwable error, Set<String> names) {
        for (Class<?> type = error.getClass(); type != null; type = type.getSuperclass()) {
            if (names.contains(type.getName())) {
                return true;
            }
        }
        return false;
    }

    /** Throws it as it is, also if it is checked: what a user's code throws may be declared nowhere. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    public static <E extends Throwable> E asItIs(Throwable error) throws E {
        throw (E) error;
    }
}
