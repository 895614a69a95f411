/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IncidentTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @Test
    void aShortRunKeepsItsPromisesAndShowsThem() throws IOException {
        Path chart = folder.resolve("chart.png");
        Path csv = folder.resolve("table.csv");
        int exitCode = run("--seconds", "10", "--check", "--chart", chart.toString(), "--csv", csv.toString());

        String text = printed.toString(UTF_8);
        assertThat(exitCode).as(text).isZero();
        assertThat(text.lines()).allMatch(line -> line.length() <= 100 || line.contains(folder.toString()));
        assertThat(text).contains("  kept  in every phase", chart.toString(), csv.toString(), "/metrics");
        assertThat(text).doesNotContain("BROKEN");
        assertThat(Files.readAllBytes(chart)).startsWith(0x89, 'P', 'N', 'G');
        assertThat(Files.readAllLines(csv))
                .hasSize(1 + 2 * 10)
                .first()
                .isEqualTo("second,phase,side,sent,live,stale,errors,p99_ms,calls");
    }

    @Test
    void aRunTooShortIsRefused() {
        assertThat(run("--seconds", "7")).isEqualTo(2);
        assertThat(printed.toString(UTF_8)).contains("--seconds must be at least 8");
    }

    @Test
    void aBadFileIsToldWithItsPlaceAndNothingRuns() throws IOException {
        Path file = folder.resolve("bad.yaml");
        Files.write(file, List.of("pipelines:", "  stock:", "    retry: { max-atempts: 3 }"));
        assertThat(run("--config", file.toString())).isEqualTo(2);
        assertThat(printed.toString(UTF_8))
                .contains("bad.yaml:3", "max-attempts")
                .doesNotContain("whole run");
    }

    private int run(String... args) {
        return Incident.run(new PrintStream(printed, true, UTF_8), new Style(false), args);
    }
}
