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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A dependency needs more time from one moment on, whatever the load, a slow disk: about nine of ten answers are late then. */
class SlowerDependencyTest {
    private static final int SEEDS = 5;
    private static final int PER_SECOND = 20;
    private static final int USUAL_SECONDS = 30;
    private static final int LOOKED_AT_SECONDS = 75;
    private static final int END_SECONDS = 120;
    private static final double SLOW = 1.2;

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.3})
    void theLimitIsPutBack(double usual) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            assertThat(answered(usual, seed)).as("seed %d", seed).isGreaterThan(0.95);
        }
    }

    /** How many of the calls are answered, from three quarters of a minute after the others began to need longer. */
    private static double answered(double usual, long seed) {
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
            for (double now = 0; now < END_SECONDS; ) {
                double wait = -Math.log(1 - random.nextDouble()) / PER_SECOND;
                now += wait;
                time.advance(ofNanos((long) (wait * 1e9)));
                double mean = now < USUAL_SECONDS ? usual : SLOW;
                long takes = (long) (1e9 * mean * (0.5 + random.nextDouble()));
                boolean counts = now > LOOKED_AT_SECONDS;
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
