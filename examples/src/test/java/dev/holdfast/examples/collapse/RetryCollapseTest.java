/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetryCollapseTest {
    private static final int SEEDS = 20;

    /** The spike alone is not always enough: chance must not help. Where it is, there is no way back. */
    @Test
    void theNaiveClientCollapsesForMostSeedsAndThenStaysDown() {
        long down = LongStream.rangeClosed(1, SEEDS)
                .filter(seed -> {
                    Trial naive = RetryCollapse.run(RetryCollapse::naive, seed);
                    assertThat(naive.before()).as("seed %d: %s", seed, naive).isGreaterThan(0.99);
                    assertThat(naive.after())
                            .as("seed %d: %s", seed, naive)
                            .satisfiesAnyOf(
                                    after -> assertThat(after).isZero(),
                                    after -> assertThat(after).isGreaterThan(0.99));
                    return naive.after() == 0;
                })
                .count();
        assertThat(down).as("seeds of %d for which it stays down", SEEDS).isGreaterThanOrEqualTo(15);
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 10, 30, 100})
    void theStandardPipelineComesBackForAllSeeds(int processes) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Trial holdfast = RetryCollapse.run(world -> Fleet.standard(world, processes), seed);
            Recovered.check("seed " + seed + ", " + processes + " processes", holdfast);
        }
    }
}
