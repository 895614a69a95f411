/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuotaTest {
    private final Deque<Quota> threads = new ArrayDeque<>();
    private final List<String> ran = new ArrayList<>();

    private final Quota.Starter starter = starting(threads::add);

    private Quota.Starter starting(Consumer<Quota> now) {
        return new Quota.Starter() {
            @Override
            public void run(Quota quota) {
                now.accept(quota);
            }

            @Override
            public void runLater(Quota quota) {
                threads.add(quota);
            }
        };
    }

    private Runnable task(String name) {
        return () -> ran.add(name);
    }

    private void runOne() {
        threads.remove().run(1);
    }

    @Test
    void noMoreThreadsThanItsMostAndTheirTasksInOrder() {
        Quota quota = new Quota(starter, "p", 2, 10, false, null);
        List.of("a", "b", "c", "d").forEach(name -> quota.execute(task(name)));
        assertThat(threads).hasSize(2);
        runOne();
        assertThat(ran).containsExactly("a", "b", "c");
        runOne();
        assertThat(ran).containsExactly("a", "b", "c", "d");
        quota.execute(task("e"));
        assertThat(threads).hasSize(1);
    }

    @Test
    void oneMoreThanMayWaitIsRefused() {
        Quota quota = new Quota(starter, "p", 1, 2, false, null);
        List.of("a", "b", "c").forEach(name -> quota.execute(task(name)));
        assertThatThrownBy(() -> quota.execute(task("d")))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessage("holdfast-p-N takes no more tasks");
        runOne();
        assertThat(ran).containsExactly("a", "b", "c");
        quota.execute(task("e"));
        runOne();
        assertThat(ran).endsWith("e");
    }

    @Test
    void whatATaskThrowsOrLeavesBehindIsNotForTheNextOne() {
        List<Throwable> uncaught = new ArrayList<>();
        Thread here = Thread.currentThread();
        String name = here.getName();
        ClassLoader loader = here.getContextClassLoader();
        ClassLoader application = new ClassLoader(null) {};
        Thread.UncaughtExceptionHandler before = here.getUncaughtExceptionHandler();
        here.setUncaughtExceptionHandler((thread, thrown) -> {
            uncaught.add(thrown);
            throw new IllegalStateException("the handler's own");
        });
        try {
            Quota quota = new Quota(starter, "p", 1, 10, false, application);
            IllegalStateException thrown = new IllegalStateException();
            quota.execute(() -> {
                here.interrupt();
                throw thrown;
            });
            quota.execute(() -> {
                assertThat(here.isInterrupted()).isFalse();
                assertThat(here.getName()).isEqualTo("holdfast-p-1");
                assertThat(here.getContextClassLoader()).isSameAs(application);
                ran.add("next");
            });
            runOne();
            assertThat(ran).containsExactly("next");
            assertThat(uncaught).containsExactly(thrown);
            assertThat(here.getName()).isEqualTo(name);
            assertThat(here.getContextClassLoader()).isSameAs(loader);
        } finally {
            here.setUncaughtExceptionHandler(before);
        }
    }

    /** Each task is refused or runs once, whichever threads cannot be started, and the number of those that run is bounded. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void noTaskIsLostWhereThreadsCannotBeStarted(long seed) {
        Random random = new Random(seed);
        int most = 1 + random.nextInt(3);
        Quota quota = new Quota(
                starting(wanted -> {
                    if (random.nextInt(3) == 0) {
                        // Meanwhile, one that runs may end.
                        if (random.nextBoolean() && !threads.isEmpty()) {
                            runOne();
                        }
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    threads.add(wanted);
                }),
                "p",
                most,
                1_000,
                false,
                null);
        Set<String> taken = new HashSet<>();
        for (int i = 0; i < 300; i++) {
            String name = "task " + i;
            try {
                quota.execute(task(name));
                taken.add(name);
            } catch (OutOfMemoryError noThread) {
                assertThat(noThread).hasMessageContaining("native thread");
            }
            assertThat(threads).hasSizeLessThanOrEqualTo(most);
            if (random.nextInt(2) == 0 && !threads.isEmpty()) {
                runOne();
            }
        }
        while (!threads.isEmpty()) {
            runOne();
        }
        assertThat(ran).doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(taken);
    }

    /** Another thread has begun the task whose thread cannot be started, in place of its own task. */
    @Test
    void aTaskDoesNotWaitForAThreadThatCannotBeStarted() {
        Quota[] self = new Quota[1];
        AtomicInteger starts = new AtomicInteger();
        self[0] = new Quota(
                starting(wanted -> {
                    if (starts.incrementAndGet() == 1) {
                        self[0].execute(task("second"));
                        runOne();
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    threads.add(wanted);
                }),
                "p",
                2,
                10,
                false,
                null);
        self[0].execute(task("first"));
        assertThat(ran).containsExactly("first");
        assertThat(threads).hasSize(1);
        runOne();
        assertThat(ran).containsExactly("first", "second");
    }

    @Test
    void tasksOfManyThreadsRunOnceAndNeverMoreThanItsMostAtOnce() throws InterruptedException {
        int most = 3;
        int tasks = 20_000;
        var pool = Executors.newCachedThreadPool();
        Quota quota = new Quota(
                starting(wanted -> pool.execute(() -> wanted.run(1))), "p", most, Integer.MAX_VALUE, false, null);
        AtomicInteger running = new AtomicInteger();
        AtomicInteger atOnce = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(tasks);
        for (int giver = 0; giver < 4; giver++) {
            pool.execute(() -> {
                for (int i = 0; i < tasks / 4; i++) {
                    quota.execute(() -> {
                        atOnce.accumulateAndGet(running.incrementAndGet(), Math::max);
                        running.decrementAndGet();
                        done.countDown();
                    });
                }
            });
        }
        done.await();
        pool.shutdown();
        assertThat(atOnce).hasValueLessThanOrEqualTo(most);
    }
}
