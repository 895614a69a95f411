/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Verdict;
import dev.holdfast.config.ConfigException;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.io.FileSystemResource;

/** What several sources of properties make together is what the same files make: the last file is the first source. */
class SourcesAreLikeFilesTest {
    private static final List<String> LINES = List.of(
            "extends: standard",
            "extends: careful",
            "timeout: 1s",
            "timeout:",
            "timeout: { limit: 2s }",
            "timeout: { mode: shadow }",
            "timeout: { use: slow }",
            "retry:",
            "retry: { max-attempts: 2, backoff: { initial: 5ms } }",
            "retry: { backoff: { max: 3s, jitter: none } }",
            "bulkhead: { use: pool }",
            "bulkhead: { max-concurrent-calls: 6 }",
            "bulkhead: { max-concurrent-calls: 4, mode: shadow }",
            "deadline: 9s",
            "without: [timeout]",
            "without: [timeout, retry]",
            "without: deadline",
            "classifier: strict",
            "classifier: { failures: [500, 502] }",
            "classifier: { failures: 503, base: strict }",
            "keys: { max: 5 }",
            "keys: { idle: 2h }",
            "advice: false");

    private static final String SHARED = """
            shared: { slow: { timeout: 8s }, pool: { bulkhead: { max-concurrent-calls: 3 } } }
            templates: { careful: { timeout: { limit: 700ms, mode: shadow }, retry: , deadline: 4s } }
            """;

    private final Random random = new Random(20_261);

    @TempDir
    private Path directory;

    private String pipeline() {
        List<String> sections = new ArrayList<>();
        List<String> keys = new ArrayList<>();
        for (int i = random.nextInt(6); i >= 0; i--) {
            String line = LINES.get(random.nextInt(LINES.size()));
            String key = line.replaceFirst(":.*", "");
            if (!keys.contains(key)) {
                keys.add(key);
                sections.add(line.endsWith(":") ? line + " " : line);
            }
        }
        return "{ " + String.join(", ", sections) + " }";
    }

    private String text(boolean isFirst) {
        String text = isFirst ? SHARED : "";
        if (random.nextInt(3) == 0) {
            text += "defaults: { timeout: " + (random.nextBoolean() ? "6s" : "{ limit: 5s }") + " }\n";
        }
        return text + "pipelines:\n  a-b: " + pipeline() + "\n" + (random.nextBoolean() ? "  c: " + pipeline() : "")
                + "\n";
    }

    private static Holdfast.Builder builder() {
        return Holdfast.builder().bind("strict", Classifier.class, (value, error) -> Verdict.SUCCESS);
    }

    /** What was made, or how many problems there were. */
    private static String made(Supplier<Holdfast> loading) {
        try (Holdfast holdfast = loading.get()) {
            return holdfast.pipelines().stream()
                    .map(one -> one + " " + one.snapshot().policies() + " " + one.warnings() + " "
                            + one.classifier().getClass() + " "
                            + holdfast.pipeline(one.name(), "key").snapshot().policies())
                    .sorted()
                    .collect(Collectors.joining("\n"));
        } catch (ConfigException wrong) {
            return wrong.problems().stream()
                    .map(problem -> problem.path() + ": " + words(problem.what()))
                    .sorted()
                    .collect(Collectors.joining("\n"));
        }
    }

    /** A message lists sections as they come, and Spring has an order of its own. */
    private static List<String> words(String text) {
        return Stream.of(text.split("[ ,]+")).sorted().toList();
    }

    @Test
    @Logs({"attempts-beyond-deadline", "probes-above-permits", "timeout-not-below-deadline"})
    void theyAre() throws IOException {
        int right = 0;
        for (int round = 0; round < 150; round++) {
            List<Path> files = new ArrayList<>();
            StandardEnvironment environment = new StandardEnvironment();
            StringBuilder texts = new StringBuilder();
            for (int i = 0; i <= 1 + random.nextInt(3); i++) {
                String text = text(i == 0);
                texts.append("--- ").append(i).append('\n').append(text);
                files.add(Files.writeString(directory.resolve("layer" + i + ".yaml"), text));
                Path forSpring =
                        Files.writeString(directory.resolve("spring" + i + ".yaml"), "holdfast:\n" + text.indent(2));
                new YamlPropertySourceLoader()
                        .load("source " + i, new FileSystemResource(forSpring))
                        .forEach(environment.getPropertySources()::addFirst);
            }
            EnvironmentProperties properties = new EnvironmentProperties(environment);
            String ofFiles = made(() ->
                    builder().load(files.get(0), files.subList(1, files.size()).toArray(new Path[0])));
            String ofSources = made(() -> builder().load("sources", properties::checked));
            assertThat(ofSources).as(texts.toString()).isEqualTo(ofFiles);
            right += ofFiles.contains("> call") ? 1 : 0;
        }
        assertThat(right).as("how many could be loaded").isBetween(40, 110);
    }
}
