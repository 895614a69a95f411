/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.chaos.ChaosPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.AdaptiveThrottlePolicy;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each row of the page of metrics is a meter with this kind and these tags, and each meter is a row. */
@Logs("chaos-enabled")
class MetricsPageTest {
    private static final Pattern ROW = Pattern.compile(
            "(?m)^\\| `(holdfast\\.[a-z.]+)` \\| (function timer|timer|counter|gauge) \\|[^|]*\\|([^|]*)\\|.*$");
    private static final Pattern TAG = Pattern.compile("`([a-z]+)`");

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final VirtualTime time = new VirtualTime();
    private final MicrometerObserver metrics = new MicrometerObserver(registry);
    private final Pipeline pipeline = Pipeline.builder("stock")
            .policies(
                    StaleCachePolicy.of(c -> {}),
                    RetryPolicy.ofDefaults(),
                    HedgePolicy.of(h -> h.delay(ofSeconds(1))),
                    CircuitBreakerPolicy.ofDefaults(),
                    GatePolicy.ofDefaults(),
                    AdaptiveThrottlePolicy.ofDefaults(),
                    ThrottlePolicy.ofDefaults(),
                    BulkheadPolicy.ofDefaults(),
                    ShadowPolicy.of(TimeoutPolicy.of(ofMillis(10))),
                    TimeoutPolicy.of(ofSeconds(2)),
                    ChaosPolicy.of(c -> c.enabled(true)))
            .time(time)
            .observer(metrics)
            .advised()
            .build();

    @BeforeEach
    void everythingHappens() {
        Operation<String> operation = pipeline.operation("get");
        assertThat(operation.unkeyed().call(attempt -> "it")).isEqualTo("it");
        // What is rare is told as the pipeline tells it: other tests show when.
        metrics.rejected("stock", "get", "bulkhead", Reason.BULKHEAD_FULL);
        metrics.retryScheduled("stock", "get", 1, 5);
        metrics.retryRefused("stock", "get", 3, Refusal.EXHAUSTED);
        metrics.hedged("stock", "get", 2);
        metrics.overrun("stock", "get", 5);
        metrics.writtenOff("stock", "get", "bulkhead");
        metrics.backgroundSettled("stock", "get", Outcome.SUCCESS, 5);
        metrics.stateChanged("stock", "circuit-breaker", "closed", "open", "6 of 10 calls failed");
        metrics.configurationRead("file", true, "");
        metrics.opened(new InstanceOfKeys());
    }

    private static final class InstanceOfKeys implements CallObserver.Observed, CallObserver.Keys {
        @Override
        public String name() {
            return "shops";
        }

        @Override
        public List<Policy> policies() {
            return List.of();
        }

        @Override
        public void meters(Meters meters) {}

        @Override
        public CallObserver.Keys keys() {
            return this;
        }

        @Override
        public int size() {
            return 1;
        }

        @Override
        public int max() {
            return 10;
        }
    }

    @AfterEach
    void close() {
        pipeline.close();
        time.close();
    }

    private record Row(String name, String kind, Set<String> tags) {}

    private static Set<Row> rows(String heading, String text) {
        int begin = text.indexOf("\n## " + heading + "\n");
        assertThat(begin).as(heading).isPositive();
        int end = text.indexOf("\n## ", begin + 1);
        return ROW.matcher(text.substring(begin, end))
                .results()
                .map(row -> new Row(row.group(1), row.group(2), tags(row)))
                .collect(Collectors.toSet());
    }

