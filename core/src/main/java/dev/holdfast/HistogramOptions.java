/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.Options;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.spi.PolicyFactory.Range;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Collects what observers show of latencies. For one thread at a time. */
public final class HistogramOptions {
    private static final Range<Duration> TIMES = new Range<>(Duration.ofNanos(1_000), Duration.ofDays(1), false, "");
    private static final Options<HistogramOptions> OPTIONS = new Options<>(
            "histograms",
            HistogramOptions::new,
            List.of(
                    Option.list(
                                    "percentiles",
                                    Double.class,
                                    new Range<>(0.0, 1.0, false, ""),
                                    20,
                                    (HistogramOptions h) -> h.percentiles.isEmpty() ? null : h.percentiles,
                                    (h, percentiles) -> h.percentiles = percentiles)
                            .means("percentiles that this process computes, such as 0.99"),
                    Option.list(
                                    "slo",
                                    Duration.class,
                                    TIMES,
                                    50,
                                    (HistogramOptions h) -> h.slo.isEmpty() ? null : h.slo,
                                    (h, slo) -> h.slo = slo)
                            .means("a bucket that ends at each of these times"),
                    Option.flag(
                                    "percentile-histogram",
                                    (HistogramOptions h) -> h.percentileHistogram(),
                                    (h, percentileHistogram) -> h.percentileHistogram = percentileHistogram)
                            .defaultIs("true if there are no percentiles and no slo")
                            .inCode("publishPercentileHistogram")
                            .means("many buckets, from which a backend computes percentiles"),
                    Option.duration(
                                    "minimum-expected-value",
                                    (HistogramOptions h) -> h.minimumExpectedValue,
                                    HistogramOptions::minimumExpectedValue)
                            .range(Duration.ofNanos(1_000), Duration.ofDays(1))
                            .means("where the many buckets begin"),
                    Option.duration(
                                    "maximum-expected-value",
                                    (HistogramOptions h) -> h.maximumExpectedValue,
                                    HistogramOptions::maximumExpectedValue)
                            .range(Duration.ofNanos(1_000), Duration.ofDays(1))
                            .means("where they end")));

    private List<Double> percentiles = List.of();
    private List<Duration> slo = List.of();
    private @Nullable Boolean percentileHistogram;
    private Duration minimumExpectedValue = Duration.ofMillis(1);
    private Duration maximumExpectedValue = Duration.ofSeconds(30);

    /** Without percentiles and slo, so with a percentile histogram. */
    public HistogramOptions() {}

    /** The options with their ranges and meanings. */
    public static List<Option<HistogramOptions, ?>> options() {
        return OPTIONS.list();
    }

    /** Percentiles that this process computes, each 0 to 1, at most 20. Those of several processes cannot be added. */
    public HistogramOptions percentiles(double... values) {
        percentiles = Arrays.stream(values).boxed().toList();
        return this;
    }

    /** A bucket that ends at each of these times, each 1 us to 1 day, at most 50: how many calls were as fast as promised. */
    public HistogramOptions slo(Duration... values) {
        slo = List.of(values);
        return this;
    }

    /**
     * Many buckets, 68 between the default bounds, from which a backend computes percentiles. Default: if there are no percentiles
     * and no slo.
     */
    public HistogramOptions publishPercentileHistogram() {
        percentileHistogram = true;
        return this;
    }

    /** Where the buckets of {@link #publishPercentileHistogram} begin: 1 us to 1 day; default 1 ms. */
    public HistogramOptions minimumExpectedValue(Duration value) {
        minimumExpectedValue = Objects.requireNonNull(value, "minimumExpectedValue");
        return this;
    }

    /** Where they end: 1 us to 1 day; default 30 s. */
    public HistogramOptions maximumExpectedValue(Duration value) {
        maximumExpectedValue = Objects.requireNonNull(value, "maximumExpectedValue");
        return this;
    }

    private boolean percentileHistogram() {
        Boolean said = percentileHistogram;
        return said != null ? said : percentiles.isEmpty() && slo.isEmpty();
    }

    /**
     * The values.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if one is out of range, or nothing would be shown
     */
    public CallObserver.Histograms build() {
        boolean something = percentileHistogram() || !percentiles.isEmpty() || !slo.isEmpty();
        OPTIONS.check(this)
                .that(something, "publishPercentileHistogram", "false", "true without percentiles and slo")
                .atLeast("maximumExpectedValue", maximumExpectedValue, "minimumExpectedValue", minimumExpectedValue)
                .done();
        return new CallObserver.Histograms(
                percentiles, slo, percentileHistogram(), minimumExpectedValue, maximumExpectedValue);
    }
}
