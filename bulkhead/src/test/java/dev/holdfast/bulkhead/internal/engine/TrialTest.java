/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TrialTest {
    private final Trial trial = new Trial();

    @Test
    void isOnFromTheFirstCutToTheEnd() {
        assertThat(trial.isOn()).isFalse();

        trial.begin(40, 80, 0.4, 100);
        assertThat(trial.isOn()).isTrue();
        assertThat(trial.limit()).isEqualTo(40);
        assertThat(trial.doubling()).isEqualTo(80);

        trial.end();
        assertThat(trial.isOn()).isFalse();
        assertThat(trial.limit()).isZero();
    }

    @Test
    void aQuarterIsSmall() {
        trial.begin(40, 80, 0.4, 100);

        assertThat(trial.isSmall(10, 1)).isTrue();
        assertThat(trial.isSmall(10.1, 1)).isFalse();
    }

    @Test
    void soIsTheSmallestLimitThatThereMayBeAndThenMoreAttemptsAreNeeded() {
        trial.begin(3, 3, 0.4, 100);

        assertThat(trial.isSmall(1, 1)).isTrue();
        assertThat(trial.isSmall(1.1, 1)).isFalse();
        assertThat(trial.isEnough(39, 1)).isFalse();
        assertThat(trial.isEnough(1, 1)).isTrue();
    }

    @Test
    void tenAttemptsAreEnoughAndEachTrialCountsItsOwn() {
        trial.begin(40, 80, 0.4, 100);
        assertThat(trial.isEnough(4, 10)).isFalse();
        assertThat(trial.isEnough(5, 10)).isFalse();
        assertThat(trial.isEnough(1, 10)).isTrue();

        trial.begin(40, 80, 0.4, 100);

        assertThat(trial.isEnough(9, 10)).isFalse();
    }

    @Test
    void betterIsAQuarterFewerOrAQuarterFaster() {
        trial.begin(40, 80, 0.4, 100);

        assertThat(trial.isNoBetter(0.31, 76)).isTrue();
        assertThat(trial.isNoBetter(0.3, 76)).isFalse();
        assertThat(trial.isNoBetter(0.31, 75)).isFalse();
    }
}
