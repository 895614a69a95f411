/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What differs between the JVMs that have virtual threads and those that do not. Our threads inherit nothing: who starts
 * one is rarely the one whose call it serves. Their context class loader is that of whoever built the pipeline.
 */
final class Threads {
    private static final int POOL_SIZE = Math.max(16, 4 * Runtime.getRuntime().availableProcessors());
    private static final int POOL_QUEUE = 10_000;

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

    /** Virtual threads where the JVM has them, else a bounded pool of daemons that end when they idle. */
    static ExecutorService newExecutor(String pipeline, @Nullable ClassLoader loader) {
        ThreadFactory virtual = VIRTUAL;
        if (virtual != null) {
            return threadPerTask(task -> with(loader, virtual.newThread(task)));
        }
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                POOL_SIZE,
                POOL_SIZE,
                1,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(POOL_QUEUE),
                daemons(pipeline, loader));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    private static ExecutorService threadPerTask(ThreadFactory factory) {
        try {
            return (ExecutorService) Executors.class
                    .getMethod("newThreadPerTaskExecutor", ThreadFactory.class)
                    .invoke(null, factory);
        } catch (ReflectiveOperationException impossible) {
            throw new LinkageError("newThreadPerTaskExecutor", impossible);
        }
    }

    /** At most so many daemons that end when they idle. Nothing queues for them. */
    static ExecutorService newPool(String pipeline, int most, @Nullable ClassLoader loader) {
        return new ThreadPoolExecutor(
                0, most, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), daemons(pipeline + "-attempt", loader));
    }

    private static ThreadFactory daemons(String called, @Nullable ClassLoader loader) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(null, task, "holdfast-" + called + "-" + number.incrementAndGet(), 0, false);
            thread.setDaemon(true);
            return with(loader, thread);
        };
    }

    private static Thread with(@Nullable ClassLoader loader, Thread thread) {
        thread.setContextClassLoader(loader);
        return thread;
    }
}
