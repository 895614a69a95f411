/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdviceInFileTest {
    @TempDir
    Path directory;

    private Path file(String yaml) throws IOException {
        return Files.writeString(directory.resolve("holdfast.yaml"), yaml);
    }

    private static void use(Pipeline pipeline) {
        for (int i = 0; i < 1_000; i++) {
            pipeline.run(() -> {});
        }
    }

    @Test
    @Logs("pipeline 'orders': burst-of-one")
    void adviceAndSilenceAreSaidForOnePipelineOrForAll() throws IOException {
        Path file = file("""
                defaults:
                  advice: true
                  silence: burst-of-one
                pipelines:
                  inventory: { throttle: { burst: 1 } }
                  stock:     { timeout: 3s }
                  payments:  { timeout: 3s, advice: false }
                  orders:    { timeout: 3s, throttle: { burst: 1, limit: 100000 }, silence: [timeout-far-too-long] }
                """);
        try (Holdfast holdfast = Holdfast.builder().time(new VirtualTime()).load(file)) {
            use(holdfast.pipeline("stock"));
            use(holdfast.pipeline("payments"));

            assertThat(holdfast.pipeline("inventory").warnings()).isEmpty();
            assertThat(holdfast.pipeline("stock").advice())
                    .singleElement()
                    .asString()
                    .startsWith("timeout-far-too-long: ");
            assertThat(holdfast.pipeline("payments").advice()).isEmpty();
            assertThat(holdfast.pipeline("orders").warnings())
                    .singleElement()
                    .asString()
                    .startsWith("burst-of-one: ");
        }
    }

    @Test
    void whatIsWrongIsToldWithItsPlace() throws IOException {
        Path file = file("""
                pipelines:
                  inventory: { timeout: 3s, advice: perhaps, silence: { a: b } }
                """);

        assertThat(Holdfast.check(file))
                .extracting(problem -> problem.toString().replaceAll("^.*holdfast.yaml", "holdfast.yaml"))
                .containsExactly(
                        "holdfast.yaml:2:37 pipelines.inventory.advice: is perhaps; expected true or false",
                        "holdfast.yaml:2:55 pipelines.inventory.silence: is a mapping; expected a text");
    }
}
