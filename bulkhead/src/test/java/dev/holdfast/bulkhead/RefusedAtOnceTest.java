/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Verdict;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A dependency that refuses calls with 503 or 429 before any of its work is done: it has no queue, and fewer calls do not help it. */
class RefusedAtOnceTest {
    private static final double AT_ONCE = 0.003;

    private static OneProcess process(int perSecond) {
        return new OneProcess(perSecond, Duration.ofSeconds(3), Verdict.PUSHBACK);
    }

    private static double answer(double meanSeconds, Random random) {
        return meanSeconds * (0.5 - 0.5 * Math.log(1 - random.nextDouble()));
    }

    /** Two of five servers, or a tenant that is over its quota. The other calls lose nothing. */
    @ParameterizedTest
    @CsvSource({"5, 0.45, 0.2", "10, 0.4, 0.15", "20, 0.45, 0.2", "100, 0.5, 0.05", "2, 0.25, 0.5", "20, 0.15, 0.8"})
    void aShareThatIsAlwaysRefusedCostsTheOthersNothing(int perSecond, double share, double meanSeconds) {
        for (long seed = 1; seed <= 3; seed++) {
            double answered = process(perSecond).answered(seed, 20, 200, (now, random) -> {
                double takes = answer(meanSeconds, random);
                return random.nextDouble() < share ? -AT_ONCE : takes;
            });
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.995);
        }
    }

    /** Once the limit has grown as far as these calls need it. */
    @ParameterizedTest
    @CsvSource({"100, 0.3, 0.5", "300, 0.25, 0.6", "500, 0.3, 0.5", "40, 0.5, 1"})
    void aShortTimeOfRefusalsCostsNothingAfterIt(int perSecond, double meanSeconds, double seconds) {
        double end = 60 + seconds;
        for (long seed = 1; seed <= 3; seed++) {
            double answered = process(perSecond).answered(seed, (int) Math.ceil(end), 70, (now, random) -> {
                double takes = answer(meanSeconds, random);
                return now > 60 && now < end ? -AT_ONCE : takes;
            });
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.995);
        }
    }

    /** A partner who takes a hundred calls in each second, and refuses the rest of them. */
    @ParameterizedTest
    @ValueSource(ints = {105, 150, 200})
    void theQuotaOfAPartnerIsUsedUp(int perSecond) {
        for (long seed = 1; seed <= 3; seed++) {
            int[] second = new int[2];
            double answered = process(perSecond).answered(seed, 20, 120, (now, random) -> {
                second[1] = (int) (double) now == second[0] ? second[1] + 1 : 1;
                second[0] = (int) (double) now;
                double takes = answer(0.05, random);
                return second[1] > 100 ? -AT_ONCE : takes;
            });
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.995);
        }
    }

    /** A refusal after three quarters of a second has been in a queue, perhaps, and fewer calls make that shorter. */
    @ParameterizedTest
    @CsvSource({"0.74, true", "0.75, false"})
    void whatIsRefusedLateIsLost(double seconds, boolean atOnce) {
        double answered = process(200).answered(1, 22, 25, (now, random) -> {
            double takes = answer(0.05, random);
            return now > 20 && now < 24 && random.nextDouble() < 0.6 ? -seconds : takes;
        });
        assertThat(answered > 0.99).as("%s", answered).isEqualTo(atOnce);
    }
}
