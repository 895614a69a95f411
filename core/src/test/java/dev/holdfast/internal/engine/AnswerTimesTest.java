/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How long answers used to take. */
class AnswerTimesTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;

    private final AnswerTimes times = new AnswerTimes();
    /** Negative, as a clock's nanoseconds may be. */
    private long now = -100 * SECOND;

    private void answered(int often, double tookMillis) {
        for (int i = 0; i < often; i++) {
            now += 2 * MILLI;
            times.answered((long) (tookMillis * MILLI), now);
        }
    }

    private boolean outlived(double millis) {
        return times.areOutlivedBy((long) (millis * MILLI), now, SECOND);
    }

    /** Of attempts that run, one after the other, and get no answer. */
    private int outlivedOf(int attempts, double millis) {
        int outlived = 0;
        for (int i = 0; i < attempts; i++) {
            now += (long) (millis * MILLI) + MILLI;
            if (outlived(millis)) {
                outlived++;
            }
        }
        return outlived;
    }

    @Test
    void whatIsLongIsToldFromOutsideWhileNoAnswerIsKnown() {
        assertThat(outlived(1_000)).isTrue();
        assertThat(outlived(999)).isFalse();
    }

    @Test
    void answerThatTookNoTimeIsKnownToo() {
        answered(1, 0);
        assertThat(outlived(1)).isTrue();
        assertThat(outlived(0)).isFalse();
    }

    @Test
    void attemptIsLongByAQuarterAndAtMostByTwoFifths() {
        for (double took = 0.01; took < 1_000_000; took *= 1.7) {
            AnswerTimesTest other = new AnswerTimesTest();
            other.answered(50, took);
            assertThat(other.outlived(took * 1.25)).as("%s ms", took).isFalse();
            assertThat(other.outlived(took * 1.41 + 0.002)).as("%s ms", took).isTrue();
        }
    }

    @Test
    void twoAnswersBothCount() {
        answered(1, 700);
        answered(1, 5);
        assertThat(outlived(400)).isFalse();
    }

    @Test
    void oneOutlierOfThreeIsLeftOutAlready() {
        answered(1, 700);
        answered(2, 5);
        assertThat(outlived(400)).isTrue();
    }

    @Test
    void oneSlowAnswerChangesNothing() {
        answered(50, 5);
        answered(1, 700);
        assertThat(outlived(8)).isTrue();
    }

    @Test
    void oneSlowAnswerInThirtyChangesNothingForHours() {
        for (int i = 0; i < 1_000; i++) {
            answered(29, 5);
            answered(1, 700);
            now += 60 * SECOND;
            assertThat(outlived(8)).isTrue();
        }
    }

    @Test
    void slowerAnswersAreFollowedAfterFew() {
        answered(10_000, 5);
        answered(20, 100);
        assertThat(outlived(90)).isFalse();
    }

    @Test
    void quickerAnswersAreFollowedAfterSomeHundred() {
        answered(10_000, 100);
        answered(700, 5);
        assertThat(outlived(40)).isTrue();
    }

    @Test
    void answersThatSpreadOverEverythingAreNotForgottenAltogether() {
        for (double took = 0.0001; took < 4_000_000; took *= 1.094) {
            answered(1, took);
        }
        answered(8, 1);
        assertThat(outlived(0.5)).isFalse();
    }

    @Test
    void limitWithinTheUsualTimesIsNotOutlivedHoweverOftenItStrikes() {
        Random random = new Random(1);
        answered(20, 40);
        for (int i = 0; i < 10_000; i++) {
            double took = 20 + 40 * random.nextDouble();
            now += 60 * MILLI;
            if (took < 50) {
                times.answered((long) (took * MILLI), now);
            } else {
                assertThat(outlived(50)).as("attempt %d", i).isFalse();
            }
        }
    }

    @Test
    void limitBelowTheUsualTimesIsNeverOutlived() {
        answered(50, 50);
        assertThat(outlivedOf(1_000, 49)).isZero();
        now += 3_600 * SECOND;
        assertThat(outlivedOf(1_000, 49)).isZero();
    }

    @Test
    void hangThatIsNotLongAfterManySlowAnswersIsSeenAfterTwentyAttempts() {
        answered(50, 5);
        answered(20, 350);
        assertThat(outlivedOf(20, 400)).isZero();
        assertThat(outlivedOf(100, 400)).isEqualTo(100);
    }

    @Test
    void answerEndsTheHang() {
        answered(50, 5);
        answered(20, 350);
        assertThat(outlivedOf(21, 400)).isOne();
        answered(1, 350);
        assertThat(outlivedOf(20, 400)).isZero();
        assertThat(outlivedOf(1, 400)).isOne();
    }

    @Test
    void attemptsThatBeganBeforeTheLastAnswerAreNoHang() {
        answered(50, 5);
        answered(20, 350);
        now += 400 * MILLI;
        for (int i = 0; i < 100; i++) {
            assertThat(outlived(400)).isFalse();
        }
    }

    @Test
    void hangIsSeenHoweverLongItLasts() {
        answered(50, 5);
        answered(1, 700);
        now += 86_400 * SECOND;
        assertThat(outlived(400)).isTrue();
    }

    @Test
    void policyHasTheSameInAllItsPipelines() {
        Policy policy = new Policy("a", 0) {};
        assertThat(AnswerTimes.of(policy))
                .isSameAs(AnswerTimes.of(policy))
                .isNotSameAs(AnswerTimes.of(new Policy("a", 0) {}));
    }
}
