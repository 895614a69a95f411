/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The throttle beside a bucket of tokens that is counted in whole numbers, so that nothing is rounded. */
class GcraModelTest {

    /** Tokens in parts of {@code per}: each nanosecond brings {@code limit} of them, a call takes {@code per}. */
    private static final class Bucket {
        private final long limit;
        private final long per;
        private final long full;
        private long parts;
        private long last;

        Bucket(long limit, long per, long burst) {
            this.limit = limit;
            this.per = per;
            full = burst * per;
            parts = full;
        }

        boolean take(long now) {
            return take(now, 1);
        }

        boolean take(long now, int weight) {
            long missing = full - parts;
            // Compared before it is multiplied, which could be too much for a long.
            parts = now - last >= missing / limit + 1 ? full : Math.min(full, parts + limit * (now - last));
            last = now;
            if (parts < weight * per) {
                return false;
            }
            parts -= weight * per;
            return true;
        }

        long tokens() {
            return parts / per;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "10, 1000000000, 1",
        "50, 1000000000, 5",
        "1000, 1000000, 100",
        "1000000, 1000000000, 1000",
        "1000000000, 1000000000, 7",
        "1, 86400000000000, 1"
    })
    void whereTheLimitDividesTheTimeEveryAnswerIsThatOfTheBucket(int limit, long per, int burst) {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            Gcra gcra = new Gcra(limit, per, burst);
            Bucket bucket = new Bucket(limit, per, burst);
            long cost = per / limit;
            long now = 0;
            for (int step = 0; step < 400; step++) {
                now += switch (random.nextInt(6)) {
                    case 0 -> random.nextLong(cost * burst + 1);
                    case 1 -> random.nextLong(2 * cost) + 1;
                    case 2 -> 1;
                    default -> 0;
                };
                boolean expected = bucket.take(now);
                assertThat(gcra.reserve(now, 0, 0) != Gcra.NONE)
                        .as("seed %d, step %d", seed, step)
                        .isEqualTo(expected);
                assertThat(gcra.available(now))
                        .as("seed %d, step %d", seed, step)
                        .isEqualTo(bucket.tokens());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "10, 1000000000, 3",
        "50, 1000000000, 5",
        "1000, 1000000, 100",
        "1000000, 1000000000, 1000",
        "1000000000, 1000000000, 7"
    })
    void callsOfAnyWeightGetTheAnswerOfTheBucket(int limit, long per, int burst) {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            Gcra gcra = new Gcra(limit, per, burst);
            Bucket bucket = new Bucket(limit, per, burst);
            long cost = per / limit;
            long now = 0;
            for (int step = 0; step < 400; step++) {
                now += switch (random.nextInt(6)) {
                    case 0 -> random.nextLong(cost * burst + 1);
                    case 1 -> random.nextLong(2 * cost) + 1;
                    case 2 -> 1;
                    default -> 0;
                };
                int weight = 1 + random.nextInt(random.nextBoolean() ? 2 : burst);
                long waits = gcra.untilFree(now, weight);
                long place = weight == 1 ? gcra.reserve(now, 0, 0) : gcra.reserveHeavy(now, 0, weight);
                assertThat(place != Gcra.NONE)
                        .as("seed %d, step %d, weight %d", seed, step, weight)
                        .isEqualTo(bucket.take(now, weight))
                        .isEqualTo(waits == 0);
                assertThat(gcra.available(now))
                        .as("seed %d, step %d, weight %d", seed, step, weight)
                        .isEqualTo(bucket.tokens());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "3, 1000000000, 1",
        "7, 1000000, 7",
        "300, 1000000000, 30",
        "999983, 1000000000, 1000",
        "999999937, 86400000000000, 1000",
        "50, 1000000000, 5",
        "1000, 1000000, 512"
    })
    void saturatedItNeverExceedsRateAndBurstAndGivesNearlyAllOfIt(int limit, long per, int burst) {
        for (long seed = 0; seed < 10; seed++) {
            Random random = new Random(seed);
            Gcra gcra = new Gcra(limit, per, burst);
            if (seed % 2 == 1) {
                gcra.contend();
            }
            long cost = per / limit;
            long now = 0;
            long admitted = 0;
            while (now < 2_000 * cost) {
                while (gcra.reserve(now, 0, random.nextInt(8)) != Gcra.NONE) {
                    admitted++;
                }
                // n calls are allowed once n - burst of them have cost their time.
                assertThat(Math.multiplyExact(admitted - burst, per))
                        .as("seed %d, %d admitted by %d ns", seed, admitted, now)
                        .isLessThanOrEqualTo(now * limit);
                now += 1 + random.nextLong(cost / 100 + 1);
            }
            assertThat((double) admitted)
                    .as("seed %d", seed)
                    .isGreaterThanOrEqualTo(
                            0.99 * ((double) now * limit / per + burst) - 1 - (seed % 2 == 1 ? burst / 8 : 0));
        }
    }
}
