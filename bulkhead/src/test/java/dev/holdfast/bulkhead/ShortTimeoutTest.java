/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A timeout cuts off two fifths of the calls, whatever the load, since all take about as long as it: the others are made. */
class ShortTimeoutTest {
    private static final int SEEDS = 5;
    private static final int LOOKED_AT_SECONDS = 120;
    private static final int END_SECONDS = 240;

    private static final double MEAN_SECONDS = 0.2;
    private static final Duration TIMEOUT = Duration.ofMillis(208);

    /** Of the times as they are below: what the timeout leaves. */
    private static final double POSSIBLE = 0.61;

    @ParameterizedTest
    @CsvSource({"5, 0.9", "20, 0.9", "60, 0.9", "200, 0.95"})
    void theLimitComesToRest(int perSecond, double least) {
        double answered = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            answered += answered(perSecond, seed) / SEEDS;
        }
        assertThat(answered / POSSIBLE).as("of the possible answers").isGreaterThan(least);
    }

    private static double answered(int perSecond, long seed) {
        return new OneProcess(perSecond, TIMEOUT)
                .answered(
                        seed,
                        LOOKED_AT_SECONDS,
                        END_SECONDS,
                        (now, random) -> MEAN_SECONDS * Math.exp(0.2 * random.nextGaussian() - 0.02));
    }
}
