/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToDoubleBiFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A dependency needs more time from one moment on, whatever the load, a slow disk: about nine of ten answers are late then. */
class SlowerDependencyTest {
    private static final int SEEDS = 5;
    private static final int PER_SECOND = 20;
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
        try (VirtualTime time = VirtualTime.seeded(seed)) {
            Pipeline pipeline = Pipeline.builder("inventory")
                    .policies(
                            BulkheadPolicy.of(b -> b.limit(BulkheadSettings.LimitAlgorithm.LOSSES)),
                            TimeoutPolicy.of(ofSeconds(3)))
                    .time(time)
                    .build();
            Random random = new Random(seed);
            int[] calls = new int[1];
            int[] answers = new int[1];
            for (double now = 0; now < from + LOOKED_AT_SECONDS; ) {
                double wait = -Math.log(1 - random.nextDouble()) / PER_SECOND;
                now += wait;
                time.advance(ofNanos((long) (wait * 1e9)));
                long takes = (long) (1e9 * seconds.applyAsDouble(now, random));
                boolean counts = now > from;
                calls[0] += counts ? 1 : 0;
                var unused = pipeline.<String>callAsync(() -> {
                            CompletableFuture<String> answer = new CompletableFuture<>();
                            time.schedule(takes, () -> answer.complete("12"));
                            return answer;
                        })
                        .whenComplete((value, error) -> answers[0] += counts && error == null ? 1 : 0);
            }
            time.advance(ofSeconds(4));
            pipeline.close();
            return (double) answers[0] / calls[0];
        }
    }
}
