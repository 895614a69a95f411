/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which operations share their answers. The name of an operation does not say which type its answers have, and Java forgets
 * that type at run time. So operations of one name and pipeline share only if the type is surely the same. They are the same
 * operation, say the same type, or run the same code, which the class of its lambda tells.
 */
public final class Family {
    /** What the JDK calls the class of a lambda or a method reference. Where it does not, nothing is shared. */
    private static final String LAMBDA = "$$Lambda";

    /** Stands for the pipeline, whose name may be another one's too. Keeps nothing of it. */
    private final Object pipeline;

    private final String operation;
    private final @Nullable Class<?> type;
    private final int hash;
    /**
     * Of the first action that was run with a key: its class if it is a lambda or a method reference, the family whose
     * decorated function it is, else an object of its own.
     */
    private volatile @Nullable Object code;

    public Family(Object pipeline, @Nullable String operation, @Nullable Class<?> type) {
        this.pipeline = pipeline;
        this.operation = operation == null ? "" : operation;
        this.type = type;
        // Pipelines that share a cache have operations of the same name, and keys of the same text.
        hash = (System.identityHashCode(pipeline) * 31 + this.operation.hashCode()) * 31 + Objects.hashCode(type);
    }

    /** Before the first key is looked up; so equality never changes after that. */
    public void runs(Object action) {
        if (code == null && type == null) {
            first(action instanceof Decorated decorated ? decorated.family() : codeOf(action.getClass()));
        }
    }

    /**
     * Objects of one class may do different things. So may the JDK's own lambdas, such as that of {@code Function.andThen}, and
     * other hidden classes, such as those of {@code MethodHandleProxies}.
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
        return hash;
    }

    @Override
    public String toString() {
        return operation;
    }
}
