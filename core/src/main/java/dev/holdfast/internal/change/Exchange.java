/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.change;

import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Policy;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A change that nobody refuses any more: everything that may refuse it was asked when this was made, and calls see nothing of it
 * yet. So several changes can be made, all or none. To be closed, whether it was made or not. For one thread.
 */
public abstract class Exchange implements AutoCloseable {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    private static volatile @Nullable BiFunction<Object, UnaryOperator<List<Policy>>, Exchange> pipelines;

    /** Tells how a pipeline gets other policies, which only its class knows. */
    public static void ofPipelines(BiFunction<Object, UnaryOperator<List<Policy>>, Exchange> how) {
        pipelines = how;
    }

    /**
     * Other policies for a pipeline, made of those that it has. Until this is closed, other threads that change them wait.
     *
     * @throws IllegalArgumentException as {@code Pipeline.replace} does
     */
    public static Exchange of(Object pipeline, UnaryOperator<List<Policy>> others) {
        return Objects.requireNonNull(pipelines, "there is a pipeline").apply(pipeline, others);
    }

    /** Makes the change. What foreign code throws on the way is logged: it is too late to refuse. */
    public final void make() {
        try {
            change();
        } catch (Throwable late) {
            LOG.warn("a change of a pipeline is made, but code that heard of it threw", late);
        }
    }

    /** As {@link #make}; leaves nothing half changed, whatever it throws. */
    protected abstract void change();

    /** Lets go of what was prepared. Throws nothing. */
    @Override
    public abstract void close();
}
