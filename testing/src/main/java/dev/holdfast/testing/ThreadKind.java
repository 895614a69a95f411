/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.time.VirtualTime;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import org.junit.jupiter.api.ClassTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The kind of a test's threads. A class that is marked with {@link Each} runs once for each kind that the JVM has: from Java
 * 21 on, also on virtual threads. Its test methods run on such a thread, and so do tasks that they start with {@link
 * #current()}.
 */
public enum ThreadKind implements ThreadFactory {
    /** Threads of the operating system. */
    PLATFORM {
        @Override
        public Thread newThread(Runnable task) {
            Thread thread = new Thread(task, "test-thread");
            thread.setDaemon(true);
            return thread;
        }

        @Override
        public VirtualTime on(VirtualTime time) {
            return time.pool(POOL);
        }
    },
    /** Virtual threads. */
    VIRTUAL {
        @Override
        public Thread newThread(Runnable task) {
            return EachThreadKind.virtualThreads().newThread(task);
        }
    };

    /** To start a thread is most of the work of a small test. */
    private static final Executor POOL = Executors.newCachedThreadPool(PLATFORM);

    /** The kinds that this JVM has. */
    public static List<ThreadKind> ofThisJvm() {
        return Runtime.version().feature() < 21 ? List.of(PLATFORM) : List.of(values());
    }

    /** The kind of the running test; {@link #PLATFORM} outside of a marked class. */
    public static ThreadKind current() {
        return EachThreadKind.current;
    }

    /** Runs the spawned callers and the executor of this time on threads of this kind. */
    public VirtualTime on(VirtualTime time) {
        return time.threads(this);
    }

    /** Runs the tests of a class, and of those that extend it, once for each kind of thread. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @Inherited
    @ClassTemplate
    @ExtendWith(EachThreadKind.class)
    public @interface Each {}
}
