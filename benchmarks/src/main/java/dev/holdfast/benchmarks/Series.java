/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** What is run: each series is one run of JMH's. */
final class Series {
    /** The most callers that a guard has. */
    static final int MOST_THREADS = 8;

    private static final int ROUNDS = 3;
    private static final int[] THREADS = {1, 2, MOST_THREADS};

    /** What is measured beside the comparisons. */
    static final List<String> OWN =
            List.of("Floor", "NoOpPipelines", "OnePolicy", "StaleCacheHit", "HedgeThatIsNotNeeded", "RetryTokens");

    private Series() {}

    /**
     * Every scenario with every library and the tokens of retries, each with 1, 2 and 8 threads; all else with one. Three
     * rounds of it with a fork each, so that what disturbs the machine for a minute does not hit all forks of one row.
     */
    static List<ChainedOptionsBuilder> full() {
        List<ChainedOptionsBuilder> series = new ArrayList<>();
        for (String own : OWN) {
            series.add(of(own, 1));
        }
        for (int threads : THREADS) {
            for (Scenario scenario : Scenario.values()) {
                series.add(comparison(scenario, scenario.libraries(), threads));
            }
            if (threads > 1) {
                series.add(of("RetryTokens", threads));
            }
        }
        timed(series);
        return Collections.nCopies(ROUNDS, series).stream()
                .flatMap(List::stream)
                .toList();
    }

    /** The rows that the targets speak of, beside resilience4j alone, and what the pipeline's own cost is made of. */
    static List<ChainedOptionsBuilder> quick() {
        List<ChainedOptionsBuilder> series = new ArrayList<>();
        series.add(of("Floor.twoClockReads", 1));
        series.add(of("NoOpPipelines", 1).param("policies", "4"));
        for (Scenario scenario : Scenario.TARGETS) {
            for (int threads : THREADS) {
                series.add(comparison(scenario, scenario.withResilience4j(), threads));
            }
        }
        timed(series);
        return series;
    }

    private static void timed(List<ChainedOptionsBuilder> series) {
        series.forEach(run -> run.forks(1)
                // Else more threads than processors leave so little of these to the compiler that it takes seconds.
                .jvmArgsAppend("-XX:-BackgroundCompilation")
                .warmupIterations(3)
                .warmupTime(TimeValue.milliseconds(250))
                .measurementIterations(4)
                .measurementTime(TimeValue.milliseconds(200)));
    }

    private static ChainedOptionsBuilder comparison(Scenario scenario, Collection<Library> libraries, int threads) {
        return of("Comparison", threads)
                .param("scenario", scenario.name())
                .param("library", libraries.stream().map(Library::name).toArray(String[]::new));
    }

    private static ChainedOptionsBuilder of(String benchmark, int threads) {
        return new OptionsBuilder().include("\\." + benchmark).threads(threads);
    }
}
