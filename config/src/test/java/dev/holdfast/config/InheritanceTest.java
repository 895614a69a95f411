/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What pipelines of a file have in common: defaults, templates, other pipelines, several files, shared policies. */
@Logs("attempts-beyond-deadline")
class InheritanceTest {
    @TempDir
    Path directory;

    private static Holdfast load(String yaml) {
        return load(Holdfast.builder(), yaml);
    }

    private static Holdfast load(Holdfast.Builder builder, String yaml) {
        return builder.load("holdfast.yaml", new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)));
    }

    private static String order(Pipeline pipeline) {
        return pipeline.toString();
    }

    private static RetryPolicy retry(Pipeline pipeline) {
        return pipeline.policy(RetryPolicy.class);
    }

    @Test
    void wrongExtendsIsToldAloneAndNotWhatFollowsFromIt() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("""
                        templates:
                          service: { extends: standrd }
                          other: { extends: service, without: [retry] }
                        pipelines:
                          a: { extends: servic }
                          b: { extends: other, order: [timeout, retry], without: bulkhead }
                          c: { extends: standard, without: [deadline, retry, circuit-breaker, bulkhead, timeout] }
                        """))
                .satisfies(wrong -> assertThat(wrong.problems())
                        .extracting(problem -> problem.path() + ": " + problem.what())
                        .containsExactly(
                                "templates.service.extends: is standrd, which is no template and no pipeline",
                                "pipelines.a.extends: is servic, which is no template and no pipeline",
                                "pipelines.c: has no section"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "shops: standard | shops: is standard; did you mean extends: standard?",
                "shops: careful | shops: is careful; did you mean extends: careful?",
                "shops: 17 | shops: is 17; expected extends: standard, or at least one of ",
                "shops: | shops: has no section; expected extends: standard, or at least one of ",
            })
    void aPipelineWithoutSectionsIsToldWhatWasProbablyMeant(String pipeline, String told) {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("templates: { careful: { timeout: 1s } }\npipelines:\n  " + pipeline + "\n"))
                .withMessageContaining(" pipelines." + told);
    }

    private Holdfast loadBoth(String base, String later) throws IOException {
        return Holdfast.load(
                Files.writeString(directory.resolve("base.yaml"), base),
                Files.writeString(directory.resolve("later.yaml"), later));
    }

    @Test
    void aSectionOfALaterFileIsThereAlthoughAnEarlierOneLeavesItOut() throws Exception {
        String base = """
                defaults: { histograms: { slo: [100ms] } }
                pipelines: { a: { extends: standard, without: [retry, histograms] } }
                """;
        try (Holdfast holdfast =
                loadBoth(base, "pipelines: { a: { retry: { max-attempts: 7 }, histograms: { slo: [50ms] } } }")) {
            Pipeline a = holdfast.pipeline("a");
            assertThat(retry(a).settings().maxAttempts()).isEqualTo(7);
            assertThat(a.histograms()).isPresent();
        }
        try (Holdfast holdfast =
                loadBoth("pipelines: { a: { retry: , timeout: 1s } }", "pipelines: { a: { without: retry } }")) {
            assertThat(order(holdfast.pipeline("a"))).isEqualTo("a: timeout > call");
        }
    }

    @Test
    void aLaterFileBringsBackWhatAnEarlierOneBothHasAndLeavesOut() throws Exception {
        String both = "pipelines: { a: { extends: standard, without: [retry, timeout], retry: , timeout: 9s } }";
        try (Holdfast holdfast = loadBoth(both, "pipelines: { a: { retry: { max-attempts: 7 }, timeout: } }")) {
            assertThat(retry(holdfast.pipeline("a")).settings().maxAttempts()).isEqualTo(7);
            assertThat(holdfast.pipeline("a").policy(TimeoutPolicy.class).limit())
                    .isEqualTo(Duration.ofSeconds(9));
        }
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> loadBoth(both, "pipelines: { a: { retry: } }"))
                .satisfies(wrong -> assertThat(wrong.problems())
                        .extracting(ConfigException.Problem::what)
                        .containsExactly("names timeout, which stands here itself"));
    }

    @Test
    @Logs("'a' has instances for 1 keys")
    void theKeysOfInstancesAreMergedOptionByOption() throws Exception {
        try (Holdfast holdfast = loadBoth(
                "pipelines: { a: { timeout: 1s, keys: { max: 9, idle: 2h } } }",
                "pipelines: { a: { keys: { max: 1 } } }")) {
            assertThat(holdfast.pipeline("a", "x").name()).isEqualTo("a/x");
            assertThat(holdfast.pipeline("a", "y").name()).isEqualTo("a/other");
        }
    }

    private static void assertProblems(String yaml, String... problems) {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load(yaml))
                .satisfies(wrong -> assertThat(wrong.problems())
                        .extracting(problem -> problem.path() + ": " + problem.what()
                                + problem.expected()
                                        .map(expected -> "; expected " + expected)
                                        .orElse(""))
                        .containsExactly(problems));
    }

    @Test
    void theOrderBelowSharedHasNoMeaning() {
        try (Holdfast holdfast = load("""
                shared: { p5: { retry: { budget: p6 } }, p6: { budget: { max-tokens: 5 } } }
                pipelines: { a: { retry: { use: p5 } } }
                """)) {
            assertThat(retry(holdfast.pipeline("a")).budget()).isPresent();
        }
    }

    @Test
    void aWrongSharedPolicyIsToldOnceAndNotWhereItIsUsed() {
        assertProblems(
                """
                shared: { pool: { bulkhead: , retry: } }
                pipelines: { a: { bulkhead: { use: pool } }, b: { bulkhead: { use: pool } } }
                """,
                "shared.pool: is not one section; expected one section, such as bulkhead: { max-concurrent-calls: 20 }");
    }

    @Test
    void standardIsNotExtendedWhereAPipelineIsCalledSo() {
        assertProblems(
                """
                pipelines:
                  standard: { timeout: 1s }
                  a: { extends: standard }
                """,
                "pipelines.a.extends: is standard, which is built in, and also the pipeline of holdfast.yaml:2;"
                        + " expected another name there");
        try (Holdfast holdfast = load("pipelines: { standard: { timeout: 1s } }")) {
            assertThat(order(holdfast.pipeline("standard"))).isEqualTo("standard: timeout > call");
        }
    }

    @Test
    void aZeroWithoutUnitIsToldTheRangeOfAnOptionThatCannotBeZero() {
        assertProblems(
                """
                pipelines:
                  a: { timeout: 0, stale-cache: { fresh: 0 } }
                """,
                "pipelines.a.timeout: is 0, which has no unit; expected 1ms to 1d",
                "pipelines.a.stale-cache.fresh: is 0, which has no unit;"
                        + " expected 0ms, 0s or another unit (ns, us, ms, s, m, h, d)");
    }

    @Test
    void aBlankAtTheEndOfAValueIsShown() {
        assertProblems(
                "pipelines: { a: { retry: { max-attempts: \"5\\n\" }, timeout: PT876000H1S } }",
                "pipelines.a.retry.max-attempts: is \"5\\n\"; expected a whole number",
                "pipelines.a.timeout: is PT876000H1S, which is too long; expected 1ms to 1d");
    }

    @Test
    void aSectionUnderTheNameOfItsPolicyIsToldTheKind() {
        assertProblems(
                """
                shared: { of-all: { throttle: { limit: 1, per: 1s } } }
                pipelines: { partner: { of-all: { use: of-all } } }
                """,
                "pipelines.partner.of-all.use: is of-all, which is a policy of the kind throttle;"
                        + " expected throttle: { use: of-all }: a section has the name of its kind");
    }

    @Test
    void whateverAFactoryThrowsIsAProblemOfItsSectionBesideAllOthers() {
        SampleFactory zone = new SampleFactory("zone", 1, Optional.of("id"))
                .option("id", "id", String.class)
                .check((b, c) -> {
                    ZoneId unused = ZoneId.of(b.value("id", String.class).orElseThrow());
                });
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load(
                        Holdfast.builder().factories(new Factories(List.of(zone))),
                        "pipelines: { a: { zone: Nowhere/City }, b: { zone: , zoned: } }"))
                .satisfies(wrong -> assertThat(wrong.problems())
                        .extracting(problem -> problem.path() + ": " + problem.what())
                        .contains(
                                "pipelines.a.zone: java.time.zone.ZoneRulesException: Unknown time-zone ID: Nowhere/City",
                                "pipelines.b.zoned: unknown section"));
    }

    @Test
    void namesOfResilience4jAreUnderstoodAsAQuestion() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("""
                        pipelines:
                          a: { timelimiter: 1s, rate-limiter: , circuitbreaker: , thread-pool-bulkhead: , time-limiter: }
                        defaults: { ratelimiter: }
                        """))
                .satisfies(wrong -> assertThat(wrong.problems())
                        .extracting(problem -> problem.nearest().orElse("none"))
                        .containsExactly("timeout", "throttle", "circuit-breaker", "bulkhead", "timeout", "throttle"));
    }

    @Test
    void defaultsAreTheOptionsThatASectionDoesNotSayAndAddNoSection() {
        try (Holdfast holdfast = load("""
                defaults:
                  retry: { max-attempts: 5, backoff: { initial: 10ms, max: 2s } }
                  timeout: 250ms
                  throttle: { limit: 7 }
                pipelines:
                  inventory:
                    retry: { backoff: { initial: 20ms } }
                    timeout:
                  prices:
                    timeout: 1s
                """)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            assertThat(order(inventory)).isEqualTo("inventory: retry > timeout > call");
            assertThat(retry(inventory).settings())
                    .hasToString(RetryPolicy.of(r -> r.maxAttempts(5)
                                    .initialBackoff(Duration.ofMillis(20))
                                    .maxBackoff(Duration.ofSeconds(2)))
                            .settings()
                            .toString());
            assertThat(inventory.policy(TimeoutPolicy.class).limit()).isEqualTo(Duration.ofMillis(250));
            assertThat(holdfast.pipeline("prices").policy(TimeoutPolicy.class).limit())
                    .isEqualTo(Duration.ofSeconds(1));
        }
    }

    @Test
    void aPipelineExtendsATemplateThatExtendsTheStandard() {
        try (Holdfast holdfast = load("""
                templates:
                  service:
                    extends: standard
                    timeout: 250ms
                    throttle: { limit: 7 }
                pipelines:
                  inventory:
                    extends: service
                    retry: { max-attempts: 2 }
                    without: [bulkhead, throttle]
                  prices:
                    extends: inventory
                    retry: { backoff: { max: 3s } }
                    hedge: { delay: 50ms }
                """)) {
            assertThat(order(holdfast.pipeline("inventory")))
                    .isEqualTo("inventory: deadline > retry > circuit-breaker > timeout > call");
            assertThat(order(holdfast.pipeline("prices")))
                    .isEqualTo("prices: deadline > retry > hedge > circuit-breaker > timeout > call");
            assertThat(retry(holdfast.pipeline("prices")).settings().toString())
                    .contains("maxAttempts=2", "maxBackoff=3s");
            assertThat(holdfast.pipelines()).hasSize(2);
        }
    }

    @Test
    void defaultsHoldForTheSectionsOfTheStandard() {
        try (Holdfast holdfast = load("""
                defaults:
                  timeout: 250ms
                templates:
                  quick: { extends: standard, timeout: 100ms }
                pipelines:
                  inventory: { extends: standard }
                  prices: { extends: quick }
                """)) {
            assertThat(holdfast.pipeline("inventory")
                            .policy(TimeoutPolicy.class)
                            .limit())
                    .isEqualTo(Duration.ofMillis(250));
            assertThat(holdfast.pipeline("prices").policy(TimeoutPolicy.class).limit())
                    .isEqualTo(Duration.ofMillis(100));
        }
    }

    @Test
    void theStandardOfAFileIsThatOfCode() {
        try (Holdfast holdfast = load("pipelines: { inventory: { extends: standard } }");
                Pipeline standard = Pipeline.standard("inventory")) {
            assertThat(order(holdfast.pipeline("inventory"))).isEqualTo(order(standard));
            assertThat(holdfast.pipeline("inventory")
                            .policy(CircuitBreakerPolicy.class)
                            .settings())
                    .hasToString(standard.policy(CircuitBreakerPolicy.class)
                            .settings()
                            .toString());
        }
    }

    @Test
    void aLaterFileAddsToTheEarlierOnesAndWins() throws Exception {
        Path base = Files.writeString(directory.resolve("base.yaml"), """
                defaults: { timeout: 1s }
                pipelines:
                  inventory: { retry: { max-attempts: 5, backoff: { initial: 10ms } }, timeout: }
                  prices: { timeout: 2s }
                """);
        Path production = Files.writeString(directory.resolve("production.yaml"), """
                defaults: { timeout: 300ms }
                pipelines:
                  inventory: { retry: { max-attempts: 2 }, throttle: { limit: 9 } }
                  orders: { timeout: }
                """);
        try (Holdfast holdfast = Holdfast.load(base, production)) {
            assertThat(holdfast.pipelines().stream().map(InheritanceTest::order))
                    .containsExactly(
                            "inventory: retry > throttle > timeout > call",
                            "prices: timeout > call",
                            "orders: timeout > call");
            assertThat(retry(holdfast.pipeline("inventory")).settings().toString())
                    .contains("maxAttempts=2", "initialBackoff=10ms");
            assertThat(holdfast.pipeline("orders").policy(TimeoutPolicy.class).limit())
                    .isEqualTo(Duration.ofMillis(300));
        }
    }

    @Test
    void aProblemNamesTheFileInWhichItIs() throws Exception {
        Path base =
                Files.writeString(directory.resolve("base.yaml"), "pipelines: { a: { retry: { max-attempts: 0 } } }");
        Path more =
                Files.writeString(directory.resolve("more.yaml"), "pipelines: { b: { retry: { max-attempts: -1 } } }");
        assertThat(Holdfast.check(base, more).stream().map(ConfigException.Problem::file))
                .containsExactly(base.toString(), more.toString());
        assertThat(Holdfast.check(Files.writeString(directory.resolve("good.yaml"), "pipelines: { a: { retry: } }")))
                .isEmpty();
    }

    @Test
    void sharedPoliciesAndBudgetsAreOneForAllPipelines() {
        try (Holdfast holdfast = load("""
                shared:
                  pool: { bulkhead: { max-concurrent-calls: 3 } }
                  spare: { budget: { max-tokens: 20 } }
                pipelines:
                  inventory:
                    bulkhead: { use: pool }
                    retry: { budget: spare }
                  prices:
                    bulkhead: { use: pool }
                    hedge: { delay: 50ms, budget: spare }
                    throttle: { limit: 5 }
                  orders:
                    throttle: { limit: 5 }
                """)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            Pipeline prices = holdfast.pipeline("prices");
            assertThat(inventory.policy(BulkheadPolicy.class)).isSameAs(prices.policy(BulkheadPolicy.class));
            assertThat(prices.policy(ThrottlePolicy.class))
                    .isNotSameAs(holdfast.pipeline("orders").policy(ThrottlePolicy.class));
            assertThat(prices.policy(HedgePolicy.class)).isNotNull();
        }
    }

    @Test
    void aPolicyThatCodeHasMadeHasANameInTheFile() {
        BulkheadPolicy pool = BulkheadPolicy.of(b -> b.maxConcurrentCalls(2));
        Policy audit = new Audit();
        Holdfast.Builder builder =
                Holdfast.builder().bind("pool", pool).bind("audit-all", audit).bind("spare", RetryBudget.ofDefaults());
        try (Holdfast holdfast = load(builder, """
                pipelines:
                  inventory:
                    order: [audit, retry, bulkhead]
                    audit: { use: audit-all }
                    bulkhead: { use: pool }
                    retry: { budget: spare }
                """)) {
            assertThat(holdfast.pipeline("inventory").policy(BulkheadPolicy.class))
                    .isSameAs(pool);
            assertThat(holdfast.pipeline("inventory").policy(Audit.class)).isSameAs(audit);
        }
    }

    private static final class Audit extends Policy {
        Audit() {
            super("audit", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return PROCEED;
        }
    }

    @Test
    void placeholdersStandForVariables() {
        Map<String, String> variables = Map.of("ATTEMPTS", "4", "UNIT", "ms", "NAME", "http");
        Holdfast.Builder builder =
                Holdfast.builder().placeholders(variables::get).bind("http-status", Classifier.DEFAULT);
        try (Holdfast holdfast = load(builder, """
                pipelines:
                  inventory:
                    classifier: ${NAME}-status
                    retry: { max-attempts: "${ATTEMPTS}" }
                    timeout: 25${UNIT}
                    deadline: ${MISSING:2s}
                  prices:
                    fallback: { value: "$${NAME} costs ${MISSING:}${ATTEMPTS}" }
                """)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            assertThat(retry(inventory).settings().maxAttempts()).isEqualTo(4);
            assertThat(inventory.policy(TimeoutPolicy.class).limit()).isEqualTo(Duration.ofMillis(25));
            assertThat(holdfast.pipeline("prices").<String, RuntimeException>call(() -> {
                        throw new IllegalStateException("ill");
                    }))
                    .isEqualTo("${NAME} costs 4");
        }
    }

    @Test
    void filesOnTheClassPathAreReadAsOthers() {
        try (Holdfast holdfast = Holdfast.builder().loadResource("good/small.yaml")) {
            assertThat(holdfast.pipelines()).isNotEmpty();
        }
        assertThat(org.assertj.core.api.Assertions.catchThrowableOfType(
                        ConfigException.class, () -> Holdfast.builder().loadResource("none.yaml")))
                .hasMessage("classpath:none.yaml: there is no such file");
    }

    @Test
    void theListsOfAClassifierAreMergedAsOptionsAre() {
        try (Holdfast holdfast = load("""
                templates:
                  service:
                    retry: { max-attempts: 3, backoff: { initial: 1ms } }
                    classifier: { failures: java.lang.IllegalStateException, ignored: java.lang.RuntimeException }
                pipelines:
                  inventory: { extends: service, classifier: { pushbacks: [429] } }
                """)) {
            int[] attempts = {0};
            org.assertj.core.api.Assertions.assertThatThrownBy(
                            () -> holdfast.pipeline("inventory").call(() -> {
                                attempts[0]++;
                                throw new IllegalStateException("ill");
                            }))
                    .hasMessage("ill");
            assertThat(attempts[0]).isEqualTo(3);
        }
    }

    @Test
    void withoutLeavesOutWhatAnEarlierFileHas() throws Exception {
        Path base = Files.writeString(directory.resolve("base.yaml"), "pipelines: { a: { retry: , timeout: 1s } }");
        Path test = Files.writeString(directory.resolve("test.yaml"), "pipelines: { a: { without: [retry] } }");
        try (Holdfast holdfast = Holdfast.load(base, test)) {
            assertThat(order(holdfast.pipeline("a"))).isEqualTo("a: timeout > call");
        }
        Path own = Files.writeString(
                directory.resolve("own.yaml"), "pipelines: { a: { without: [retry], retry: , timeout: 1s } }");
        assertThat(Holdfast.check(own).stream().map(ConfigException.Problem::what))
                .containsExactly("names retry, which stands here itself");
    }
}
