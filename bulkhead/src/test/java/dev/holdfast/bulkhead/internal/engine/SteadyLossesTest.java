/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SteadyLossesTest {
    private final SteadyLosses steady = new SteadyLosses();

    @Test
    void knowsWhatWasBeforeTheFirstCutUntilTheEnd() {
        assertThat(steady.isOn()).isFalse();

        steady.begin(40, 80, 0.1);
        steady.begin(10, 20, 0.3);
        assertThat(steady.isOn()).isTrue();
        assertThat(steady.limit()).isEqualTo(40);
        assertThat(steady.doubling()).isEqualTo(80);
        assertThat(steady.usual()).isEqualTo(0.1);

        steady.end();
        assertThat(steady.isOn()).isFalse();
        steady.begin(10, 20, 0);
        assertThat(steady.limit()).isEqualTo(10);
    }

    @Test
    void halfIsReduced() {
        steady.begin(40, 80, 0);

        assertThat(steady.isReduced(20)).isTrue();
        assertThat(steady.isReduced(20.1)).isFalse();
    }

    @Test
    void aShareThatStaysInTwoSamplesOfTenIsFound() {
        steady.begin(40, 80, 0);

        assertThat(steady.isFound(4, 5)).isFalse();
        assertThat(steady.isFound(1, 0)).as("the first sample").isFalse();
        assertThat(steady.isFound(3, 2)).isFalse();
        assertThat(steady.isFound(4, 1)).isTrue();
        assertThat(steady.share()).isCloseTo(0.4, within(1e-9));
    }

    @Test
    void neitherAnOutageNorItsEndIsSuchAShare() {
        steady.begin(40, 80, 0);
        for (int[] servedAndLost : new int[][] {{0, 10}, {6, 4}, {10, 0}, {9, 1}, {7, 3}, {3, 7}, {7, 3}}) {
            assertThat(steady.isFound(servedAndLost[0], servedAndLost[1])).isFalse();
        }
        assertThat(steady.isFound(7, 3)).isTrue();
    }

    @Test
    void atMostAboutHalfOfBothSamplesIsLost() {
        steady.begin(40, 80, 0);
        assertThat(steady.isFound(4, 6)).isFalse();
        assertThat(steady.isFound(4, 6)).isFalse();
        assertThat(steady.isFound(5, 5)).isTrue();
    }

    @Test
    void aNewCutCountsAnew() {
        steady.begin(40, 80, 0);
        assertThat(steady.isFound(6, 4)).isFalse();
        assertThat(steady.isFound(3, 3)).isFalse();
        steady.end();
        steady.begin(40, 80, 0);

        assertThat(steady.isFound(6, 4)).isFalse();
        assertThat(steady.isFound(6, 4)).isTrue();
    }
}
