/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs the benchmarks; prints all that was measured and the ratios to the peers as Markdown tables, and writes the ratios to
 * {@code benchmarks/target/ratios.json}.
 *
 * <p>Without arguments: everything, with 1, 2 and 8 threads. With {@code --quick}: what the targets speak of, briefly.
 * Anything else is handed to JMH, and one run is made of it. Started in the root of the repository.
 */
public final class Report {
    private static final Path RATIOS = Path.of("benchmarks", "target", "ratios.json");

    private Report() {}

    /** Starts it. */
    public static void main(String... arguments) throws RunnerException, CommandLineOptionException, IOException {
        List<RunResult> results = new ArrayList<>();
        for (ChainedOptionsBuilder series : series(arguments)) {
            results.addAll(run(series));
        }
        results = merged(results);
        System.out.println();
        System.out.println(new Table(results).markdown("benchmarks/run " + String.join(" ", arguments)));
        Ratios ratios = new Ratios(Figure.of(results));
        if (!ratios.isEmpty()) {
            System.out.println(ratios.markdown());
            ratios.writeTo(RATIOS);
        }
    }

    private static List<ChainedOptionsBuilder> series(String... arguments) throws CommandLineOptionException {
        if (arguments.length == 0) {
            return Series.full();
        }
        return arguments[0].equals("--quick")
                ? Series.quick()
                : List.of(new OptionsBuilder().parent(new CommandLineOptions(arguments)));
    }

    /** One result for what was run several times. */
    static List<RunResult> merged(List<RunResult> results) {
        Map<List<String>, List<RunResult>> same = new LinkedHashMap<>();
        for (RunResult result : results) {
            BenchmarkParams params = result.getParams();
            List<String> what = new ArrayList<>(List.of(params.getBenchmark(), "" + params.getThreads()));
            params.getParamsKeys().forEach(key -> what.add(params.getParam(key)));
            same.computeIfAbsent(what, fresh -> new ArrayList<>()).add(result);
        }
        return same.values().stream()
                .map(runs -> new RunResult(
                        runs.get(0).getParams(),
                        runs.stream()
                                .flatMap(run -> run.getBenchmarkResults().stream())
                                .toList()))
                .toList();
    }

    static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
        // A benchmark that fails must fail the run: a table with a hole in it looks like a table.
        return new Runner(new OptionsBuilder()
                        .parent(options.build())
                        .addProfiler(GCProfiler.class)
                        .shouldFailOnError(true)
                        .build())
                .run();
    }
}
