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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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

        assertThat(shareLetThrough(throttle, limit * load, seed, starts))
                .as("let through at %s of %d a second, seed %d", load, limit, seed)
                .isGreaterThanOrEqualTo(share);
        assertBound(starts, limit, throttle.settings().burst());
    }

    private static double shareLetThrough(ThrottlePolicy throttle, double perSecond, long seed) {
        return shareLetThrough(throttle, perSecond, seed, new ArrayList<>());
    }

    private static double shareLetThrough(ThrottlePolicy throttle, double perSecond, long seed, List<Long> starts) {
        try (VirtualTime time = VirtualTime.seeded(seed)) {
            Pipeline pipeline =
                    Pipeline.builder("inventory").policies(throttle).time(time).build();
            Random random = new Random(seed);
            for (int call = 0; call < CALLS; call++) {
                time.advance(Duration.ofNanos((long) (-Math.log(1 - random.nextDouble()) * 1e9 / perSecond)));
                try {
                    pipeline.call(() -> starts.add(time.nanos()));
                } catch (CallRejectedException expected) {
                    // counted by what is missing
                }
            }
        }
        return (double) starts.size() / CALLS;
    }

    /** Each of them has as few calls as there are for its part of the limit. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void calmLoadIsLetThroughAlsoByEachOfManyProcesses(long seed) {
        int limit = 200;
        int processes = 40;
        ThrottlePolicy throttle = ThrottlePolicy.of(t -> t.limit(limit).replicas(processes));
        double halfOfItsPart = 0.5 * limit / processes;

        double share = shareLetThrough(throttle, halfOfItsPart, seed);

        assertThat(share).isGreaterThanOrEqualTo(0.98);
        assertThat(throttle.settings().burst()).isEqualTo(processes * 5);
    }

    @Test
    void theBurstOfManyProcessesIsTheLimitAtMost() {
        assertThat(ThrottleSettings.of(t -> t.limit(10).replicas(40)).burst()).isEqualTo(10);
        assertThat(ThrottleSettings.of(t -> t.limit(10_000).replicas(40)).burst())
                .isEqualTo(1_000);
        assertThat(ThrottleSettings.of(t -> t.limit(1_000_000_000).replicas(10_000))
                        .burst())
                .isEqualTo(100_000_000);
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
