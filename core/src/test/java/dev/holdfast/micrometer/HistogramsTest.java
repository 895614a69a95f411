/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import static java.time.Duration.ofMillis;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.HistogramOptions;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.CallObserver.Histograms;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Latencies in buckets and as percentiles, beside the sums that {@link MicrometerObserverTest} looks at. */
class HistogramsTest {
    private static final Histograms SLO =
            new HistogramOptions().slo(ofMillis(100), ofMillis(250)).build();
    private static final Histograms PERCENTILES =
            new HistogramOptions().percentiles(0.5, 0.99).build();
    private static final Histograms HISTOGRAM =
            new HistogramOptions().publishPercentileHistogram().build();
    private static final Histograms ALL = new HistogramOptions()
            .slo(ofMillis(100), ofMillis(250))
            .percentiles(0.5, 0.99)
            .publishPercentileHistogram()
            .build();

    private final SimpleMeterRegistry simple = new SimpleMeterRegistry();
    private final PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void end() {
        time.close();
    }

    private Pipeline.Builder builder(String name, MicrometerObserver observer) {
        return Pipeline.builder(name).time(time).observer(observer);
    }

    private Pipeline pipeline(MeterRegistry registry, Histograms histograms) {
        return builder("inventory", new MicrometerObserver(registry))
                .histograms(histograms)
                .build();
    }

    /** A call that takes so long. */
    private void call(Pipeline pipeline, int millis) throws InterruptedException {
        pipeline.callInterruptibly(() -> {
            time.sleep(ofMillis(millis));
            return "good";
        });
    }

    private void callAsync(Pipeline pipeline, int millis) {
        CompletableFuture<String> answer = pipeline.callAsync(() -> {
            CompletableFuture<String> stage = new CompletableFuture<>();
            time.schedule(MILLISECONDS.toNanos(millis), () -> stage.complete("good"));
            return stage;
        });
        time.advance(ofMillis(millis));
        assertThat(answer).isCompletedWithValue("good");
    }

    private static Timer timer(MeterRegistry registry, String name) {
        return registry.get(name).timer();
    }

    /** How many events were at most as slow as the bound of each bucket. */
    private static List<Double> counts(Timer timer) {
        return Arrays.stream(timer.takeSnapshot().histogramCounts())
                .map(bucket -> bucket.count())
                .toList();
    }

    private static List<String> names(MeterRegistry registry) {
        return registry.getMeters().stream()
                .map(meter -> meter.getId().getName())
                .sorted()
                .toList();
    }

    // ---- what is shown

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsAndAttemptsAreInBucketsOfTheirOwn(Way way) throws Exception {
        Pipeline pipeline = pipeline(simple, SLO);
        for (int millis : new int[] {50, 150, 150, 900}) {
            if (way == Way.CALL) {
                call(pipeline, millis);
            } else {
                callAsync(pipeline, millis);
            }
        }

        for (String name : List.of("holdfast.calls.latency", "holdfast.attempts.latency")) {
            Timer timer = timer(simple, name);
            assertThat(counts(timer)).as(name).containsExactly(1.0, 3.0);
            assertThat(timer.count()).isEqualTo(4);
            assertThat(timer.totalTime(MILLISECONDS)).isEqualTo(1250);
            assertThat(timer.max(MILLISECONDS)).isEqualTo(900);
        }
        assertThat(tags("holdfast.calls.latency")).containsExactly("operation", "outcome", "pipeline", "source");
        assertThat(tags("holdfast.attempts.latency")).containsExactly("operation", "outcome", "pipeline");
    }

    private List<String> tags(String name) {
        return timer(simple, name).getId().getTags().stream().map(Tag::getKey).toList();
    }

    @Test
    void percentilesAreThoseOfThisProcess() throws Exception {
        Pipeline pipeline = pipeline(simple, PERCENTILES);
        for (int i = 0; i < 100; i++) {
            call(pipeline, i < 90 ? 20 : 200);
        }

        var values = timer(simple, "holdfast.calls.percentiles").takeSnapshot().percentileValues();
        assertThat(values[0].percentile()).isEqualTo(0.5);
        assertThat(values[0].value(MILLISECONDS)).isCloseTo(20, within(2.0));
        assertThat(values[1].percentile()).isEqualTo(0.99);
        assertThat(values[1].value(MILLISECONDS)).isCloseTo(200, within(20.0));
    }

    @Test
    void withoutHistogramsThereIsNoTimer() throws Exception {
        Pipeline pipeline = builder("inventory", new MicrometerObserver(simple)).build();
        call(pipeline, 10);

        assertThat(pipeline.histograms()).isEmpty();
        assertThat(names(simple)).containsExactly("holdfast.attempts", "holdfast.calls");
        assertThat(simple.getMeters()).noneMatch(Timer.class::isInstance);
    }

