/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import org.junit.jupiter.api.Test;

/** A mock in place of the bean, as of {@code @MockitoBean Holdfast}: each pipeline that is asked for is null. */
class MockedHoldfastTest {
    private final Pipeline inventory = PipelineBeans.named(name -> null, "inventory");

    @Test
    void whatAsksAMockForAPipelineHasOneWithoutLimits() throws Exception {
        assertThat(inventory.name()).isEqualTo("inventory");
        assertThat(inventory.warnings()).isEmpty();
        assertThat(inventory.call(() -> "answer")).isEqualTo("answer");
        assertThatThrownBy(() -> inventory.call(() -> {
                    throw new IllegalStateException("wrong");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("wrong");
    }

    @Test
    void theFallbackOfAMethodStillAnswers() throws Exception {
        Operation<String> operation = inventory.operation("stock", o -> o.fallback(error -> "of the fallback"));
        assertThat(operation.unkeyed().call(attempt -> {
                    throw new IllegalStateException("wrong");
                }))
                .isEqualTo("of the fallback");
    }

    @Test
    void aPipelineThatIsThereIsTheOne() {
        Pipeline prices = Pipeline.builder("prices").build();
        assertThat(PipelineBeans.named(name -> prices, "prices")).isSameAs(prices);
    }
}
