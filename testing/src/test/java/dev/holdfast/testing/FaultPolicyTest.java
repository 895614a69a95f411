/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
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
        return new FaultPolicy(seed, 0.05, 0.1, 0.1, 0.2);
    }

    @Test
    void sameSeedInjectsTheSameFaults() {
        assertThat(thousandCalls(some(7))).isEqualTo(thousandCalls(some(7)));
        assertThat(thousandCalls(some(7))).isNotEqualTo(thousandCalls(some(8)));
    }

    @Test
    void faultsComeAboutAsOftenAsAsked() {
        List<String> ends = thousandCalls(some(42));
        assertThat(ends).filteredOn("injected: error"::equals).hasSizeBetween(60, 140);
        assertThat(ends).filteredOn("rejected"::equals).hasSizeBetween(60, 140);
        assertThat(ends).filteredOn("late"::equals).hasSizeBetween(140, 260);
        assertThat(ends).filteredOn("injected: enter"::equals).hasSizeBetween(25, 80);
        assertThat(ends).filteredOn("injected: settle"::equals).hasSizeBetween(20, 80);
    }

    @Test
    void withoutSharesThereIsNoFault() {
        assertThat(thousandCalls(new FaultPolicy(1, 0, 0, 0, 0))).containsOnly("well");
    }

    @Test
    void delaysAreNotLongerThanTenMilliseconds() {
        Duration longest = Duration.ofMillis(10);
        FaultPolicy slow = new FaultPolicy(0, 0, 0, 0, 1);
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
}
