/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import dev.holdfast.spi.TimeSource;
import java.time.Duration;

/**
 * The system's time, which passes only while the server lets a request hang, and for a while only. So a limit strikes the attempt
 * that hangs, and neither one that has not arrived yet nor one that is answered, however slow the machine is. A policy that waits by
 * itself, as between two attempts, would wait for ever.
 */
final class TimeOfHangs implements TimeSource {
    private static final long LOOK_NANOS = 1_000_000;

    private final TimeSource system = TimeSource.system();
    private final WireServer server;
    private final long eachNanos;
    private long last = system.nanos();
    private long passed;
    private int hangs;
    private long left;

    /** Of this server; each hang lasts so long at most. */
    TimeOfHangs(WireServer server, Duration each) {
        this.server = server;
        eachNanos = each.toNanos();
    }

    @Override
    public synchronized long nanos() {
        long now = system.nanos();
        if (hangs != server.hangs()) {
            hangs = server.hangs();
            left = eachNanos;
        } else if (server.isHanging()) {
            long more = Math.min(now - last, left);
            passed += more;
            left -= more;
        }
        last = now;
        return passed;
    }

    @Override
    public long millis() {
        return system.millis();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        Due due = new Due(nanos() + delayNanos, task);
        due.lookIn(delayNanos);
        return due;
    }

    /** A task that waits for this time, and not for the system's. */
    private final class Due implements Timer {
        private final long at;
        private final Runnable task;
        private Timer next = () -> {};
        private boolean cancelled;

        Due(long at, Runnable task) {
            this.at = at;
            this.task = task;
        }

        private synchronized void lookIn(long nanos) {
            if (!cancelled) {
                next = system.schedule(nanos, this::look);
            }
        }

        private void look() {
            long wait = at - nanos();
            if (wait <= 0) {
                task.run();
            } else {
                lookIn(Math.max(wait, LOOK_NANOS));
            }
        }

        @Override
        public synchronized void cancel() {
            cancelled = true;
            next.cancel();
        }
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
