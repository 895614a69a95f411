/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;

/** The machine's clocks and one timer thread for the whole process. */
final class SystemTime implements TimeSource {
    static final SystemTime INSTANCE = new SystemTime();

    /** Its thread ends when no timer is set, so that no pipeline needs to end it. */
    private final TimerQueue timers;

    SystemTime() {
        this(SystemTime::newThread);
    }

    SystemTime(ThreadFactory threads) {
        timers = new TimerQueue(threads, 1_000_000_000);
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
        try {
            return timers.schedule(delayNanos, task);
        } catch (RuntimeException | Error noThread) {
            throw new RejectedExecutionException("no timer can be set", noThread);
        }
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
