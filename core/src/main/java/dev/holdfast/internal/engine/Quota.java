/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What one pipeline may have of {@link Workers}: it runs at most so many tasks at once, and so many more wait for one of those to
 * end. While a task runs, its thread has the name and the context class loader of the pipeline.
 */
final class Quota implements Executor {
    /** Gives threads, each of which calls {@link Quota#run} once. */
    interface Starter {
        /** Throws, and gives none, if none can be started. */
        void run(Quota quota);

        /** The same as soon as one can be started. */
        void runLater(Quota quota);
    }

    private static final int MOST_THREADS = 256;
    private static final int MOST_WAITING = 10_000;

    private final Starter workers;
    private final String name;
    private final int most;
    private final long mostInAll;
    private final boolean canWait;
    private final @Nullable ClassLoader loader;

    /** Tasks that have not begun. Each is here before it counts, so whoever is to begin one finds one. */
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();

    /** Tasks that run or wait. Up to {@link #most} of them have a thread each, or will have one. */
    private final AtomicLong inAll = new AtomicLong();

    Quota(Starter workers, String name, int most, int mostWaiting, boolean canWait, @Nullable ClassLoader loader) {
        this.workers = workers;
        this.name = "holdfast-" + name + "-";
        this.most = most;
        mostInAll = (long) most + mostWaiting;
        this.canWait = canWait;
        this.loader = loader;
    }

    /** A few tasks that hang delay no other: one waits only if the pipeline has its most threads. */
    static Quota bounded(String name, @Nullable ClassLoader loader) {
        return new Quota(Workers.ALL, name, MOST_THREADS, MOST_WAITING, false, loader);
    }

    /** The same, for tasks that are there anyway: as many as come may wait for a thread. */
    static Quota unbounded(String name, @Nullable ClassLoader loader) {
        return new Quota(Workers.ALL, name, MOST_THREADS, Integer.MAX_VALUE, false, loader);
    }

    /** The same, for tasks that also may wait until the process can start threads again. Refuses none. */
    static Quota patient(String name, @Nullable ClassLoader loader) {
        return new Quota(Workers.ALL, name, MOST_THREADS, Integer.MAX_VALUE, true, loader);
    }

    @Override
    public void execute(Runnable task) {
        if (inAll.get() >= mostInAll) {
            throw new RejectedExecutionException(name + "N takes no more tasks");
        }
        waiting.add(task);
        if (inAll.getAndIncrement() < most) {
            try {
                workers.run(this);
            } catch (Throwable noThread) {
                if (canWait) {
                    workers.runLater(this);
                } else if (isTakenBack(task)) {
                    throw noThread;
                }
            }
        }
    }

    /**
     * False: another thread has begun it, before one that has no thread now. Either way, whoever counted on this one gets a thread as
     * soon as there is one.
     */
    private boolean isTakenBack(Runnable task) {
        boolean removed = waiting.remove(task);
        if (!removed || inAll.decrementAndGet() >= most) {
            workers.runLater(this);
        }
        return removed;
    }

    /** On a thread for one task, and for those that wait for it to end. */
    void run(int thread) {
        Thread here = Thread.currentThread();
        String ownName = here.getName();
        ClassLoader ownLoader = here.getContextClassLoader();
        try {
            do {
                begin(here, thread);
                runNext();
            } while (inAll.decrementAndGet() >= most);
        } finally {
            usualPriority(here);
            here.setContextClassLoader(ownLoader);
            here.setName(ownName);
        }
    }

    /** Whatever the task before has left. */
    private void begin(Thread here, int thread) {
        usualPriority(here);
        here.setContextClassLoader(loader);
        try {
            String itsName = name + thread;
            if (!here.getName().equals(itsName)) {
                here.setName(itsName);
            }
        } catch (OutOfMemoryError noName) {
            // The task must not go with it.
        }
    }

    /** A task may have changed it, and the next one is another pipeline's. */
    @SuppressWarnings("ThreadPriorityCheck") // the usual one
    private static void usualPriority(Thread here) {
        if (here.getPriority() != Thread.NORM_PRIORITY) {
            here.setPriority(Thread.NORM_PRIORITY);
        }
    }

    private void runNext() {
        try {
            Objects.requireNonNull(waiting.poll()).run();
        } catch (Throwable thrown) {
            Threads.uncaught(thrown);
        } finally {
            // A late interrupt of this task is not for the next one.
            Thread.interrupted();
        }
    }
}
