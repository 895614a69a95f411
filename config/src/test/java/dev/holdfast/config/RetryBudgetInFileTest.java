/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.retry.RetryBudget;
import dev.holdfast.retry.RetryPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The budget of a retry as a file says it. */
class RetryBudgetInFileTest {
    @TempDir
    Path directory;

    private final RetryBudget shared = RetryBudget.of(b -> b.maxTokens(50));

    private Optional<RetryBudget> budget(String retry) throws IOException {
        Path file = Files.writeString(
                directory.resolve("holdfast.yaml"), "pipelines:\n  inventory:\n    retry: " + retry + "\n");
        try (Holdfast holdfast = Holdfast.builder().bind("ours", shared).load(file)) {
            return ((RetryPolicy) holdfast.pipeline("inventory").policies().get(0)).budget();
        }
    }

    @Test
    void withoutAWordThereIsOne() throws Exception {
        assertThat(budget("{ max-attempts: 2 }"))
                .hasValueSatisfying(budget -> assertThat(budget.maxTokens()).isEqualTo(10));
    }

    @Test
    void itsOptionsAreAMapping() throws Exception {
        assertThat(budget("{ budget: { max-tokens: 20, token-ratio: 0.5, min-retries-per-minute: 0 } }"))
                .hasValueSatisfying(budget -> {
                    budget.failed(0, 1);
                    budget.failed(0, 1);
                    budget.succeeded(0);
                    assertThat(budget.tokens()).isEqualTo(18.5);
                });
        assertThat(budget("{ budget: { enabled: false } }")).isEmpty();
    }

    @Test
    void aBoundOneIsShared() throws Exception {
        assertThat(budget("{ budget: ours }")).containsSame(shared);
    }

    @Test
    void whatCannotBeIsToldWhereItStands() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> budget("{ max-retry-after: 2d, budget: { max-tokens: 0, token-ratio: 0 } }"))
                .withMessageContaining("retry.max-retry-after: is 2d; expected 0s to 1d")
                .withMessageContaining("retry.budget.max-tokens: is 0; expected 1 to 1,000")
                .withMessageContaining("retry.budget.token-ratio: is 0; expected 0.001 to 1,000");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> budget("{ budget: our }"))
                .withMessageContaining("did you mean ours?");
    }

    @Test
    void aNumberThatIsTooLargeToBeReadIsToldTheRangeOfItsOption() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> budget("{ max-attempts: 99999999999 }"))
                .withMessageContaining("retry.max-attempts: is 99999999999; expected 1 to 1,000,000,000");
    }
}
