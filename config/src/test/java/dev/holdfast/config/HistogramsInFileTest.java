/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.Pipeline;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver.Histograms;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The section {@code histograms} of a file. */
class HistogramsInFileTest {
    @TempDir
    Path directory;

    private static Holdfast load(String yaml) {
        return Holdfast.builder()
                .load("holdfast.yaml", new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)));
    }

    private static Optional<Histograms> of(Holdfast holdfast, String pipeline) {
        return holdfast.pipeline(pipeline).histograms();
    }

    private static Histograms histograms(List<Double> percentiles, List<Duration> slo, boolean histogram) {
        return new Histograms(percentiles, slo, histogram, Duration.ofMillis(1), Duration.ofSeconds(30));
    }

    @Test
    void aPipelineHasWhatItSays() {
        try (Holdfast holdfast = load("""
                pipelines:
                  all:
                    retry:
                    histograms:
                      percentiles: [0.5, 0.99]
                      slo: [100ms, "${NOT_THERE:250ms}"]
                      percentile-histogram: true
                      minimum-expected-value: 2ms
                      maximum-expected-value: 5s
                  one: { retry: , histograms: { slo: 100ms } }
                  empty: { retry: , histograms: }
                  none: { retry: }
                """)) {
            assertThat(of(holdfast, "all"))
                    .contains(new Histograms(
                            List.of(0.5, 0.99),
                            List.of(Duration.ofMillis(100), Duration.ofMillis(250)),
                            true,
                            Duration.ofMillis(2),
                            Duration.ofSeconds(5)));
            assertThat(of(holdfast, "one")).contains(histograms(List.of(), List.of(Duration.ofMillis(100)), false));
            assertThat(of(holdfast, "empty")).contains(histograms(List.of(), List.of(), true));
            assertThat(of(holdfast, "none")).isEmpty();
            assertThat(holdfast.pipeline("all")).hasToString("all: retry > call");
        }
    }

    @Test
    void defaultsAndTemplatesAreMergedOptionByOption() {
        try (Holdfast holdfast = load("""
                defaults:
                  histograms: { slo: [100ms] }
                templates:
                  exact:
                    histograms: { percentiles: [0.9] }
                    retry:
                  bare:
                    extends: standard
                    without: histograms
                pipelines:
                  plain: { retry: }
                  five: { extends: standard }
                  inherited: { extends: exact }
                  own: { extends: exact, histograms: { slo: [200ms], percentiles: 0.5 } }
                  without: { extends: exact, without: [histograms] }
                  further: { extends: bare }
                """)) {
            Histograms byDefault = histograms(List.of(), List.of(Duration.ofMillis(100)), false);
            assertThat(of(holdfast, "plain")).contains(byDefault);
            assertThat(of(holdfast, "five")).contains(byDefault);
            assertThat(of(holdfast, "inherited"))
                    .contains(histograms(List.of(0.9), List.of(Duration.ofMillis(100)), false));
            assertThat(of(holdfast, "own")).contains(histograms(List.of(0.5), List.of(Duration.ofMillis(200)), false));
            assertThat(of(holdfast, "without")).isEmpty();
            assertThat(of(holdfast, "further")).isEmpty();
            assertThat(holdfast.pipeline("further").policies()).hasSize(5);
        }
    }

    @Test
    void eachBadValueIsReportedAtItsPlace() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("""
                        defaults:
                          histograms: { slo: [0ns] }
                        pipelines:
                          inventory:
                            retry:
                            histograms:
                              percentiles: [0.5, 99, high]
                              slo: [100, 250ms]
                              percentiles-histogram: true
                              maximum-expected-value: 2d
                          prices:
                            retry:
                            histograms: { slo: {}, percentile-histogram: yes }
                          orders:
                            retry:
                            histograms: { percentile-histogram: false, slo: [] }
                          payments:
                            retry:
                            histograms: { slo: 1s, minimum-expected-value: 2s, maximum-expected-value: 1s }
                          stock:
                            retry:
                            histogram: { slo: 1s }
                        """))
                .withMessage("""
                        holdfast.yaml:2:23 defaults.histograms.slo: is 0ns; expected 1us to 1d
                        holdfast.yaml:7:26 pipelines.inventory.histograms.percentiles: is 99; expected 0 to 1
                        holdfast.yaml:7:30 pipelines.inventory.histograms.percentiles: is high; expected a number
                        holdfast.yaml:8:13 pipelines.inventory.histograms.slo: is 100, which has no unit; expected 100ms, 100s or another unit (ns, us, ms, s, m, h, d)
                        holdfast.yaml:9:7 pipelines.inventory.histograms.percentiles-histogram: unknown option; did you mean percentile-histogram?
                        holdfast.yaml:10:31 pipelines.inventory.histograms.maximum-expected-value: is 2d; expected 1us to 1d
                        holdfast.yaml:13:24 pipelines.prices.histograms.slo: is a mapping; expected a duration such as 250ms, 5s or PT1M30S
                        holdfast.yaml:13:50 pipelines.prices.histograms.percentile-histogram: is yes; did you mean true?
                        holdfast.yaml:16:41 pipelines.orders.histograms.percentile-histogram: is false; expected true without percentiles and slo
                        holdfast.yaml:19:80 pipelines.payments.histograms.maximum-expected-value: is 1s; expected at least minimum-expected-value, which is 2s
                        holdfast.yaml:22:5 pipelines.stock.histogram: unknown section; did you mean histograms?""");
    }

    @Test
    void aListHasABound() {
        String many = "0.5, ".repeat(20) + "0.5";
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("pipelines: { a: { retry: , histograms: { percentiles: [" + many + "] } } }"))
                .withMessageContaining("pipelines.a.histograms.percentiles: has 21 values; expected at most 20");
    }

    @Test
    void aReloadExchangesThemAndNothingElse() throws IOException {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        Path file = write("");
        try (Holdfast holdfast =
                Holdfast.builder().observer(new MicrometerObserver(registry)).load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            RetryPolicy retry = inventory.policy(RetryPolicy.class);
            Pipeline instance = holdfast.pipeline("inventory", "host");
            inventory.call(() -> "good");
            instance.call(() -> "good");

            write("histograms: { slo: [1s] }");
            assertThat(holdfast.reload()).containsExactly("inventory");
            inventory.call(() -> "good");
            instance.call(() -> "good");

            assertThat(inventory.policy(RetryPolicy.class)).isSameAs(retry);
            for (String name : List.of("inventory", "inventory/host")) {
                assertThat(registry.get("holdfast.calls.latency")
                                .tag("pipeline", name)
                                .timer()
                                .count())
                        .isEqualTo(1);
                assertThat(registry.get("holdfast.calls")
                                .tag("pipeline", name)
                                .functionTimer()
                                .count())
                        .isEqualTo(2);
            }
            assertThat(holdfast.reload()).isEmpty();

            write("histograms: { slo: [1] }");
            assertThatExceptionOfType(ConfigException.class).isThrownBy(holdfast::reload);
            assertThat(registry.find("holdfast.calls.latency").timers()).hasSize(2);

            write("");
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(registry.find("holdfast.calls.latency").timers()).isEmpty();
        }
    }

    /** Policies that can never work together: the pipelines that were changed before are as they were. */
    @Test
    void aReloadThatFailsLateChangesNone() throws IOException {
        Path file = directory.resolve("holdfast.yaml");
        Files.writeString(file, "pipelines: { a: { retry: }, b: { retry: } }");
        try (Holdfast holdfast = Holdfast.load(file)) {
            Files.writeString(file, """
                    pipelines:
                      a: { retry: , histograms: }
                      b: { hedge: , order: [hedge, hedge] }
                    """);
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(holdfast::reload)
                    .withMessageContaining("pipelines.b: pipeline 'b' has 2 policies that hedge");
            assertThat(of(holdfast, "a")).isEmpty();
        }
    }

    private Path write(String histograms) throws IOException {
        return Files.writeString(
                directory.resolve("holdfast.yaml"),
                "pipelines:\n  inventory:\n    retry:\n    " + histograms + "\n  prices: { retry: }\n");
    }
}
