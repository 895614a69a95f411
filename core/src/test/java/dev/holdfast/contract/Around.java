/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import dev.holdfast.spi.TimeSource;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Another source of time, of which a test changes what it is about. */
public class Around implements TimeSource {
    private final TimeSource time;

    /** Around this one. */
    public Around(TimeSource time) {
        this.time = time;
    }

    @Override
    public long nanos() {
        return time.nanos();
    }

    @Override
    public long millis() {
        return time.millis();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        return time.schedule(delayNanos, task);
    }

    @Override
    public void park(Object blocker, long nanos) {
        time.park(blocker, nanos);
    }

    @Override
    public void unpark(Thread thread) {
        time.unpark(thread);
    }

    @Override
    public void interrupt(Thread thread) {
        time.interrupt(thread);
    }

    @Override
    public boolean isInterrupted(Thread thread) {
        return time.isInterrupted(thread);
    }

    @Override
    public @Nullable Executor executor() {
        return time.executor();
    }
}
