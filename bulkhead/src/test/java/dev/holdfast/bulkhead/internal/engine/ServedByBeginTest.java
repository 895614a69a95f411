/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ServedByBeginTest {
    private final ServedByBegin served = new ServedByBegin();

    @Test
    void withoutALimitNothingIsKept() {
        served.add(5, 1);
        served.attemptLimit(Long.MAX_VALUE);
        served.add(5, 1);

        assertThat(served.since(0)).isZero();
    }

    @Test
    void thoseOfALaterSlotCount() {
        served.attemptLimit(800); // a slot is 100
        served.add(1_000, 1);
        served.add(1_150, 2);
        served.add(1_250, 4);

        assertThat(served.since(900)).isEqualTo(7);
        assertThat(served.since(1_099)).isEqualTo(6);
        assertThat(served.since(1_100)).as("not those of the same slot").isEqualTo(4);
        assertThat(served.since(1_250)).isZero();
    }

    @Test
    void theyMayComeInAnyOrder() {
        served.attemptLimit(800);
        served.add(2_000, 1);
        served.add(1_000, 2);

        assertThat(served.since(900)).isEqualTo(3);
    }

    @Test
    void oldOnesAreForgotten() {
        served.attemptLimit(800);
        served.add(1_000, 1);
        served.add(2_600, 2);
        assertThat(served.since(0)).as("16 slots later").isEqualTo(2);
        served.add(1_000, 4);
        assertThat(served.since(0)).as("too late").isEqualTo(2);
        served.add(9_000, 8);
        assertThat(served.since(0)).isEqualTo(8);
    }

    @Test
    void aTimeMayBeNegative() {
        served.attemptLimit(800);
        served.add(-350, 1);
        served.add(-50, 2);
        served.add(20, 4);

        assertThat(served.since(-360)).isEqualTo(6);
        assertThat(served.since(-1_000)).isEqualTo(7);
    }

    @Test
    void anotherLimitBeginsAnew() {
        served.attemptLimit(800);
        served.add(1_000, 1);
        served.attemptLimit(1_600);

        assertThat(served.since(0)).isZero();
    }
}
