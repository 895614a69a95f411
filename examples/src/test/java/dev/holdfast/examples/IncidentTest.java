/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.CallObserver;
import dev.holdfast.testlogs.Logs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Logs(value = "pipeline 'stock': ", sometimes = true)
class IncidentTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @ParameterizedTest
    @CsvSource({"10, 1", "10, 2", "10, 3", "40, 1"})
    void itsPromisesAreKept(int seconds, long seed) {
        Load load = new Load(160, seed, Load.USUAL_PATIENCE);
        try (VirtualContest contest =
                new VirtualContest(Timeline.incident(Duration.ofSeconds(seconds)), load, new CallObserver() {})) {
            contest.open();
            contest.play();
            assertThat(contest.claims()).hasSize(4).allMatch(Claims.Claim::kept);
        }
    }

    /**
     * Nobody has told the pipeline how many workers there are, and it has to find out in each fault. A bare client has as many
     * live answers then, but no others. Of five seeds together: what one of them has is up to three in a hundred more or less.
     */
    @ParameterizedTest
    @ValueSource(ints = {10, 40})
    void theDefaultLimitKeepsItsPromisesWithMoreLiveAnswersThanALimitThatIsTooLarge(int seconds) throws IOException {
        Timeline timeline = Timeline.incident(Duration.ofSeconds(seconds));
        long live = 0;
        long liveOfBare = 0;
        for (long seed = 1; seed <= 5; seed++) {
            try (VirtualContest untouched = played(timeline, seed, "");
                    VirtualContest tooLarge = played(timeline, seed, "      max-concurrent-calls: 25\n")) {
                assertThat(untouched.claims())
                        .filteredOn(claim -> !claim.text().contains("as many live answers"))
                        .hasSize(3)
                        .allMatch(Claims.Claim::kept);
                long liveOfSeed = live(untouched.holdfast, timeline);
                assertThat(liveOfSeed).as("seed %s", seed).isGreaterThan(live(tooLarge.holdfast, timeline));
                live += liveOfSeed;
                liveOfBare += live(untouched.bare, timeline);
            }
        }
        assertThat((double) live).isGreaterThan(0.98 * liveOfBare);
    }

    private VirtualContest played(Timeline timeline, long seed, String limit) throws IOException {
        String usual = Files.readString(VirtualContest.CONFIG);
        String changed = usual.replaceFirst("      max-concurrent-calls: 8.*\\n", limit);
        assertThat(changed).isNotEqualTo(usual);
        VirtualContest contest = new VirtualContest(
                timeline,
                new Load(160, seed, Load.USUAL_PATIENCE),
                new CallObserver() {},
                Files.writeString(folder.resolve("changed.yaml"), changed));
        contest.open();
        contest.play();
        return contest;
    }

    private static long live(Books side, Timeline timeline) {
        return side.answers().sentBetween(0, timeline.endNanos()).live();
    }

    /** Over real HTTP, where a machine may be too slow for any promise: what each came to is told in any case. */
    @Test
    void aShortRunShowsWhatBecameOfItsPromises() throws IOException {
        Path chart = folder.resolve("chart.png");
        Path csv = folder.resolve("table.csv");
        int exitCode = run("--seconds", "10", "--check", "--chart", chart.toString(), "--csv", csv.toString());

        String text = printed.toString(UTF_8);
        assertThat(text.lines()).allMatch(line -> line.length() <= 100 || line.contains(folder.toString()));
        assertThat(text).contains(chart.toString(), csv.toString(), "/metrics");
        List<String> claims = text.lines()
                .filter(line -> line.startsWith("  kept  ") || line.startsWith(" BROKEN "))
                .toList();
        assertThat(claims).as(text).hasSize(4).first().asString().contains("in every phase");
        assertThat(exitCode).as(text).isEqualTo(text.contains(" BROKEN ") ? 1 : 0);
        assertThat(Files.readAllBytes(chart)).startsWith(0x89, 'P', 'N', 'G');
        assertThat(Files.readAllLines(csv))
                .hasSize(1 + 2 * 10)
                .first()
                .isEqualTo("second,phase,side,sent,live,stale,errors,p99_ms,calls");
    }

    @Test
    void aShortHangOfSeveralProcessesShowsAllSidesAndWhatBecameOfItsPromises() {
        int exitCode = run("--hang", "--processes", "2", "--seconds", "8", "--check");

        String text = printed.toString(UTF_8);
        assertThat(text.lines()).allMatch(line -> line.length() <= 100);
        assertThat(text)
                .contains("2 shops of 8 threads, a stock service of 16 workers")
                .contains(Lineup.BARE, Lineup.DOCUMENTED, Lineup.EARLY, Lineup.HOLDFAST)
                .contains("the first 4 s after the hangs");
        assertThat(exitCode).as(text).isEqualTo(text.contains(" BROKEN ") ? 1 : 0);
    }

    @Test
    void noProcessesOrTooManyAreRefused() {
        assertThat(run("--processes", "0")).isEqualTo(2);
        assertThat(run("--processes", "33")).isEqualTo(2);
        assertThat(printed.toString(UTF_8)).contains("--processes must be 1 to 32");
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
