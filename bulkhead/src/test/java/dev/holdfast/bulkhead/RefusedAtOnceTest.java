/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A dependency that refuses calls with 503 or 429 at once, and whatever their number is: fewer calls do not help it. */
class RefusedAtOnceTest {
    private static final double AT_ONCE = 0.003;

    private static OneProcess process(int perSecond) {
        return new OneProcess(perSecond, Duration.ofSeconds(3), Verdict.PUSHBACK);
    }

    private static double answer(double meanSeconds, Random random) {
        return meanSeconds * (0.5 - 0.5 * Math.log(1 - random.nextDouble()));
    }

    /** Two of five servers, or a tenant that is over its quota. The others lose next to nothing. */
    @ParameterizedTest
    @CsvSource({"5, 0.45, 0.2", "10, 0.4, 0.15", "20, 0.45, 0.2", "100, 0.5, 0.05", "2, 0.25, 0.5", "20, 0.15, 0.8"})
    void aShareThatIsAlwaysRefusedCostsTheOthersNextToNothing(int perSecond, double share, double meanSeconds) {
        for (long seed = 1; seed <= 3; seed++) {
            double answered = process(perSecond).answered(seed, 20, 200, (now, random) -> {
                double takes = answer(meanSeconds, random);
                return random.nextDouble() < share ? -AT_ONCE : takes;
            });
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.975);
        }
    }

    /** Once the limit has grown as far as these calls need it. */
    @ParameterizedTest
    @CsvSource({"100, 0.3, 0.5", "300, 0.25, 0.6", "500, 0.3, 0.5", "40, 0.5, 1"})
    void aShortTimeOfRefusalsCostsNextToNothingAfterIt(int perSecond, double meanSeconds, double seconds) {
        double end = 60 + seconds;
        for (long seed = 1; seed <= 3; seed++) {
            double answered = process(perSecond).answered(seed, (int) Math.ceil(end), 70, (now, random) -> {
                double takes = answer(meanSeconds, random);
                return now > 60 && now < end ? -AT_ONCE : takes;
            });
            assertThat(answered).as("seed %d", seed).isGreaterThan(0.94);
        }
    }

    /** A partner who takes a hundred calls in each second, and refuses the rest of them. */
    @ParameterizedTest
    @ValueSource(ints = {105, 150, 200})
    void theQuotaOfAPartnerIsUsedUp(int perSecond) {
        for (long seed = 1; seed <= 3; seed++) {
            assertThat(answersOfPartner(perSecond, seed)).as("seed %d", seed).isGreaterThan(0.99);
        }
    }

    /** What a hundred seconds have of ten thousand answers. */
    private static double answersOfPartner(int perSecond, long seed) {
        try (VirtualTime time = VirtualTime.seeded(seed)) {
            Pipeline pipeline = Pipeline.builder("partner")
                    .policies(BulkheadPolicy.of(b -> {}), TimeoutPolicy.of(Duration.ofSeconds(3)))
                    .classifier((value, error) -> error == null ? Verdict.SUCCESS : Verdict.PUSHBACK)
                    .time(time)
                    .build();
            Random random = new Random(seed);
            int[] taken = new int[1];
            int answers = 0;
            for (int second = 0; second < 120; second++) {
                taken[0] = 0;
                for (int i = 0; i < perSecond; i++) {
                    time.advance(Duration.ofNanos(1_000_000_000L / perSecond));
                    var unused = pipeline.<String>callAsync(() -> {
                        CompletableFuture<String> answer = new CompletableFuture<>();
                        if (++taken[0] > 100) {
                            time.schedule(3_000_000, () -> answer.completeExceptionally(new IOException("429")));
                        } else {
                            time.schedule((long) (answer(0.05, random) * 1e9), () -> answer.complete("12"));
                        }
                        return answer;
                    });
                }
                answers += second < 20 ? 0 : Math.min(100, taken[0]);
            }
            time.advance(Duration.ofSeconds(4));
            pipeline.close();
            return answers / 10_000.0;
        }
    }
}
