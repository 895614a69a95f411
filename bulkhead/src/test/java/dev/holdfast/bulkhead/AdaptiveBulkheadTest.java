/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The limit follows what the service can do: open-loop arrivals at 1.2 times of what its 40 slots can serve. */
class AdaptiveBulkheadTest {
    private static final int SLOTS = 40;
    private static final double SATURATED = 1.2 * SLOTS / 0.050;
    private static final double TRICKLE = 60;

    static Stream<Arguments> algorithmsAndSeeds() {
        return Stream.of(LimitAlgorithm.AIMD, LimitAlgorithm.VEGAS, LimitAlgorithm.GRADIENT2)
                .flatMap(algorithm -> LongStream.of(1, 2, 3).mapToObj(seed -> Arguments.of(algorithm, seed)));
    }

    @ParameterizedTest
    @MethodSource("algorithmsAndSeeds")
    void theLimitFollowsACapacityThatHalvesAndComesBackAndIsStillWhenIdle(LimitAlgorithm algorithm, long seed) {
        try (Run run = new Run(algorithm, seed)) {
            run.arrivals(SATURATED, 10);
            run.assertNear(SLOTS, 10);
            run.service.slots(SLOTS / 2);
            run.arrivals(SATURATED, 10);
            run.assertNear(SLOTS / 2, 50);
            run.service.slots(SLOTS);
            run.arrivals(SATURATED, 10);
            run.assertNear(SLOTS, 10);
            run.assertStillWhenIdle();
        }
    }

    private static final class Run implements AutoCloseable {
        private final String name;
        private final VirtualTime time;
        private final Arrivals arrivals;
        private final ModelledService service;
        private final BulkheadPolicy bulkhead;
        private final Pipeline pipeline;

        Run(LimitAlgorithm algorithm, long seed) {
            name = algorithm + ", seed " + seed;
            time = VirtualTime.seeded(seed);
            arrivals = new Arrivals(time, seed);
            service = new ModelledService(time, seed, SLOTS);
            bulkhead = BulkheadPolicy.of(b -> b.limit(algorithm)
                    .minConcurrentCalls(4)
                    .maxConcurrentCalls(200)
                    .maxWait(Duration.ZERO));
            // What a timeout is to AIMD, time is to the others: they are shown that they need none.
            Duration timeout = algorithm == LimitAlgorithm.AIMD ? Duration.ofMillis(58) : Duration.ofSeconds(1);
            pipeline = Pipeline.builder("inventory")
                    .policies(bulkhead, TimeoutPolicy.of(timeout))
                    .time(time)
                    .build();
        }

        /** Poisson arrivals for so many seconds. */
        void arrivals(double perSecond, int seconds) {
            arrivals.come(perSecond, seconds, () -> {
                var unused = pipeline.callAsync(service::request);
            });
        }

        void assertNear(int littlesLaw, int seconds) {
            for (int i = 0; i < seconds; i++) {
                arrivals(SATURATED, 1);
                assertThat((double) bulkhead.limit())
                        .as("%s: limit after %d s more", name, i)
                        .isBetween(0.8 * littlesLaw, 1.2 * littlesLaw);
            }
        }

        void assertStillWhenIdle() {
            time.advance(Duration.ofSeconds(1));
            int limit = bulkhead.limit();
            for (int i = 0; i < 20; i++) {
                arrivals(TRICKLE, 1);
                assertThat(bulkhead.limit()).as("%s: idle", name).isEqualTo(limit);
            }
            time.run();
            assertThat(bulkhead.inFlight()).as(name).isZero();
        }

        @Override
        public void close() {
            time.close();
        }
    }
}
