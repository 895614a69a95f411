/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Holdfast;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * The dashboard and the alerts name only what a scrape of the example {@link Monitored} has. That they mean what they say is
 * shown by {@code .ci/prometheus}, which runs the example beside a real Prometheus.
 */
@Logs("a changed configuration is refused")
@Logs("further keys share one")
@Logs(value = "pipeline '.*': ", sometimes = true)
class MonitoringTest {
    private static final Path FOLDER = Path.of(System.getProperty("basedir", "."), "../docs/monitoring");
    private static final Path PAGE = FOLDER.resolve("../monitoring.md");

    private static final String ADDRESS = "https://holdfast.dev/docs/monitoring.md#";

    private static final Pattern SAMPLE = Pattern.compile("^(\\w+)(?:\\{(.*)})? \\S+$");
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Pattern SELECTOR = Pattern.compile("\\b(holdfast_\\w+)(?:\\{([^}]*)})?");
    private static final Pattern MATCHER = Pattern.compile("(\\w+)\\s*(=~|!~|!=|=)\\s*\"([^\"]*)\"");
    private static final Pattern BY = Pattern.compile("\\bby \\(([^)]*)\\)");
    private static final Pattern LEGEND = Pattern.compile("\\{\\{\\s*(\\w+)\\s*}}");

    /** The labels of all series of a name, with their values. */
    private static final Map<String, List<Map<String, String>>> SERIES = new HashMap<>();

    /** What is shown: where, what for, and what is written beside it. */
    private record Expression(String where, String text, String legend) {
        @Override
        public String toString() {
            return where;
        }
    }

    @BeforeAll
    static void scrapeTheExample() throws Exception {
        Path config = Monitored.packedConfig();
        CompletableFuture<Boolean> read = new CompletableFuture<>();
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        try (VirtualTime time = new VirtualTime();
                Holdfast pipelines = Holdfast.builder()
                        .time(time)
                        .observer(new MicrometerObserver(registry))
                        .observer(new CallObserver() {
                            @Override
                            public void configurationRead(Object configuration, boolean applied, String message) {
                                read.complete(applied);
                            }
                        })
                        .watch(Duration.ofMillis(100))
                        .load(config)) {
            MonitoredService service = new MonitoredService(pipelines, time::schedule);
            service.start();
            time.advance(Duration.ofSeconds(5));
            service.become(true);
            time.advance(Duration.ofSeconds(20));
            Files.writeString(config, Monitored.spoilt(Files.readString(config)));
            assertThat(read.get(1, TimeUnit.MINUTES)).isFalse();
            registry.scrape().lines().filter(line -> !line.startsWith("#")).forEach(MonitoringTest::add);
        }
    }

    private static void add(String line) {
        MatchResult sample = match(SAMPLE, line);
        // These two are Prometheus' own.
        Map<String, String> labels = new HashMap<>(Map.of("job", "example", "instance", "127.0.0.1:8080"));
        if (sample.group(2) != null) {
            LABEL.matcher(sample.group(2)).results().forEach(label -> labels.put(label.group(1), label.group(2)));
        }
        SERIES.computeIfAbsent(sample.group(1), name -> new ArrayList<>()).add(labels);
    }

    private static MatchResult match(Pattern pattern, String text) {
        var matcher = pattern.matcher(text);
        assertThat(matcher.matches()).as("%s is like %s", text, pattern).isTrue();
        return matcher.toMatchResult();
    }

    // ---- the two files; JSON is YAML, too

