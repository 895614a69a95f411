/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FaultPolicyTest {

    private static List<String> thousandCalls(FaultPolicy faults) {
        List<String> ends = new ArrayList<>();
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("ill").policies(faults).time(time).build()) {
            for (int i = 0; i < 1_000; i++) {
                long start = time.nanos();
                try {
                    pipeline.<String, Exception>call(() -> "well");
                    ends.add(time.nanos() == start ? "well" : "late");
                } catch (CallRejectedException rejected) {
                    ends.add("rejected");
                } catch (FaultPolicy.InjectedFault injected) {
                    ends.add(String.valueOf(injected.getMessage()));
                } catch (Exception other) {
                    ends.add("other");
                }
            }
        }
        return ends;
    }

    private static FaultPolicy some(long seed) {
        return FaultPolicy.of(
                f -> f.seed(seed).errors(0.1).rejections(0.1).delays(0.2).throwing(0.05));
    }

    @Test
    void sameSeedInjectsTheSameFaults() {
        assertThat(thousandCalls(some(7))).isEqualTo(thousandCalls(some(7)));
        assertThat(thousandCalls(some(7))).isNotEqualTo(thousandCalls(some(8)));
    }

    @Test
    void faultsComeAboutAsOftenAsAsked() {
        FaultPolicy faults = some(42);
        List<String> ends = thousandCalls(faults);
        assertThat(ends).filteredOn("injected: error"::equals).hasSizeBetween(60, 140);
        assertThat(ends).filteredOn("rejected"::equals).hasSizeBetween(60, 140);
        assertThat(ends).filteredOn("late"::equals).hasSizeBetween(140, 260);
        assertThat(ends).filteredOn("injected: enter"::equals).hasSizeBetween(25, 80);
        assertThat(ends).filteredOn("injected: settle"::equals).hasSizeBetween(20, 80);
        assertThat(faults.injected()).isBetween(400L, 600L);
    }

    @Test
    void withoutSharesThereIsNoFault() {
        FaultPolicy none = FaultPolicy.of(f -> f.seed(1));
        assertThat(thousandCalls(none)).containsOnly("well");
        assertThat(none.injected()).isZero();
    }

    @Test
    void delaysAreNotLongerThanAsked() {
        Duration longest = Duration.ofMillis(3);
        FaultPolicy slow = FaultPolicy.of(f -> f.delays(1).longestDelay(longest));
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("slow").policies(slow).time(time).build()) {
            for (int i = 0; i < 200; i++) {
                long start = time.nanos();
                pipeline.<String, RuntimeException>call(() -> "late");
                assertThat(time.nanos() - start).isBetween(1L, longest.toNanos());
            }
        }
    }

    @Test
    void sharesOutOfRangeAreRefusedAllAtOnce() {
        assertThatThrownBy(() -> FaultPolicy.of(f -> f.errors(-0.1).longestDelay(Duration.ZERO)))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("errors is -0.1 but must be 0 to 1")
                .hasMessageContaining("longestDelay");
        assertThatThrownBy(() -> FaultPolicy.of(f -> f.errors(0.6).rejections(0.6)))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("0 to 1");
    }
}
