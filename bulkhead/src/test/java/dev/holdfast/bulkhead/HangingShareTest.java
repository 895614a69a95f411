/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A share of all calls hangs whatever the load, two bad servers among five: the others are made. */
class HangingShareTest {
    private static final int SEEDS = 5;
    private static final int WELL_SECONDS = 20;
    private static final int LOOKED_AT_SECONDS = 80;
    private static final int END_SECONDS = 140;

    @ParameterizedTest
    @CsvSource({"20, 0.8", "100, 0.95", "300, 0.95"})
    void theLimitIsPutBackThoughAllPermitsHangNowAndThen(int perSecond, double least) {
        double answered = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            answered += answered(perSecond, seed) / SEEDS;
        }
        assertThat(answered).as("share of the calls that do not hang").isGreaterThan(least);
    }

    /** All hang for five seconds. Then the same share as before, which is no sign that the outage goes on. */
    @ParameterizedTest
    @CsvSource({"30, 0.1, 0.75", "30, 0.25, 0.75", "100, 0.25, 0.75", "100, 0.4, 0.5"})
    void anOutageIsOverThoughTheUsualShareStillHangs(int perSecond, double share, double least) {
        int outage = 120;
        int end = outage + 5;
        double answered = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            answered +=
                    new OneProcess(perSecond, Duration.ofSeconds(1)).answered(seed, end, end + 15, (now, random) -> {
                                boolean hangs = (now > outage && now < end) || random.nextDouble() < share;
                                return hangs ? OneProcess.FOR_EVER : (25 + random.nextInt(50)) / 1e3;
                            })
                            / SEEDS;
        }
        assertThat(answered).as("share of the calls that do not hang").isGreaterThan(least);
    }

    /** From a minute after the others began to hang. */
    private static double answered(int perSecond, long seed) {
        return new OneProcess(perSecond, Duration.ofSeconds(1))
                .answered(seed, LOOKED_AT_SECONDS, END_SECONDS, (now, random) -> {
                    boolean hangs = now > WELL_SECONDS && random.nextDouble() < 0.4;
                    double takes = (25 + random.nextInt(50)) / 1e3;
                    return hangs ? OneProcess.FOR_EVER : takes;
                });
    }
}
