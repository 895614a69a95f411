/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** The system's time, and what a test adds to it. Timers and parks do not see what is added. */
final class TimeThatJumps implements TimeSource {
    private final TimeSource system = TimeSource.system();
    private final AtomicLong added = new AtomicLong();

    /** So much passes at once. */
    void jump(Duration time) {
        added.addAndGet(time.toNanos());
    }

    @Override
    public long nanos() {
        return system.nanos() + added.get();
    }

    @Override
    public long millis() {
        return system.millis();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        return system.schedule(delayNanos, task);
    }

    @Override
    public void park(Object blocker, long nanos) {
        system.park(blocker, nanos);
    }

    @Override
    public void unpark(Thread thread) {
        system.unpark(thread);
    }
}
