/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ScoreboardTest {
    private final Scoreboard scoreboard = new Scoreboard();

    @Test
    void staleAnswersCountAsRightAndNotAsLive() {
        scoreboard.add(0, 1, Scoreboard.Kind.LIVE);
        scoreboard.add(0, 1, Scoreboard.Kind.STALE);
        scoreboard.add(0, 1, Scoreboard.Kind.STALE);
        scoreboard.add(0, 1, Scoreboard.Kind.ERROR);
        Tally tally = scoreboard.sentBetween(0, 10);
        assertThat(tally.live()).isEqualTo(1);
        assertThat(tally.stale()).isEqualTo(2);
        assertThat(tally.right()).isEqualTo(3);
        assertThat(tally.errors()).isEqualTo(1);
        assertThat(tally.liveShare()).isEqualTo(0.25);
    }

    @Test
    void anAnswerBelongsToTheTimeWhenItWasAskedForAndToThatWhenItCame() {
        scoreboard.add(5, 15, Scoreboard.Kind.LIVE);
        assertThat(scoreboard.sentBetween(0, 10).live()).isEqualTo(1);
        assertThat(scoreboard.sentBetween(10, 20).live()).isZero();
        assertThat(scoreboard.answeredBetween(0, 10).live()).isZero();
        assertThat(scoreboard.answeredBetween(10, 20).live()).isEqualTo(1);
    }

    @Test
    void ninetyNineOfAHundredDidNotWaitLongerThanTheP99() {
        for (int millis = 1; millis <= 100; millis++) {
            scoreboard.add(0, TimeUnit.MILLISECONDS.toNanos(millis), Scoreboard.Kind.LIVE);
        }
        assertThat(scoreboard.sentBetween(0, 1).p99Millis()).isEqualTo(99);
    }

    @Test
    void nothingHasNoP99() {
        assertThat(scoreboard.sentBetween(0, 10).p99Millis()).isEqualTo(-1);
        assertThat(Style.millis(-1)).isEqualTo("-");
    }
}
