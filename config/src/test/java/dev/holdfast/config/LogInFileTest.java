/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.log.LogObserver;
import dev.holdfast.testlogs.Logged;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogInFileTest {
    @TempDir
    Path directory;

    @Test
    void pipelinesOfAFileWriteTheirEventsToTheLog() throws Exception {
        assertThat(linesOfABreakerThatOpensIn(Holdfast.builder())).hasSize(1);
    }

    @Test
    void aLogObserverOfTheUsersTakesThePlaceOfTheOneThatThereIs() throws Exception {
        assertThat(linesOfABreakerThatOpensIn(Holdfast.builder().observer(new LogObserver())))
                .hasSize(1);
    }

    private List<String> linesOfABreakerThatOpensIn(Holdfast.Builder builder) throws Exception {
        try (Logged logged = new Logged(LogObserver.NAME).start();
                Holdfast holdfast = builder.load(Files.writeString(
                        directory.resolve("holdfast.yaml"), "pipelines: { inventory: { circuit-breaker: } }"))) {
            Pipeline inventory = holdfast.pipeline("inventory");
            inventory.policy(CircuitBreakerPolicy.class).asResilience4j().transitionToForcedOpenState();
            assertThatThrownBy(() -> inventory.call(() -> 1)).isInstanceOf(CallRejectedException.class);
            return logged.messages();
        }
    }
}
