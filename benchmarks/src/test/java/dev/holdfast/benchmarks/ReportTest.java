/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

class ReportTest {

    @Test
    void roundsOfOneRowAreOneResultWithTheMeasurementsOfAll() throws RunnerException {
        List<RunResult> merged =
                Report.merged(Stream.of(run("1"), run("4"), run("1")).toList());

        assertThat(merged).hasSize(2);
        assertThat(merged.get(0).getPrimaryResult().getStatistics().getN()).isEqualTo(4);
        assertThat(merged.get(1).getPrimaryResult().getStatistics().getN()).isEqualTo(2);
        assertThat(merged.get(1).getParams().getParam("policies")).isEqualTo("4");
    }

    @Test
    void oneSeriesCanBeRunInEveryRound() throws RunnerException {
        ChainedOptionsBuilder series = brief().param("policies", "1");

        assertThat(Report.run(series)).hasSize(1);
        assertThat(Report.run(series)).hasSize(1);
    }

    private static RunResult run(String policies) throws RunnerException {
        return new Runner(brief().param("policies", policies).build()).runSingle();
    }

    private static ChainedOptionsBuilder brief() {
        return new OptionsBuilder()
                .include("NoOpPipelines")
                .param("limited", "false")
                .param("profile", "CLEAN")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(2)
                .measurementTime(TimeValue.milliseconds(1))
                .verbosity(VerboseMode.SILENT);
    }
}
