/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The machine's clocks and one timer thread for the whole process. */
final class SystemTime implements TimeSource {
    static final SystemTime INSTANCE = new SystemTime();

    private final ScheduledThreadPoolExecutor timers;

    SystemTime() {
        timers = new ScheduledThreadPoolExecutor(1, SystemTime::newThread);
        timers.setRemoveOnCancelPolicy(true);
        // The thread ends when no timer is set, so that no pipeline needs to end it.
        timers.setKeepAliveTime(1, TimeUnit.SECONDS);
        timers.allowCoreThreadTimeOut(true);
    }

    /**
     * The first pipeline that sets a timer starts the thread, and all pipelines use it. So it must refer to nothing of the
     * first one's application. Its tasks are short and due, hence the highest priority.
     */
    @SuppressWarnings({"removal", "ThreadPriorityCheck"
    }) // with an access controller, a thread refers to the classes that made it
    private static Thread newThread(Runnable task) {
        PrivilegedAction<Thread> make = () -> new Thread(null, task, "holdfast-timer", 0, false);
        Thread thread = AccessController.doPrivileged(make);
        thread.setContextClassLoader(SystemTime.class.getClassLoader());
        thread.setDaemon(true);
        thread.setPriority(Thread.MAX_PRIORITY);
        return thread;
    }

    @Override
    public long nanos() {
        return System.nanoTime();
    }

    @Override
    public long millis() {
        return System.currentTimeMillis();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        Future<?> future = timers.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    @Override
    public void park(Object blocker, long nanos) {
        if (nanos == Long.MAX_VALUE) {
            LockSupport.park(blocker);
        } else {
            LockSupport.parkNanos(blocker, nanos);
        }
    }

    @Override
    public void unpark(Thread thread) {
        LockSupport.unpark(thread);
    }
}
