/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.HistogramOptions;
import dev.holdfast.Pipeline;
import dev.holdfast.micrometer.MicrometerObserver;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** What histograms of calls and attempts add to four policies with Micrometer, in Prometheus' registry. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class Histograms extends Measured {
    /** What is shown of latencies. */
    public enum Shown {
        /** Counts and sums alone. */
        SUMS,
        /** And two buckets. */
        SLO,
        /** And two percentiles. */
        PERCENTILES,
        /** And the many buckets of a percentile histogram. */
        HISTOGRAM
    }

    @Param
    public Shown shown;

    private Pipeline pipeline;

    @Setup
    public void build() {
        Pipeline.Builder builder = Pipeline.builder("inventory")
                .policies(Policies.four())
                .observer(new MicrometerObserver(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT)));
        if (shown != Shown.SUMS) {
            builder.histograms(this::options);
        }
        pipeline = builder.build();
    }

    private void options(HistogramOptions options) {
        switch (shown) {
            case SLO -> options.slo(Duration.ofMillis(100), Duration.ofMillis(250));
            case PERCENTILES -> options.percentiles(0.5, 0.99);
            default -> options.publishPercentileHistogram();
        }
    }

    @TearDown
    public void close() {
        pipeline.close();
    }

    @Benchmark
    public String call() {
        return pipeline.call(action);
    }

    @Benchmark
    public CompletableFuture<String> callAsync() {
        return pipeline.callAsync(stage);
    }
}
