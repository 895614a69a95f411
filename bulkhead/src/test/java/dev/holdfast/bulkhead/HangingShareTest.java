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

    /** Of the calls that do not hang, how many are answered, from a minute after the others began to. */
    private static double answered(int perSecond, long seed) {
        try (VirtualTime time = VirtualTime.seeded(seed)) {
            Pipeline pipeline = Pipeline.builder("inventory")
                    .policies(
                            BulkheadPolicy.of(b -> b.limit(BulkheadSettings.LimitAlgorithm.LOSSES)),
                            TimeoutPolicy.of(ofSeconds(1)))
                    .time(time)
                    .build();
            Random random = new Random(seed);
            int[] calls = new int[1];
            int[] answers = new int[1];
            for (double now = 0; now < END_SECONDS; ) {
                double wait = -Math.log(1 - random.nextDouble()) / perSecond;
                now += wait;
                time.advance(ofNanos((long) (wait * 1e9)));
                boolean hangs = now > WELL_SECONDS && random.nextDouble() < 0.4;
                long takes = ofMillis(25 + random.nextInt(50)).toNanos();
                boolean counts = now > LOOKED_AT_SECONDS && !hangs;
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
            time.advance(ofSeconds(2));
            pipeline.close();
            return (double) answers[0] / calls[0];
        }
    }
}
