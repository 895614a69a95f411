/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * What all engines of a pipeline have in common, one after the other: its threads, its observers and its end. A pipeline gets
 * another engine when its policies are replaced; calls that have begun stay with theirs.
 */
final class Lifetime {
    final Observers observers;
    final @Nullable Carrier carrier;
    final Lanes lanes;
    final Log log = new Log();
    /** Comes when the pipeline is closed. */
    final Completion closing = new Completion();

    final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicBoolean retired = new AtomicBoolean();

    private final String name;
    private final TimeSource time;
    /** Of whoever builds the pipeline; for its threads. */
    private final @Nullable ClassLoader loader = Thread.currentThread().getContextClassLoader();

    private @Nullable ExecutorService dedicated;

    /** The engine that new calls get. */
    volatile @Nullable Engine present;

    Lifetime(Engine.Settings settings) {
        name = settings.name();
        time = settings.time();
        observers = new Observers(name, settings.observers());
        carrier = Carrier.of(settings.contexts());
        lanes = new Lanes(name, time, settings.executor(), settings.backgroundExecutor(), loader);
    }

    /** Threads for attempts, where they do not run on those of their callers. */
    synchronized Executor dedicatedThreads() {
        Executor ofTime = time.executor();
        if (ofTime != null) {
            return ofTime;
        }
        ExecutorService threads = dedicated;
        if (threads == null) {
            threads = Threads.newDedicated(name, loader);
            dedicated = threads;
            if (closed.get()) {
                threads.shutdown();
            }
        }
        return threads;
    }

    private synchronized @Nullable ExecutorService dedicated() {
        return dedicated;
    }

    /** Ends the meters alone. Returns false if that was done before. */
    boolean retire() {
        return retired.compareAndSet(false, true);
    }

    /** Ends what was made. Once is enough. */
    void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        lanes.close();
        ExecutorService threads = dedicated();
        if (threads != null) {
            threads.shutdown();
        }
        closing.complete();
    }
}
