/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Pipeline;
import dev.holdfast.fallback.FallbackPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

class WayTest {
    @Test
    void aStageThatIsMissingIsToldOfWhoShouldHaveReturnedIt() {
        try (Pipeline pipeline = Pipeline.of("shop", FallbackPolicy.ofOperations())) {
            Call<Object> call = pipeline.operation("get").unkeyed();
            CompletableFuture<?> failed = CompletableFuture.failedFuture(new IOException("gone"));
            Object result = new Way.Staged().invoke(call, () -> failed, error -> null);
            assertThat(result)
                    .asInstanceOf(InstanceOfAssertFactories.COMPLETION_STAGE)
                    .failsWithin(Duration.ZERO)
                    .withThrowableThat()
                    .withMessageContaining("the fallback returned null in place of a CompletionStage");
        }
    }
}
