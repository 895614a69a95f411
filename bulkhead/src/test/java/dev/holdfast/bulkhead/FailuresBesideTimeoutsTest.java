/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One operation has a bug, and five in a hundred calls time out, as they do each day. */
class FailuresBesideTimeoutsTest {
    private static final double MEAN = 1.0 / 3;

    @ParameterizedTest
    @ValueSource(ints = {10, 30, 50})
    void failuresBesideAFewTimeoutsAreNoOutage(int failPercent) {
        double answered = 0;
        for (long seed = 1; seed <= 3; seed++) {
            answered += new OneProcess(50, Duration.ofSeconds(1)).answered(seed, 20, 180, (now, random) -> {
                double takes = -Math.log(1 - random.nextDouble()) * MEAN;
                return random.nextInt(100) < failPercent ? -takes : takes;
            });
        }
        assertThat(answered / 3)
                .as("share of the calls that do not fail; 0.950 end in time")
                .isGreaterThan(0.94);
    }
}
