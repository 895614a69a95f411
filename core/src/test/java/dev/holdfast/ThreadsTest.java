/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ThreadsTest {
    private static final InheritableThreadLocal<String> TENANT = new InheritableThreadLocal<>();

    @Test
    void pipelinesThreadsInheritNothingFromWhoeverStartsThem() throws Exception {
        TENANT.set("shop");
        try {
            assertThat(onEach(null, () -> TENANT.get() == null)).containsExactly(true, true);
        } finally {
            TENANT.remove();
        }
    }

    @Test
    void theirContextClassLoaderIsTheOneThatWasGiven() throws Exception {
        try (URLClassLoader application = new URLClassLoader(new URL[0], null)) {
            assertThat(onEach(application, () -> Thread.currentThread().getContextClassLoader()))
                    .containsExactly(application, application);
        }
    }

    @Test
    void aPipelinesThreadsHaveTheLoaderOfWhoeverBuiltIt() throws Exception {
        Thread builder = Thread.currentThread();
        ClassLoader before = builder.getContextClassLoader();
        try (URLClassLoader application = new URLClassLoader(new URL[0], null)) {
            builder.setContextClassLoader(application);
            try (Pipeline pipeline = Pipeline.of("p")) {
                builder.setContextClassLoader(before);
                CompletableFuture<ClassLoader> seen = new CompletableFuture<>();
                pipeline.executor()
                        .execute(() -> seen.complete(Thread.currentThread().getContextClassLoader()));
                assertThat(seen.get(30, TimeUnit.SECONDS)).isSameAs(application);
            }
        } finally {
            builder.setContextClassLoader(before);
        }
    }

    @Test
    void pipelinesExecutorHasVirtualThreadsWhereTheJvmHasThem() throws Exception {
        boolean jvmHasThem = Runtime.version().feature() >= 21;
        assertThat(onEach(null, () -> Threads.isVirtual(Thread.currentThread())))
                .containsExactly(jvmHasThem, false);
    }

    /** What a task finds on a thread of the executor, and on one for attempts. */
    private static <T> List<T> onEach(@Nullable ClassLoader loader, Callable<T> task) throws Exception {
        ExecutorService executor = Threads.newExecutor("p", loader);
        ExecutorService dedicated = Threads.newPool("p", 1, loader);
        try {
            return List.of(
                    executor.submit(task).get(30, TimeUnit.SECONDS),
                    dedicated.submit(task).get(30, TimeUnit.SECONDS));
        } finally {
            executor.shutdown();
            dedicated.shutdown();
        }
    }
}