    @Test
    void emptyOptionsAreAPercentileHistogramBetweenItsBounds() throws Exception {
        Pipeline pipeline = builder("inventory", new MicrometerObserver(prometheus))
                .histograms(h -> h.minimumExpectedValue(ofMillis(5)).maximumExpectedValue(ofMillis(500)))
                .build();
        call(pipeline, 50);

        List<Double> bounds = prometheus
                .scrape()
                .lines()
                .filter(line -> line.startsWith("holdfast_calls_latency_seconds_bucket") && !line.contains("+Inf"))
                .map(line -> Double.valueOf(line.replaceAll(".*le=\"([^\"]*)\".*", "$1")))
                .toList();
        assertThat(bounds).hasSizeGreaterThan(20).isSorted();
        assertThat(bounds.get(0)).isEqualTo(0.005);
        assertThat(bounds.get(bounds.size() - 1)).isEqualTo(0.5);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.1, Double.NaN})
    void aPercentileIsFromZeroToOne(double percentile) {
        assertThatExceptionOfType(InvalidSettingsException.class)
                .isThrownBy(() ->
                        new HistogramOptions().percentiles(0.5, percentile).build())
                .withMessageContaining("percentiles")
                .withMessageContaining(String.valueOf(percentile))
                .withMessageContaining("at most 20, each 0 to 1");
    }

    @Test
    void boundsThatCrossAreRefused() {
        assertThatExceptionOfType(InvalidSettingsException.class)
                .isThrownBy(() -> new HistogramOptions()
                        .minimumExpectedValue(ofMillis(20))
                        .maximumExpectedValue(ofMillis(10))
                        .build())
                .withMessageContaining("maximumExpectedValue is 10ms")
                .withMessageContaining("minimumExpectedValue, which is 20ms");
    }

    // ---- filters

    private static MeterFilter on(String prefix, DistributionStatisticConfig config) {
        return new MeterFilter() {
            @Override
            public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig given) {
                return id.getName().startsWith(prefix) ? config.merge(given) : given;
            }
        };
    }

    @Test
    void aFilterChangesTheBuckets() throws Exception {
        simple.config()
                .meterFilter(on(
                        "holdfast.calls",
                        DistributionStatisticConfig.builder()
                                .serviceLevelObjectives(10_000_000.0, 20_000_000.0)
                                .percentiles(0.9)
                                .build()));
        call(pipeline(simple, SLO), 15);

        Timer calls = timer(simple, "holdfast.calls.latency");
        assertThat(counts(calls)).containsExactly(0.0, 1.0);
        assertThat(calls.takeSnapshot().percentileValues()).hasSize(1);
        // It is not for these.
        assertThat(counts(timer(simple, "holdfast.attempts.latency"))).containsExactly(1.0, 1.0);
    }

    @Test
    void aFilterRenamesAndAddsTags() throws Exception {
        simple.config().commonTags("region", "north").meterFilter(new MeterFilter() {
            @Override
            public Meter.Id map(Meter.Id id) {
                return id.getName().equals("holdfast.calls.latency") ? id.withName("shop.latency") : id;
            }
        });
        Pipeline pipeline = pipeline(simple, SLO);
        call(pipeline, 15);

        assertThat(simple.get("shop.latency").tag("region", "north").timer().count())
                .isEqualTo(1);
        assertThat(names(simple)).doesNotContain("holdfast.calls.latency");

        pipeline.close();
        assertThat(simple.getMeters()).isEmpty();
    }

    @Test
    void aFilterDeniesThem() throws Exception {
        simple.config().meterFilter(MeterFilter.denyNameStartsWith("holdfast.calls.latency"));
        call(pipeline(simple, SLO), 15);

        assertThat(names(simple))
                .contains("holdfast.calls", "holdfast.attempts.latency")
                .doesNotContain("holdfast.calls.latency");
    }

    /** Only the timers can be shared: of the sums, Micrometer keeps the first, and says so. */
    @Test
    @Logs(value = "FunctionTimer has been already registered", sometimes = true)
    void whatAFilterPutsTogetherIsOneTimerUntilTheLastOfThemIsClosed() throws Exception {
        simple.config().meterFilter(MeterFilter.ignoreTags("pipeline"));
        MicrometerObserver observer = new MicrometerObserver(simple);
        Pipeline one = builder("one", observer).histograms(SLO).build();
        Pipeline two = builder("two", observer).histograms(SLO).build();
        call(one, 15);
        call(two, 150);
        assertThat(counts(timer(simple, "holdfast.calls.latency"))).containsExactly(1.0, 2.0);

        one.close();
        call(two, 150);
        assertThat(counts(timer(simple, "holdfast.calls.latency"))).containsExactly(1.0, 3.0);

        two.close();
        assertThat(simple.getMeters()).isEmpty();
    }

    // ---- pipelines beside each other, and reloads

    /** Prometheus fails the whole scrape if one name is a summary and a histogram. */
    @Test
    void pipelinesWithAllKindsOfHistogramsShareARegistry() throws Exception {
        MicrometerObserver observer = new MicrometerObserver(prometheus);
        call(builder("none", observer).build(), 50);
        call(builder("slo", observer).histograms(SLO).build(), 50);
        call(builder("percentiles", observer).histograms(PERCENTILES).build(), 50);
        call(builder("histogram", observer).histograms(HISTOGRAM).build(), 50);
        call(builder("all", observer).histograms(ALL).build(), 50);

        String scrape = prometheus.scrape();

        assertThat(scrape)
                .contains("# TYPE holdfast_calls_seconds summary")
                .contains("# TYPE holdfast_calls_latency_seconds histogram")
                .contains("# TYPE holdfast_calls_percentiles_seconds summary")
                .contains("# TYPE holdfast_attempts_latency_seconds histogram");
        assertThat(pipelinesWith(scrape, "holdfast_calls_seconds_count{"))
                .containsExactly("all", "histogram", "none", "percentiles", "slo");
        assertThat(pipelinesWith(scrape, "holdfast_calls_latency_seconds_bucket{"))
                .containsExactly("all", "histogram", "slo");
        assertThat(pipelinesWith(scrape, "holdfast_calls_percentiles_seconds{")).containsExactly("all", "percentiles");
    }

    private static List<String> pipelinesWith(String scrape, String series) {
        return scrape.lines()
                .filter(line -> line.startsWith(series))
                .map(line -> line.replaceAll(".*pipeline=\"([^\"]*)\".*", "$1"))
                .distinct()
                .sorted()
                .toList();
    }

    @Test
    void histogramsAreExchangedWhileSumsGoOn() throws Exception {
        MicrometerObserver observer = new MicrometerObserver(prometheus);
        Pipeline pipeline = builder("inventory", observer).build();
        call(pipeline, 50);

        pipeline.replaceHistograms(new HistogramOptions().slo(ofMillis(100)).build());
        call(pipeline, 50);
        assertThat(prometheus.scrape())
                .contains("holdfast_calls_latency_seconds_count{", "le=\"0.1\"} 1")
                .containsPattern("holdfast_calls_seconds_count\\{.*} 2");

        pipeline.replaceHistograms(new HistogramOptions().percentiles(0.5).build());
        call(pipeline, 50);
        assertThat(prometheus.scrape())
                .doesNotContain("latency")
                .contains("quantile=\"0.5\"")
                .containsPattern("holdfast_calls_percentiles_seconds_count\\{.*} 1")
                .containsPattern("holdfast_calls_seconds_count\\{.*} 3");

        pipeline.replaceHistograms(null);
        call(pipeline, 50);
        assertThat(names(prometheus)).containsExactly("holdfast.attempts", "holdfast.calls");
        assertThat(prometheus.scrape())
                .doesNotContain("latency", "percentiles")
                .containsPattern("holdfast_calls_seconds_count\\{.*} 4");
    }

    @Test
    void histogramsThatStayTheSameGoOn() throws Exception {
        Pipeline pipeline = pipeline(simple, SLO);
        call(pipeline, 50);

        pipeline.replace();
        pipeline.replaceHistograms(
                new HistogramOptions().slo(ofMillis(100), ofMillis(250)).build());
        call(pipeline, 50);

        assertThat(timer(simple, "holdfast.calls.latency").count()).isEqualTo(2);
    }

    @Test
    void theYoungestPipelineOfANameDecides() throws Exception {
        MicrometerObserver observer = new MicrometerObserver(simple);
        builder("inventory", observer).histograms(PERCENTILES).build();
        Pipeline younger = builder("inventory", observer).histograms(SLO).build();
        call(younger, 50);
        assertThat(names(simple)).contains("holdfast.calls.latency").doesNotContain("holdfast.calls.percentiles");

        younger.close();
        assertThat(names(simple)).contains("holdfast.calls.percentiles").doesNotContain("holdfast.calls.latency");
    }

    @Test
    void aClosedPipelineLeavesNoMeter() throws Exception {
        Pipeline pipeline = pipeline(simple, ALL);
        call(pipeline, 50);
        assertThat(simple.getMeters()).isNotEmpty();

        pipeline.close();

        assertThat(simple.getMeters()).isEmpty();
    }

    @Test
    void recordingAllocatesNothing() {
        MicrometerObserver observer = new MicrometerObserver(prometheus);
        builder("inventory", observer).histograms(ALL).build();
        int calls = 20_000;
        // Once warm, as in MicrometerObserverTest.
        assertThat(LongStream.generate(() -> allocatedBy(observer, calls))
                        .skip(1)
                        .limit(50))
                .anyMatch(bytes -> bytes < calls);
    }

    private static long allocatedBy(MicrometerObserver observer, int calls) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < calls; i++) {
            observer.attemptSettled("inventory", "stock", 1, Outcome.FAILURE, 1_000_000);
            observer.callSettled("inventory", "stock", Outcome.FAILURE, Source.LIVE, 1, 2_000_000);
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }
}
