/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Step;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An attempt that has lost waits for nothing more. */
class LostHedgeTest {
    private final List<String> told = new ArrayList<>();

    /** Wants to wait on the way up, whatever the end is. */
    private final class Waiting extends Policy {
        Waiting() {
            super("waiting", ENTER | SUCCESS | FAILURE);
        }

        @Override
        public int enter(Passage passage) {
            return PROCEED;
        }

        @Override
        public int settle(Passage passage) {
            told.add(passage.outcome() + (passage.expired() ? " again" : ""));
            return passage.outcome() == Outcome.CANCELLED && !passage.expired()
                    ? passage.await(new Completion(), Duration.ofMinutes(1).toNanos())
                    : KEEP;
        }

        @Override
        public void abandon(Passage passage) {
            told.add("abandoned");
        }

        @Override
        public Map<String, Object> settingsMap() {
            return Map.of();
        }
    }

    @ParameterizedTest
    @EnumSource
    void policyOfItsOwnCannotMakeItWait(Way way) {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(Duration.ofMillis(10)).budgetEnabled(false));
        try (Lab lab = new Lab().layers(hedge, new Waiting())) {
            Lab.Running call = lab.run(way, Step.value("answer").after(15));
            assertThat(call.value()).isEqualTo("answer");
            assertThat(call.script.started()).isEqualTo(2);
            assertThat(told).containsExactlyInAnyOrder("SUCCESS", "CANCELLED", "abandoned");
        }
    }
}
