/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** As many layers as there may be, and two of a kind. */
class ManyLayersTest {

    private static final class Metered extends Policy {
        private final int value;

        Metered(int value) {
            super("metered", 0);
            this.value = value;
        }

        @Override
        public void meters(Meters meters) {
            meters.gauge("metered.value", "A value", () -> value);
            meters.counter("metered.total", "A total", "kind", "a", () -> value);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void retryInTheLastOfSixtyFourLayersLeavesTheOthersTheirMemory(Way way) {
        try (Lab lab = new Lab()) {
            List<Policy> layers = new ArrayList<>();
            for (int i = 0; i < 63; i++) {
                int number = i + 1;
                // Sixteen may watch.
                boolean watches = number > 47;
                layers.add(lab.probe("layer " + number, watches ? Policy.OVERDUE : 0)
                        .entering(passage -> {
                            passage.slot(number);
                            if (watches) {
                                passage.beside().overdueAfter(millis(1).toNanos());
                            }
                            return Decision.GO_ON;
                        })
                        .settling(passage -> {
                            assertThat(passage.slot()).isEqualTo(number);
                            return Decision.GO_ON;
                        }));
            }
            layers.add(RetryPolicy.of(
                    r -> r.maxAttempts(3).initialBackoff(millis(1)).jitter(Jitter.NONE)));
            lab.layers(layers.toArray(new Policy[0]));
            Lab.End end = lab.run(
                            way,
                            Step.error(new IOException("1")),
                            Step.error(new IOException("2")),
                            Step.value("third"))
                    .end();
            assertThat(end.what()).isEqualTo("third from LIVE");
            lab.assertLivesOver();
        }
    }

    @Test
    void snapshotShowsBothPoliciesOfAKind() {
        try (Pipeline pipeline = Pipeline.of("p", new Metered(1), new Metered(2), new Metered(3))) {
            assertThat(pipeline.snapshot().numbers())
                    .containsEntry("metered.value", 1.0)
                    .containsEntry("metered.value.2", 2.0)
                    .containsEntry("metered.value.3", 3.0)
                    .containsEntry("metered.total{kind=a}", 1L)
                    .containsEntry("metered.total.2{kind=a}", 2L);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\t"})
    void pipelineWithoutANameIsRefused(String name) {
        assertThatThrownBy(() -> Pipeline.of(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("name");
    }
}
