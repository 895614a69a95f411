/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

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
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Real threads that reserve and give back on a time of their own that they push forward together. Bounded in count. */
@ThreadKind.Each
class GcraStressTest {
    private static final int THREADS = 4;
    private static final int ROUNDS = 40_000;
    private static final long PER = 1_000_000;
    private static final int LIMIT = 1_000;
    private static final int BURST = 5;

    @Test
    void noPlaceIsTakenTwiceAndNoneIsLost() throws Exception {
        Gcra gcra = new Gcra(LIMIT, PER, BURST);
        AtomicLong clock = new AtomicLong();
        List<Long> kept = onAllThreads((random, stripe) -> use(gcra, clock, random, stripe));

        assertOneCostApart(kept);
        assertThat((long) kept.size()).isLessThanOrEqualTo(clock.get() * LIMIT / PER + BURST + 20);
        kept.forEach(gcra::giveBack);
        assertThat(gcra.available(clock.get())).isEqualTo(BURST);
    }

    /**
     * A burst that is large enough for cells. How much of the rate is asked for is up to the machine's scheduling; that nearly
     * all of it is given out where all of it is asked for is shown by {@link GcraModelTest} and {@link GcraCellsTest}.
     */
    @Test
    void cellsGiveOutNoMoreThanRateAndBurst() throws Exception {
        int burst = 1_024;
        Gcra gcra = new Gcra(LIMIT, PER, burst, 4);
        gcra.contend();
        AtomicLong clock = new AtomicLong();
        List<Long> places = onAllThreads((random, stripe) -> {
            List<Long> taken = new ArrayList<>();
            for (int round = 0; round < 20 * ROUNDS; round++) {
                long end = gcra.reserve(clock.addAndGet(random.nextInt(800)), 0, stripe);
                if (end != Gcra.NONE) {
                    taken.add(end);
                }
            }
            return taken;
        });

        assertOneCostApart(places);
        long allowed = clock.get() * LIMIT / PER + burst;
        assertThat((long) places.size()).isBetween(allowed * 25 / 100, allowed);
    }

    /** All wait, so that each start tells its place: none is given out on two lines. */
    @Test
    void whileTheSettingsChangeNoTurnIsGivenOutTwice() throws Exception {
        Gcra first = new Gcra(LIMIT, PER, BURST);
        while (first.reserve(0, 0, 0) != Gcra.NONE) {}
        List<Long> starts = onAllThreads((random, stripe) -> {
            List<Long> mine = new ArrayList<>();
            Gcra line = first;
            for (int round = 0; round < ROUNDS; round++) {
                if (random.nextInt(1_000) == 0) {
                    line.with(LIMIT, PER, 1 + random.nextInt(BURST), 0);
                }
                long end = line.reserve(0, 3_600_000_000_000L, stripe);
                while (end == Gcra.MOVED) {
                    line = line.successor();
                    end = line.reserve(0, 3_600_000_000_000L, stripe);
                }
                if (random.nextInt(4) == 0) {
                    line.giveBack(end);
                } else {
                    mine.add(line.waitNanos(end, 0));
                }
            }
            return mine;
        });

        assertOneCostApart(starts);
        assertThat(starts.get(starts.size() - 1)).isLessThanOrEqualTo(THREADS * ROUNDS * (PER / LIMIT));
    }

    private interface Use {
        List<Long> by(Random random, int stripe);
    }

    private static List<Long> onAllThreads(Use use) throws Exception {
        CyclicBarrier start = new CyclicBarrier(THREADS);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, ThreadKind.current());
        List<Long> all = new ArrayList<>();
        try {
            List<Callable<List<Long>>> tasks = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int stripe = i;
                tasks.add(() -> {
                    start.await();
                    return use.by(new Random(stripe), stripe);
                });
            }
            for (Future<List<Long>> task : threads.invokeAll(tasks, 5, TimeUnit.MINUTES)) {
                all.addAll(task.get());
            }
        } finally {
            threads.shutdownNow();
        }
        return all;
    }

    private static void assertOneCostApart(List<Long> places) {
        places.sort(Long::compare);
        for (int i = 1; i < places.size(); i++) {
            assertThat(places.get(i) - places.get(i - 1))
                    .as("between place %d and the next", i)
                    .isGreaterThanOrEqualTo(PER / LIMIT);
        }
    }

    private static List<Long> use(Gcra gcra, AtomicLong clock, Random random, int stripe) {
        List<Long> kept = new ArrayList<>();
        List<Long> unused = new ArrayList<>();
        for (int i = 0; i < ROUNDS; i++) {
            long now = clock.addAndGet(random.nextInt(400));
            long end = gcra.reserve(now, random.nextInt(20_000), stripe);
            if (end != Gcra.NONE) {
                (random.nextBoolean() ? kept : unused).add(end);
            }
            if (unused.size() > random.nextInt(8)) {
                gcra.giveBack(unused.remove(random.nextInt(unused.size())));
            }
        }
        unused.forEach(gcra::giveBack);
        return kept;
    }
}
