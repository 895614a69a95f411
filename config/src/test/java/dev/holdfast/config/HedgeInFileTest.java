/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.hedge.HedgeSettings;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.retry.RetryPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hedge as a file says it. */
// Once in a JVM: another test may have been the first.
class HedgeInFileTest {
    @TempDir
    Path directory;

    private final RetryBudget shared = RetryBudget.of(b -> b.maxTokens(50));

    private Pipeline load(String hedge) throws IOException {
        Path file = Files.writeString(
                directory.resolve("holdfast.yaml"),
                "pipelines:\n  inventory:\n    timeout: 250ms\n    hedge: " + hedge + "\n    retry:\n");
        try (Holdfast holdfast = Holdfast.builder().bind("ours", shared).load(file)) {
            return holdfast.pipeline("inventory");
        }
    }

    private HedgePolicy hedge(String hedge) throws IOException {
        return (HedgePolicy) load(hedge).policies().get(1);
    }

    @Test
    void itsPlaceIsInsideTheRetryAndOutsideTheRest() throws Exception {
        Pipeline pipeline = load("");
        assertThat(pipeline).hasToString("inventory: retry > hedge > timeout > call");
        assertThat(pipeline.warnings()).isEmpty();
    }

    @Test
    void itsOptionsReachTheSettings() throws Exception {
        HedgeSettings settings = hedge("{ delay: 5ms, percentile: 90, window: 7s, minimum-calls: 8, initial-delay: 9ms,"
                        + " max-hedges: 2 }")
                .settings();
        assertThat(settings.delay()).contains(Duration.ofMillis(5));
        assertThat(settings.percentile()).isEqualTo(90);
        assertThat(settings.window()).isEqualTo(Duration.ofSeconds(7));
        assertThat(settings.minimumCalls()).isEqualTo(8);
        assertThat(settings.initialDelay()).isEqualTo(Duration.ofMillis(9));
        assertThat(settings.maxHedges()).isEqualTo(2);
        assertThat(hedge("50ms").settings().delay()).contains(Duration.ofMillis(50));
        assertThat(hedge("").settings().delay()).isEmpty();
    }

    @Test
    void itsBudgetIsTheRetrysUnlessTheFileSaysOtherwise() throws Exception {
        Pipeline pipeline = load("");
        RetryPolicy retry = (RetryPolicy) pipeline.policies().get(0);
        assertThat(((HedgePolicy) pipeline.policies().get(1)).budget())
                .isPresent()
                .isEqualTo(retry.budget());
        assertThat(hedge("{ budget: ours }").budget()).containsSame(shared);
        assertThat(hedge("{ budget: { enabled: false } }").budget()).isEmpty();
    }

    @Test
    void whatCannotBeIsToldWhereItStands() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("{ percentile: 20, max-hedges: 0, delay: 0s }"))
                .withMessageContaining("hedge.percentile: is 20; expected 50 to 99.9")
                .withMessageContaining("hedge.max-hedges: is 0; expected 1 to 10")
                .withMessageContaining("hedge.delay: is 0s; expected 1ms to 1h");
    }

    @Test
    void theStandardPipelineHasNone() {
        try (Pipeline standard = Pipeline.standard("inventory")) {
            assertThat(standard.policies()).noneMatch(HedgePolicy.class::isInstance);
        }
    }
}
