/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.log.LogObserver;
import dev.holdfast.testlogs.Logs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Logs("circuit-breaker was closed")
class LogInFileTest {
    private static final Logger EVENTS = Logger.getLogger(LogObserver.NAME);

    @TempDir
    Path directory;

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Handler listening = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            lines.add(entry.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        EVENTS.addHandler(listening);
    }

    @AfterEach
    void leave() {
        EVENTS.removeHandler(listening);
    }

    @Test
    void pipelinesOfAFileWriteTheirEventsToTheLog() throws Exception {
        aBreakerOpensIn(Holdfast.builder());
        assertThat(lines).hasSize(1);
    }

    @Test
    void aLogObserverOfTheUsersTakesThePlaceOfTheOneThatThereIs() throws Exception {
        aBreakerOpensIn(Holdfast.builder().observer(new LogObserver()));
        assertThat(lines).hasSize(1);
    }

    private void aBreakerOpensIn(Holdfast.Builder builder) throws Exception {
        try (Holdfast holdfast = builder.load(Files.writeString(
                directory.resolve("holdfast.yaml"), "pipelines: { inventory: { circuit-breaker: } }"))) {
            Pipeline inventory = holdfast.pipeline("inventory");
            inventory.policy(CircuitBreakerPolicy.class).asResilience4j().transitionToForcedOpenState();
            assertThatThrownBy(() -> inventory.call(() -> 1)).isInstanceOf(CallRejectedException.class);
        }
    }
}
