/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code docs/configuration.md} shows is so. */
@Logs("timeout-outside-retry")
class ConfigurationPageTest {
    /** Surefire says where the module is. */
    private static final Path PAGE = Path.of(System.getProperty("basedir", ".")).resolve("../docs/configuration.md");

    @TempDir
    Path directory;

    @Test
    void itsFilesCanBeLoaded() throws Exception {
        assertThat(blocks("yaml")).hasSize(9);
        for (String sample : blocks("yaml")) {
            try (Holdfast holdfast = loader().load(file(sample))) {
                assertThat(holdfast.pipelines()).isNotEmpty();
            }
        }
    }

    @Test
    void itsOrderIsPrintedAsItSays() throws Exception {
        try (Holdfast holdfast = loader().load(file(blocks("yaml").stream()
                .filter(sample -> sample.contains("order: [timeout"))
                .findFirst()
                .orElseThrow()))) {
            Pipeline inventory = holdfast.pipeline("inventory");
            assertThat(Files.readString(PAGE)).contains("`" + inventory + "`");
            assertThat(inventory.warnings()).singleElement().asString().startsWith("timeout-outside-retry");
        }
    }

    @Test
    void itsBrokenFileIsRefusedWithItsMessage() throws Exception {
        Path file = file(blocks("yaml broken").get(0));
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> loader().load(file))
                .withMessage(blocks("text").get(0).stripTrailing().replace("holdfast.yaml", file.toString()));
    }

    private static Holdfast.Builder loader() {
        return Holdfast.builder()
                .bind("http-status", Classifier.DEFAULT)
                .bind("last-resort", Function.class, error -> "none")
                .bind("audit-all", new Policy("audit", 0) {});
    }

    private Path file(String yaml) throws IOException {
        return Files.writeString(directory.resolve("holdfast.yaml"), yaml);
    }

    private static List<String> blocks(String language) throws IOException {
        return Pattern.compile("^```" + language + "\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(Files.readString(PAGE))
                .results()
                .map(match -> match.group(1))
                .toList();
    }
}
