/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code docs/migrating-from-resilience4j.md} shows is so. */
@Logs("retry-waits-without-deadline")
class MigratePageTest {
    /** Surefire says where the module is. */
    private static final Path PAGE =
            Path.of(System.getProperty("basedir", ".")).resolve("../docs/migrating-from-resilience4j.md");

    @TempDir
    Path directory;

    @Test
    void theSampleIsWhatTheCommandPrints() throws IOException {
        try (Migrated made = Migrated.of(directory, "application.properties", block("properties"))) {
            assertThat(block("yaml"))
                    .isEqualTo(made.yaml()
                            .replace(directory.resolve("application.properties").toString(), "application.properties"));
        }
    }

    @Test
    void everySettingOfTheTablesIsKnown() throws IOException {
        String page = Files.readString(PAGE);
        for (String kind :
                List.of("retry", "circuitbreaker", "ratelimiter", "bulkhead", "thread-pool-bulkhead", "timelimiter")) {
            List<String> names = settings(page, kind);
            assertThat(names).as(kind).isNotEmpty();
            names.addAll(settings(page, "of all kinds"));
            StringBuilder properties = new StringBuilder();
            names.forEach(name -> properties
                    .append("resilience4j.%s.instances.a.%s=%s%n"
                            .formatted(kind, name, name.equals("base-config") ? "b" : "1"))
                    .append("resilience4j.%s.configs.b.tags.a=1%n".formatted(kind)));
            try (Migrated made = Migrated.of(directory, "application.properties", properties.toString())) {
                assertThat(made.yaml()).as(kind).doesNotContain("unknown:");
            }
        }
    }

    /** {@code MetricsPageTest} knows that the other page is right. */
    @Test
    void everyNewMeterIsOnThePageOfMetrics() throws IOException {
        String section = Pattern.compile("^### Meters$(.*?)(?=^##)", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(Files.readString(PAGE))
                .results()
                .map(match -> match.group(1))
                .findFirst()
                .orElseThrow();
        List<String> meters = Pattern.compile("`(holdfast\\.[a-z.]+)`")
                .matcher(section)
                .results()
                .map(match -> match.group(1))
                .distinct()
                .toList();
        String metrics = Files.readString(PAGE.resolveSibling("metrics.md"));
        assertThat(meters).hasSizeGreaterThan(10).allMatch(meter -> metrics.contains("| `" + meter + "` | "));
    }

    /** The names in the first column of the table below a heading. */
    private static List<String> settings(String page, String heading) {
        String section = Pattern.compile("^### " + heading + "$(.*?)(?=^##|\\z)", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(page)
                .results()
                .map(match -> match.group(1))
                .findFirst()
                .orElse("");
        return section.lines()
                .filter(line -> line.startsWith("| `"))
                .map(line -> line.substring(0, line.indexOf(" |", 1)))
                .flatMap(cell -> Pattern.compile("`([^`]+)`").matcher(cell).results())
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private static String block(String language) throws IOException {
        return Pattern.compile("^```" + language + "\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(Files.readString(PAGE))
                .results()
                .map(match -> match.group(1))
                .findFirst()
                .orElseThrow();
    }
}
