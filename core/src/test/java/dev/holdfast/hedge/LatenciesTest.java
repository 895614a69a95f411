/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class LatenciesTest {
    private static final long SECOND = 1_000_000_000;
    private static final long WINDOW = 32 * SECOND;
    /** So late that whoever asks has it worked out anew. */
    private static final long LOOK = WINDOW / 64;

    @Test
    void everyTimeIsInACellThatEndsAtMostAThirtySecondAbove() {
        SplittableRandom random = new SplittableRandom(20_261_125);
        for (int i = 0; i < 100_000; i++) {
            long nanos = random.nextLong(1L << random.nextInt(1, 42));
            long end = Latencies.end(Latencies.cell(nanos));
            assertThat(end).as("end of the cell of %d", nanos).isBetween(nanos, nanos + nanos / 32 + 1_024);
        }
        assertThat(Latencies.cell(-1)).isZero();
        assertThat(Latencies.cell(Long.MAX_VALUE)).isEqualTo(Latencies.cell(Long.MAX_VALUE - 1));
    }

    @Test
    void cellsFollowOneAnotherWithoutAGap() {
        for (int cell = 0; cell < Latencies.cell(Long.MAX_VALUE); cell++) {
            assertThat(Latencies.cell(Latencies.end(cell))).isEqualTo(cell);
            assertThat(Latencies.cell(Latencies.end(cell) + 1)).isEqualTo(cell + 1);
        }
    }

    @Test
    void thePercentileIsThatOfTheSortedTimes() {
        for (long seed = 1; seed <= 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            double quantile = 0.5 + random.nextInt(499) / 1_000.0;
            Latencies latencies = new Latencies(quantile, 1, WINDOW, 0);
            long[] all = new long[random.nextInt(1, 2_000)];
            for (int i = 0; i < all.length; i++) {
                all[i] = random.nextLong(1L << random.nextInt(11, 36));
                latencies.record(all[i], 1);
            }
            Arrays.sort(all);
            long exact = all[(int) Math.ceil(quantile * all.length) - 1];
            assertThat(latencies.quantileNanos(LOOK))
                    .as("quantile %s of %d times, seed %d", quantile, all.length, seed)
                    .isBetween(exact, exact + exact / 32 + 1_024);
        }
    }

    @Test
    void withFewerThanTheLeastThereIsNone() {
        Latencies latencies = new Latencies(0.95, 10, WINDOW, 0);
        for (int i = 0; i < 9; i++) {
            latencies.record(1_000_000, 0);
        }
        assertThat(latencies.quantileNanos(LOOK)).isEqualTo(Latencies.UNKNOWN);
        latencies.record(1_000_000, LOOK);
        assertThat(latencies.quantileNanos(2 * LOOK)).isCloseTo(1_000_000, within(33_000L));
    }

    @Test
    void whatIsOlderThanTheWindowIsForgottenAndTheNewerHalfIsNot() {
        Latencies latencies = new Latencies(0.5, 1, WINDOW, 0);
        for (int i = 0; i < 100; i++) {
            latencies.record(SECOND, 0);
        }
        // In the newer half there are fewer, but enough to be the median once the older ones have gone.
        for (int i = 0; i < 10; i++) {
            latencies.record(1_000_000, WINDOW / 2);
        }
        assertThat(latencies.quantileNanos(WINDOW - 1)).isCloseTo(SECOND, within(SECOND / 32));
        assertThat(latencies.quantileNanos(WINDOW + LOOK)).isCloseTo(1_000_000, within(33_000L));
        assertThat(latencies.quantileNanos(3 * WINDOW)).isEqualTo(Latencies.UNKNOWN);
    }

    @Test
    void thePercentileIsKeptUntilItIsTimeToLookAgain() {
        Latencies latencies = new Latencies(0.5, 1, WINDOW, 0);
        assertThat(latencies.quantileNanos(0)).isEqualTo(Latencies.UNKNOWN);
        latencies.record(SECOND, 0);
        assertThat(latencies.quantileNanos(LOOK - 1)).isEqualTo(Latencies.UNKNOWN);
        assertThat(latencies.quantileNanos(LOOK)).isGreaterThanOrEqualTo(SECOND);
        assertThat(latencies.lastKnownNanos()).isGreaterThanOrEqualTo(SECOND);
    }

    @Test
    void noTimeOfFourThreadsIsLost() throws InterruptedException {
        int each = 20_000;
        Latencies latencies = new Latencies(0.999, 4 * each, WINDOW, 0);
        CountDownLatch start = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread = new Thread(() -> {
                try {
                    start.await();
                } catch (InterruptedException e) {
                    return;
                }
                for (int n = 0; n < each; n++) {
                    latencies.record(n, 1);
                }
            });
            threads.add(thread);
            thread.start();
        }
        start.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        // With one fewer it would not be known.
        assertThat(latencies.quantileNanos(LOOK)).isNotEqualTo(Latencies.UNKNOWN);
    }
}
