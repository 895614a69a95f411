/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.shared;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.examples.shared.Judge.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JudgeTest {
    private static final long MILLI = 1_000;

    /** A burst of 20, and then 200 a second for two seconds. */
    private static List<Long> asAllowed() {
        List<Long> starts = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            starts.add(0L);
        }
        for (int i = 1; i <= 400; i++) {
            starts.add(i * 5L * MILLI);
        }
        return starts;
    }

    private static Verdict judge(List<Long> starts) {
        return Judge.judge(0, starts, Judge.settings("k"), Duration.ZERO);
    }

    @Test
    void onABusyMachineAPermitMayBeOnItsWayUntilTheStoreIsAway() {
        List<Long> starts = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            starts.add(1_000_000L);
        }

        assertThat(judge(starts).holds()).isFalse();
        assertThat(Judge.judge(0, starts, Judge.settings("k"), Duration.ofMillis(250))
                        .mostAbove())
                .isEqualTo(80);
        assertThat(Judge.judge(0, starts, Judge.settings("k"), Duration.ofMillis(250))
                        .holds())
                .isTrue();
    }

    @Test
    void whatTheLimitAllowsIsAllOfIt() {
        Verdict verdict = judge(asAllowed());

        assertThat(verdict.started()).isEqualTo(420);
        assertThat(verdict.share()).isEqualTo(1);
        assertThat(verdict.above()).isEqualTo(20);
        assertThat(verdict.holds()).isTrue();
    }

    @Test
    void oneCallMoreIsFound() {
        List<Long> starts = asAllowed();
        starts.add(1_000 * MILLI);

        Verdict verdict = judge(starts);

        assertThat(verdict.share()).isGreaterThan(1);
        assertThat(verdict.above()).isEqualTo(21);
        assertThat(verdict.holds()).isFalse();
    }

    @Test
    void aBurstInTheMiddleIsFoundAlsoIfTheSumIsSmall() {
        List<Long> starts = asAllowed();
        for (int i = 0; i < 31; i++) {
            starts.add(10_000 * MILLI);
        }
        starts.add(20_000 * MILLI);

        Verdict verdict = judge(starts);

        assertThat(verdict.above()).isEqualTo(31);
        assertThat(verdict.share()).isLessThan(1);
        assertThat(verdict.holds()).isFalse();
    }

    @Test
    void aBatchForEachProcessBesideTheBurstIsAllowed() {
        List<Long> starts = asAllowed();
        for (int i = 0; i < 30; i++) {
            starts.add(10_000 * MILLI);
        }
        starts.add(20_000 * MILLI);

        assertThat(judge(starts).holds()).isTrue();
    }
}
