/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Knobs;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.timeout.TimeoutPolicy;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
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

    /** Else calls would end where they were refused: on the thread of the timer, which strikes the limits of all pipelines. */
    @Test
    void spareThreadsTakeEveryCallHoweverManyBlock() throws Exception {
        Lanes lanes = new Lanes("p", TimeSource.system(), null, null, null);
        CountDownLatch letGo = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(11_000);
        for (int call = 0; call < 11_000; call++) {
            lanes.spare.get().execute(() -> {
                uninterruptibly(letGo);
                ended.countDown();
            });
        }
        letGo.countDown();
        ended.await();
    }

    private static void uninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException never) {
            throw new AssertionError(never);
        }
    }

    /** The timer's thread has the highest, and starts some of them. */
    @Test
    @SuppressWarnings("ThreadPriorityCheck")
    void theirPriorityIsNotThatOfWhoeverStartsThem() throws Exception {
        Thread starter = Thread.currentThread();
        int before = starter.getPriority();
        starter.setPriority(Thread.MAX_PRIORITY);
        try {
            assertThat(onEach(null, () -> Thread.currentThread().getPriority()))
                    .containsExactly(Thread.NORM_PRIORITY, Thread.NORM_PRIORITY);
        } finally {
            starter.setPriority(before);
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
                Knobs.engine(pipeline)
                        .lanes
                        .ends
                        .get()
                        .execute(() -> seen.complete(Thread.currentThread().getContextClassLoader()));
                assertThat(seen.get(5, TimeUnit.MINUTES)).isSameAs(application);
            }
        } finally {
            builder.setContextClassLoader(before);
        }
    }

    /** They compute. As well they may be pinned: in a static initializer, or before Java 24 in a monitor. */
    @Test
    void anAsynchronousCallEndsAtItsLimitWhereAllVirtualThreadsAreBusy() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        Executor threads = Threads.newExecutor("hogs", null);
        try (Pipeline pipeline = Pipeline.of("p", TimeoutPolicy.of(Duration.ofMillis(20)))) {
            CountDownLatch busy = new CountDownLatch(Runtime.getRuntime().availableProcessors());
            for (long i = busy.getCount(); i > 0; i--) {
                threads.execute(() -> {
                    busy.countDown();
                    while (!over.get()) {
                        Thread.onSpinWait();
                    }
                });
            }
            assertThat(busy.await(5, TimeUnit.MINUTES)).isTrue();
            CompletableFuture<Object> answer = pipeline.callAsync(() -> new CompletableFuture<>());
            assertThat(catchThrowable(() -> answer.get(1, TimeUnit.MINUTES)))
                    .hasCauseInstanceOf(CallTimeoutException.class);
        } finally {
            over.set(true);
        }
    }

    @Test
    void threadsForWorkAreVirtualWhereTheJvmHasThem() throws Exception {
        boolean jvmHasThem = Runtime.version().feature() >= 21;
        assertThat(onEach(null, () -> Threads.isVirtual(Thread.currentThread())))
                .containsExactly(jvmHasThem, false);
    }

    /** What a task finds on a thread of the executor, and on one for attempts. */
    private static <T> List<T> onEach(@Nullable ClassLoader loader, Callable<T> task) throws Exception {
        return List.of(on(Threads.newExecutor("p", loader), task), on(Threads.newDedicated("p", loader), task));
    }

    private static <T> T on(Executor threads, Callable<T> task) throws Exception {
        FutureTask<T> run = new FutureTask<>(task);
        threads.execute(run);
        return run.get(5, TimeUnit.MINUTES);
    }

    /** A time whose executor is this one. */
    private static TimeSource with(Executor executor) {
        return new TimeSource() {
            @Override
            public Executor executor() {
                return executor;
            }

            @Override
            public long nanos() {
                return 0;
            }

            @Override
            public long millis() {
                return 0;
            }

            @Override
            public Timer schedule(long delayNanos, Runnable task) {
                return () -> {};
            }

            @Override
            public void park(Object blocker, long nanos) {}

            @Override
            public void unpark(Thread thread) {}
        };
    }

    @Test
    void aTaskApartThatThrowsWhereItIsHandedOverRunsOnce() {
        List<Thread> ran = new CopyOnWriteArrayList<>();
        List<Throwable> uncaught = new ArrayList<>();
        RuntimeException thrown = new IllegalStateException("of the task");
        Thread here = Thread.currentThread();
        Thread.UncaughtExceptionHandler before = here.getUncaughtExceptionHandler();
        here.setUncaughtExceptionHandler((thread, error) -> uncaught.add(error));
        try {
            Threads.apart(
                    with(Runnable::run),
                    () -> {
                        ran.add(Thread.currentThread());
                        throw thrown;
                    },
                    "apart");
        } finally {
            here.setUncaughtExceptionHandler(before);
        }
        assertThat(ran).containsExactly(here);
        assertThat(uncaught).containsExactly(thrown);
    }

    @Test
    void aTaskApartRunsOnceAlsoIfAnExecutorRefusesWhatItThenRuns() throws InterruptedException {
        List<Runnable> taken = new ArrayList<>();
        BlockingQueue<Thread> ran = new LinkedBlockingQueue<>();
        Executor both = task -> {
            taken.add(task);
            throw new RejectedExecutionException("or not");
        };
        Threads.apart(with(both), () -> ran.add(Thread.currentThread()), "apart");
        assertThat(ran.take().getName()).isEqualTo("apart");
        taken.forEach(Runnable::run);
        assertThat(ran).isEmpty();
    }
}
