/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ThreadKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Real threads that take, queue, give up and return permits, as fast as they can. Bounded in count. */
@ThreadKind.Each
class PermitsStressTest {
    private static final int THREADS = 6;
    private static final int ROUNDS = 20_000;
    private static final int RESIZES = 200;

    private final AtomicInteger holding = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();

    @Test
    void neverMoreThanTheLimitAndNothingLost() throws Exception {
        for (int limit : new int[] {1, 3}) {
            Permits permits = PermitsTest.permits(limit, 4);
            CyclicBarrier start = new CyclicBarrier(THREADS);
            ExecutorService threads = Executors.newFixedThreadPool(THREADS, ThreadKind.current());
            try {
                List<Callable<Integer>> tasks = new ArrayList<>();
                for (int i = 0; i < THREADS; i++) {
                    Random random = new Random(31L * limit + i);
                    tasks.add(() -> {
                        start.await();
                        return use(permits, random);
                    });
                }
                int served = 0;
                for (Future<Integer> task : threads.invokeAll(tasks, 5, TimeUnit.MINUTES)) {
                    served += task.get();
                }
                assertThat(served).isPositive();
            } finally {
                threads.shutdownNow();
            }
            assertThat(most.getAndSet(0)).as("most at once, limit %d", limit).isLessThanOrEqualTo(limit);
            assertThat(permits.inFlight()).as("left out, limit %d", limit).isZero();
            assertThat(permits.waiting()).as("left waiting, limit %d", limit).isZero();
        }
    }

    @Test
    void threadsThatContendForTheWordGetCells() throws Exception {
        Permits permits = PermitsTest.permits(64, 0);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, ThreadKind.PLATFORM);
        try {
            List<Callable<Integer>> tasks = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int stripe = i;
                tasks.add(() -> {
                    // One lost compare-and-set is enough, of whichever thread. A virtual one that is alone on its
                    // carrier loses none.
                    int rounds = 0;
                    for (long start = System.nanoTime();
                            !permits.striped() && System.nanoTime() - start < TimeUnit.MINUTES.toNanos(4);
                            rounds++) {
                        assertThat(permits.tryAcquire(stripe)).isTrue();
                        permits.release(stripe);
                    }
                    return rounds;
                });
            }
            for (Future<Integer> task : threads.invokeAll(tasks, 5, TimeUnit.MINUTES)) {
                assertThat(task.get()).isNotNegative();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(permits.striped()).isTrue();
        assertThat(permits.inFlight()).isZero();
    }

    /** Many permits and no waiting, so that the cells are open nearly all the time; and an owner who resizes. */
    @Test
    void cellsAndResizingLoseNoPermitAndMakeNone() throws Exception {
        int largest = 64;
        Permits permits = PermitsTest.permits(largest, 0);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, ThreadKind.current());
        try {
            List<Callable<Integer>> tasks = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Random random = new Random(i);
                int stripe = i;
                boolean owner = i == 0;
                tasks.add(() -> owner ? resize(permits, random, largest) : hold(permits, random, stripe));
            }
            int done = 0;
            // Not of each: one thread may have its turn while others, that hold all permits, have none.
            for (Future<Integer> task : threads.invokeAll(tasks, 5, TimeUnit.MINUTES)) {
                done += task.get();
            }
            assertThat(done).isGreaterThan(RESIZES);
        } finally {
            threads.shutdownNow();
        }
        assertThat(most.get()).as("most at once").isBetween(1, largest);
        assertThat(permits.inFlight()).as("left out").isZero();
        permits.resize(largest);
        for (int i = 0; i < largest; i++) {
            assertThat(permits.tryAcquire(i)).as("permit %d", i).isTrue();
        }
        assertThat(permits.tryAcquire(0)).isFalse();
    }

    private static int resize(Permits permits, Random random, int largest) {
        int resized = 0;
        for (int i = 0; i < RESIZES; i++) {
            permits.resize(1 + random.nextInt(largest));
            permits.openCells();
            for (int spin = random.nextInt(2_000); spin > 0; spin--) {
                Thread.onSpinWait();
            }
            resized++;
        }
        return resized;
    }

    private int hold(Permits permits, Random random, int stripe) {
        int taken = 0;
        int held = 0;
        for (int i = 0; i < ROUNDS * 10; i++) {
            if (random.nextBoolean() && permits.tryAcquire(stripe)) {
                most.accumulateAndGet(holding.incrementAndGet(), Math::max);
                held++;
                taken++;
            } else if (held > 0) {
                holding.decrementAndGet();
                permits.release(stripe);
                held--;
            }
        }
        while (held-- > 0) {
            holding.decrementAndGet();
            permits.release(stripe);
        }
        return taken;
    }

    private int use(Permits permits, Random random) {
        int served = 0;
        for (int i = 0; i < ROUNDS; i++) {
            if (permits.tryAcquire(0) || waited(permits, random.nextInt(400))) {
                most.accumulateAndGet(holding.incrementAndGet(), Math::max);
                holding.decrementAndGet();
                permits.release(0);
                served++;
            }
        }
        return served;
    }

    /** Waits for so many spins and then gives up, at a moment that often meets the grant. */
    private static boolean waited(Permits permits, int patience) {
        Ticket ticket = permits.join(0);
        if (ticket == null) {
            return false;
        }
        for (int i = 0; i < patience && !ticket.granted(); i++) {
            Thread.onSpinWait();
        }
        return !permits.withdraw(ticket);
    }
}
