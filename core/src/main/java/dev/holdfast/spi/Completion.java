/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An event that a call can await. A policy completes it once on behalf of another call: a permit was handed over, a flight
 * landed. It carries no value: the waiting policy is asked again, and looks at its own state.
 *
 * <p>Safe for any number of threads. A waiter that gives up is removed, so that a completion that never comes holds nothing.
 */
public class Completion {

    /** A waiting call. Called at most once, on the completing thread; must not block and must not throw. */
    @FunctionalInterface
    public interface Waiter {
        /** The completion has come. */
        void completed();
    }

    private boolean done;
    private @Nullable Set<Waiter> waiters;

    /** A completion that has not come yet. */
    public Completion() {}

    /** Whether it has come. */
    public final synchronized boolean isDone() {
        return done;
    }

    /** Adds a waiter. Returns false, and does not keep the waiter, if the completion has come already. */
    public final synchronized boolean register(Waiter waiter) {
        if (done) {
            return false;
        }
        if (waiters == null) {
            waiters = new LinkedHashSet<>(2);
        }
        waiters.add(waiter);
        return true;
    }

    /** Forgets a waiter that has given up. Does nothing if it is not there. */
    public final synchronized void remove(Waiter waiter) {
        if (waiters != null) {
            waiters.remove(waiter);
        }
    }

    /** The number of waiters now. */
    public final synchronized int waiting() {
        return waiters == null ? 0 : waiters.size();
    }

    /**
     * Completes it: tells all waiters, in the order in which they came. Does nothing the second time. If a waiter throws, for
     * example because the completing thread's stack overflows, the others are told all the same. The first exception is
     * thrown at the end.
     */
    public final void complete() {
        List<Waiter> told;
        synchronized (this) {
            if (done) {
                return;
            }
            done = true;
            told = waiters == null ? List.of() : new ArrayList<>(waiters);
            waiters = null;
        }
        each(told, Waiter::completed);
    }

    /** Calls this for each element, even if a call throws. The first exception is thrown at the end. */
    protected static <T> void each(List<T> all, Consumer<? super T> told) {
        Throwable first = null;
        for (T one : all) {
            try {
                told.accept(one);
            } catch (RuntimeException | Error thrown) {
                first = first == null ? thrown : first;
            }
        }
        if (first instanceof Error error) {
            throw error;
        }
        if (first instanceof RuntimeException exception) {
            throw exception;
        }
    }
}
