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

/** What differs between the JVMs that have virtual threads and those that do not. */
final class Threads {
    private static final int POOL_SIZE = Math.max(16, 4 * Runtime.getRuntime().availableProcessors());
    private static final int POOL_QUEUE = 10_000;

    private static final @Nullable MethodHandle IS_VIRTUAL = find(Thread.class, "isVirtual", boolean.class, false);
    private static final @Nullable MethodHandle PER_TASK =
            find(Executors.class, "newVirtualThreadPerTaskExecutor", ExecutorService.class, true);

    private Threads() {}

    private static @Nullable MethodHandle find(Class<?> owner, String name, Class<?> result, boolean isStatic) {
        MethodHandles.Lookup lookup = MethodHandles.publicLookup();
        try {
            return isStatic
                    ? lookup.findStatic(owner, name, MethodType.methodType(result))
                    : lookup.findVirtual(owner, name, MethodType.methodType(result));
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
    static ExecutorService newExecutor(String pipeline) {
        if (PER_TASK != null) {
            try {
                return (ExecutorService) PER_TASK.invokeExact();
            } catch (Throwable impossible) {
                throw new LinkageError("newVirtualThreadPerTaskExecutor", impossible);
            }
        }
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                POOL_SIZE, POOL_SIZE, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(POOL_QUEUE), daemons(pipeline));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** At most so many daemons that end when they idle. Nothing queues for them. */
    static ExecutorService newPool(String pipeline, int most) {
        return new ThreadPoolExecutor(
                0, most, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), daemons(pipeline + "-attempt"));
    }

    private static ThreadFactory daemons(String called) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "holdfast-" + called + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
