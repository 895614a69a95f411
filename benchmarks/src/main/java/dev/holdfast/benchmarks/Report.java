/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs the benchmarks and prints a Markdown table of all that was measured.
 *
 * <p>Without arguments: everything, with 1, 2 and 8 threads. With {@code --quick}: the most telling cases, briefly, within
 * four minutes. Anything else is handed to JMH, and one run is made of it.
 */
public final class Report {
    private static final int[] THREADS = {1, 2, 8};

    private Report() {}

    /** Starts it. */
    public static void main(String... arguments) throws RunnerException, CommandLineOptionException {
        List<RunResult> results = new ArrayList<>();
        if (arguments.length == 0) {
            for (int threads : THREADS) {
                results.addAll(run(new OptionsBuilder().threads(threads)));
            }
        } else if (arguments[0].equals("--quick")) {
            for (ChainedOptionsBuilder series : Quick.series()) {
                results.addAll(run(series.forks(1)
                        .warmupIterations(4)
                        .warmupTime(TimeValue.milliseconds(400))
                        .measurementIterations(4)
                        .measurementTime(TimeValue.milliseconds(400))));
            }
        } else {
            results.addAll(run(new OptionsBuilder().parent(new CommandLineOptions(arguments))));
        }
        System.out.println();
        System.out.println(new Table(results).markdown("benchmarks/run " + String.join(" ", arguments)));
    }

    private static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
        // A benchmark that fails must fail the run: a table with a hole in it looks like a table.
        return new Runner(options.addProfiler(GCProfiler.class)
                        .shouldFailOnError(true)
                        .build())
                .run();
    }
}
