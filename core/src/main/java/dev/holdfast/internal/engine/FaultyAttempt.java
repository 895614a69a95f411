/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.Once;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** An asynchronous attempt that a fault delays or replaces. Holds no thread while it waits. */
final class FaultyAttempt implements Runnable, Completion.Waiter {
    private final Engine engine;
    private final Suspension suspension;
    private final Supplier<Executor> where;
    private final Runnable afterwards;

    /** The first to complete it decides: the end of the delay, the end of the pipeline, or a cancellation. */
    private final CompletableFuture<@Nullable Void> wait = new CompletableFuture<>();

    // Read only by a cancellation, which comes after the suspension was opened and so sees it.
    private TimeSource.@Nullable Timer timer;

    FaultyAttempt(Engine engine, Suspension suspension, Supplier<Executor> where, Runnable afterwards) {
        this.engine = engine;
        this.suspension = suspension;
        this.where = where;
        this.afterwards = afterwards;
    }

    void start(long delayNanos) {
        if (delayNanos <= 0) {
            afterwards.run();
            return;
        }
        suspension.stage = wait;
        var unused = wait.whenComplete((none, cancelled) -> {
            if (cancelled != null) {
                cancelled(cancelled);
            }
        });
        if (delayNanos < Long.MAX_VALUE) {
            timer = engine.time.schedule(delayNanos, this);
        } else if (!engine.closing.register(this)) {
            refuse();
        }
    }

    /** The delay is over, on the timer's thread, which runs no code of the user. */
    @Override
    public void run() {
        try {
            where.get().execute(this::goOn);
        } catch (Throwable refused) {
            completed();
        }
    }

    private void goOn() {
        Surroundings callers;
        try {
            callers = Surroundings.enter(suspension.call, Ambient.get());
        } catch (OutOfMemoryError none) {
            refuse();
            return;
        }
        try {
            if (wait.complete(null)) {
                afterwards.run();
            }
        } finally {
            Surroundings.leave(callers);
        }
    }

    /** The pipeline was closed, or no thread is free. The rest must not run on this thread, which may be the timer's. */
    @Override
    public void completed() {
        suspension.driver.onSpareThread(Once.of(this::refuse));
    }

    private void refuse() {
        if (wait.complete(null)) {
            suspension.refuse();
        }
    }

    private void cancelled(Throwable cancelled) {
        if (timer != null) {
            timer.cancel();
        }
        engine.closing.remove(this);
        suspension.accept(null, cancelled);
    }
}