    private static Set<String> tags(MatchResult row) {
        return TAG.matcher(row.group(3))
                .results()
                .map(tag -> tag.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private Set<Row> meters(boolean ofPolicies) {
        Set<String> ofEach = ofPolicies ? Set.of("pipeline", "policy") : Set.of("pipeline");
        return registry.getMeters().stream()
                .filter(meter -> !meter.getId().getName().startsWith("holdfast.shadow.")
                        || Stream.of("decisions", "succeeded")
                                .anyMatch(meter.getId().getName()::endsWith))
                .filter(meter -> ofPolicies == isOfPolicy(meter))
                .map(meter -> new Row(
                        meter.getId().getName(),
                        kind(meter),
                        meter.getId().getTags().stream()
                                .map(Tag::getKey)
                                .filter(key -> !ofEach.contains(key))
                                .collect(Collectors.toCollection(TreeSet::new))))
                .collect(Collectors.toSet());
    }

    /** Its name begins with a policy: {@code holdfast.bulkhead.limit}. */
    private static boolean isOfPolicy(Meter meter) {
        String name = meter.getId().getName();
        return Stream.of(
                        "retry.",
                        "hedge.",
                        "circuitbreaker.",
                        "gate.",
                        "adaptivethrottle.",
                        "throttle.",
                        "bulkhead.",
                        "stalecache.",
                        "chaos.",
                        "shadow.")
                .anyMatch(policy -> name.startsWith("holdfast." + policy));
    }

    private static String kind(Meter meter) {
        String kind = meter.getId().getType().name().toLowerCase(Locale.ROOT);
        return kind.equals("timer") ? "function timer" : kind;
    }

    private static String page() throws IOException {
        return Files.readString(Path.of("../docs/metrics.md"));
    }

    @Test
    void metersOfEveryPipeline() throws IOException {
        assertThat(meters(false)).containsExactlyInAnyOrderElementsOf(rows("Meters of every pipeline", page()));
    }

    @Test
    void metersOfPolicies() throws IOException {
        assertThat(meters(true)).containsExactlyInAnyOrderElementsOf(rows("Meters of the policies", page()));
    }

    @Test
    void everyValueOfATagIsOnThePage() throws IOException {
        String page = page();
        Stream<List<? extends Enum<?>>> all = Stream.of(
                Arrays.asList(Outcome.values()),
                Arrays.asList(Source.values()),
                Arrays.asList(Reason.values()),
                Arrays.asList(Refusal.values()));
        int begin = page.indexOf("\n## Values of the tags");
        String values = page.substring(begin, page.indexOf("\n## ", begin + 1));

        all.flatMap(List::stream)
                .forEach(value -> assertThat(values).contains("`" + value.name().toLowerCase(Locale.ROOT) + "`"));
    }

    /** {@code rejected} is only in the history of a call. */
    @Test
    void everyReasonOfARetryHasItsMeaning() throws IOException {
        String page = page();

        assertThat(Refusal.values())
                .filteredOn(why -> why != Refusal.REJECTED)
                .allSatisfy(
                        why -> assertThat(page).contains("\n| `" + why.name().toLowerCase(Locale.ROOT) + "` | "));
    }

    @Test
    void thePageListsTheMetersThatAreAbsentUntilTheyCount() throws IOException {
        SimpleMeterRegistry idle = new SimpleMeterRegistry();
        Set<String> absent = rows("Meters of every pipeline", page()).stream()
                .map(Row::name)
                .filter(name -> !name.startsWith("holdfast.keyed."))
                .collect(Collectors.toCollection(TreeSet::new));
        try (Pipeline built = Pipeline.builder("idle")
                .standard()
                .advised()
                .observer(new MicrometerObserver(idle))
                .time(time)
                .build()) {
            assertThat(built.name()).isEqualTo("idle");
            idle.getMeters().forEach(meter -> absent.remove(meter.getId().getName()));
        }
        String page = page();
        int begin = page.indexOf("\n### Meters that are absent at first\n");
        String list = page.substring(begin, page.indexOf("\n## ", begin));

        assertThat(absent).isNotEmpty().allSatisfy(name -> assertThat(list).contains("`" + name + "`"));
        assertThat(Pattern.compile("`(holdfast[a-z.]+)`").matcher(list).results())
                .extracting(name -> name.group(1))
                .containsExactlyInAnyOrderElementsOf(absent);
    }

    @Test
    void theDescriptionOfRejectionsIsThatOfThePage() throws IOException {
        String description = registry.get("holdfast.rejections").meter().getId().getDescription();

        assertThat(description).isNotBlank();
        assertThat(page()).containsIgnoringCase("| " + description);
    }
}
