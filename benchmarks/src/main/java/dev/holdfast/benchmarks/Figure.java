/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/**
 * What one library took for one scenario.
 *
 * @param nanos a call, average over the threads, median of the measurements
 * @param bytes allocated by a call
 */
record Figure(Scenario scenario, Library library, int threads, double nanos, double bytes) {
    private static final String ALLOCATED = "gc.alloc.rate.norm";

    /** Those among the results that are comparisons. */
    static List<Figure> of(Collection<RunResult> results) {
        return results.stream().map(Figure::of).flatMap(Optional::stream).toList();
    }

    private static Optional<Figure> of(RunResult result) {
        BenchmarkParams params = result.getParams();
        if (!params.getBenchmark().startsWith(Comparison.class.getName() + ".")) {
            return Optional.empty();
        }
        return Optional.of(new Figure(
                Scenario.valueOf(params.getParam("scenario")),
                Library.valueOf(params.getParam("library")),
                params.getThreads(),
                median(result.getPrimaryResult()),
                bytes(result)));
    }

    /** What a busy neighbour of the machine does to some measurements leaves it alone. */
    static double median(Result<?> result) {
        return result.getStatistics().getPercentile(50);
    }

    /** What a call allocated, as JMH's profiler saw it; not a number without the profiler. */
    static double bytes(RunResult result) {
        var secondary = result.getSecondaryResults();
        for (String name : secondary.keySet()) {
            if (name.endsWith(ALLOCATED)) {
                return secondary.get(name).getScore();
            }
        }
        return Double.NaN;
    }
}
