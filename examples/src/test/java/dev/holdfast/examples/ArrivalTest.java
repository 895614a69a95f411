/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class ArrivalTest {
    private static final Duration LENGTH = Duration.ofSeconds(100);

    @Test
    void theSameSeedGivesTheSameArrivals() {
        assertThat(Arrival.poisson(LENGTH, 100, 7)).isEqualTo(Arrival.poisson(LENGTH, 100, 7));
        assertThat(Arrival.poisson(LENGTH, 100, 7)).isNotEqualTo(Arrival.poisson(LENGTH, 100, 8));
    }

    @Test
    void theyComeInOrderAtTheGivenRate() {
        List<Arrival> arrivals = Arrival.poisson(LENGTH, 100, 7);
        assertThat(arrivals).hasSizeBetween(9_600, 10_400);
        assertThat(arrivals).extracting(Arrival::nanos).isSorted().allMatch(nanos -> nanos < LENGTH.toNanos());
    }

    @Test
    void someArticlesAreAskedForFarMoreOftenThanOthers() {
        List<Arrival> arrivals = Arrival.poisson(LENGTH, 100, 7);
        assertThat(asked(arrivals, "sku-0")).isCloseTo(10 * asked(arrivals, "sku-9"), Percentage.withPercentage(25));
    }

    private static long asked(List<Arrival> arrivals, String sku) {
        return arrivals.stream().filter(arrival -> arrival.sku().equals(sku)).count();
    }
}
