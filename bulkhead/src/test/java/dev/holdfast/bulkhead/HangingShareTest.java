/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A share of all calls hangs whatever the load, two bad servers among five: the others are made. */
class HangingShareTest {
    private static final int SEEDS = 5;
    private static final int WELL_SECONDS = 20;

    @ParameterizedTest
    @CsvSource({"20, 0.8", "100, 0.95", "300, 0.95"})
    void theLimitIsPutBackThoughAllPermitsHangNowAndThen(int perSecond, double least) {
        assertThat(answered(perSecond, 1, 80, 140))
                .as("of the calls that do not hang")
                .isGreaterThan(least);
    }

    /** The answers to calls that began after one that hangs show that there is no queue. */
    @ParameterizedTest
    @CsvSource({"20, 1, 0.6", "100, 1, 0.85", "300, 1, 0.9", "20, 3, 0.5", "100, 3, 0.8"})
    void mostOfTheOthersAreMadeFromTheStart(int perSecond, int timeoutSeconds, double least) {
        assertThat(answered(perSecond, timeoutSeconds, WELL_SECONDS, 40))
                .as("of the calls that do not hang")
                .isGreaterThan(least);
    }

    private static double answered(int perSecond, int timeoutSeconds, int from, int to) {
        double answered = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            answered += answered(perSecond, timeoutSeconds, from, to, seed) / SEEDS;
        }
        return answered;
    }

    /** Of the calls of these seconds that do not hang, how many are answered. */
    private static double answered(int perSecond, int timeoutSeconds, int from, int to, long seed) {
        try (VirtualTime time = VirtualTime.seeded(seed)) {
            Pipeline pipeline = Pipeline.builder("inventory")
                    .policies(
                            BulkheadPolicy.of(b -> b.limit(BulkheadSettings.LimitAlgorithm.LOSSES)),
                            TimeoutPolicy.of(ofSeconds(timeoutSeconds)))
                    .time(time)
                    .build();
            Random random = new Random(seed);
            int[] calls = new int[1];
            int[] answers = new int[1];
            for (double now = 0; now < to; ) {
                double wait = -Math.log(1 - random.nextDouble()) / perSecond;
                now += wait;
                time.advance(ofNanos((long) (wait * 1e9)));
                boolean hangs = now > WELL_SECONDS && random.nextDouble() < 0.4;
                long takes = ofMillis(25 + random.nextInt(50)).toNanos();
                boolean counts = now > from && !hangs;
                calls[0] += counts ? 1 : 0;
                var unused = pipeline.<String>callAsync(() -> {
                            CompletableFuture<String> answer = new CompletableFuture<>();
                            if (!hangs) {
                                time.schedule(takes, () -> answer.complete("12"));
                            }
                            return answer;
                        })
                        .whenComplete((value, error) -> answers[0] += counts && error == null ? 1 : 0);
            }
            time.advance(ofSeconds(2L * timeoutSeconds));
            pipeline.close();
            return (double) answers[0] / calls[0];
        }
    }
}
