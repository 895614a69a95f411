/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StrikesTest {

    @ParameterizedTest
    @EnumSource
    void everyCallIsGivenUpAndNoneBeforeItsTime(Strikes.Way way) throws Exception {
        try (Load load = new Load(2)) {
            Lateness late = Strikes.measure(way, 20, 10);

            assertThat(load.threads()).isEqualTo(2);
            assertThat(late.calls()).isEqualTo(20);
            assertThat(late.quantile(0)).isNotNegative();
        }
    }

    @Test
    void rowHasTheDistributionInMilliseconds() {
        Lateness late = new Lateness(List.of(7_000_000L, 1_000_000L, 2_000_000L, 5_000_000L));

        assertThat(late.row("timeout", 8)).isEqualTo("| timeout | 8 | 4 | 1.00 | 2.00 | 7.00 | 7.00 | 7.00 | 1 |");
    }
}
