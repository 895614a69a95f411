/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Pipeline;
import dev.holdfast.fallback.FallbackPolicy;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class WayTest {
    @Test
    void aStageThatIsMissingIsToldOfWhoShouldHaveReturnedIt() {
        try (Pipeline pipeline = Pipeline.of("shop", FallbackPolicy.ofOperations())) {
            Call<Object> call = pipeline.operation("get").unkeyed();
            assertThat(new Way.Staged()
                            .invoke(call, () -> CompletableFuture.failedFuture(new IOException("gone")), error -> null))
                    .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.COMPLETION_STAGE)
                    .failsWithin(java.time.Duration.ZERO)
                    .withThrowableThat()
                    .withMessageContaining("the fallback returned null in place of a CompletionStage");
        }
    }
}
