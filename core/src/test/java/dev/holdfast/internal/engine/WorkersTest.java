/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class WorkersTest {
    /** Of the thread that gave the work: it may be the timer's. */
    private final List<Thread> started = new ArrayList<>();

    private final Thread giver = Thread.currentThread();

    private final Workers workers = new Workers((work, name) -> {
        Thread thread = Threads.daemon(work, name);
        if (Thread.currentThread() == giver) {
            started.add(thread);
        } else {
            thread.start();
        }
    });

    private Quota pipeline(String name) {
        return new Quota(workers, name, 256, 10_000, false, null);
    }

    /** A limit that strikes the calls of a thousand pipelines at once is not to be late for those of another one. */
    @Test
    void whoGivesMuchStartsFewThreadsAndTheyStartTheOthers() throws InterruptedException {
        CountDownLatch all = new CountDownLatch(1_000);
        CountDownLatch none = new CountDownLatch(1);
        for (int i = 0; i < 1_000; i++) {
            pipeline("p" + i).execute(() -> {
                all.countDown();
                uninterruptibly(none);
            });
        }
        assertThat(started).hasSize(4);
        started.forEach(Thread::start);
        // None of them ends before all have begun.
        all.await();
        none.countDown();
    }

    @Test
    void aThreadThatHasNothingToDoTakesTheNext() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(100);
        for (int i = 0; i < 100; i++) {
            pipeline("p" + i).execute(ran::countDown);
        }
        started.get(0).start();
        ran.await();
    }

    @Test
    void aThreadKeepsNoClassLoaderOfThePipelineThatStartedItOrThatItWorkedFor() throws Exception {
        ClassLoader before = giver.getContextClassLoader();
        try (URLClassLoader application = new URLClassLoader(new URL[0], null)) {
            Quota quota = new Quota(workers, "p", 1, 10, false, application);
            CountDownLatch ran = new CountDownLatch(1);
            giver.setContextClassLoader(application);
            quota.execute(ran::countDown);
            Thread thread = started.get(0);
            String idle = thread.getName();
            thread.start();
            ran.await();
            while (!thread.getName().equals(idle)) {
                Thread.onSpinWait();
            }
            assertThat(thread.getContextClassLoader()).isSameAs(Workers.class.getClassLoader());
        } finally {
            giver.setContextClassLoader(before);
        }
    }

    @Test
    void workForWhichThereIsNoThreadIsGivenBack() throws InterruptedException {
        List<Runnable> later = new ArrayList<>();
        Workers poor = new Workers((work, name) -> {
            if (later.isEmpty()) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            Threads.daemon(work, name).start();
        });
        Quota quota = new Quota(poor, "p", 1, 10, false, null);
        assertThatThrownBy(() -> quota.execute(() -> later.add(() -> {}))).isInstanceOf(OutOfMemoryError.class);
        assertThat(later).isEmpty();
        later.add(() -> {});
        CountDownLatch ran = new CountDownLatch(1);
        quota.execute(ran::countDown);
        ran.await();
    }

    /** The end of a lease, or a hook that closes a connection: nobody but its thread would do it. */
    @Test
    void workThatCanWaitWaitsForAThreadThatCanBeStarted() throws InterruptedException {
        AtomicInteger failures = new AtomicInteger(3);
        Workers poor = new Workers((work, name) -> {
            if (failures.getAndDecrement() > 0) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            Threads.daemon(work, name).start();
        });
        Quota quota = new Quota(poor, "p", 1, 10, true, null);
        CountDownLatch ran = new CountDownLatch(2);
        quota.execute(ran::countDown);
        quota.execute(ran::countDown);
        ran.await();
    }

    @Test
    void workThatReliedOnThreadsThatCannotBeStartedIsDoneLater() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(1);
        AtomicInteger depth = new AtomicInteger();
        AtomicReference<Workers> self = new AtomicReference<>();
        Workers poor = new Workers((work, name) -> {
            int starting = depth.incrementAndGet();
            if (starting == 4) {
                // The fifth finds four that start, none of which comes.
                new Quota(self.get(), "fifth", 1, 10, false, null).execute(ran::countDown);
            }
            if (starting < 4) {
                new Quota(self.get(), "p" + starting, 1, 10, true, null).execute(() -> {});
            }
            if (starting <= 4) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            Threads.daemon(work, name).start();
        });
        self.set(poor);
        CountDownLatch first = new CountDownLatch(1);
        new Quota(poor, "first", 1, 10, true, null).execute(first::countDown);
        first.await();
        ran.await();
    }

    private static void uninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException byNobody) {
            throw new AssertionError(byNobody);
        }
    }
}
