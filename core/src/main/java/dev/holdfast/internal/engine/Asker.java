/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CallRejectedException;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * For whom a call asks, as its caller's thread says. On another thread (a refresh, a hedge, a retry of an asynchronous call, a
 * dedicated thread) a function may find nobody or somebody else. So it runs only where the thread says the same.
 */
public final class Asker {
    private final Engine engine;
    private final Supplier<?> partition;
    public final Object who;

    /** On the thread of the caller. */
    public Asker(Engine engine, Supplier<?> partition) {
        this.engine = engine;
        this.partition = partition;
        who = Objects.requireNonNull(
                partition.get(),
                "the partition of a call through '" + engine.name
                        + "' is null: who asks for nobody in particular needs a value of its own too");
    }

    /**
     * On the thread that is about to run the function: why it may not, or null. Also checked on the caller's thread, which may
     * serve somebody else by now.
     */
    @Nullable
    CallRejectedException refusal() {
        if (isSaidHere()) {
            return null;
        }
        CallRejectedException refusal = engine.rejections.otherPartition();
        engine.log.once("a decorated function of '" + engine.name + "' was not run", refusal);
        return refusal;
    }

    /**
     * As {@link #refusal}, right before the function: an attempt may have begun on another thread (a dedicated one, a delay that
     * a policy has injected).
     */
    static void check(@Nullable Asker asker) {
        CallRejectedException refusal = asker == null ? null : asker.refusal();
        if (refusal != null) {
            throw refusal;
        }
    }

    private boolean isSaidHere() {
        try {
            return who.equals(partition.get());
        } catch (Throwable unknown) {
            return false;
        }
    }
}
