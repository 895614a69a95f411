/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.Completion;
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
    final Log log;
    final Completion closing = new Completion();

    final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicBoolean retired = new AtomicBoolean();

    /** The engine that new calls get. */
    volatile @Nullable Engine present;

    /** The one that is about to be the present one: what observers know of states is being handed over to it. */
    volatile @Nullable Engine coming;

    Lifetime(Engine.Settings settings) {
        log = new Log(settings.name(), settings.policies());
        observers = new Observers(settings.name(), settings.observers(), log);
        carrier = Carrier.of(settings.contexts());
        lanes = new Lanes(
                settings.name(),
                settings.time(),
                settings.executor(),
                settings.backgroundExecutor(),
                Thread.currentThread().getContextClassLoader()); // of whoever builds the pipeline
    }

    /** Ends the meters alone. Returns false if that was done before. */
    boolean retire() {
        return retired.compareAndSet(false, true);
    }

    void close() {
        if (closed.compareAndSet(false, true)) {
            lanes.close();
            closing.complete();
        }
    }
}