    private static Object read(String file) throws IOException {
        return new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(FOLDER.resolve(file)));
    }

    private static Stream<Map<?, ?>> maps(Object parent, String key) {
        List<?> items = (List<?>) Objects.requireNonNull(((Map<?, ?>) parent).get(key), key);
        return items.stream().map(item -> (Map<?, ?>) item);
    }

    /** Those that alert, or those that record what an alert asks for. */
    private static List<Map<?, ?>> rules(String kind) throws IOException {
        return maps(read("holdfast-alerts.yml"), "groups")
                .flatMap(group -> maps(group, "rules"))
                .filter(rule -> rule.containsKey(kind))
                .toList();
    }

    static List<Map<?, ?>> alerts() throws IOException {
        return rules("alert");
    }

    private static List<Map<?, ?>> panels() throws IOException {
        return maps(read("holdfast-dashboard.json"), "panels").toList();
    }

    static List<Expression> expressions() throws IOException {
        List<Expression> all = shown();
        rules("record").forEach(rule -> all.add(new Expression("" + rule.get("record"), "" + rule.get("expr"), "")));
        return all;
    }

    static List<Expression> shown() throws IOException {
        List<Expression> all = new ArrayList<>();
        alerts().forEach(alert -> all.add(
                new Expression("" + alert.get("alert"), "" + alert.get("expr"), "" + alert.get("annotations"))));
        panels().forEach(panel -> maps(panel, "targets")
                .forEach(target -> all.add(new Expression(
                        "" + panel.get("title"), "" + target.get("expr"), "" + target.get("legendFormat")))));
        return all;
    }

    // ---- what they name

    @ParameterizedTest
    @MethodSource("expressions")
    void everyMetricAndEveryLabelIsInAScrape(Expression expression) {
        List<MatchResult> selectors =
                SELECTOR.matcher(expression.text).results().toList();
        assertThat(selectors).as("the metrics of %s", expression).isNotEmpty();
        for (MatchResult selector : selectors) {
            String name = selector.group(1);
            assertThat(SERIES).as("scraped metrics").containsKey(name);
            String given = selector.group(2) == null ? "" : selector.group(2);
            assertThat(SERIES.get(name))
                    .as("series of %s for %s", name, given)
                    .anyMatch(labels -> MATCHER.matcher(given).results().allMatch(one -> matches(one, labels)));
        }
    }

    private static boolean matches(MatchResult matcher, Map<String, String> labels) {
        String value = labels.get(matcher.group(1));
        String wanted = matcher.group(3).replace("$pipeline", ".*").replace("$job", ".*");
        return value != null
                && switch (matcher.group(2)) {
                    case "=" -> value.equals(wanted);
                    case "!=" -> !value.equals(wanted);
                    case "=~" -> value.matches(wanted);
                    default -> !value.matches(wanted);
                };
    }

    @ParameterizedTest
    @MethodSource("expressions")
    void everyLabelOfAGroupIsOneOfTheMetricInIt(Expression expression) {
        BY.matcher(expression.text).results().forEach(by -> {
            var metric = SELECTOR.matcher(expression.text);
            assertThat(metric.find(by.end()))
                    .as("a metric after %s", by.group())
                    .isTrue();
            assertThat(SERIES.get(metric.group(1)))
                    .as("%s by %s", metric.group(1), by.group(1))
                    .allMatch(labels ->
                            labels.keySet().containsAll(List.of(by.group(1).split(", "))));
        });
    }

    /** Pipelines have the same names in many services: one that is well must not hide one that is ill. */
    @ParameterizedTest
    @MethodSource("expressions")
    void everyGroupIsOfOneService(Expression expression) {
        assertThat(BY.matcher(expression.text).results())
                .isNotEmpty()
                .allSatisfy(by -> assertThat(by.group(1).split(", ")).contains("job"));
    }

    @ParameterizedTest
    @MethodSource("shown")
    void whatIsShownNamesItsService(Expression expression) {
        assertThat(expression.legend).containsPattern("\\{\\{ ?(\\$labels\\.)?job ?}}");
    }

    @ParameterizedTest
    @MethodSource("expressions")
    void everyLabelInALegendIsOneOfItsExpression(Expression expression) {
        Set<String> grouped = BY.matcher(expression.text)
                .results()
                .flatMap(by -> Stream.of(by.group(1).split(", ")))
                .collect(toSet());
        String legend = expression.legend.replace("$labels.", "").replaceAll("\\{\\{ \\$value[^}]*}}", "");
        assertThat(LEGEND.matcher(legend).results().map(label -> label.group(1)))
                .isSubsetOf(grouped);
    }

    // ---- what belongs to them

    @ParameterizedTest
    @MethodSource("alerts")
    void anAlertSaysWhatToDoAndHasItsPlaceOnThePage(Map<?, ?> alert) throws IOException {
        Map<?, ?> annotations = (Map<?, ?>) Objects.requireNonNull(alert.get("annotations"), "annotations");
        assertThat(annotations.keySet()).hasToString("[summary, description, runbook_url]");
        String runbook = "" + annotations.get("runbook_url");
        assertThat(runbook).as("an address to click on").startsWith(ADDRESS);
        String anchor = runbook.replace(ADDRESS, "");
        assertThat(Files.readString(PAGE)
                        .lines()
                        .filter(line -> line.startsWith("### "))
                        .map(line -> line.substring(4).replace(' ', '-').toLowerCase(Locale.ROOT)))
                .contains(anchor);
        assertThat(Files.readString(PAGE)).contains("`" + alert.get("alert") + "`");
    }

    @Test
    void thePageHasALineOnEachPanel() throws IOException {
        assertThat(Files.readString(PAGE)
                        .lines()
                        .dropWhile(line -> !line.equals("## Panels"))
                        .skip(1)
                        .takeWhile(line -> !line.startsWith("## "))
                        .filter(line -> line.startsWith("| ") && !line.startsWith("| panel "))
                        .map(line -> line.substring(2, line.indexOf(" | "))))
                .isEqualTo(panels().stream().map(panel -> panel.get("title")).toList());
    }

    @Test
    void namesArePlacesOfTheirOwn() throws IOException {
        assertThat(alerts().stream().collect(groupingBy(alert -> "" + alert.get("alert"))))
                .hasSameSizeAs(alerts());
        assertThat(panels().stream().map(panel -> panel.get("gridPos"))).doesNotHaveDuplicates();
        assertThat(panels().stream().map(panel -> panel.get("id"))).doesNotHaveDuplicates();
    }
}
