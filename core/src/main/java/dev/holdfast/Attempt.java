/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One run of an action: what the action may want to know of it. Safe for any number of threads, also after the attempt. */
public final class Attempt {
    private final TimeSource time;
    private final int number;
    private final boolean limited;
    private final long limitAt;
    private final @Nullable Carrier carrier;
    private final Deque<Runnable> hooks = new ArrayDeque<>(2);
    private boolean cancelled;
    private boolean ended;

    Attempt(TimeSource time, int number, boolean limited, long limitAt, @Nullable Carrier carrier) {
        this.time = time;
        this.number = number;
        this.limited = limited;
        this.limitAt = limitAt;
        this.carrier = carrier;
    }

    /** Which attempt of the call it is; the first is 1. */
    public int number() {
        return number;
    }

    /** What is left for this attempt, never negative; about 292 years if nothing limits it. */
    public Duration remaining() {
        return Duration.ofNanos(remainingNanos());
    }

    /** {@link #remaining} in nanoseconds; {@link Long#MAX_VALUE} if nothing limits it. */
    public long remainingNanos() {
        return limited ? Math.max(0, limitAt - time.nanos()) : Long.MAX_VALUE;
    }

    /** Whether the attempt has been given up: nobody waits for its answer any more. */
    public synchronized boolean isCancelled() {
        return cancelled;
    }

    /**
     * Runs this when the attempt is given up, on another thread if the action blocks; at once, on this thread, if it has been
     * given up already; never if the attempt has ended by itself. For work that an interrupt or a cancelled future does not
     * stop: closing a socket, cancelling a statement.
     */
    public void onCancel(Runnable hook) {
        Objects.requireNonNull(hook, "hook");
        synchronized (this) {
            if (!cancelled) {
                if (!ended) {
                    // Where it is run nobody knows yet.
                    hooks.add(carrier == null ? hook : carrier.carrying(hook));
                }
                return;
            }
        }
        hook.run();
    }

    synchronized boolean hasHooks() {
        return !hooks.isEmpty();
    }

    synchronized void end() {
        ended = true;
        if (!cancelled) {
            hooks.clear();
        }
    }

    /** Marks it as given up; its hooks are run by {@link #runHooks}. */
    synchronized void cancel() {
        cancelled = true;
    }

    /** Runs all that are there; one that throws keeps none of the others from running. */
    void runHooks(Consumer<? super Throwable> thrown) {
        for (; ; ) {
            Runnable hook;
            synchronized (this) {
                hook = hooks.poll();
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
