/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PeriodTest {
    private final Period period = new Period();

    @Test
    void beginsWithItsFirstAttemptAsFarAsThatIsNotOfThePeriodBefore() {
        period.ended(1_000, 100, 1);
        period.ended(1_050, 500, 1);
        assertThat(period.age(1_050)).isEqualTo(150);

        period.end(1_060);
        period.ended(1_090, 200, 1);

        assertThat(period.age(1_100)).isEqualTo(40);
    }

    @Test
    void countsWhatEndedAndHow() {
        period.ended(10, 1, 3);
        period.countInTime();
        period.countInTime();
        period.countLate();
        period.countLost(4, false);
        period.ended(11, 1, 9);
        period.ended(12, 1, 5);
        period.time(10);
        period.time(40);

        assertThat(period.inTime()).isEqualTo(2);
        assertThat(period.served()).isEqualTo(3);
        assertThat(period.lost()).isEqualTo(4);
        assertThat(period.bad()).isEqualTo(5);
        assertThat(period.all()).isEqualTo(7);
        assertThat(period.mostInFlight()).isEqualTo(9);
        assertThat(period.timed()).isEqualTo(2);
        assertThat(period.meanNanos()).isEqualTo(25);
    }

    @Test
    void nothingIsLeftOfTheOneBefore() {
        countsWhatEndedAndHow();

        period.end(20);

        assertThat(period.all()).isZero();
        assertThat(period.mostInFlight()).isZero();
        assertThat(period.timed()).isZero();
        period.time(6);
        assertThat(period.meanNanos()).isEqualTo(6);
    }

    @Test
    void isRefusedIfMostOfTheLostOnesAre() {
        assertThat(period.isRefused()).isFalse();
        period.countLost(1, true);
        assertThat(period.isRefused()).isTrue();
        period.countLost(1, false);
        assertThat(period.isRefused()).isFalse();
        period.countLost(1, true);
        assertThat(period.isRefused()).isTrue();
        period.end(10);
        assertThat(period.isRefused()).isFalse();
    }
}
