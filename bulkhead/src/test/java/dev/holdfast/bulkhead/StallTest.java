/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A dependency that stands still once, for longer than the timeout, and is well before and after it. */
class StallTest {
    private static final int STALL_AT = 20;

    /** Some of its answers are late each day, and show nothing of a queue. */
    @ParameterizedTest
    @CsvSource({
        "200, 300, 0.8, 100, 0.1",
        "200, 250, 0.7, 100, 0.2",
        "300, 250, 0.7, 100, 0.05",
        "200, 900, 2.8, 250, 0.1"
    })
    void threeSecondsAfterAStallAServiceWithSlowAnswersIsCalledAsBefore(
            int perSecond, int timeoutMillis, double stall, double slowMillis, double slowShare) {
        for (long seed = 1; seed <= 3; seed++) {
            double answered = answered(
                    perSecond,
                    timeoutMillis,
                    stall,
                    seed,
                    random -> random.nextDouble() < slowShare ? slowMillis / 1e3 : 0.005);
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.995);
        }
    }

    @ParameterizedTest
    @CsvSource({"500, 70, 10", "200, 140, 20"})
    void threeSecondsAfterAStallAServiceWithExponentialTimesIsCalledAsBefore(
            int perSecond, int timeoutMillis, double meanMillis) {
        for (long seed = 1; seed <= 3; seed++) {
            double answered = answered(
                    perSecond,
                    timeoutMillis,
                    0.5,
                    seed,
                    random -> -Math.log(1 - random.nextDouble()) * meanMillis / 1e3);
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.99);
        }
    }

    private interface Times {
        double seconds(Random random);
    }

    private static double answered(int perSecond, int timeoutMillis, double stall, long seed, Times times) {
        double end = STALL_AT + stall;
        return new OneProcess(perSecond, Duration.ofMillis(timeoutMillis))
                .answered(seed, (int) Math.ceil(end + 3), 60, (now, random) -> {
                    double takes = times.seconds(random);
                    return now > STALL_AT && now < end ? end - now + takes : takes;
                });
    }
}
