/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A dependency that gets slower, or ill, for reasons that have nothing to do with how many calls are in it. */
class SlowDependencyTest {
    private static final double PER_SECOND = 200;
    private static final int NO_BOUND = 1_000_000;

    static Stream<Arguments> steps() {
        return Stream.of(LimitAlgorithm.LOSSES, LimitAlgorithm.AIMD, LimitAlgorithm.VEGAS, LimitAlgorithm.GRADIENT2)
                .flatMap(algorithm -> Stream.of(1.0, 1.3, 2.0, 4.0)
                        .flatMap(factor -> Stream.of(
                                Arguments.of(algorithm, factor, false, 1L),
                                Arguments.of(algorithm, factor, true, 2L),
                                Arguments.of(algorithm, factor, true, 3L))));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void fromTheSecondMinuteOnNobodyIsTurnedAwayBecauseCallsTakeLonger(
            LimitAlgorithm algorithm, double factor, boolean exponential, long seed) {
        try (Run run = new Run(algorithm, exponential, seed, Duration.ofSeconds(1))) {
            run.turnedAway(60);
            run.service.slower(factor);
            run.turnedAway(60);

            assertThat(run.turnedAway(60)).as("in the second minute").isLessThanOrEqualTo(0.02);
        }
    }

    /** Not for a limit that heeds losses: it lets a queue stand whose calls end in time. */
    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"FIXED", "LOSSES"},
            mode = EnumSource.Mode.EXCLUDE)
    void aDependencyThatIsQuickAgainIsFollowedWhenItLosesCapacity(LimitAlgorithm algorithm) {
        // What a timeout is to AIMD, time is to the others.
        Duration timeout = algorithm == LimitAlgorithm.AIMD ? Duration.ofMillis(58) : Duration.ofSeconds(1);
        try (Run run = new Run(algorithm, false, 4, timeout)) {
            run.turnedAway(60);
            run.service.slower(algorithm == LimitAlgorithm.AIMD ? 1 : 4);
            run.turnedAway(60);
            run.service.slower(1);
            run.turnedAway(60);
            run.service.slots(5);
            run.turnedAway(60);

            assertThat(run.bulkhead.limit()).as("for 5 at once").isBetween(1, 9);
        }
    }

    @ParameterizedTest
    @EnumSource(value = LimitAlgorithm.class, names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
    void afterAHangTheLimitComesBack(LimitAlgorithm algorithm) {
        try (Run run = new Run(algorithm, true, 5, Duration.ofMillis(500))) {
            run.turnedAway(60);
            run.service.slower(1_000);
            run.turnedAway(20);
            assertThat(run.bulkhead.limit()).as("while it hangs").isLessThan(10);
            run.service.slower(1);
            run.turnedAway(20);

            assertThat(run.turnedAway(30)).as("in a healthy time").isLessThanOrEqualTo(0.02);
        }
    }

    private static final class Run implements AutoCloseable {
        private final VirtualTime time;
        private final Arrivals arrivals;
        private final ModelledService service;
        private final BulkheadPolicy bulkhead;
        private final Pipeline pipeline;
        private int turnedAway;

        Run(LimitAlgorithm algorithm, boolean exponential, long seed, Duration timeout) {
            time = VirtualTime.seeded(seed);
            arrivals = new Arrivals(time, seed);
            service = new ModelledService(time, seed, NO_BOUND, exponential);
            bulkhead = BulkheadPolicy.of(b -> b.limit(algorithm)
                    .maxConcurrentCalls(200)
                    .maxWaitingCalls(0)
                    .maxWait(Duration.ZERO));
            pipeline = Pipeline.builder("inventory")
                    .policies(bulkhead, TimeoutPolicy.of(timeout))
                    .time(time)
                    .build();
        }

        /** The share of calls that are turned away in so many seconds; they come at random. */
        double turnedAway(int seconds) {
            turnedAway = 0;
            int calls = arrivals.come(PER_SECOND, seconds, () -> {
                var unused = pipeline.callAsync(service::request)
                        .whenComplete((value, error) -> turnedAway += error instanceof CallRejectedException ? 1 : 0);
            });
            return (double) turnedAway / calls;
        }

        @Override
        public void close() {
            time.close();
        }
    }
}
