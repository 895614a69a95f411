/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class LossShareTest {
    private static final long MILLI = 1_000_000;

    private final LossShare losses = new LossShare();

    private void periodOf(int served, int lost) {
        losses.forget();
        losses.add(0, served, lost);
    }

    @Test
    void aFifthAndWhatChanceAddsIsUsual() {
        assertThat(losses.isUsual(24, 100)).as("20 + sqrt(20)").isTrue();
        assertThat(losses.isUsual(25, 100)).isFalse();
        assertThat(losses.isUsual(2, 5)).as("1 + sqrt(1)").isTrue();
        assertThat(losses.isUsual(3, 5)).isFalse();
    }

    @Test
    void theUsualShareIsAddedAndLearnedSlowly() {
        periodOf(60, 40);
        assertThat(losses.isUsual()).isFalse();

        for (int i = 0; i < 5; i++) {
            losses.learn();
        }
        assertThat(losses.isUsual()).as("20 + 11 + sqrt(31) = 36.6").isFalse();

        for (int i = 0; i < 5; i++) {
            losses.learn();
        }
        assertThat(losses.isUsual()).as("20 + 19 + sqrt(39) = 45.3").isTrue();
        assertThat(losses.isUsual(95, 0.8, 100)).as("80 + 19 + sqrt(99)").isTrue();
    }

    @Test
    void itCanBecomeTheUsualOneAtOnce() {
        periodOf(50, 50);

        losses.becomesUsual(losses.lost());

        assertThat(losses.isUsual(78, 100)).as("70 + sqrt(70)").isTrue();
        assertThat(losses.isUsual(79, 100)).isFalse();
    }

    @Test
    void moreThanHalfIsNeverLearned() {
        periodOf(49, 51);
        assertThat(losses.isMost()).isTrue();
        for (int i = 0; i < 100; i++) {
            losses.learn();
        }
        assertThat(losses.isUsual(25, 100)).isFalse();

        periodOf(50, 50);
        assertThat(losses.isMost()).isFalse();
        for (int i = 0; i < 100; i++) {
            losses.learn();
        }
        assertThat(losses.isUsual(25, 100)).isTrue();
    }

    @Test
    void whatEndedLongerAgoThanALostAttemptTakesCountsForHalf() {
        for (int i = 0; i < 60; i++) {
            losses.took(400 * MILLI);
        }
        losses.add(0, 0, 8);
        losses.add(400 * MILLI, 8, 0);

        assertThat(losses.lost()).isCloseTo(4 / 12.0, within(1e-6));

        losses.add(400 * MILLI, 0, 12);
        assertThat(losses.lost()).as("no time has passed").isCloseTo(16 / 24.0, within(1e-6));
    }

    @Test
    void theTimeOfALostAttemptFollowsByAQuarter() {
        losses.took(1_600 * MILLI);
        losses.add(0, 0, 8);
        losses.add(400 * MILLI, 8, 0);

        assertThat(losses.lost()).as("400 of 1,600 ms stay").isCloseTo(4 / 12.0, within(1e-6));
    }

    /** Where attempts are lost at once, the share would be one of the last few. */
    @Test
    void howeverSoonAttemptsAreLostThoseOfTheLastPeriodCount() {
        losses.took(MILLI);
        losses.add(0, 8, 0);
        losses.add(200 * MILLI, 0, 1);

        assertThat(losses.lost()).isCloseTo(1 / 5.0, within(1e-6));
    }

    @Test
    void whereManyAreLostAsARuleARowOfThemIsRareOnlyIfItIsLong() {
        assertThat(losses.rareRow()).isEqualTo(1);

        losses.becomesUsual(0.2);
        assertThat(losses.rareRow()).isEqualTo(1);

        losses.becomesUsual(0.4); // to the power of eight, less than one in a thousand
        assertThat(losses.rareRow()).isEqualTo(8);
    }

    @Test
    void theMoreIsLostAsARuleTheLessProofIsAskedForThatAnOutageIsOver() {
        assertThat(LossShare.partOfProof(losses.usual())).isEqualTo(1);

        losses.becomesUsual(0.05);
        assertThat(LossShare.partOfProof(losses.usual())).isCloseTo(0.75, within(1e-6));

        losses.becomesUsual(0.4);
        assertThat(LossShare.partOfProof(losses.usual())).isZero();
    }
}
