/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the defaults let through of calls that come at random, well below the limit. */
class DefaultBurstTest {
    private static final int CALLS = 20_000;

    static Stream<Arguments> loads() {
        return LongStream.of(1, 2, 3)
                .boxed()
                .flatMap(seed -> Stream.of(
                        Arguments.of(10, 0.5, 0.98, seed),
                        Arguments.of(50, 0.5, 0.98, seed),
                        Arguments.of(200, 0.5, 0.98, seed),
                        Arguments.of(10, 0.8, 0.9, seed),
                        Arguments.of(50, 0.8, 0.9, seed),
                        Arguments.of(60, 0.8, 0.9, seed),
                        Arguments.of(1_000, 0.8, 0.9, seed)));
    }

    @ParameterizedTest
    @MethodSource("loads")
    void calmLoadIsLetThroughAndNoWindowHasMoreThanItsRateAndTheBurst(int limit, double load, double share, long seed) {
        List<Long> starts = new ArrayList<>();
        ThrottlePolicy throttle = ThrottlePolicy.of(t -> t.limit(limit));
        try (VirtualTime time = VirtualTime.seeded(seed)) {
            Pipeline pipeline =
                    Pipeline.builder("inventory").policies(throttle).time(time).build();
            Random random = new Random(seed);
            for (int call = 0; call < CALLS; call++) {
                time.advance(Duration.ofNanos((long) (-Math.log(1 - random.nextDouble()) * 1e9 / (limit * load))));
                try {
                    pipeline.call(() -> starts.add(time.nanos()));
                } catch (CallRejectedException expected) {
                    // counted by what is missing
                }
            }
        }

        assertThat((double) starts.size() / CALLS)
                .as("let through at %s of %d a second, seed %d", load, limit, seed)
                .isGreaterThanOrEqualTo(share);
        assertBound(starts, limit, throttle.settings().burst());
    }

    /** In any time t no more than limit x t + burst: it is enough to look from each start to each of the next ones. */
    private static void assertBound(List<Long> starts, int limit, int burst) {
        double cost = 1e9 / limit;
        double line = Double.NEGATIVE_INFINITY;
        for (long start : starts) {
            line = Math.max(line, (double) start) + cost;
            assertThat(line - (double) start).as("ahead of the rate").isLessThanOrEqualTo(burst * cost + 1);
        }
    }
}
