/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A service with 1 % of its answers at 20 times the median: what hedging at the 95th percentile does for it. */
class TailTest {
    private static final long MEDIAN_NANOS = 10_000_000;
    private static final Policy[] BARE = {};

    /** What came of many calls. */
    private static final class Tail {
        final long[] sorted;
        final int attempts;

        Tail(long[] took, int attempts) {
            sorted = took;
            Arrays.sort(sorted);
            this.attempts = attempts;
        }

        double attemptsPerCall() {
            return (double) attempts / sorted.length;
        }

        long p999() {
            return sorted[(int) Math.ceil(0.999 * sorted.length) - 1];
        }
    }

    /** One attempt's time, drawn for itself: 8 to 12 ms, or 200 ms. */
    private static long serviceNanos(SplittableRandom random) {
        return random.nextInt(100) == 0
                ? 20 * MEDIAN_NANOS
                : MEDIAN_NANOS * 8 / 10 + random.nextLong(MEDIAN_NANOS * 4 / 10);
    }

    /** Calls that arrive whether or not earlier ones have ended, 200 a second. */
    private static Tail async(long seed, int calls, Policy... policies) {
        SplittableRandom random = new SplittableRandom(seed);
        long[] took = new long[calls];
        int[] attempts = new int[1];
        try (VirtualTime time = VirtualTime.seeded(seed);
                Pipeline pipeline = Pipeline.builder("service")
                        .policies(policies)
                        .time(time)
                        .build()) {
            for (int i = 0; i < calls; i++) {
                int call = i;
                time.schedule(Duration.ofMillis(5).toNanos() * i, () -> {
                    long start = time.nanos();
                    var unused = pipeline.callAsync(() -> {
                                attempts[0]++;
                                CompletableFuture<String> answer = new CompletableFuture<>();
                                time.schedule(serviceNanos(random), () -> answer.complete("answer"));
                                return answer;
                            })
                            .thenRun(() -> took[call] = time.nanos() - start);
                });
            }
            time.run();
        }
        return new Tail(took, attempts[0]);
    }

    private static Tail blocking(long seed, int calls, Policy... policies) throws InterruptedException {
        SplittableRandom random = new SplittableRandom(seed);
        long[] took = new long[calls];
        int[] attempts = new int[1];
        try (VirtualTime time = VirtualTime.seeded(seed);
                Pipeline pipeline = Pipeline.builder("service")
                        .policies(policies)
                        .time(time)
                        .build()) {
            for (int i = 0; i < calls; i++) {
                long start = time.nanos();
                pipeline.call(() -> {
                    attempts[0]++;
                    time.sleep(Duration.ofNanos(serviceNanos(random)));
                    return "answer";
                });
                took[i] = time.nanos() - start;
            }
        }
        return new Tail(took, attempts[0]);
    }

    private static void assertShorter(Tail bare, Tail hedged, long seed) {
        assertThat(bare.sorted[0]).as("every call was answered, seed %d", seed).isPositive();
        assertThat(hedged.sorted[0])
                .as("every call was answered, seed %d", seed)
                .isPositive();
        assertThat(bare.attemptsPerCall()).isEqualTo(1.0);
        assertThat(3 * hedged.p999())
                .as("3 times p99.9 with hedging, seed %d", seed)
                .isLessThanOrEqualTo(bare.p999());
        assertThat(hedged.attemptsPerCall())
                .as("attempts for a call, seed %d", seed)
                .isBetween(1.005, 1.06);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void hedgingAtTheNinetyFifthPercentileLowersTheTailForFewMoreCalls(long seed) {
        assertShorter(async(seed, 20_000, BARE), async(seed, 20_000, HedgePolicy.ofDefaults()), seed);
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13})
    void ofBlockingCallsToo(long seed) throws InterruptedException {
        assertShorter(blocking(seed, 10_000, BARE), blocking(seed, 10_000, HedgePolicy.ofDefaults()), seed);
    }

    @Test
    void theSameSeedGivesTheSameTimes() {
        Tail once = async(7, 2_000, HedgePolicy.ofDefaults());
        Tail again = async(7, 2_000, HedgePolicy.ofDefaults());
        assertThat(again.sorted).isEqualTo(once.sorted);
        assertThat(again.attempts).isEqualTo(once.attempts);
    }
}
