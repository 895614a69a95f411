/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.contract.Around;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A clock that stands still, and timers that run on the thread of the test when it lets time pass. */
final class StillTime extends Around {
    private record Set(long at, Runnable task) {}

    private final List<Set> timers = new ArrayList<>();
    private volatile long now = -5_000_000;
    private volatile Runnable beforeTimer = () -> {};
    private int woken;

    /** Refuses timers. */
    volatile boolean refusing;
    /** Sets the timers that it refuses all the same. */
    volatile boolean settingAllTheSame;
    /** For so many timers more there is no memory. */
    final AtomicInteger missing = new AtomicInteger();
    /** Takes timers and never runs them. */
    volatile boolean losing;
    /** Runs in place of a park, with its time. */
    volatile @Nullable LongConsumer parking;

    StillTime() {
        super(TimeSource.system());
    }

    @Override
    public long nanos() {
        return now;
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        if (missing.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            // As the system's time says it.
            throw new RejectedExecutionException("no timer", new OutOfMemoryError("made up"));
        }
        Set set = new Set(now + delayNanos, task);
        synchronized (timers) {
            if (!losing && (!refusing || settingAllTheSame)) {
                timers.add(set);
            }
        }
        if (refusing) {
            throw new RejectedExecutionException("no timers");
        }
        return () -> {
            synchronized (timers) {
                timers.remove(set);
            }
        };
    }

    @Override
    public void park(Object blocker, long nanos) {
        LongConsumer instead = parking;
        if (instead == null) {
            super.park(blocker, nanos);
        } else {
            instead.accept(nanos);
        }
    }

    /** Before each timer runs. */
    void beforeTimer(Runnable task) {
        beforeTimer = task;
    }

    /** Lets time pass, and runs each timer at its instant. */
    void pass(long nanos) {
        long until = now + nanos;
        for (Set first = firstBy(until); first != null; first = firstBy(until)) {
            now = Math.max(now, first.at);
            beforeTimer.run();
            woken++;
            first.task.run();
        }
        now = until;
    }

    /** Lets time pass in which the timer's thread gets no processor. */
    void passUnseen(long nanos) {
        long later = now + nanos;
        now = later;
    }

    private @Nullable Set firstBy(long instant) {
        synchronized (timers) {
            Set first = timers.stream()
                    .filter(set -> set.at - instant <= 0)
                    .min(Comparator.comparingLong(Set::at))
                    .orElse(null);
            if (first != null) {
                timers.remove(first);
            }
            return first;
        }
    }

    int timers() {
        synchronized (timers) {
            return timers.size();
        }
    }

    /** How many timers have run since this was last asked for. */
    int woken() {
        int count = woken;
        woken = 0;
        return count;
    }
}
