/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class UsualTimeTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;

    private final UsualTime usual = new UsualTime();

    /** Sixteen attempts of 50 ms and enough time: it is known what is usual. */
    private void learned(long attemptLimit) {
        usual.attemptLimit(attemptLimit);
        usual.learn(0, 50 * MILLI, 15);
        usual.learn(10 * SECOND, 50 * MILLI, 1);
    }

    @Test
    void nothingIsLateBeforeTheMeanIsKnown() {
        usual.attemptLimit(SECOND);
        usual.learn(5, 50 * MILLI, 16);
        assertThat(usual.isLate(SECOND)).isFalse();

        usual.learn(5 + 2 * SECOND - 1, 50 * MILLI, 1);
        assertThat(usual.isLate(SECOND)).isFalse();

        usual.learn(5 + 2 * SECOND, 50 * MILLI, 1);
        assertThat(usual.isLate(SECOND)).isTrue();
    }

    @Test
    void learnsForTenSecondsAtMostHoweverLongAnAttemptMayTake() {
        usual.attemptLimit(60 * SECOND);
        usual.learn(0, 50 * MILLI, 16);
        usual.learn(10 * SECOND - 1, 50 * MILLI, 1);
        assertThat(usual.isLate(60 * SECOND)).isFalse();

        usual.learn(10 * SECOND, 50 * MILLI, 1);

        assertThat(usual.isLate(60 * SECOND)).isTrue();
    }

    @Test
    void learnsFromSixteenAttemptsAtLeast() {
        usual.attemptLimit(SECOND);
        usual.learn(0, 50 * MILLI, 14);
        usual.learn(10 * SECOND, 50 * MILLI, 1);
        assertThat(usual.isLate(SECOND)).isFalse();

        usual.learn(10 * SECOND, 50 * MILLI, 1);

        assertThat(usual.isLate(SECOND)).isTrue();
    }

    @Test
    void whileItLearnsAllAttemptsCountAlike() {
        usual.attemptLimit(SECOND);
        usual.learn(1, 10 * MILLI, 1);
        usual.learn(2, 40 * MILLI, 2);

        assertThat(usual.nanos()).isEqualTo(30 * MILLI);
    }

    @Test
    void lateIsAQuarterOfItsTimeOrTwiceTheMean() {
        learned(SECOND);
        assertThat(usual.isLate(250 * MILLI - 1)).isFalse();
        assertThat(usual.isLate(250 * MILLI)).isTrue();

        usual.becomes(10 * SECOND, 200 * MILLI);

        assertThat(usual.isLate(400 * MILLI - 1)).isFalse();
        assertThat(usual.isLate(400 * MILLI)).isTrue();
        assertThat(usual.isLong(400 * MILLI - 1)).isFalse();
        assertThat(usual.isLong(400 * MILLI)).isTrue();
    }

    @Test
    void nothingIsLateWithoutALimitOfTheAttempt() {
        learned(Long.MAX_VALUE);

        assertThat(usual.isLate(3_600 * SECOND)).isFalse();
        assertThat(usual.isLong(3_600 * SECOND)).isFalse();
    }

    @Test
    void followsWithinAMinuteAndByAnEighthAtMost() {
        learned(SECOND);

        usual.learn(10 * SECOND + 600 * MILLI, 150 * MILLI, 1);
        assertThat(usual.nanos()).isEqualTo(51 * MILLI);

        usual.learn(100 * SECOND, 131 * MILLI, 1);
        assertThat(usual.nanos()).isEqualTo(61 * MILLI);

        usual.learn(200 * SECOND, 53 * MILLI, 1);
        assertThat(usual.nanos()).isEqualTo(60 * MILLI);
    }

    @Test
    void oneOfSixteenIsSampledOnceItHasLearned() {
        assertThat(usual.isSampled(7)).isTrue();
        assertThat(usual.isSampled(0)).as("not measured").isFalse();
        assertThat(usual.each()).isOne();

        learned(SECOND);

        assertThat(LongStream.range(16, 16 + 16 * 1_600).filter(usual::isSampled))
                .hasSize(1_600);
        assertThat(usual.each()).isEqualTo(16);
    }
}
