/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RecoveryTest {
    private static final Phase HEALTH =
            new Phase("recovered", Condition.HEALTHY, TimeUnit.SECONDS.toNanos(10), TimeUnit.SECONDS.toNanos(14));

    @Test
    void isTheTimeToTheFirstSecondWithNearlyOnlyLiveAnswers() {
        Scoreboard answers = answersThatAreLiveFrom(11_000);
        // A window may hold 5 % of the time before.
        assertThat(Recovery.nanos(answers, HEALTH)).contains(TimeUnit.MILLISECONDS.toNanos(950));
    }

    @Test
    void isNothingIfAllIsWellAtOnce() {
        assertThat(Recovery.nanos(answersThatAreLiveFrom(10_000), HEALTH)).contains(0L);
    }

    @Test
    void isUnknownIfTheNextFaultComesFirst() {
        assertThat(Recovery.nanos(answersThatAreLiveFrom(13_500), HEALTH)).isEmpty();
    }

    private static Scoreboard answersThatAreLiveFrom(long millis) {
        Scoreboard answers = new Scoreboard();
        for (long at = 10_000; at < 14_000; at += 10) {
            long nanos = TimeUnit.MILLISECONDS.toNanos(at);
            answers.add(nanos, nanos + 1, at >= millis ? Scoreboard.Kind.LIVE : Scoreboard.Kind.STALE);
        }
        return answers;
    }
}
