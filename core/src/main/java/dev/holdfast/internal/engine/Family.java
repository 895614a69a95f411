/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which operations have their answers in common. The name of an operation does not say what type its answers have, and Java
 * does not know it any more when the program runs. So those of one name and pipeline share only what surely has one type: one
 * operation with itself, those that say the same type, and those that run the same piece of code, by the class of its lambda.
 */
public final class Family {
    /** What the JDK calls the class of a lambda or a method reference. Where it does not, nothing is shared. */
    private static final String LAMBDA = "$$Lambda";

    /** Stands for the pipeline, and keeps nothing of it: a name may be another one's too. */
    private final Object pipeline;

    private final String operation;
    private final @Nullable Class<?> type;
    /**
     * Of the first action that was run with a key: its class if it is a lambda or a method reference, the family whose
     * decorated function it is, else an object of its own.
     */
    private volatile @Nullable Object code;

    public Family(Object pipeline, @Nullable String operation, @Nullable Class<?> type) {
        this.pipeline = pipeline;
        this.operation = operation == null ? "" : operation;
        this.type = type;
    }

    /** Before the first key is looked up; so equality never changes after that. */
    public void runs(Object action) {
        if (code == null && type == null) {
            first(action instanceof Decorated decorated ? decorated.family() : codeOf(action.getClass()));
        }
    }

    /**
     * Objects of one class may do two things; so may the JDK's own lambdas, such as that of {@code Function.andThen}, and other
     * hidden classes, such as those of {@code MethodHandleProxies}.
     */
    private static Object codeOf(Class<?> type) {
        boolean lambda = type.isHidden() && type.isSynthetic() && type.getName().contains(LAMBDA);
        return lambda && !type.getName().startsWith("java.") ? type : new Object();
    }

    /** A function that Holdfast itself has made of one of the user's, which tells what it runs. */
    public interface Decorated {
        Family family();
    }

    private synchronized void first(Object seen) {
        if (code == null) {
            code = seen;
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || (other instanceof Family that && isLike(that));
    }

    private boolean isLike(Family that) {
        return pipeline == that.pipeline
                && operation.equals(that.operation)
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
