/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The timers of the system's time. */
class TimerQueueTest {
    private static final long SECOND = 1_000_000_000;
    private static final long HOUR = 3_600 * SECOND;

    private final List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
    private final List<Throwable> told = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile boolean refuses;

    @AfterEach
    void end() {
        over.countDown();
    }

    private TimerQueue timers(long keepAliveNanos) {
        return new TimerQueue(
                task -> {
                    if (refuses) {
                        throw new OutOfMemoryError("no thread");
                    }
                    Thread thread = new Thread(task, "timers");
                    thread.setDaemon(true);
                    thread.setUncaughtExceptionHandler((where, thrown) -> told.add(thrown));
                    threads.add(thread);
                    return thread;
                },
                keepAliveNanos);
    }

    private static void await(CompletableFuture<?> future) throws Exception {
        future.get(5, TimeUnit.MINUTES);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(5, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    @Test
    void timersThatAreDueRunInTheOrderInWhichTheyWereSet() throws Exception {
        TimerQueue timers = timers(SECOND);
        CountDownLatch all = new CountDownLatch(1);
        timers.schedule(0, () -> await(all));
        List<Integer> ran = Collections.synchronizedList(new ArrayList<>());
        CompletableFuture<Void> last = new CompletableFuture<>();
        for (int number = 0; number < 200; number++) {
            int added = number;
            timers.schedule(-number, () -> ran.add(added));
        }
        timers.schedule(0, () -> last.complete(null));
        all.countDown();
        await(last);
        assertThat(ran).hasSize(200).isSorted();
    }

    @Test
    void aNearerTimerWakesTheThreadThatSleepsForAFartherOne() throws Exception {
        TimerQueue timers = timers(HOUR);
        timers.schedule(HOUR, () -> told.add(new IllegalStateException("an hour is over")));
        CompletableFuture<Void> near = new CompletableFuture<>();
        CompletableFuture<Void> begun = new CompletableFuture<>();
        timers.schedule(0, () -> begun.complete(null));
        await(begun);
        timers.schedule(1_000_000, () -> near.complete(null));
        await(near);
        assertThat(threads).hasSize(1);
        assertThat(told).isEmpty();
    }

    @Test
    void aCancelledTimerDoesNotRunAndItsTaskIsForgottenAtOnce() throws Exception {
        TimerQueue timers = timers(SECOND);
        CountDownLatch goOn = new CountDownLatch(1);
        timers.schedule(0, () -> await(goOn));
        AtomicInteger ran = new AtomicInteger();
        TimeSource.Timer cancelled = timers.schedule(0, ran::incrementAndGet);
        cancelled.cancel();
        cancelled.cancel();
        CompletableFuture<Void> after = new CompletableFuture<>();
        timers.schedule(0, () -> after.complete(null));
        goOn.countDown();
        await(after);
        assertThat(ran).hasValue(0);
    }

    /** When it returns, the thread has seen all that was set before. */
    private static void seen(TimerQueue timers) throws Exception {
        CompletableFuture<Void> seen = new CompletableFuture<>();
        timers.schedule(0, () -> seen.complete(null));
        await(seen);
    }

    @Test
    void timersThatAreCancelledDoNotAddUp() throws Exception {
        TimerQueue timers = timers(HOUR);
        for (int round = 0; round < 20; round++) {
            List<TimeSource.Timer> set = new ArrayList<>();
            for (int i = 0; i < 5_000; i++) {
                set.add(timers.schedule(HOUR, () -> {}));
                timers.schedule(HOUR, () -> {}).cancel();
            }
            seen(timers);
            set.forEach(TimeSource.Timer::cancel);
            seen(timers);
        }
        CompletableFuture<Integer> left = new CompletableFuture<>();
        timers.schedule(0, () -> left.complete(timers.size()));
        assertThat(left.get(5, TimeUnit.MINUTES)).isLessThan(10_000);
    }

    @Test
    void whatATaskThrowsKeepsNoOtherFromRunning() throws Exception {
        TimerQueue timers = timers(SECOND);
        CompletableFuture<Void> after = new CompletableFuture<>();
        timers.schedule(0, () -> {
            throw new IllegalStateException("of a task");
        });
        timers.schedule(0, () -> {
            throw new AssertionError("of another one");
        });
        timers.schedule(0, () -> Thread.currentThread().interrupt());
        timers.schedule(0, () -> after.complete(null));
        await(after);
        assertThat(told).hasSize(2);
        assertThat(threads).hasSize(1);
    }

    /** Such as one that passes on what it is told, or fails for the same lack of memory. */
    @Test
    void aHandlerThatThrowsWhatItIsToldKeepsNoTimerFromRunning() throws Exception {
        TimerQueue timers = timers(SECOND);
        CompletableFuture<Void> begun = new CompletableFuture<>();
        timers.schedule(0, () -> begun.complete(null));
        await(begun);
        threads.get(0).setUncaughtExceptionHandler((where, thrown) -> {
            told.add(thrown);
            if (thrown instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            throw (Error) thrown;
        });
        CompletableFuture<Void> after = new CompletableFuture<>();
        timers.schedule(0, () -> {
            throw new AssertionError("of a task");
        });
        timers.schedule(0, () -> after.complete(null));
        await(after);
        assertThat(told).hasSize(1);
        assertThat(threads).hasSize(1);
    }

    @Test
    void theThreadEndsWhenThereIsNothingToDoAndTheNextTimerHasAnother() throws Exception {
        TimerQueue timers = timers(1_000_000);
        timers.schedule(HOUR, () -> {}).cancel();
        for (int i = 0; i < 20; i++) {
            CompletableFuture<Void> ran = new CompletableFuture<>();
            timers.schedule(0, () -> ran.complete(null));
            await(ran);
            threads.get(threads.size() - 1).join(300_000);
            assertThat(threads.get(threads.size() - 1).isAlive()).isFalse();
        }
        assertThat(threads).hasSizeGreaterThanOrEqualTo(20);
    }

    /** Just then the thread of the last one ends. */
    @Test
    void noTimerIsLostWhileTheThreadEnds() throws Exception {
        TimerQueue timers = timers(1_000);
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            CompletableFuture<Void> ran = new CompletableFuture<>();
            timers.schedule(random.nextInt(3_000), () -> ran.complete(null));
            await(ran);
            LockSupport.parkNanos(random.nextInt(2_000));
        }
    }

    @Test
    void timersOfManyThreadsAllRun() throws Exception {
        TimerQueue timers = timers(10_000);
        CountDownLatch ran = new CountDownLatch(4 * 20_000);
        List<Thread> setting = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Random random = new Random(i);
            Thread thread = new Thread(() -> {
                for (int j = 0; j < 20_000; j++) {
                    timers.schedule(random.nextInt(200_000), ran::countDown);
                    timers.schedule(random.nextInt(200_000), () -> {}).cancel();
                }
            });
            setting.add(thread);
            thread.start();
        }
        for (Thread thread : setting) {
            thread.join();
        }
        await(ran);
    }

    @Test
    void whereNoThreadCanBeStartedNoTimerIsSet() throws Exception {
        TimerQueue timers = timers(SECOND);
        AtomicInteger ran = new AtomicInteger();
        refuses = true;
        assertThatThrownBy(() -> timers.schedule(0, ran::incrementAndGet)).isInstanceOf(OutOfMemoryError.class);
        refuses = false;
        CompletableFuture<Void> after = new CompletableFuture<>();
        timers.schedule(0, () -> after.complete(null));
        await(after);
        assertThat(ran).hasValue(0);
    }
}
