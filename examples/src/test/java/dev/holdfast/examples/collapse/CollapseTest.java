/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CollapseTest {
    /** Not docs/img, whose pictures are those of a release and drawn with the fonts of one machine. */
    private static final Path PICTURES = Path.of("target", "collapse");

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @ParameterizedTest
    @EnumSource
    void eachExperimentPrintsItsTableAndDrawsItsPicture(Experiment experiment) throws IOException {
        int exitCode = run(experiment.toString(), "--pictures", PICTURES.toString());

        String text = printed.toString(UTF_8);
        assertThat(exitCode).as(text).isZero();
        assertThat(text).startsWith(experiment + ": ").contains("; seed 1");
        assertThat(text.lines())
                .hasSizeGreaterThan(8)
                .allMatch(line -> line.length() <= 120 || line.contains("target"));
        assertThat(Files.readAllBytes(PICTURES.resolve(experiment + ".png"))).startsWith(0x89, 'P', 'N', 'G');
    }

    @Test
    void theSameSeedGivesTheSameTable() {
        assertThat(RetryCollapse.findings(7, Fleet::standard).lines())
                .isEqualTo(RetryCollapse.findings(7, Fleet::standard).lines());
        assertThat(LostNetwork.findings(7, Fleet::standard).lines())
                .isEqualTo(LostNetwork.findings(7, Fleet::standard).lines());
    }

    @Test
    void whatHoldsTheLostNetworkIsSeenWhenItIsTakenAway() {
        run(
                "lost-network",
                "--without",
                "circuit-breaker,bulkhead",
                "--pictures",
                PICTURES.resolve("without").toString());
        assertThat(printed.toString(UTF_8)).contains("holdfast: goodput 100.0 % before, 0.0 % in the end, never back");
    }

    @Test
    void anUnknownNameIsToldTheKnownOnes() {
        assertThat(run("retry-colapse")).isEqualTo(2);
        assertThat(printed.toString(UTF_8)).contains("'retry-colapse'", "retry-collapse, lost-network", "all");
    }

    private int run(String... args) {
        return Collapse.run(new PrintStream(printed, true, UTF_8), args);
    }
}
