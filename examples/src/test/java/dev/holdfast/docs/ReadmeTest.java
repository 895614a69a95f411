/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ReadmeTest {
    private static final Path EXAMPLES = Pages.ROOT.resolve("examples/src/main");

    @Test
    void everyJavaSampleStandsInAnExample() throws IOException {
        List<String> sources = filesBelow(EXAMPLES.resolve("java"), ".java");
        assertThat(Pages.blocks(Pages.README, "java"))
                .isNotEmpty()
                .allSatisfy(sample -> assertThat(sources)
                        .as("an example that has these lines:%n%s", sample)
                        .anyMatch(source -> source.contains(flat(sample))));
    }

    @Test
    void everyYamlSampleStandsInAnExample() throws IOException {
        List<String> files = new ArrayList<>(filesBelow(EXAMPLES.resolve("resources"), ".yaml", ".yml"));
        files.addAll(filesBelow(Pages.ROOT.resolve("examples/spring-shop/src/main/resources"), ".yml"));
        assertThat(Pages.blocks(Pages.README, "yaml"))
                .isNotEmpty()
                .allSatisfy(sample -> assertThat(files)
                        .as("a file of the examples that has these lines:%n%s", sample)
                        .anyMatch(file -> file.contains(flat(sample))));
    }

    @Test
    void oneCommandRunsItAndOneTestsIt() {
        assertThat(commands("Run it")).containsExactly("examples/run");
        assertThat(commands("Test it")).containsExactly("mvn verify");
        assertThat(Pages.ROOT.resolve("examples/run")).isExecutable();
    }

    private static List<String> commands(String heading) {
        String section = Pages.section(Pages.README, heading);
        return section.lines()
                .dropWhile(line -> !line.startsWith("```"))
                .skip(1)
                .takeWhile(line -> !line.startsWith("```"))
                .toList();
    }

    private static List<String> filesBelow(Path folder, String... endings) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> Stream.of(endings).anyMatch(file.toString()::endsWith))
                    .map(Pages::text)
                    .map(ReadmeTest::flat)
                    .toList();
        }
    }

    /** Without the indentation that a sample has in its method and does not have on the page. */
    private static String flat(String text) {
        return text.lines().map(String::strip).filter(line -> !line.isEmpty()).reduce("", (a, b) -> a + b + "\n");
    }
}
