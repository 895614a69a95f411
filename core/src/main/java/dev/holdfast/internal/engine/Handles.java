/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** Finds the handle of a field, for its own class. */
final class Handles {
    private Handles() {}

    static VarHandle of(MethodHandles.Lookup own, String field, Class<?> type) {
        try {
            return own.findVarHandle(own.lookupClass(), field, type);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }
}
