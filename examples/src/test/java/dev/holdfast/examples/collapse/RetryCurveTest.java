/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class RetryCurveTest {
    private static final List<Long> SEEDS = List.of(1L, 2L, 3L);
    /** Of the standard pipeline, by seed: a run takes seconds. */
    private static final Map<Long, List<RetryCurve.Point>> STANDARD = new HashMap<>();

    @BeforeAll
    static void run() {
        SEEDS.forEach(seed -> STANDARD.put(seed, RetryCurve.run(RetryCurve::holdfast, seed)));
    }

    @Test
    void threeRetriesMakeFourTimesTheLoadWhenEverythingFails() {
        for (long seed : SEEDS) {
            assertThat(RetryCurve.run(RetryCurve::threeRetries, seed))
                    .as("seed %d", seed)
                    .anySatisfy(point -> {
                        assertThat(point.failureRate()).isEqualTo(1);
                        assertThat(point.load()).isEqualTo(4);
                    })
                    .anySatisfy(point -> {
                        assertThat(point.failureRate()).isEqualTo(0.5);
                        assertThat(point.load()).isCloseTo(1.875, within(0.03));
                    });
        }
    }

    @Test
    void theStandardPipelineNeverAddsMoreThanAFifthOfTheLoad() {
        STANDARD.forEach((seed, points) -> assertThat(points)
                .as("seed %d", seed)
                .allSatisfy(point -> assertThat(point.load()).isLessThanOrEqualTo(1.2)));
    }

    @Test
    void theStandardPipelineHidesRareFailuresAsThreeRetriesDo() {
        STANDARD.forEach((seed, holdfast) -> {
            List<RetryCurve.Point> none = RetryCurve.run(RetryCurve::none, seed);
            for (int i = 0; i < none.size() - 1; i++) {
                RetryCurve.Point point = holdfast.get(i);
                assertThat(point.success())
                        .as("seed %d: %s", seed, point)
                        .isGreaterThanOrEqualTo(none.get(i).success());
                if (point.failureRate() <= 0.05) {
                    assertThat(point.success()).as("seed %d: %s", seed, point).isGreaterThan(0.999);
                }
            }
        });
    }
}
