/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class ThreadsTest {
    private static final InheritableThreadLocal<String> TENANT = new InheritableThreadLocal<>();

    @Test
    void pipelinesThreadsInheritNothingFromWhoeverStartsThem() throws Exception {
        assertThat(inherited(() -> Threads.newExecutor("p"))).isEqualTo("nothing");
        assertThat(inherited(() -> Threads.newPool("p", 1))).isEqualTo("nothing");
    }

    private static String inherited(Supplier<ExecutorService> threads) throws Exception {
        TENANT.set("shop");
        ExecutorService executor = threads.get();
        try {
            return executor.submit(() -> TENANT.get() == null ? "nothing" : TENANT.get())
                    .get(30, TimeUnit.SECONDS);
        } finally {
            TENANT.remove();
            executor.shutdown();
        }
    }

    @Test
    void pipelinesExecutorHasVirtualThreadsWhereTheJvmHasThem() throws Exception {
        ExecutorService executor = Threads.newExecutor("p");
        try {
            boolean virtual = executor.submit(() -> Threads.isVirtual(Thread.currentThread()))
                    .get(30, TimeUnit.SECONDS);
            assertThat(virtual).isEqualTo(Runtime.version().feature() >= 21);
        } finally {
            executor.shutdown();
        }
    }
}
