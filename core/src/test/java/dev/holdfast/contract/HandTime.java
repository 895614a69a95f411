/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A clock that a test moves by hand, for real threads: nothing depends on how fast these are. */
final class HandTime implements TimeSource {
    private final List<Entry> entries = new ArrayList<>();
    private volatile long now = 1_000_000_000L;

    private record Entry(long at, Runnable task) {}

    @Override
    public long nanos() {
        return now;
    }

    @Override
    public long millis() {
        return now / 1_000_000;
    }

    @Override
    public synchronized Timer schedule(long delayNanos, Runnable task) {
        Entry entry = new Entry(now + Math.max(0, delayNanos), task);
        entries.add(entry);
        return () -> {
            synchronized (this) {
                entries.remove(entry);
            }
        };
    }

    @Override
    public void park(Object blocker, long nanos) {
        // Without regard to the time, which a waiting thread looks at when it wakes.
        LockSupport.parkNanos(blocker, 1_000_000);
    }

    @Override
    public void unpark(Thread thread) {
        LockSupport.unpark(thread);
    }

    /** Runs what becomes due, in order, on a thread of its own, and waits for it. */
    void advance(Duration by) {
        long until = now + by.toNanos();
        Thread timer = new Thread(
                () -> {
                    for (Runnable task = next(until); task != null; task = next(until)) {
                        task.run();
                    }
                    now = until;
                },
                "hand-timer");
        timer.start();
        // Not by join, which would take the interrupt that a test is about.
        while (timer.isAlive()) {
            Thread.onSpinWait();
        }
    }

    private synchronized @Nullable Runnable next(long until) {
        Optional<Entry> earliest = entries.stream()
                .filter(entry -> entry.at - until <= 0)
                .min((one, other) -> Long.signum(one.at - other.at));
        if (earliest.isEmpty()) {
            return null;
        }
        entries.remove(earliest.get());
        now = Math.max(now, earliest.get().at);
        return earliest.get().task;
    }
}
