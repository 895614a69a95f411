/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Timers, and the thread that runs them. The JDK's scheduled executor has a lock, and on Java 21 to 23 a virtual thread that waits
 * for a lock while it holds a monitor, its own or one of the caller's, keeps its carrier. If the next owner of the lock then has no
 * carrier, all wait for ever. So nobody waits here: a timer is put into an inbox, and its thread is woken if it would wake too late.
 */
final class TimerQueue {
    /** The thread is woken for about so many timers that it has not seen, or that were cancelled: they take memory. */
    private static final int MANY = 1_000;
    /** After an error of the thread itself. */
    private static final long PAUSE_NANOS = 1_000_000;
    /** Instants further apart could not be compared. */
    private static final long LONGEST_NANOS = Long.MAX_VALUE / 4;

    private final ThreadFactory threads;
    private final long keepAliveNanos;
    private final Queue<Entry> inbox = new ConcurrentLinkedQueue<>();
    private final AtomicLong numbers = new AtomicLong();
    private final AtomicInteger unseen = new AtomicInteger();
    private final AtomicInteger cancelled = new AtomicInteger();
    private final AtomicReference<@Nullable Thread> worker = new AtomicReference<>();

    /** When the thread looks into the inbox at the latest. It looks once more after it has written this. */
    private volatile long wakeAt;

    /** How many timers may be cancelled until the thread is to drop them: a part of those that it has. */
    private volatile int mostCancelled = MANY;

    // Of the thread alone.
    private final PriorityQueue<Entry> queue = new PriorityQueue<>();
    private long tidyAt;

    /** Whose thread ends after so long without a timer. It also forgets cancelled ones after so long. */
    TimerQueue(ThreadFactory threads, long keepAliveNanos) {
        this.threads = threads;
        this.keepAliveNanos = keepAliveNanos;
    }

    /** One timer. Of those of the same instant the one that was set first runs first. */
    private final class Entry extends AtomicReference<@Nullable Runnable>
            implements TimeSource.Timer, Comparable<Entry> {
        private static final long serialVersionUID = 1L;

        private final long at;
        private final long number = numbers.getAndIncrement();

        Entry(long at, Runnable task) {
            super(task);
            this.at = at;
        }

        @Override
        public void cancel() {
            if (getAndSet(null) != null && cancelled.incrementAndGet() == mostCancelled) {
                LockSupport.unpark(worker.get());
            }
        }

        void run() {
            Runnable task = getAndSet(null);
            if (task != null) {
                try {
                    task.run();
                } catch (Throwable thrown) {
                    // It is no reason for the others not to run.
                    tell(thrown);
                }
            }
        }

        boolean isCancelled() {
            return get() == null;
        }

        @Override
        public int compareTo(Entry other) {
            int byTime = Long.signum(at - other.at);
            return byTime != 0 ? byTime : Long.signum(number - other.number);
        }
    }

    /** Sets a timer. Waits for nobody. */
    TimeSource.Timer schedule(long delayNanos, Runnable task) {
        Entry entry = new Entry(System.nanoTime() + Math.max(0, Math.min(delayNanos, LONGEST_NANOS)), task);
        inbox.add(entry);
        // After it is in the inbox: a thread that ends, or goes to sleep, looks there once more.
        Thread present = worker.get();
        if (present == null) {
            start(entry);
        } else if (unseen.incrementAndGet() == MANY || entry.at - wakeAt < 0) {
            LockSupport.unpark(present);
        }
        return entry;
    }

    private void start(Entry first) {
        Thread made = null;
        try {
            made = threads.newThread(this::work);
            if (!worker.compareAndSet(null, made)) {
                LockSupport.unpark(worker.get());
                return;
            }
            wakeAt = System.nanoTime();
            made.start();
        } catch (Throwable noThread) {
            // The others that are in the inbox have their turn with the next timer that is set.
            worker.compareAndSet(made, null);
            first.cancel();
            throw noThread;
        }
    }

    // ---- by the thread

    /** How many it has seen and has not run or dropped. */
    int size() {
        return queue.size();
    }

    private void work() {
        try {
            while (true) {
                try {
                    runUntilIdle();
                    return;
                } catch (Throwable broken) {
                    // Such as a lack of memory. Limits must strike all the same.
                    tell(broken);
                    LockSupport.parkNanos(this, PAUSE_NANOS);
                }
            }
        } finally {
            // If even that fails, the next timer starts another thread.
            worker.compareAndSet(Thread.currentThread(), null);
        }
    }

    private static void tell(Throwable thrown) {
        Thread thread = Thread.currentThread();
        try {
            thread.getUncaughtExceptionHandler().uncaughtException(thread, thrown);
        } catch (Throwable broken) {
            // There is nobody else to tell, and the thread must go on.
        }
    }

    private void runUntilIdle() {
        long idleSince = System.nanoTime();
        tidyAt = idleSince + keepAliveNanos;
        while (true) {
            long now = System.nanoTime();
            wakeAt = now;
            takeInbox();
            for (Entry first = queue.peek(); first != null && first.at - now <= 0; first = queue.peek()) {
                queue.remove();
                first.run();
            }
            dropCancelled(now);
            if (!queue.isEmpty() || !inbox.isEmpty()) {
                idleSince = now;
            } else if (now - idleSince >= keepAliveNanos && hasEnded()) {
                return;
            }
            Entry next = queue.peek();
            long idleUntil = idleSince + keepAliveNanos;
            sleepUntil(next == null || next.at - idleUntil > 0 ? idleUntil : next.at);
        }
    }

    private void sleepUntil(long instant) {
        wakeAt = instant;
        if (inbox.isEmpty() || (unseen.get() < MANY && isLater(instant))) {
            LockSupport.parkNanos(this, instant - System.nanoTime());
            // A task may have been interrupted too late. A thread that is interrupted does not park.
            Thread.interrupted();
        }
    }

    /** Whether what came meanwhile is due after this instant. Who comes later sees the instant itself. */
    private boolean isLater(long instant) {
        for (Entry entry : inbox) {
            if (entry.at - instant < 0) {
                return false;
            }
        }
        return true;
    }

    private void takeInbox() {
        for (Entry entry = inbox.peek(); entry != null; entry = inbox.peek()) {
            if (!entry.isCancelled()) {
                queue.add(entry);
            }
            inbox.remove();
        }
        // After that: those that have come meanwhile are seen, too.
        unseen.set(0);
    }

    private void dropCancelled(long now) {
        int seen = cancelled.get();
        if (seen >= mostCancelled || (seen > 0 && now - tidyAt >= 0)) {
            cancelled.set(0);
            queue.removeIf(Entry::isCancelled);
            mostCancelled = Math.max(MANY, queue.size() / 2);
            tidyAt = now + keepAliveNanos;
        }
    }

    /** Whether there is nothing more to do for this thread. A timer that comes now starts another one. */
    private boolean hasEnded() {
        worker.set(null);
        return inbox.isEmpty() || !worker.compareAndSet(null, Thread.currentThread());
    }
}
