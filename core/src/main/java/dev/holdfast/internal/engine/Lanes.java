/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.TimeSource;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The threads on which a pipeline continues. The ends of calls, background work and hooks never share a queue: work that hangs
 * delays no call's end. No limit waits for a virtual thread: those that compute, or wait where they cannot leave their carrier,
 * hold up all others.
 */
final class Lanes {
    // To hand a task to one of them makes nothing before its thread: there may be no memory for a call that was
    // claimed.
    /** For what follows a wait or an attempt of an asynchronous call: its next attempt, its end, the caller's continuations. */
    final Lane ends;
    /** For refreshes and hedges. */
    final Lane background;
    /**
     * For calls that {@link #ends} refused. They must not end on a thread that is ending another call, which may wait for them, nor
     * on the timer's, so any number of them may wait here. Works after the pipeline is closed, as {@link #hooks} does.
     */
    final Lane spare;

    /** For the hooks of attempts that are given up. Works after the pipeline is closed: its threads end when they idle. */
    final Lane hooks;
    /** For the ends of leases, which give back what hooks that hang would keep. Works after the pipeline is closed, too. */
    final Lane leases;
    /** For attempts, where they do not run on the threads of their callers. */
    final Lane dedicated;

    Lanes(
            String pipeline,
            TimeSource time,
            @Nullable Executor forEnds,
            @Nullable Executor forBackground,
            @Nullable ClassLoader loader) {
        ends = new Lane(time, forEnds, () -> Quota.bounded(pipeline, loader));
        background = new Lane(time, forBackground, () -> Threads.newExecutor(pipeline + "-background", loader));
        hooks = new Lane(time, null, () -> Quota.patient(pipeline + "-hooks", loader));
        leases = new Lane(time, null, () -> Quota.patient(pipeline + "-leases", loader));
        spare = new Lane(time, null, () -> Quota.unbounded(pipeline + "-spare", loader));
        dedicated = new Lane(time, null, () -> Threads.newDedicated(pipeline, loader));
    }

    void close() {
        ends.close();
        background.close();
        dedicated.close();
    }

    /** One that was given, the time's, or a part of those that all share, made when it is first needed. */
    static final class Lane implements Supplier<Executor> {
        private static final Executor CLOSED = task -> {
            throw new RejectedExecutionException("closed");
        };

        private final TimeSource time;
        private final Supplier<Executor> maker;
        private volatile @Nullable Executor executor;
        private boolean owned;
        private boolean closed;

        Lane(TimeSource time, @Nullable Executor given, Supplier<Executor> maker) {
            this.time = time;
            this.maker = maker;
            executor = given;
        }

        @Override
        public Executor get() {
            Executor known = executor;
            return known == null ? made() : known;
        }

        private synchronized Executor made() {
            Executor known = executor;
            if (known == null) {
                known = time.executor();
            }
            if (known == null) {
                owned = true;
                known = closed ? CLOSED : maker.get();
            }
            executor = known;
            return known;
        }

        synchronized void close() {
            closed = true;
            if (owned) {
                executor = CLOSED;
            }
        }
    }
}
