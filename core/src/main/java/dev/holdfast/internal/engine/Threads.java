/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.TimeSource;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What differs between JVMs with and without virtual threads. Our threads inherit nothing: a thread is rarely started by the
 * call that it serves. Their context class loader is that of the builder of the pipeline.
 */
public final class Threads {
    private static final @Nullable MethodHandle IS_VIRTUAL = isVirtual();
    private static final @Nullable ThreadFactory VIRTUAL = virtual();

    private Threads() {}

    private static @Nullable MethodHandle isVirtual() {
        try {
            return MethodHandles.publicLookup()
                    .findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
        } catch (ReflectiveOperationException notInThisVersion) {
            return null;
        }
    }

    private static @Nullable ThreadFactory virtual() {
        try {
            Class<?> builders = Class.forName("java.lang.Thread$Builder");
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            builders.getMethod("inheritInheritableThreadLocals", boolean.class).invoke(builder, false);
            return (ThreadFactory) builders.getMethod("factory").invoke(builder);
        } catch (ReflectiveOperationException notInThisVersion) {
            return null;
        }
    }

    static boolean isVirtual(Thread thread) {
        if (IS_VIRTUAL == null) {
            return false;
        }
        try {
            return (boolean) IS_VIRTUAL.invokeExact(thread);
        } catch (Throwable impossible) {
            throw new LinkageError("Thread.isVirtual", impossible);
        }
    }

    /** Virtual threads where the JVM has them, else some of those that all pipelines share. */
    static Executor newExecutor(String called, @Nullable ClassLoader loader) {
        ThreadFactory virtual = VIRTUAL;
        return virtual == null
                ? Quota.bounded(called, loader)
                : task -> with(loader, virtual.newThread(task)).start();
    }

    /** A thread that must not block may give it a task: the lock inside is short. BlockHound looks for this class. */
    private static final class Pool extends ThreadPoolExecutor {
        Pool(ThreadFactory factory) {
            super(0, Integer.MAX_VALUE, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), factory);
        }

        @Override
        public void execute(Runnable task) {
            super.execute(task);
        }
    }

    /**
     * Threads for attempts, each of which has a permit, so the permits bound them. A limit here would reject admitted calls
     * while an earlier thread is still on its way back, or runs work that was written off.
     */
    static Executor newDedicated(String pipeline, @Nullable ClassLoader loader) {
        return new Pool(daemons(pipeline + "-attempt", loader));
    }

    private static ThreadFactory daemons(String called, @Nullable ClassLoader loader) {
        AtomicInteger number = new AtomicInteger();
        return task -> with(loader, daemon(task, "holdfast-" + called + "-" + number.incrementAndGet()));
    }

    /**
     * For the timer's thread: runs a task that may wait for others on the time's executor or, if there is none or it refuses, on a
     * daemon thread. Throws only if there is no thread. If the executor runs it here, what it throws goes where it would from a
     * thread of its own.
     */
    public static void apart(TimeSource time, Runnable task, String name) {
        AtomicBoolean begun = new AtomicBoolean();
        Runnable once = () -> {
            if (begun.compareAndSet(false, true)) {
                task.run();
            }
        };
        Executor threads = time.executor();
        if (threads != null) {
            try {
                threads.execute(once);
                return;
            } catch (Throwable thrown) {
                if (begun.get()) {
                    uncaught(thrown);
                    return;
                }
                // A refusal.
            }
        }
        daemon(once, name).start();
    }

    /** Told as it is of a thread that ends by it. */
    static void uncaught(Throwable thrown) {
        Thread here = Thread.currentThread();
        try {
            here.getUncaughtExceptionHandler().uncaughtException(here, thrown);
        } catch (Throwable ofTheHandler) {
            // As the JVM does.
        }
    }

    /**
     * Does not inherit the priority of its starter, which may be the timer's thread, and refers to nothing of the application that
     * happens to start it: it may outlive that.
     */
    @SuppressWarnings({"removal", "ThreadPriorityCheck"
    }) // with an access controller, a thread refers to the classes that made it; the usual priority
    public static Thread daemon(Runnable task, String name) {
        PrivilegedAction<Thread> make = () -> new Thread(null, task, name, 0, false);
        Thread thread = AccessController.doPrivileged(make);
        thread.setContextClassLoader(Threads.class.getClassLoader());
        thread.setDaemon(true);
        thread.setPriority(Thread.NORM_PRIORITY);
        return thread;
    }

    private static Thread with(@Nullable ClassLoader loader, Thread thread) {
        thread.setContextClassLoader(loader);
        return thread;
    }
}
