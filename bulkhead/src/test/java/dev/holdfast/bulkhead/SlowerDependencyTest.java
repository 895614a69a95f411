/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import java.util.function.ToDoubleBiFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A dependency needs more time from one moment on, whatever the load, a slow disk: about nine of ten answers are late then. */
class SlowerDependencyTest {
    private static final int SEEDS = 5;
    private static final int PER_SECOND = 20;
    private static final int TIMEOUT = 3;
    private static final int USUAL_SECONDS = 30;
    private static final int LOOKED_AT_SECONDS = 45;
    private static final double SLOW = 1.2;
    private static final int OVERLOAD_SECONDS = 45;

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.3})
    void theLimitIsPutBack(double usual) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            double answered = answered(
                    seed,
                    USUAL_SECONDS + 45,
                    (now, random) -> (now < USUAL_SECONDS ? usual : SLOW) * (0.5 + random.nextDouble()));
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.95);
        }
    }

    /** After an overload a share of the calls takes longer than all did before, which no limit changes. */
    @ParameterizedTest
    @ValueSource(doubles = {0.45, 0.6, 0.75})
    void aShareThatStaysSlowDoesNotHoldTheLimitDown(double share) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            double answered = answered(seed, OVERLOAD_SECONDS + 60, (now, random) -> {
                boolean slow = now > OVERLOAD_SECONDS && random.nextDouble() < share;
                boolean overloaded = now > USUAL_SECONDS && now < OVERLOAD_SECONDS;
                return overloaded ? 1.5 + random.nextDouble() : slow ? 0.8 + 0.4 * random.nextDouble() : 0.1;
            });
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.9);
        }
    }

    /** How many of the calls are answered from this second on, for a while. */
    private static double answered(long seed, int from, ToDoubleBiFunction<Double, Random> seconds) {
        return new OneProcess(PER_SECOND, Duration.ofSeconds(TIMEOUT))
                .answered(seed, from, from + LOOKED_AT_SECONDS, seconds);
    }
}
