/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Attempt;
import dev.holdfast.internal.Discards;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An attempt, as its action sees it, and its hooks. */
final class RunningAttempt implements Attempt, Discards {
    private final TimeSource time;
    private final int number;
    private final boolean limited;
    private final long limitAt;
    private final @Nullable Carrier carrier;
    private final boolean refresh;
    /** Given before the action knows of this; null: nothing is discarded. */
    @Nullable
    Unclaimed unclaimed;

    private @Nullable Deque<Runnable> hooks;

    private boolean cancelled;
    private boolean ended;

    RunningAttempt(
            TimeSource time, int number, boolean limited, long limitAt, @Nullable Carrier carrier, boolean refresh) {
        this.time = time;
        this.number = number;
        this.limited = limited;
        this.limitAt = limitAt;
        this.carrier = carrier;
        this.refresh = refresh;
    }

    @Override
    public int number() {
        return number;
    }

    @Override
    public Duration remaining() {
        return Duration.ofNanos(Math.max(1, remainingNanos()));
    }

    @Override
    public long remainingNanos() {
        return limited ? Math.max(0, limitAt - time.nanos()) : Long.MAX_VALUE;
    }

    @Override
    public synchronized boolean isCancelled() {
        return cancelled;
    }

    @Override
    public boolean isRefresh() {
        return refresh;
    }

    @Override
    public void onCancel(Runnable hook) {
        Objects.requireNonNull(hook, "hook");
        // It may run on any thread. Captured before the lock: a context is foreign code, and may wait.
        Runnable carried = carrier == null ? hook : carrier.carrying(hook);
        synchronized (this) {
            if (!cancelled) {
                if (!ended) {
                    if (hooks == null) {
                        hooks = new ArrayDeque<>(2);
                    }
                    hooks.add(carried);
                }
                return;
            }
        }
        hook.run();
    }

    @Override
    public void discard(Object lost) {
        if (unclaimed != null) {
            unclaimed.discard(lost);
        }
    }

    synchronized boolean hasHooks() {
        return hooks != null && !hooks.isEmpty();
    }

    synchronized void end() {
        ended = true;
        if (!cancelled) {
            hooks = null;
        }
    }

    /** Marks it as given up; its hooks are run by {@link #runHooks}. */
    synchronized void cancel() {
        cancelled = true;
    }

    /** Runs all hooks. One that throws does not keep the others from running. */
    void runHooks(Consumer<? super Throwable> thrown) {
        for (; ; ) {
            Runnable hook;
            synchronized (this) {
                hook = hooks == null ? null : hooks.poll();
            }
            if (hook == null) {
                return;
            }
            try {
                hook.run();
            } catch (Throwable broken) {
                thrown.accept(broken);
            }
        }
    }
}
