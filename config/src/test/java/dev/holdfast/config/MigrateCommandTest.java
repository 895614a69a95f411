/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line. */
class MigrateCommandTest {
    @TempDir
    Path directory;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String... args) {
        return Main.run(List.of(args), stream(out), stream(err));
    }

    private static PrintStream stream(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    @Test
    void wrongUseTellsTheUse() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("migrate")).isEqualTo(2);
        assertThat(run("nonsense", "a.yml")).isEqualTo(2);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEmpty();
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("usage: ", "migrate FILE...");
    }

    @Test
    void fileThatCannotBeReadIsOneSentence() {
        assertThat(run("migrate", directory.resolve("none.yml").toString())).isEqualTo(1);
        assertThat(err.toString(StandardCharsets.UTF_8))
                .contains("there is no such file")
                .hasLineCount(1);
    }

    @Test
    void outputThatCannotBeWrittenIsAnError() throws IOException {
        Path source = Files.writeString(
                directory.resolve("application.properties"),
                "resilience4j.timelimiter.instances.a.timeout-duration=2s");
        for (List<String> command : List.of(List.of("migrate", source.toString()), List.of("schema"))) {
            err.reset();
            OutputStream full = new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    throw new IOException("no space left on device");
                }
            };
            assertThat(Main.run(command, new PrintStream(full, true, StandardCharsets.UTF_8), stream(err)))
                    .isEqualTo(1);
            assertThat(err.toString(StandardCharsets.UTF_8)).contains("the output could not be written");
        }
    }

    @Test
    void javaStartsIt() throws IOException, InterruptedException {
        Path source = Files.writeString(
                directory.resolve("application.yml"),
                "resilience4j.timelimiter.instances.größe: { timeoutDuration: 2s }");
        Path made = directory.resolve("holdfast.yaml");
        Process program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-Dfile.encoding=US-ASCII",
                        "dev.holdfast.config.Main",
                        "migrate",
                        source.toString())
                .redirectOutput(made.toFile())
                .start();
        String summary = new String(program.getErrorStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertThat(program.waitFor()).as(summary).isZero();
        assertThat(summary).isEqualToNormalizingNewlines("1 pipeline: 1 kept, 1 trap\n");
        try (Holdfast holdfast = Holdfast.load(made)) {
            assertThat(holdfast.pipeline("größe")).hasToString("größe: timeout > call");
        }
    }
}
