/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimelineTest {

    @ParameterizedTest
    @ValueSource(ints = {8, 10, 23, 24, 40, 300})
    void phasesFollowOneAnotherAndFillTheRun(int seconds) {
        Timeline timeline = Timeline.incident(Duration.ofSeconds(seconds));
        long end = 0;
        for (Phase phase : timeline.phases()) {
            assertThat(phase.startNanos()).isEqualTo(end);
            assertThat(phase.nanos()).isPositive();
            end = phase.endNanos();
        }
        assertThat(end).isEqualTo(Duration.ofSeconds(seconds).toNanos());
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 40})
    void eachFaultOccursOnceAndTheRunEndsWell(int seconds) {
        Timeline timeline = Timeline.incident(Duration.ofSeconds(seconds));
        assertThat(timeline.faults())
                .extracting(Phase::condition)
                .containsExactly(Condition.SLOW, Condition.FAILING, Condition.PUSHBACK, Condition.GONE);
        assertThat(timeline.phases().get(0).ill()).isFalse();
        assertThat(timeline.phases().get(timeline.phases().size() - 1).ill()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 40})
    void eachOfThreeHangsIsFollowedByHealthOfTheSameLength(int seconds) {
        Timeline timeline = Timeline.hangs(Duration.ofSeconds(seconds));
        assertThat(timeline.endNanos()).isEqualTo(Duration.ofSeconds(seconds).toNanos());
        assertThat(timeline.faults()).hasSize(3).allSatisfy(hang -> {
            assertThat(hang.condition()).isEqualTo(Condition.HANGING);
            assertThat(timeline.after(hang).ill()).isFalse();
            assertThat(timeline.after(hang).nanos()).isCloseTo(hang.nanos(), within(1_000L));
        });
    }

    @Test
    void inALongRunHealthLastsLongEnoughToSeeEachRecovery() {
        Timeline timeline = Timeline.incident(Duration.ofSeconds(40));
        assertThat(timeline.faults()).map(timeline::after).allSatisfy(next -> {
            assertThat(next.ill()).isFalse();
            assertThat(next.nanos())
                    .isGreaterThanOrEqualTo(Duration.ofSeconds(4).toNanos());
        });
    }

    @Test
    void inAShortRunTheLastStretchIsLongEnough() {
        List<Phase> phases = Timeline.incident(Timeline.SHORTEST).phases();
        assertThat(phases.get(phases.size() - 1).nanos())
                .isEqualTo(Duration.ofSeconds(4).toNanos());
    }

    @Test
    void aPhaseHoldsItsStartAndNotItsEnd() {
        Timeline timeline = Timeline.incident(Duration.ofSeconds(40));
        Phase slow = timeline.faults().get(0);
        assertThat(timeline.at(slow.startNanos())).isEqualTo(slow);
        assertThat(timeline.at(slow.endNanos())).isEqualTo(timeline.after(slow)).isNotEqualTo(slow);
    }
}
