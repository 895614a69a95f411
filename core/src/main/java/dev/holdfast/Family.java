/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which operations have their answers in common. The name of an operation does not say what type its answers have, and Java
 * does not know it any more when the program runs. So those of one name share only what surely has one type: one operation
 * with itself, those that say the same type, and those that run the same piece of code, by the class of its lambda.
 */
final class Family {
    private final String operation;
    private final @Nullable Class<?> type;
    /** Of the first action that was run with a key. */
    private volatile @Nullable Class<?> code;

    Family(@Nullable String operation, @Nullable Class<?> type) {
        this.operation = operation == null ? "" : operation;
        this.type = type;
    }

    /** Before the first key is looked up; so equality never changes after that. */
    void runs(Object action) {
        if (code == null && type == null) {
            first(action.getClass());
        }
    }

    private synchronized void first(Class<?> seen) {
        if (code == null) {
            code = seen;
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || (other instanceof Family that && isLike(that));
    }

    private boolean isLike(Family that) {
        return operation.equals(that.operation)
                && type == that.type
                && (type != null || (code != null && Objects.equals(code, that.code)));
    }

    @Override
    public int hashCode() {
        return operation.hashCode();
    }

    @Override
    public String toString() {
        return operation;
    }
}
