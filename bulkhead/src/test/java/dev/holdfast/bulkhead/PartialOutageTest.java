/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** For ten seconds nearly all calls fail at once. The few answers between the failures say nothing of the load. */
class PartialOutageTest {
    private static final int OUTAGE = 60;
    private static final int END = 70;

    @ParameterizedTest
    @CsvSource({"200, 0.9", "200, 0.95", "500, 0.9", "500, 0.95"})
    void afterItTheLimitGrowsAsAfterOneInWhichAllFail(int perSecond, double share) {
        for (long seed = 1; seed <= 3; seed++) {
            double answered = new OneProcess(perSecond, Duration.ofSeconds(3))
                    .answered(seed, END, END + 5, (now, random) -> {
                        double takes = 0.05 * (0.5 + random.nextDouble());
                        boolean fails = now > OUTAGE && now < END && random.nextDouble() < share;
                        return fails ? -0.005 : takes;
                    });
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.9);
        }
    }
}
