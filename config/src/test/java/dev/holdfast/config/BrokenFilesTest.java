/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.Classifier;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each broken file stands in {@code broken/NAME.yaml}, and all that is said of it beside it in {@code NAME.txt}. */
class BrokenFilesTest {
    private final Samples samples = new Samples();

    @ParameterizedTest
    @MethodSource("names")
    void everyProblemIsToldAndNothingIsMade(String name) throws Exception {
        Path file = directory().resolve(name + ".yaml");

        ConfigException thrown = catchThrowableOfType(ConfigException.class, () -> loader().load(file));

        assertThat(thrown).as("the file is refused").isNotNull();
        String message = Objects.requireNonNull(thrown.getMessage());
        assertThat(message.replace(file.toString(), name + ".yaml"))
                .isEqualTo(Files.readString(directory().resolve(name + ".txt")).stripTrailing());
        assertThat(message.lines()).hasSameSizeAs(thrown.problems());
        assertThat(samples.all)
                .allSatisfy(factory -> assertThat(factory.created()).isEmpty());
    }

    @Test
    void thereAreAtLeastSixtyBrokenFiles() throws Exception {
        assertThat(names()).hasSizeGreaterThanOrEqualTo(60);
    }

    private Holdfast.Builder loader() {
        return samples.holdfast()
                .bind("http-status", Classifier.DEFAULT)
                .bind("last-resort", Function.class, error -> "none")
                .bind("empty-stock", Function.class, error -> "empty")
                .bind("a-number", 5);
    }

    static List<String> names() throws Exception {
        try (Stream<Path> files = Files.list(directory())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".yaml"))
                    .map(name -> name.substring(0, name.length() - ".yaml".length()))
                    .sorted()
                    .toList();
        }
    }

    private static Path directory() throws URISyntaxException {
        URL broken = BrokenFilesTest.class.getResource("/broken");
        return Path.of(Objects.requireNonNull(broken, "broken").toURI());
    }
}
