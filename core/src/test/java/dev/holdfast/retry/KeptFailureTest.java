/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Step;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is known of an attempt's end is known of it also after a second try that was rejected. */
class KeptFailureTest {
    private final List<Boolean> failedHere = new ArrayList<>();

    private final class Outside extends Policy {
        Outside() {
            super("outside", FAILURE);
        }

        @Override
        public int settle(Passage passage) {
            assertThat(passage.outcome()).isEqualTo(Outcome.IGNORED);
            failedHere.add(passage.failedHere());
            return KEEP;
        }

        @Override
        public Map<String, Object> settingsMap() {
            return Map.of();
        }
    }

    /** Retries what no retry of the library would. */
    private static final class Stubborn extends Policy {
        Stubborn() {
            super("stubborn", ENTER | FAILURE);
        }

        @Override
        public int enter(Passage passage) {
            return PROCEED;
        }

        @Override
        public int settle(Passage passage) {
            return passage.outcome() == Outcome.IGNORED ? passage.retry(0) : KEEP;
        }

        @Override
        public Map<String, Object> settingsMap() {
            return Map.of();
        }
    }

    private static final class Once extends Policy {
        private final AtomicInteger entered = new AtomicInteger();

        Once() {
            super("once", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return entered.getAndIncrement() == 0 ? PROCEED : passage.reject(Reason.OTHER, -1, () -> "full", null);
        }

        @Override
        public Map<String, Object> settingsMap() {
            return Map.of();
        }
    }

    @ParameterizedTest
    @EnumSource
    void errorOfAClassifierIsNoneOfTheDependency(Way way) {
        IllegalStateException broken = new IllegalStateException("broken classifier");
        try (Lab lab = new Lab()
                .building(b -> b.classifier((value, error) -> {
                    throw broken;
                }))
                .layers(new Outside(), new Stubborn(), new Once())) {
            assertThat(lab.run(way, Step.value("answer")).error()).isSameAs(broken);
            assertThat(failedHere).containsExactly(true);
        }
    }
}
