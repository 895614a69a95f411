/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.holdfast.config.internal.migrate.Migrated.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that cannot be migrated, or that somebody wrote to do harm: one sentence, and soon. */
class MigrateBrokenFilesTest {
    /** Far from what any of these takes. */
    private static final Duration MOST = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private String refused(String name, String text) throws IOException {
        return refused(Files.writeString(directory.resolve(name), text));
    }

    private String refused(Path file) {
        Result result = assertTimeoutPreemptively(MOST, () -> Migrated.run(file));
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).hasLineCount(1).hasSizeLessThan(700).doesNotContain("Exception", "\tat ");
        return result.err();
    }

    private void bounded(String name, String text) throws IOException {
        Path file = Files.writeString(directory.resolve(name), text);
        Result result = assertTimeoutPreemptively(MOST, () -> Migrated.run(file));
        assertThat(result.err()).hasLineCount(1).doesNotContain("Exception");
        if (result.code() == 0) {
            Migrated.of(file).close();
        }
    }

    @Test
    void thereIsNoSuchFile() {
        assertThat(refused(directory.resolve("none.yml"))).endsWith("none.yml: there is no such file\n");
        assertThat(refused(directory)).contains("is a directory");
    }

    @Test
    void nothingOfResilience4j() throws IOException {
        String expected = "has no instances and no configs of resilience4j\n";
        assertThat(refused("a.yml", "")).endsWith(expected);
        assertThat(refused("b.yml", "server.port: 8080")).endsWith(expected);
        assertThat(refused("c.properties", "")).endsWith(expected);
        assertThat(refused("d.properties", "resilience4j.circuitbreaker.metrics.enabled=true"))
                .endsWith(expected);
        assertThat(refused("e.yml", "[1, 2]")).endsWith(expected);
        assertThat(refused("f.yml", "just a text")).endsWith(expected);
    }

    @Test
    void noYaml() throws IOException {
        assertThat(refused("a.yml", "a: b\n  c: [")).contains("line 2: not YAML: ");
        assertThat(refused("b.yml", "version: @project.version@")).contains("line 1: not YAML: ");
        assertThat(refused("c.yml", "resilience4j: \u0007")).contains("cannot be read: ");
        assertThat(refused("d.yml", "a: 1\na: 2")).contains("line 2: not YAML: found duplicate key a");
        Path latin = Files.write(directory.resolve("e.yml"), "é: 1".getBytes(StandardCharsets.ISO_8859_1));
        assertThat(refused(latin)).endsWith("is not text in UTF-8\n");
    }

    @Test
    void noProperties() throws IOException {
        assertThat(refused("a.properties", "a=\\uZZZZ")).contains("cannot be read: Malformed");
    }

    @Test
    void circleOfConfigsIsNamed() throws IOException {
        assertThat(refused("a.properties", """
                        resilience4j.retry.configs.a.base-config=b
                        resilience4j.retry.configs.b.base-config=c
                        resilience4j.retry.configs.c.base-config=b
                        resilience4j.retry.instances.x.base-config=a
                        """))
                .isEqualTo("resilience4j.retry: base-config goes in a circle: a > b > c > b\n");
        assertThat(refused("b.yml", "resilience4j.circuitbreaker.configs.a.baseConfig: a"))
                .isEqualTo("resilience4j.circuitbreaker: base-config goes in a circle: a > a\n");
    }

    @Test
    void tagsMakeNothing() throws IOException {
        assertThat(refused("a.yml", "a: !!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[]]]"))
                .contains("line 1: not YAML: Global tag is not allowed");
        assertThat(refused("b.yml", "a: !mine b")).contains("line 1: not YAML: ");
    }

    @Test
    void namesThatNoPipelineCanHave() throws IOException {
        assertThat(refused("a.yml", "resilience4j.retry.instances: { \"a\\nb\": { } }"))
                .isEqualTo("the instance a?b cannot be a pipeline: its name must have 1 to 128 visible characters\n");
        assertThat(refused("b.yml", "resilience4j.retry.instances: { \"" + "a".repeat(129) + "\": { } }"))
                .contains("its name must have");
    }

    @Test
    void tooLargeFilesAreNotRead() throws IOException {
        String tenMegabytes = "#".repeat(10_000_000);
        assertThat(refused("a.yml", tenMegabytes)).endsWith("a.yml: is larger than 256 KiB\n");
        assertThat(refused("a.properties", tenMegabytes)).endsWith("a.properties: is larger than 256 KiB\n");
    }

    @Test
    void deepFilesAreRefused() throws IOException {
        assertThat(refused("a.yml", "[".repeat(100_000))).isNotEmpty();
        assertThat(refused("b.yml", "{a: ".repeat(50_000))).isNotEmpty();
        assertThat(refused("c.yml", "a: &a [*a]\nresilience4j: &b { retry: *b }"))
                .contains("too many values, levels");
        assertThat(refused(
                        "d.yml",
                        IntStream.range(0, 300)
                                .mapToObj(i -> " ".repeat(i) + "a:\n")
                                .collect(Collectors.joining())))
                .isNotEmpty();
    }

    @Test
    void aliasesThatMultiplyAreRefused() throws IOException {
        StringBuilder yaml = new StringBuilder("a0: &a0 { x: 1 }\n");
        for (int i = 1; i < 25; i++) {
            yaml.append("a%d: &a%d { x: *a%d, y: *a%d }%n".formatted(i, i, i - 1, i - 1));
        }
        assertThat(refused("a.yml", yaml.toString())).isNotEmpty();
        StringBuilder keys = new StringBuilder("- &a0 [x]\n");
        for (int i = 1; i < 20; i++) {
            keys.append("- &a%d [*a%d, *a%d]%n".formatted(i, i - 1, i - 1));
        }
        bounded("b.yml", keys + "- ? *a19\n  : 1\n");
    }

    @Test
    void longListsNamesAndValuesAreBounded() throws IOException {
        String instance = "resilience4j.retry.instances.a.";
        bounded("a.properties", (instance + "retry-exceptions[0]=a.B\n").repeat(4_000));
        bounded("b.properties", instance + "max-attempts=" + "9".repeat(200_000));
        bounded("c.properties", instance + "wait-duration=" + "9".repeat(200_000) + "s");
        bounded("d.properties", instance + "x".repeat(200_000) + "=1");
        bounded("e.properties", instance + "max-attempts=" + "${".repeat(100_000));
        bounded("f.properties", "a=${a}${a}${a}${a}\n" + instance + "max-attempts=${a}${a}${a}\n");
        bounded("g.yml", "resilience4j.retry.instances.a.retryExceptions: [" + "a, ".repeat(50_000) + "a]");
        bounded("h.properties", instance + "max-attempts=1e999999999\n");
        bounded("i.properties", instance + "wait-duration=PT" + "9".repeat(20) + "S\n");
    }

    @Test
    void manyInstancesEitherLoadOrAreRefused() throws IOException {
        bounded("a.properties", lines(500));
        assertThat(refused("b.properties", lines(5_000))).contains("migrate them in parts");
    }

    private static String lines(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "resilience4j.retry.instances.i" + i + ".max-attempts=3\n")
                .collect(Collectors.joining());
    }

    @Test
    void textOfTheFileStaysInItsComment() throws IOException {
        try (Migrated made = Migrated.of(directory, "a.yml", """
                resilience4j.retry:
                  instances.a:
                    "x: y\\n    timeout: 1s": "1\\u2028deadline: 1s\\u202e"
                    maxAttempts: "2\\n    timeout: 3s"
                """)) {
            assertThat(made.pipeline("a")).hasToString("a: retry > call");
            assertThat(made.text()).contains("left out: maxAttempts = 2? timeout: 3s;");
        }
    }
}
