/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;

class SeriesTest {

    @Test
    void quickRunHasEveryTargetAtEveryNumberOfThreadsBesideBothOfThePeersWindows() {
        List<String> runs = comparisons(Series.quick());

        for (Scenario scenario : Scenario.TARGETS) {
            for (int threads : List.of(1, 2, 8)) {
                for (String library : List.of("HOLDFAST", "RESILIENCE4J_SYNCHRONIZED", "RESILIENCE4J_LOCK_FREE")) {
                    assertThat(runs).contains(scenario + " " + library + " " + threads);
                }
            }
        }
    }

    @Test
    void fullRunHasEveryScenarioAtEveryNumberOfThreadsWithEachOfItsLibraries() {
        List<String> runs = comparisons(Series.full());

        for (Scenario scenario : Scenario.values()) {
            for (int threads : List.of(1, 2, 8)) {
                for (Library library : scenario.libraries()) {
                    assertThat(runs).contains(scenario + " " + library + " " + threads);
                }
            }
        }
    }

    @Test
    void fullRunHasWhatIsMeasuredBesideTheComparisonsAndTheTokensOfRetriesAtEveryNumberOfThreads() {
        List<String> runs = Series.full().stream()
                .map(ChainedOptionsBuilder::build)
                .flatMap(options -> options.getIncludes().stream()
                        .map(include -> include + " " + options.getThreads().get()))
                .toList();

        for (String own : Series.OWN) {
            assertThat(runs).contains("\\." + own + " 1");
        }
        assertThat(runs).contains("\\.RetryTokens 2", "\\.RetryTokens 8");
    }

    @Test
    void fullRunMakesThreeRoundsOfEveryRow() {
        List<String> runs = comparisons(Series.full());

        int round = runs.size() / 3;
        assertThat(runs.subList(0, round)).doesNotHaveDuplicates();
        assertThat(runs.subList(round, 2 * round)).isEqualTo(runs.subList(0, round));
        assertThat(runs.subList(2 * round, runs.size())).isEqualTo(runs.subList(0, round));
    }

    private static List<String> comparisons(List<ChainedOptionsBuilder> series) {
        return series.stream()
                .map(ChainedOptionsBuilder::build)
                .filter(options -> options.getParameter("scenario").hasValue())
                .flatMap(SeriesTest::runs)
                .toList();
    }

    private static Stream<String> runs(Options options) {
        int threads = options.getThreads().get();
        return options.getParameter("scenario").get().stream()
                .flatMap(scenario -> options.getParameter("library").get().stream()
                        .map(library -> scenario + " " + library + " " + threads));
    }
}
