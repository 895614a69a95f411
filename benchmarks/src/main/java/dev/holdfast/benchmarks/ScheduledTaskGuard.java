/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The usual way to limit a blocking call: a task that would interrupt it, cancelled when it is done. */
final class ScheduledTaskGuard implements Guard {
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);

    ScheduledTaskGuard() {
        // Else what was cancelled stays in the queue until its time, and the queue grows by millions.
        timer.setRemoveOnCancelPolicy(true);
    }

    @Override
    public Callable<?> around(Caller caller) {
        return () -> {
            Thread self = Thread.currentThread();
            Future<?> limit = timer.schedule(self::interrupt, Policies.TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            try {
                return caller.answer();
            } finally {
                limit.cancel(false);
            }
        };
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
