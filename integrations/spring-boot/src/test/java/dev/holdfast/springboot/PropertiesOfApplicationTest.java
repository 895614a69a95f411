/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.PipelineSnapshot.PolicySnapshot;
import dev.holdfast.Verdict;
import dev.holdfast.config.ConfigException;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.env.OriginTrackedMapPropertySource;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.origin.OriginTrackedValue;
import org.springframework.boot.origin.TextResourceOrigin;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.Resource;
import org.springframework.core.io.UrlResource;

/** What may stand below {@code holdfast} in the properties of an application. */
class PropertiesOfApplicationTest {
    private final ApplicationContextRunner runner =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class));

    private static final String FILE = """
            defaults:
              timeout: { limit: 2s }
            templates:
              careful:
                retry: { max-attempts: 2, backoff: { initial: 10ms } }
            shared:
              pool:
                bulkhead: { max-concurrent-calls: 7 }
            pipelines:
              inventory:
                extends: standard
                deadline: 800ms
                timeout: 250ms
                throttle: { limit: 200, per: 1s, mode: shadow }
                classifier:
                  failures: [421, 502-504]
                  ignored: [501]
                order: [deadline, retry, circuit-breaker, throttle, bulkhead, timeout]
                keys: { max: 100, idle: 1m }
                silence: [timeout-outside-retry]
              stock-Service_2:
                extends: careful
                bulkhead: { use: pool }
                timeout:
              prices:
                retry:
                stale-cache: { fresh: 5s, max-entries: 1_000 }
            """;

    /** As {@code application.yml}. */
    private static ApplicationContextInitializer<ConfigurableApplicationContext> yaml(String name, String text) {
        return context -> {
            try {
                new YamlPropertySourceLoader()
                        .load(name, new NamedResource(name, text))
                        .forEach(source ->
                                context.getEnvironment().getPropertySources().addLast(source));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    private static final class NamedResource extends ByteArrayResource {
        private final String name;

        NamedResource(String name, String text) {
            super(text.getBytes(StandardCharsets.UTF_8), name);
            this.name = name;
        }

        @Override
        public String getFilename() {
            return name;
        }
    }

    private static String indented(String yaml) {
        return "holdfast:\n" + yaml.indent(2);
    }

    private static Map<String, List<PolicySnapshot>> settings(Holdfast holdfast) {
        Map<String, List<PolicySnapshot>> all = new LinkedHashMap<>();
        holdfast.pipelines()
                .forEach(
                        pipeline -> all.put(pipeline.name(), pipeline.snapshot().policies()));
        return all;
    }

    @Test
    void aFileMayBeMovedIntoThemAsItStands() {
        try (Holdfast ofFile =
                Holdfast.builder().load("file", new ByteArrayInputStream(FILE.getBytes(StandardCharsets.UTF_8)))) {
            runner.withInitializer(yaml("application.yml", indented(FILE))).run(context -> {
                Holdfast ofProperties = context.getBean(Holdfast.class);
                assertThat(settings(ofProperties)).isEqualTo(settings(ofFile));
                assertThat(ofProperties).hasToString(ofFile.toString());
            });
        }
    }

    @Test
    void withoutAnyThereIsNothing() {
        runner.run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(Holdfast.class));
    }

    @Test
    void eachMistakeHasItsPlace() {
        runner.withInitializer(yaml("application.yml", """
                        holdfast:
                          pipelines:
                            inventory:
                              retry: { max-atempts: 2 }
                              timeout: 250
                              bulkhead:
                                max-concurrent-calls: many
                                max-wait: -1s
                              throttel:
                              order: [timeout]
                            prices:
                              extends: careful
                              classifier: unknown
                              circuit-breaker: { failure-rate-threshold: 101 }
                        """))
                .run(
                        context -> assertThat(context.getStartupFailure())
                                .rootCause()
                                .isInstanceOf(ConfigException.class)
                                .satisfies(
                                        error -> assertThat(String.valueOf(error.getMessage())
                                                        .lines()
                                                        .map(line -> line.replaceAll(":[0-9]+ ", " "))
                                                        .toList())
                                                .anySatisfy(
                                                        line -> assertThat(line)
                                                                .startsWith(
                                                                        "application.yml:4 pipelines.inventory.retry.max-atempts: unknown option"))
                                                .anySatisfy(
                                                        line -> assertThat(line)
                                                                .startsWith(
                                                                        "application.yml:5 pipelines.inventory.timeout: is 250, which has no unit"))
                                                .anySatisfy(
                                                        line -> assertThat(line)
                                                                .startsWith(
                                                                        "application.yml:7 pipelines.inventory.bulkhead.max-concurrent-calls: "))
                                                .anySatisfy(
                                                        line -> assertThat(line)
                                                                .startsWith(
                                                                        "application.yml:8 pipelines.inventory.bulkhead.max-wait: "))
                                                .anySatisfy(line -> assertThat(line)
                                                        .contains("pipelines.inventory.throttel")
                                                        .contains("did you mean throttle?"))
                                                .anySatisfy(line -> assertThat(line)
                                                        .startsWith("application.yml:12 pipelines.prices.extends: "))
                                                .anySatisfy(line -> assertThat(line)
                                                        .startsWith("application.yml:13 pipelines.prices.classifier: "))
                                                .anySatisfy(
                                                        line -> assertThat(line)
                                                                .startsWith(
                                                                        "application.yml:14 pipelines.prices.circuit-breaker.failure-rate-threshold: "))));
    }

    @Test
    void anEmptyMappingIsRefusedAlsoIfThereIsNothingElse() {
        String only = "spring.application.name: shop\n" + indented("pipelines:\n  prices:\n    retry: {}\n");
        runner.withInitializer(yaml("application.yml", only))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("pipelines.prices.retry: is an empty mapping, which Spring"));
    }

    @Test
    void anApplicationWithoutHoldfastStartsWhateverItsFilesAre() {
        String odd = "spring.application.name: shop\nlimits: {}\n--- \nother: [unclosed\n";
        runner.withInitializer(context -> {
                    Resource file =
                            new ByteArrayResource(
                                    odd.getBytes(StandardCharsets.UTF_8), "class path resource [application.yml]") {
                                @Override
                                public String getFilename() {
                                    return "application.yml";
                                }
                            };
                    OriginTrackedValue name = OriginTrackedValue.of(
                            "shop", new TextResourceOrigin(file, new TextResourceOrigin.Location(0, 0)));
                    context.getEnvironment()
                            .getPropertySources()
                            .addFirst(
                                    new OriginTrackedMapPropertySource("odd", Map.of("spring.application.name", name)));
                })
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(Holdfast.class));
    }

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration(HoldfastAutoConfiguration.class)
    static class Shop {}

    /** Spring has the file, and no property of it. */
    @ParameterizedTest
    @CsvSource({"prices: { retry: {} }, 22 pipelines.prices.retry", "prices: {}, 13 pipelines.prices"})
    void soItIsIfTheFileHasNoPropertyAtAll(String pipeline, String at, @TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("application.yml"), "holdfast:\n  pipelines:\n    " + pipeline + "\n");
        SpringApplication application = new SpringApplication(Shop.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        assertThatThrownBy(() -> application.run(
                        "--spring.main.banner-mode=off",
                        "--logging.level.root=OFF",
                        "--spring.config.location=" + folder.toUri()))
                .hasStackTraceContaining("application.yml:3:" + at + ": is an empty mapping, which Spring leaves out");
    }

    /** Spring makes no property of it, so that the policy would be missing without a word. */
    @Test
    void anEmptyMappingIsRefused() {
        runner.withInitializer(
                        yaml("application.yml", indented("pipelines:\n  prices:\n    timeout: 1s\n    retry: {}\n")))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessage("application.yml:5:14 pipelines.prices.retry: is an empty mapping, which Spring"
                                + " leaves out; expected 'retry:' without the braces"));
    }

    /** To Spring, they are the same. */
    @ParameterizedTest
    @ValueSource(strings = {"Holdfast", "hold-fast"})
    void soItIsHoweverThePrefixIsWritten(String prefix) {
        runner.withInitializer(
                        yaml("application.yml", prefix + ":\n  pipelines:\n    prices: { timeout: 1s, retry: {} }\n"))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageStartingWith(
                                "application.yml:3:35 pipelines.prices.retry: is an empty mapping, which Spring"));
        runner.withInitializer(yaml("application.yml", prefix + ".pipelines.prices: { timeout: 1s, retry: {} }\n"))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("pipelines.prices.retry: is an empty mapping, which Spring"));
    }

    /** Spring makes an index of a key of digits. */
    @Test
    void aNameMayHaveDigitsOnly() {
        runner.withInitializer(yaml("application-prod.yml", "holdfast.pipelines.404.timeout.limit: 2s\n"))
                .withInitializer(yaml("application.yml", indented("""
                        pipelines:
                          404: { timeout: 1s, retry: }
                          500: { timeout: 1s }
                        """)))
                .withInitializer(variables("HOLDFAST_PIPELINES_500_TIMEOUT", "3s"))
                .run(context -> {
                    Map<String, List<PolicySnapshot>> all = settings(context.getBean(Holdfast.class));
                    assertThat(all).containsOnlyKeys("404", "500");
                    assertThat(String.valueOf(all.get("404"))).contains("max-attempts", "limit=PT2S");
                    assertThat(String.valueOf(all.get("500"))).contains("limit=PT3S");
                });
        runner.withPropertyValues("holdfast.pipelines.404.timeout=1s")
                .run(context ->
                        assertThat(context.getBean(Pipeline.class).name()).isEqualTo("404"));
    }

    @ParameterizedTest
    @CsvSource({
        "PIPELINES_PRICES_RETRY_MAX_ATTEMPTS, PIPELINES_PRICES_RETRY_MAXATTEMPTS",
        "PIPELINES_PRICES_CIRCUIT_BREAKER_MAX_WAIT_DURATION_IN_HALF_OPEN_STATE,"
                + " PIPELINES_PRICES_CIRCUITBREAKER_MAXWAITDURATIONINHALFOPENSTATE",
        "DEFAULTS_CIRCUIT_BREAKER_MODE, DEFAULTS_CIRCUITBREAKER_MODE"
    })
    void aVariableWithAnUnderscoreInsideOfAKeyIsToldItsName(String given, String meant) {
        runner.withInitializer(yaml("application.yml", indented("pipelines:\n  prices: { timeout: 1s }\n")))
                .withInitializer(variables("HOLDFAST_" + given, "4"))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("\"HOLDFAST_" + given + "\"")
                        .hasMessageEndingWith("has an underscore inside of a key; expected HOLDFAST_" + meant));
    }

    @Test
    void variablesSayDefaultsToo() {
        runner.withInitializer(yaml("application.yml", indented("pipelines:\n  prices: { circuit-breaker: }\n")))
                .withInitializer(variables("HOLDFAST_DEFAULTS_CIRCUITBREAKER_SLIDINGWINDOWSIZE", "20"))
                .run(context -> assertThat(String.valueOf(settings(context.getBean(Holdfast.class))))
                        .contains("sliding-window-size=20"));
    }

    @Test
    void aNameThatSpringWouldChangeIsRefused() {
        runner.withInitializer(yaml("application.yml", indented("pipelines:\n  my shops:\n    timeout: 1s\n")))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessage(
                                "application.yml:3:5 pipelines.my shops: has letters in its name that Spring leaves out;"
                                        + " expected \"[my shops]\", with the brackets"));
        runner.withInitializer(yaml("application.yml", indented("pipelines:\n  \"[my shops]\":\n    timeout: 1s\n")))
                .run(context ->
                        assertThat(context.getBean(Pipeline.class).name()).isEqualTo("my shops"));
    }

    /** Of two keys with dots, too. */
    @Test
    void soIsOneInAKeyWithDots() {
        runner.withInitializer(yaml(
                        "application.yml",
                        "holdfast.pipelines.inventory.timeout: 1s\nholdfast.pipelines.größe.timeout: 1s\n"))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessage("application.yml:2:1 pipelines.größe.timeout: has letters in its name that Spring"
                                + " leaves out; expected \"holdfast.pipelines.[größe].timeout\", with the brackets"));
        runner.withInitializer(yaml("application.yml", "\"holdfast.pipelines.[größe].timeout\": 1s\n"))
                .run(context ->
                        assertThat(context.getBean(Pipeline.class).name()).isEqualTo("größe"));
    }

    /** An import may say of such a file that it is YAML: {@code spring.config.import: "file:/etc/extra[.yaml]"}. */
    @Test
    void anEmptyMappingIsRefusedAlsoInAFileWithoutAnExtension() {
        String text = indented("pipelines:\n  prices:\n    timeout: 1s\n    retry: {}\n");
        runner.withInitializer(yaml("extra", text))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("extra:5:14 pipelines.prices.retry: is an empty mapping"));
    }

    /** As Spring Boot makes of {@code spring.config.import: "env:CFG[.yaml]"}. */
    private static ApplicationContextInitializer<ConfigurableApplicationContext> variableWithYaml(String text) {
        return context -> {
            try {
                new YamlPropertySourceLoader()
                        .load("variable [CFG]", new ByteArrayResource(text.getBytes(StandardCharsets.UTF_8)))
                        .forEach(source ->
                                context.getEnvironment().getPropertySources().addLast(source));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    @Test
    void whatSpringDropsIsRefusedAlsoInAVariable() {
        runner.withInitializer(variableWithYaml(indented("pipelines:\n  prices:\n    timeout: 1s\n    retry: {}\n")))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("variable [CFG]:5:14 pipelines.prices.retry: is an empty mapping"));
        runner.withInitializer(variableWithYaml(indented("pipelines:\n  bücher: { timeout: 1s }\n")))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("variable [CFG]:3:5 pipelines.bücher: has letters"));
        runner.withInitializer(variableWithYaml(indented("pipelines:\n  prices: { timeout: 5 }\n")))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageStartingWith("variable [CFG]:3:24 pipelines.prices.timeout: is 5"));
    }

    /** As of {@code SPRING_APPLICATION_JSON}. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "null | json pipelines.prices.retry: is null, which Spring leaves out; expected \"\"",
                "{} | pipelines.prices.retry: is an empty mapping; expected \"\""
            })
    void nothingIsWrittenInOneWayInJson(String value, String told) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("holdfast.pipelines.prices.timeout", "1s");
        json.put("holdfast.pipelines.prices.retry", value.equals("null") ? null : Map.of());
        runner.withInitializer(json(json))
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining(told));
        json.put("holdfast.pipelines.prices.retry", "");
        runner.withInitializer(json(json))
                .run(context -> assertThat(
                                settings(context.getBean(Holdfast.class)).get("prices"))
                        .hasSize(2));
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // null is a value there
    private static ApplicationContextInitializer<ConfigurableApplicationContext> json(
            Map<String, @Nullable Object> all) {
        return context ->
                context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("json", (Map) all));
    }

    /** The schema of a file says "type" often, and a file never. */
    @Test
    void aWordOfTheSchemaIsNoKey() {
        runner.withInitializer(yaml("application.yml", indented("pipelines:\n  content-type: { timeout: 1s }\n")))
                .withInitializer(variables("HOLDFAST_PIPELINES_CONTENT_TYPE_TIMEOUT", "2s"))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageEndingWith("expected HOLDFAST_PIPELINES_CONTENTTYPE_TIMEOUT"));
    }

    @ParameterizedTest
    @CsvSource({
        "no, is false to YAML, \"no\"",
        "on, is true to YAML, \"on\"",
        "007, is 7 to YAML, \"007\"",
        "1.10, is 1.1 to YAML, \"[1.10]\"",
        "1e3, is 1000.0 to YAML, \"1e3\"",
        "0x10, is 16 to YAML, \"0x10\""
    })
    void aNameThatYamlReadsAsAnotherOneIsRefused(String name, String told, String expected) {
        for (String section : new String[] {"pipelines", "templates", "shared"}) {
            runner.withInitializer(yaml("application.yml", indented(section + ":\n  " + name + ": { timeout: 1s }\n")))
                    .run(context -> assertThat(context.getStartupFailure())
                            .hasMessage("application.yml:3:5 " + section + "." + name + ": " + told
                                    + ", which would be its name; expected " + expected + ", with the "
                                    + (expected.contains("[") ? "brackets" : "quotes")));
        }
        runner.withInitializer(yaml("application.yml", indented("pipelines:\n  " + expected + ": { timeout: 1s }\n")))
                .run(context ->
                        assertThat(context.getBean(Pipeline.class).name()).isEqualTo(name));
    }

    @Test
    @Logs("HOLDFAST_PIPELINES_SHOP_RETRY_MAXATTEMPTS makes the pipeline 'shop', which no other source has")
    void soIsOneWithAnUnderscoreInsideOfAName() {
        String file = indented("pipelines:\n  my-shop: { timeout: 1s }\n  my-big-shop: { timeout: 1s }\n");
        for (String given : new String[] {"MY_SHOP", "MY_BIG_SHOP"}) {
            runner.withInitializer(yaml("application.yml", file))
                    .withInitializer(variables("HOLDFAST_PIPELINES_" + given + "_RETRY_MAX_ATTEMPTS", "4"))
                    .run(context -> assertThat(context.getStartupFailure())
                            .hasMessageEndingWith("has an underscore inside of a key; expected HOLDFAST_PIPELINES_"
                                    + given.replace("_", "") + "_RETRY_MAXATTEMPTS"));
        }
        // It may be one of its own.
        runner.withInitializer(yaml("application.yml", indented("pipelines:\n  shop-retry: { timeout: 1s }\n")))
                .withInitializer(variables("HOLDFAST_PIPELINES_SHOP_RETRY_MAXATTEMPTS", "4"))
                .run(context ->
                        assertThat(settings(context.getBean(Holdfast.class))).containsOnlyKeys("shop", "shop-retry"));
    }

    /** The example of configuration.md. */
    @Test
    void anchorsAndMergesAreAllowed() {
        runner.withInitializer(yaml("application.yml", indented("""
                        pipelines:
                          inventory:
                            retry: &patient { max-attempts: 5, backoff: { initial: 100ms } }
                          prices:
                            retry: *patient
                          offers:
                            retry: { <<: *patient, max-attempts: 2 }
                        """))).run(context -> {
            Map<String, List<PolicySnapshot>> all = settings(context.getBean(Holdfast.class));
            assertThat(String.valueOf(all.get("prices"))).contains("max-attempts=5", "initial=PT0.1S");
            assertThat(String.valueOf(all.get("offers"))).contains("max-attempts=2", "initial=PT0.1S");
        });
    }

    @Test
    void whatIsMergedIsLookedAtToo() {
        String merged = "usual: &usual { retry: {} }\nmore: &more { timeout: 1s }\n";
        runner.withInitializer(
                        yaml("application.yml", merged + indented("pipelines:\n  prices:\n    <<: [*more, *usual]\n")))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("pipelines.prices.retry: is an empty mapping"));
        runner.withInitializer(yaml(
                        "application.yml",
                        merged + indented("pipelines:\n  prices:\n    <<: *usual\n    retry: { max-attempts: 2 }\n")))
                .run(context -> assertThat(String.valueOf(
                                settings(context.getBean(Holdfast.class)).get("prices")))
                        .contains("max-attempts=2"));
    }

    /** Spring makes an empty text of one. */
    @Test
    void listsMayBeEmpty() {
        String lists = """
                templates:
                  careful:
                    retry: { max-attempts: 2 }
                    classifier: { ignored: [501, 502], failures: [503] }
                pipelines:
                  inventory: { extends: standard, without: [], silence: [] }
                  prices: { extends: careful, classifier: { ignored: [] } }
                """;
        try (Holdfast ofFile =
                Holdfast.builder().load("file", new ByteArrayInputStream(lists.getBytes(StandardCharsets.UTF_8)))) {
            runner.withInitializer(yaml("application.yml", indented(lists))).run(context -> {
                Holdfast ofProperties = context.getBean(Holdfast.class);
                assertThat(settings(ofProperties)).isEqualTo(settings(ofFile));
                assertThat(ofProperties).hasToString(ofFile.toString());
                for (Holdfast holdfast : List.of(ofFile, ofProperties)) {
                    Classifier.Listed listed =
                            (Classifier.Listed) holdfast.pipeline("prices").classifier();
                    assertThat(listed.ofStatus(501)).isNull();
                    assertThat(listed.ofStatus(503)).isEqualTo(Verdict.FAILURE);
                }
            });
        }
    }

    /** To Spring they are one, which would have the sections of both. */
    @ParameterizedTest
    @CsvSource({"eu-1, eu1", "Shop, shop"})
    void namesThatAreOneToSpringAreRefusedInOneSource(String one, String other) {
        String text = "pipelines:\n  %s: { timeout: 1s }\n  %s: { retry: { max-attempts: 2 } }\n";
        runner.withInitializer(yaml("application.yml", indented(text.formatted(one, other))))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessage("application.yml:4 pipelines." + other + ".retry.max-attempts: to Spring, " + other
                                + " and " + one + " (application.yml:3 pipelines." + one.toLowerCase(Locale.ROOT)
                                + ".timeout) are one name; expected others, or brackets around both, such as \"["
                                + other + "]\""));
        runner.withInitializer(
                        yaml("application.yml", indented(text.formatted("\"[" + one + "]\"", "\"[" + other + "]\""))))
                .run(context ->
                        assertThat(settings(context.getBean(Holdfast.class))).containsOnlyKeys(one, other));
    }

    /** As elsewhere in Spring. */
    @Test
    void inAnotherSourceANameMayBeWrittenInAnotherWayAndKeepsThatOfTheLowest() {
        runner.withInitializer(yaml("application.yml", indented("pipelines:\n  eu-1: { timeout: 1s }\n")))
                .withPropertyValues("holdfast.pipelines.eu1.timeout=2s")
                .run(context -> {
                    Map<String, List<PolicySnapshot>> all = settings(context.getBean(Holdfast.class));
                    assertThat(all).containsOnlyKeys("eu-1");
                    assertThat(String.valueOf(all)).contains("limit=PT2S");
                });
    }

    private static String attempts(Holdfast holdfast, String pipeline) {
        return holdfast.pipeline(pipeline)
                        .snapshot()
                        .policies()
                        .get(0)
                        .settings()
                        .get("max-attempts") + "";
    }

    @ParameterizedTest
    @CsvSource({"my-shop, [my-shop]", "[my-shop], my-shop", "[Shop_1], Shop_1", "[my-shop], myShop", "myShop, [my-shop]"
    })
    void aNameInBracketsAndThatWithoutThemAreOneInTwoSources(String lower, String higher) {
        String name = lower.replace("[", "").replace("]", "");
        String text = "holdfast:\n  pipelines:\n    \"%s\": { retry: { max-attempts: %s } }\n";
        runner.withInitializer(yaml("application-prod.yml", text.formatted(higher, 4)))
                .withInitializer(yaml("application.yml", text.formatted(lower, 2)))
                .run(context -> {
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    assertThat(settings(holdfast)).containsOnlyKeys(name);
                    assertThat(attempts(holdfast, name)).isEqualTo("4");
                });
    }

    @Test
    void aSourceThatCannotListItsNamesIsAskedForTheNameWithoutBracketsToo() {
        for (String asked : new String[] {".my-shop.", "[my-shop]."}) {
            runner.withInitializer(yaml(
                            "application.yml",
                            "holdfast:\n  pipelines:\n    \"[my-shop]\": { retry: { max-attempts: 2 } }\n"))
                    .withInitializer(unlisted(Map.of("holdfast.pipelines" + asked + "retry.max-attempts", "4")))
                    .run(context -> assertThat(attempts(context.getBean(Holdfast.class), "my-shop"))
                            .isEqualTo("4"));
        }
    }

    @Test
    void aVariableMeansTheNameInBracketsToo() {
        runner.withInitializer(yaml(
                        "application.yml",
                        "holdfast:\n  pipelines:\n    \"[my-shop]\": { retry: { max-attempts: 2 } }\n"))
                .withInitializer(variables("HOLDFAST_PIPELINES_MYSHOP_RETRY_MAXATTEMPTS", "4"))
                .run(context -> {
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    assertThat(settings(holdfast)).containsOnlyKeys("my-shop");
                    assertThat(attempts(holdfast, "my-shop")).isEqualTo("4");
                });
    }

    @Test
    void ofTwoNamesInBracketsThatAreAlikeEachIsMeantAsItIsWritten() {
        String text = indented("""
                pipelines:
                  "[eu-1]": { retry: { max-attempts: 2 } }
                  "[eu1]": { retry: { max-attempts: 3 } }
                """);
        runner.withInitializer(yaml("application.yml", text))
                .withPropertyValues("holdfast.pipelines.eu-1.retry.max-attempts=4")
                .run(context -> {
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    assertThat(settings(holdfast)).containsOnlyKeys("eu-1", "eu1");
                    assertThat(attempts(holdfast, "eu-1")).isEqualTo("4");
                    assertThat(attempts(holdfast, "eu1")).isEqualTo("3");
                });
    }

    @Test
    void bracketsAroundOneOfTwoNamesInOneSourceAreNotEnough() {
        String text = "holdfast:\n  pipelines:\n    \"[eu-1]\": { timeout: 1s }\n    eu1: { timeout: 1s }\n";
        runner.withInitializer(yaml("application.yml", text))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("to Spring, eu1 and eu-1 (application.yml:3 pipelines[eu-1].timeout) are"
                                + " one name; expected others, or brackets around both"));
    }

    /** It is for tests, and no option: see chaos.md. */
    @Test
    void theSwitchOfChaosIsNoMistake() {
        runner.withSystemProperties("holdfast.chaos.enabled=true")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(Holdfast.class));
        runner.withSystemProperties("holdfast.chaos.enabled=true")
                .withPropertyValues("holdfast.pipelines.inventory.timeout=1s")
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(Holdfast.class));
    }

    @Test
    void aValueInPlaceOfTheSectionsIsRefused() {
        runner.withInitializer(yaml("application.yml", "holdfast: hello\n"))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageStartingWith("application.yml:1:11 holdfast: "));
        runner.withInitializer(yaml("application.yml", "spring.application.name: shop\nholdfast:\n"))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(Holdfast.class));
    }

    @Test
    @Logs("health.down-if-open(\\[0\\])?: does nothing without management.health.holdfast.enabled=true")
    void whatTheStarterIsToldIsCheckedBesidePipelinesOfTheApplicationsOwn() {
        ApplicationContextRunner own =
                runner.withBean("pipelines", Holdfast.class, PropertiesOfApplicationTest::ofCode);
        own.withPropertyValues("holdfast.spring.health.down-if-open=own")
                .run(context -> assertThat(context).hasNotFailed());
        own.withPropertyValues("holdfast.spring.health.down-if-open=onw")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("holdfast.spring.health.down-if-open: no pipeline 'onw'"));
        own.withPropertyValues("holdfast.spring.http-clients=onw")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("\"test\" holdfast.spring.http-clients: no pipeline 'onw'"));
        own.withPropertyValues("holdfast.spring.servicegroup=false")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("holdfast.spring.servicegroup"));
    }

    @Test
    @Logs(
            "application.yml:2:\\d+ holdfast.spring.health.down-if-open: does nothing without management.health.holdfast.enabled=true and"
                    + " spring-boot-starter-actuator")
    void namesForAHealthThatNobodyAsksAreWarnedOf() {
        String file = """
                holdfast.pipelines.shops.extends: standard
                holdfast.spring.health.down-if-open: shops
                """;
        runner.withInitializer(yaml("application.yml", file))
                .run(context -> assertThat(context).hasNotFailed());
    }

    /** That of a profile. */
    @Test
    void aHealthThatIsSwitchedOffIsNotWarnedOf() {
        runner.withPropertyValues(
                        "holdfast.pipelines.shops.extends=standard",
                        "holdfast.spring.health.down-if-open=shops",
                        "management.health.holdfast.enabled=false")
                .run(context -> assertThat(context).hasNotFailed());
    }

    /** A service that calls nobody may receive deadlines. */
    @Test
    void whatNeedsNoPipelineIsThereWithoutOne() {
        new WebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.spring.server.max-deadline=5s", "holdfast.spring.service-groups=false")
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasBean("holdfastDeadlineFilter")
                        .doesNotHaveBean(Holdfast.class)
                        .doesNotHaveBean(HoldfastEndpoint.class));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "service-groups=maybe | holdfast.spring.service-groups",
                "server.max-deadline=800 | holdfast.spring.server.max-deadline: is 800; expected a duration",
                "servicegroup=false | holdfast.spring.servicegroup",
                "http-clients=shops | expected the key pipelines, with at least one pipeline",
                "health.down-if-open=shops | expected the key pipelines, with at least one pipeline"
            })
    void whatIsWrongWithoutPipelinesIsTold(String property, String told) {
        runner.withPropertyValues("holdfast.spring." + property)
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining(told));
    }

    @Test
    void theLongestTimeOfARequestIsRefusedInAReactiveApplicationAlsoWithoutPipelines() {
        new ReactiveWebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.spring.server.max-deadline=5s")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining(
                                "\"test\" holdfast.spring.server.max-deadline: does nothing in a reactive"));
    }

    @Test
    void aPropertyThatNeedsNoPipelineTurnsTheStarterOnForPipelinesOfTheApplicationsOwn() {
        runner.withBean(Holdfast.class, PropertiesOfApplicationTest::ofCode)
                .withPropertyValues("holdfast.spring.service-groups=false")
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(Holdfast.class)
                        .hasSingleBean(RefreshListener.class));
    }

    private static Holdfast ofCode() {
        return Holdfast.builder()
                .load(
                        "code",
                        new ByteArrayInputStream(
                                "pipelines: { own: { circuit-breaker: } }".getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http-client=inventory | holdfast.spring.http-client",
                "http-clients[0]=inventory | holdfast.spring.http-clients",
                "http-clients=inventroy | holdfast.spring.http-clients: no pipeline 'inventroy'; did you mean 'inventory'?",
                "service-groups=maybe | holdfast.spring.service-groups",
                "servicegroup=false | holdfast.spring.servicegroup",
                "health.down-if-open=shops | holdfast.spring.health.down-if-open: no pipeline 'shops'",
                "health.down-if-opn=inventory | holdfast.spring.health.down-if-opn",
                "server.max-deadline=long | holdfast.spring.server.max-deadline",
                "server.max-deadline=800 | holdfast.spring.server.max-deadline: is 800; expected a duration with its unit, such as 800ms",
                "server.max-deadline=-5s | holdfast.spring.server.max-deadline: is PT-5S; expected 10ms to 365d",
                "server.max-deadline=-5S | holdfast.spring.server.max-deadline: is PT-5S; expected 10ms to 365d"
            })
    void whatTheStarterIsToldIsCheckedToo(String property, String told) {
        runner.withPropertyValues("holdfast.pipelines.inventory.deadline=1s", "holdfast.spring." + property)
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining(told));
    }

    /** What ends this start, line by line. */
    private static List<String> told(ApplicationContextRunner started) {
        List<String> lines = new ArrayList<>();
        started.run(context -> {
            Throwable failure = Objects.requireNonNull(context.getStartupFailure(), "the end of the start");
            String message = NestedExceptionUtils.getMostSpecificCause(failure).getMessage();
            lines.addAll(String.valueOf(message).lines().toList());
        });
        return lines;
    }

    @Test
    void eachMistakeInWhatTheStarterIsToldHasItsPlace() {
        String file = """
                holdfast:
                  pipelines:
                    shops: { timeout: 1s }
                  spring:
                    http-client: shops
                    service-groups: maybe
                    server:
                      max-deadline: 400d
                    health: DOWN
                """;
        List<String> told = List.of(
                "application.yml:5:18 holdfast.spring.http-client: unknown option; did you mean http-clients?",
                "application.yml:9:13 holdfast.spring.health: is DOWN; expected options below it",
                "application.yml:6:21 holdfast.spring.service-groups: is maybe; expected true or false",
                "application.yml:8:21 holdfast.spring.server.max-deadline: is PT9600H; expected 10ms to 365d");
        assertThat(told(runner.withInitializer(yaml("application.yml", file)))).isEqualTo(told);
        assertThat(told(runner.withInitializer(yaml("application.yml", file.replace("pipelines:", "templates:")))))
                .as("without pipelines")
                .isEqualTo(told);
        assertThat(told(runner.withInitializer(yaml("application.yml", file))
                        .withInitializer(variables(
                                "HOLDFAST_SPRING_SERVICEGROUPS", "yes", "HOLDFAST_SPRING_SERVER_MAXDEADLINE", "soon"))))
                .as("of variables")
                .startsWith(told.get(0), told.get(1))
                .anyMatch(line -> line.contains("HOLDFAST_SPRING_SERVICEGROUPS")
                        && line.endsWith(" holdfast.spring.service-groups: is yes; did you mean true?"))
                .anyMatch(line -> line.contains("HOLDFAST_SPRING_SERVER_MAXDEADLINE")
                        && line.endsWith("is soon; expected a duration with its unit, such as 10s"))
                .hasSize(4);
    }

    @Test
    void sectionsOfTheStarterMayBeBlank() {
        runner.withInitializer(yaml("application.yml", "holdfast.spring:\n"))
                .run(context -> assertThat(context).hasNotFailed());
        runner.withInitializer(yaml("application.yml", "holdfast.spring: { server: , health: }\n"))
                .withPropertyValues("holdfast.pipelines.shops.timeout=1s")
                .run(context -> assertThat(context).hasNotFailed());
        assertThat(told(runner.withInitializer(yaml("application.yml", "holdfast.spring: on\n"))))
                .containsExactly("application.yml:1:18 holdfast.spring: is true; expected options below it");
    }

    @Test
    void eachPipelineThatTheStarterIsToldOfAndThatDoesNotSuitHasItsPlace() {
        String file = """
                holdfast:
                  pipelines:
                    shops: { timeout: 1s }
                    prices: { circuit-breaker: }
                  spring:
                    http-clients: shop
                    health:
                      down-if-open:
                      - prices
                      - shops
                      - price
                """;
        assertThat(told(runner.withInitializer(yaml("application.yml", file))))
                .containsExactly(
                        "application.yml:6:19 holdfast.spring.http-clients: no pipeline 'shop'; did you mean 'shops'?",
                        "application.yml:10:9 holdfast.spring.health.down-if-open: the pipeline 'shops' has no"
                                + " circuit-breaker, and so is never open; expected one that has",
                        "application.yml:11:9 holdfast.spring.health.down-if-open: no pipeline 'price'; did you mean"
                                + " 'prices'?");
        assertThat(told(runner.withPropertyValues(
                        "holdfast.pipelines.shops.timeout=1s", "holdfast.spring.health.down-if-open=shops")))
                .singleElement()
                .asString()
                .contains("from property source \"test\" holdfast.spring.health.down-if-open: the pipeline 'shops'");
    }

    /** Spring makes names of the positions. */
    @ParameterizedTest
    @ValueSource(strings = {"pipelines", "templates", "shared"})
    void aListInPlaceOfNamesIsRefused(String section) {
        String file = indented("""
                %s:
                - inventory: { timeout: 1s }
                """.formatted(section));
        assertThat(told(runner.withInitializer(yaml("application.yml", file))))
                .containsExactly("application.yml:3:3 " + section + ": is a list, of which Spring makes names:"
                        + " 0, 1, …; expected a mapping with a name for each, such as 'my-shop:' in place of '-'");
    }

    @Test
    void aNameMayBeANumber() {
        runner.withInitializer(yaml("application.yml", "holdfast.pipelines: { \"0\": { timeout: 1s } }\n"))
                .withPropertyValues("holdfast.pipelines[1].timeout=2s")
                .run(context -> assertThat(context.getBean(Holdfast.class).pipelines())
                        .extracting(Pipeline::name)
                        .containsExactlyInAnyOrder("0", "1"));
    }

    /** As of {@code ${LIMIT:-}} of Docker Compose. */
    @Test
    @Logs("health.down-if-open(\\[0\\])?: does nothing without management.health.holdfast.enabled=true")
    void aBlankVariableForTheStarterIsAsOneThatIsNotSet() {
        String file = indented("""
                pipelines:
                  shops: { circuit-breaker: }
                spring:
                  http-clients: shops
                  service-groups: false
                  health: { down-if-open: [shops] }
                """);
        runner.withInitializer(yaml("application.yml", file))
                .withInitializer(variables(
                        "HOLDFAST_SPRING_HTTPCLIENTS",
                        "",
                        "HOLDFAST_SPRING_SERVICEGROUPS",
                        " ",
                        "HOLDFAST_SPRING_HEALTH_DOWNIFOPEN",
                        "",
                        "HOLDFAST_SPRING_SERVER_MAXDEADLINE",
                        ""))
                .run(context -> {
                    assertThat(context).hasNotFailed().doesNotHaveBean("holdfastRestClientGroups");
                    assertThat(context.getBean(SpringSettings.class))
                            .isEqualTo(new SpringSettings(
                                    "shops",
                                    false,
                                    new SpringSettings.Server(null),
                                    new SpringSettings.Health(Set.of("shops"))));
                });
        for (String nothing : new String[] {"", "${CLIENTS:}"}) {
            runner.withPropertyValues("holdfast.pipelines.shops.timeout=1s", "holdfast.spring.http-clients=" + nothing)
                    .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean("holdfastRestClientCustomizer"));
        }
    }

    @Test
    void aSwitchThatIsOffIsSoToEachOfItsReaders() {
        runner.withPropertyValues("holdfast.pipelines.shops.timeout=1s", "holdfast.spring.service-groups=false")
                .run(PropertiesOfApplicationTest::hasNoGroups);
        runner.withPropertyValues("holdfast.pipelines.shops.timeout=1s")
                .withInitializer(yaml("application.yml", "holdfast.spring.service-groups: off\n"))
                .run(PropertiesOfApplicationTest::hasNoGroups);
    }

    private static void hasNoGroups(AssertableApplicationContext context) {
        assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean("holdfastRestClientGroups")
                .doesNotHaveBean("holdfastWebClientGroups");
        assertThat(context.getBean(SpringSettings.class).serviceGroups()).isFalse();
    }

    /** Spring would take these. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "service-groups=yes | is yes; did you mean true?",
                "service-groups=ON | is ON; did you mean true?",
                "service-groups=off | is off; did you mean false?",
                "service-groups=no | is no; did you mean false?",
                "service-groups=1 | is 1; expected true or false",
                "service-groups=0 | is 0; expected true or false",
                "server.max-deadline=30S | is 30S; did you mean 30s?",
                "server.max-deadline=+30s | is +30s; did you mean 30s?"
            })
    void whatTheOtherOptionsRefuseTheStarterRefusesToo(String property, String told) {
        String key = property.substring(0, property.indexOf('='));
        for (String pipelines : new String[] {"holdfast.pipelines.shops.timeout=1s", "spring.application.name=shop"}) {
            runner.withPropertyValues(pipelines, "holdfast.spring." + property)
                    .run(context -> assertThat(context.getStartupFailure())
                            .hasStackTraceContaining("holdfast.spring." + key + ": " + told));
        }
    }

    @Test
    void aPlaceholderThatStandsForNothingHidesNothing() {
        String file = indented("""
                pipelines:
                  shops: { timeout: 1s }
                spring:
                  http-clients: shops
                  service-groups: false
                """);
        runner.withInitializer(yaml("application.yml", file))
                .withPropertyValues(
                        "holdfast.spring.http-clients=${CLIENTS:}", "holdfast.spring.service-groups=${GROUPS:}")
                .run(context -> {
                    assertThat(context).hasNotFailed().hasBean("holdfastOwnRetries");
                    SpringSettings settings = context.getBean(SpringSettings.class);
                    assertThat(settings.httpClients()).isEqualTo("shops");
                    assertThat(settings.serviceGroups()).isFalse();
                });
    }

    /** Before any filter is made: those of a server come early. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "abc | holdfast.spring.server.max-deadline: is abc; expected a duration with its unit, such as 10s",
                "1.5s | holdfast.spring.server.max-deadline: is 1.5s; expected a duration with its unit, such as 10s",
                "400d | holdfast.spring.server.max-deadline: is PT9600H; expected 10ms to 365d"
            })
    void theLongestTimeOfARequestIsCheckedAlsoWhereItIsUsed(String value, String told) {
        new WebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withBean(
                        "server",
                        Object.class,
                        Object::new,
                        definition -> definition.setDependsOn("holdfastDeadlineFilter"))
                .withPropertyValues(
                        "holdfast.pipelines.shops.timeout=1s", "holdfast.spring.server.max-deadline=" + value)
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining(told));
    }

    @Test
    void aBlankTimeOfARequestIsNone() {
        new WebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.pipelines.shops.timeout=1s", "holdfast.spring.server.max-deadline=")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean("holdfastDeadlineFilter"));
        new ReactiveWebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.pipelines.shops.timeout=1s", "holdfast.spring.server.max-deadline=")
                .run(context -> assertThat(context).hasNotFailed());
    }

    /** Nobody sees them at the end of a line of a .properties file. Only a text may mean them. */
    @Test
    @Logs("health.down-if-open(\\[0\\])?: does nothing without management.health.holdfast.enabled=true")
    void blanksAroundAValueMeanNothing() {
        MapPropertySource properties = new MapPropertySource(
                "blanks",
                Map.of(
                        "holdfast.pipelines.shops.extends", " standard ",
                        "holdfast.pipelines.shops.retry.max-attempts", "7 ",
                        "holdfast.pipelines.shops.timeout", " 250ms\t",
                        "holdfast.pipelines.shops.advice", "true ",
                        "holdfast.pipelines.shops.bulkhead.limit", "losses ",
                        "holdfast.pipelines.shops.classifier.ignored[0]", " 404 ",
                        "holdfast.pipelines.prices.fallback.value", " none ",
                        "holdfast.spring.http-clients", "shops ",
                        "holdfast.spring.service-groups", "false ",
                        "holdfast.spring.health.down-if-open[0]", " shops"));
        runner.withInitializer(
                        context -> context.getEnvironment().getPropertySources().addFirst(properties))
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    assertThat(holdfast.pipeline("shops").toString()).contains("retry > circuit-breaker");
                    assertThat(holdfast.pipeline("shops").snapshot().policies().toString())
                            .contains("max-attempts=7", "limit=PT0.25S", "limit=losses");
                    assertThat(holdfast.pipeline("prices").<Object, RuntimeException>call(() -> {
                                throw new IllegalStateException("by intent");
                            }))
                            .isEqualTo(" none ");
                    SpringSettings settings = context.getBean(SpringSettings.class);
                    assertThat(settings.httpClients()).isEqualTo("shops");
                    assertThat(settings.serviceGroups()).isFalse();
                    assertThat(settings.health().downIfOpen()).containsExactly("shops");
                });
        new WebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(
                                new MapPropertySource("blanks", Map.of("holdfast.spring.server.max-deadline", "10s "))))
                .run(context -> assertThat(
                                context.getBean(SpringSettings.class).server().maxDeadline())
                        .isEqualTo(Duration.ofSeconds(10)));
    }

    /** A Kubernetes service called holdfast-spring, or holdfast-spring-shop, makes these. */
    @ParameterizedTest
    @ValueSource(strings = {"SPRING", "PIPELINES", "DEFAULTS", "SHARED", "TEMPLATES"})
    void variablesOfOthersAreNoMistake(String section) {
        String[] others = {
            "HOLDFAST_" + section + "_SERVICE_HOST", "10.0.0.1",
            "HOLDFAST_" + section + "_SERVICE_PORT", "80",
            "HOLDFAST_" + section + "_SERVICE_PORT_HTTP", "80",
            "HOLDFAST_" + section + "_PORT", "tcp://10.0.0.1:80",
            "HOLDFAST_" + section + "_PORT_80_TCP", "tcp://10.0.0.1:80",
            "HOLDFAST_" + section + "_PORT_80_TCP_PROTO", "tcp",
            "HOLDFAST_" + section + "_PORT_80_TCP_PORT", "80",
            "HOLDFAST_" + section + "_PORT_80_TCP_ADDR", "10.0.0.1",
            "HOLDFAST_" + section + "_SHOP_SERVICE_HOST", "10.0.0.1",
            "HOLDFAST_" + section + "_SHOP_PORT_80_TCP_ADDR", "10.0.0.1"
        };
        runner.withInitializer(variables(others))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(Holdfast.class));
        runner.withInitializer(variables(others))
                .withPropertyValues("holdfast.pipelines.shops.timeout=1s")
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(Holdfast.class));
    }

    /** Nobody else makes these. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "HOLDFAST_SPRING_HTTPCLIENT",
                "HOLDFAST_SPRING_SERVER_MAXDEDLINE",
                "HOLDFAST_SPRING_HEALTH_DOWNIFOPN_0",
                "HOLDFAST_SPRING_HEALTH_DOWN_IF_OPEN_0",
                "HOLDFAST_SPRING_HTTPCLIENTS_0"
            })
    void aMisspeltVariableForTheStarterIsAMistake(String variable) {
        runner.withPropertyValues("holdfast.pipelines.shops.timeout=1s")
                .withInitializer(variables(variable, "shops"))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageStartingWith(
                                "\"" + variable + "\" from property source \"test-systemEnvironment\": unknown key")
                        .hasMessageContaining("expected one of HOLDFAST_SPRING_HTTPCLIENTS,"));
        runner.withPropertyValues("holdfast.pipelines.shops.timeout=1s")
                .withInitializer(variables(variable, ""))
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    @Logs("health.down-if-open: does nothing without management.health.holdfast.enabled=true")
    void aVariableForTheStarterMayBeWrittenInEachWayOfSpring() {
        runner.withPropertyValues("holdfast.pipelines.shops.extends=standard")
                .withInitializer(variables(
                        "HOLDFAST_SPRING_HTTP_CLIENTS", "shops",
                        "HOLDFAST_SPRING_SERVER_MAX_DEADLINE", "5s",
                        "HOLDFAST_SPRING_HEALTH_DOWN_IF_OPEN", "shops"))
                .run(context -> assertThat(context.getBean(SpringSettings.class))
                        .isEqualTo(new SpringSettings(
                                "shops",
                                true,
                                new SpringSettings.Server(Duration.ofSeconds(5)),
                                new SpringSettings.Health(Set.of("shops")))));
    }

    /** As one of the command line. */
    @ParameterizedTest
    @CsvSource({"http-client,http-clients", "server.max-dedline,server.max-deadline"})
    void aMisspeltSystemPropertyForTheStarterIsAMistake(String key, String meant) {
        runner.withSystemProperties("holdfast.pipelines.shops.timeout=1s", "holdfast.spring." + key + "=5s")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessage("\"holdfast.spring." + key
                                + "\" from property source \"systemProperties\" holdfast.spring." + key
                                + ": unknown option; did you mean " + meant + "?"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http-client: shops | 2:16 holdfast.spring.http-client: unknown option; did you mean http-clients?",
                "health: { down-if-opn: [shops] } | 2:27 holdfast.spring.health.down-if-opn[0]: unknown option; did you mean health.down-if-open?",
                "down-if-open: [shops] | 2:18 holdfast.spring.down-if-open[0]: unknown option; did you mean health.down-if-open?",
                "http-clients: [shops, prices] | 2:18 holdfast.spring.http-clients: is a list; expected the name of one pipeline, whose settings all hosts have",
                "http-clients: { inventory: shops, prices: shops } | 2:30 holdfast.spring.http-clients: is a mapping; expected the name of one pipeline, whose settings all hosts have",
                "service-groups: [inventory] | 2:20 holdfast.spring.service-groups: is a list; expected true or false",
                "server: { max-deadline: { shops: 1s } } | 2:36 holdfast.spring.server.max-deadline: is a mapping; expected a duration with its unit, such as 10s",
                "pipelines: shops | 2:14 holdfast.spring.pipelines: unknown option; expected one of http-clients, service-groups, server.max-deadline, health.down-if-open"
            })
    void aMisspeltKeyOfTheStarterIsToldWithItsPlace(String line, String told) {
        runner.withPropertyValues("holdfast.pipelines.shops.timeout=1s")
                .withInitializer(yaml("application.yml", "holdfast.spring:\n  " + line + "\n"))
                .run(context -> {
                    Throwable failure = Objects.requireNonNull(context.getStartupFailure(), "failure");
                    assertThat(failure).rootCause().hasMessage("application.yml:" + told);
                    assertThat(new ConfigFailureAnalyzer().analyze(failure))
                            .extracting(FailureAnalysis::getDescription)
                            .isEqualTo("Holdfast cannot be set up:\n\napplication.yml:" + told);
                });
    }

    /** As if the profile with the pipelines were not active. */
    @Test
    void clientsWithoutAnyPipelineEndTheStart() {
        runner.withPropertyValues("holdfast.spring.http-clients=shops")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageStartingWith("the properties of the application: is empty; expected"));
    }

    @Test
    void aMistakeIsShownWithoutAStackTrace() {
        for (String wrong : new String[] {"pipelines.inventory.deadline=1", "spring.http-clients=shops"}) {
            runner.withPropertyValues("holdfast.pipelines.prices.deadline=1s", "holdfast." + wrong)
                    .run(context -> assertThat(new ConfigFailureAnalyzer()
                                    .analyze(Objects.requireNonNull(context.getStartupFailure(), "failure")))
                            .extracting(FailureAnalysis::getDescription)
                            .asString()
                            .startsWith("Holdfast cannot be set up:"));
        }
    }

    @Test
    void aSwitchForAllIsToldWithWhatTurnsProtectionOff() {
        assertThat(told(runner.withPropertyValues("holdfast.pipelines.shops.timeout=1s", "holdfast.enabled=false")))
                .singleElement()
                .asString()
                .endsWith(
                        " enabled: there is no such switch; expected mode: shadow in the sections below"
                                + " holdfast.defaults, to turn protection off, see https://holdfast.dev/docs/emergency.md#turn-protection-off");
    }

    /** Where a near name is told, dots are hardly what is wrong. */
    @ParameterizedTest
    @CsvSource({"timout=1s, false", "replicas=4, false", "v2.timeout=1s, true", "metrics=1s, true"})
    void dotsInNamesAreToldOnlyWhereNothingIsNear(String property, boolean told) {
        runner.withPropertyValues("holdfast.pipelines.shops." + property)
                .run(context -> assertThat(new ConfigFailureAnalyzer()
                                .analyze(Objects.requireNonNull(context.getStartupFailure(), "failure")))
                        .extracting(analysis ->
                                String.valueOf(analysis.getAction()).contains("If the name of a pipeline has a dot"))
                        .isEqualTo(told));
    }

    @Test
    void aPipelineOfThePropertiesThatOneOfTheApplicationsOwnHasNotIsShownSoToo() {
        runner.withBean("pipelines", Holdfast.class, PropertiesOfApplicationTest::ofCode)
                .withPropertyValues("holdfast.pipelines.other.timeout=1s")
                .run(context -> assertThat(new ConfigFailureAnalyzer()
                                .analyze(Objects.requireNonNull(context.getStartupFailure(), "failure")))
                        .extracting(FailureAnalysis::getDescription)
                        .asString()
                        .startsWith("Holdfast cannot be set up:\n\nholdfast.pipelines.other: no pipeline 'other'")
                        .endsWith(". The application makes the bean of Holdfast itself, beside which properties below"
                                + " holdfast.pipelines mean nothing"));
    }

    /** There may be two files of this name. */
    @ParameterizedTest
    @ValueSource(strings = {"retry: {}", "retry: { max-atempts: 2 }", "timeout: 250", "no: {timeout: 1s}"})
    void eachMistakeNamesTheFolderOfItsFile(String wrong, @TempDir Path folder) throws IOException {
        Path file = Files.writeString(
                folder.resolve("application.yml"),
                "holdfast:\n  pipelines:\n    prices:\n      " + wrong + "\nspring.application.name: shop\n");
        URL url = file.toUri().toURL();
        List<PropertySource<?>> sources = new YamlPropertySourceLoader().load("file", new UrlResource(url));
        runner.withInitializer(context -> sources.forEach(
                        source -> context.getEnvironment().getPropertySources().addLast(source)))
                .run(context -> assertThat(NestedExceptionUtils.getMostSpecificCause(
                                Objects.requireNonNull(context.getStartupFailure(), "failure")))
                        .hasMessageStartingWith(url + ":4:"));
    }

    @Test
    void whatToDoOfAMistakeHasTheAddressesOfThePages() {
        runner.withPropertyValues("holdfast.pipelines.prices.deadline=1")
                .run(context -> assertThat(new ConfigFailureAnalyzer()
                                .analyze(Objects.requireNonNull(context.getStartupFailure(), "failure")))
                        .extracting(FailureAnalysis::getAction)
                        .isEqualTo("Correct this. All keys: https://holdfast.dev/docs/configuration.md and"
                                + " https://holdfast.dev/docs/spring-boot.md."));
    }

    @Test
    void aNameWithADotIsToldToNeedBrackets() {
        runner.withPropertyValues("holdfast.pipelines.shop.v2.deadline=1s")
                .run(context -> assertThat(new ConfigFailureAnalyzer()
                                .analyze(Objects.requireNonNull(context.getStartupFailure(), "failure")))
                        .extracting(FailureAnalysis::getAction)
                        .asString()
                        .contains("\"[shop.v2]\""));
    }

    @Test
    void aStrangeKeyAtTheTopIsRefused() {
        runner.withPropertyValues("holdfast.pipeline.inventory.deadline=1s")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("did you mean pipelines?"));
    }

    @Test
    void aKeyOfTheStarterOneLevelTooHighIsToldItsPlace() {
        String file = """
                holdfast:
                  http-clients: shops
                  service-groups: false
                  health: { down-if-open: [shops, prices] }
                  server:
                    max-deadline: 5s
                  foo: { a: 1, b: 2 }
                  sprng: { http-clients: shops }
                  pipelines: { shops: { timeout: 1s } }
                """;
        assertThat(told(runner.withInitializer(yaml("application.yml", file))))
                .containsExactly(
                        "application.yml:2 http-clients: belongs below holdfast.spring; expected"
                                + " holdfast.spring.http-clients",
                        "application.yml:3 service-groups: belongs below holdfast.spring; expected"
                                + " holdfast.spring.service-groups",
                        "application.yml:4 health.down-if-open[0]: belongs below holdfast.spring; expected"
                                + " holdfast.spring.health.down-if-open",
                        "application.yml:6 server.max-deadline: belongs below holdfast.spring; expected"
                                + " holdfast.spring.server.max-deadline",
                        "application.yml:7 foo.a: unknown key; expected one of defaults, templates, shared, pipelines,"
                                + " spring",
                        "application.yml:8 sprng.http-clients: unknown key; did you mean spring?");
    }

    @Test
    void variablesOfTheEnvironmentHaveNoHyphens() {
        runner.withInitializer(yaml("application.yml", indented(FILE)))
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new SystemEnvironmentPropertySource(
                                "test-systemEnvironment",
                                Map.of(
                                        "HOLDFAST_SERVICE_HOST", "10.0.0.1",
                                        "HOLDFAST_PIPELINES_PRICES_RETRY_MAXATTEMPTS", "5",
                                        "HOLDFAST_PIPELINES_STOCKSERVICE2_RETRY_MAXATTEMPTS", "4",
                                        "HOLDFAST_PIPELINES_INVENTORY_CIRCUITBREAKER_SLIDINGWINDOWSIZE", "20"))))
                .run(context -> {
                    Map<String, List<PolicySnapshot>> all = settings(context.getBean(Holdfast.class));
                    assertThat(all).containsOnlyKeys("inventory", "stock-Service_2", "prices");
                    assertThat(String.valueOf(all.get("prices"))).contains("max-attempts=5");
                    assertThat(String.valueOf(all.get("stock-Service_2"))).contains("max-attempts=4");
                    assertThat(String.valueOf(all.get("inventory"))).contains("sliding-window-size=20");
                });
    }

    @Test
    void aListComesFromOneSource() {
        runner.withInitializer(yaml("application.yml", indented(FILE)))
                .withPropertyValues("holdfast.pipelines.inventory.classifier.failures[0]=599")
                .run(context -> {
                    Classifier classifier = context.getBean(Holdfast.class)
                            .pipeline("inventory")
                            .classifier();
                    assertThat(((Classifier.Listed) classifier).ofStatus(599)).isEqualTo(Verdict.FAILURE);
                    assertThat(((Classifier.Listed) classifier).ofStatus(501)).isEqualTo(Verdict.IGNORED);
                    assertThat(((Classifier.Listed) classifier).ofStatus(421)).isNull();
                });
    }

    /** Spring makes an empty text of it. */
    @Test
    void anEmptyListOfTheFirstSourceIsTheList() {
        runner.withInitializer(yaml("application.yml", indented(FILE)))
                .withPropertyValues("holdfast.pipelines.inventory.classifier.failures=")
                .run(context -> {
                    Classifier classifier = context.getBean(Holdfast.class)
                            .pipeline("inventory")
                            .classifier();
                    assertThat(((Classifier.Listed) classifier).ofStatus(421)).isNull();
                    assertThat(((Classifier.Listed) classifier).ofStatus(501)).isEqualTo(Verdict.IGNORED);
                });
    }

    /** Also of what a lower source writes as one value. */
    @Test
    void anEmptyListOfTheFirstSourceTakesThePlaceOfASingleValue() {
        String file = """
                pipelines:
                  inventory:
                    extends: standard
                    without: retry
                    classifier: { ignored: '501,502' }
                    silence: timeout-outside-retry
                """;
        runner.withInitializer(yaml("application-prod.yml", indented("""
                        pipelines:
                          inventory:
                            without: []
                            classifier: { ignored: [] }
                            retry: { max-attempts: 2 }
                        """)))
                .withInitializer(yaml("application.yml", indented(file)))
                .run(context -> {
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    assertThat(ignored(holdfast)).isEqualTo("[]");
                    assertThat(String.valueOf(settings(holdfast).get("inventory")))
                            .contains("max-attempts=2");
                });
        runner.withInitializer(yaml("application.yml", indented(file)))
                .withInitializer(variables("HOLDFAST_PIPELINES_INVENTORY_CLASSIFIER_IGNORED", "${NOBODY_HAS_IT:}"))
                .run(context ->
                        assertThat(ignored(context.getBean(Holdfast.class))).isEqualTo("[501, 502]"));
    }

    /** A pipeline may be called as a list is. */
    @Test
    void aBlankPipelineHidesNothingWhateverItsName() {
        runner.withInitializer(yaml("application-prod.yml", indented("pipelines:\n  order:\n")))
                .withInitializer(yaml("application.yml", indented("pipelines:\n  order: { timeout: 1s }\n")))
                .run(context ->
                        assertThat(context.getBean(Pipeline.class).name()).isEqualTo("order"));
    }

    private static ApplicationContextInitializer<ConfigurableApplicationContext> variables(String... namesAndValues) {
        Map<String, Object> all = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            all.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return context -> context.getEnvironment()
                .getPropertySources()
                .addFirst(new SystemEnvironmentPropertySource("test-systemEnvironment", all));
    }

    private static String timeLimits(Holdfast holdfast) {
        return holdfast.pipeline("inventory").snapshot().policies().stream()
                .map(policy -> policy.name() + "=" + policy.settings().get("limit"))
                .toList()
                .toString();
    }

    private static final String LONG = """
            pipelines:
              inventory:
                deadline: { limit: 5s }
                timeout: { limit: 250ms, mode: shadow }
                classifier: { ignored: [501, 502] }
            """;
    private static final String SHORT = """
            pipelines:
              inventory:
                deadline: 5s
                timeout: 250ms
                classifier: { ignored: 501 }
            """;

    /** As JNDI, or a store of secrets. */
    private static ApplicationContextInitializer<ConfigurableApplicationContext> unlisted(Map<String, Object> all) {
        return context -> context.getEnvironment().getPropertySources().addFirst(new PropertySource<>("vault", all) {
            @Override
            public @Nullable Object getProperty(String name) {
                return all.get(name);
            }
        });
    }

    @Test
    void aSourceThatCannotListItsNamesIsAskedForThoseOfOthers() {
        String inventory = "holdfast.pipelines.inventory.";
        for (String file : new String[] {LONG, SHORT}) {
            runner.withInitializer(yaml("application.yml", indented(file)))
                    .withInitializer(unlisted(Map.of(
                            inventory + "timeout", "4s",
                            inventory + "classifier.ignored[0]", "503",
                            inventory + "classifier.ignored[1]", "504",
                            inventory + "classifier.ignored[2]", "505")))
                    .run(context -> {
                        Holdfast holdfast = context.getBean(Holdfast.class);
                        assertThat(timeLimits(holdfast))
                                .isEqualTo(
                                        "[deadline=PT5S, %s=PT4S]", file.equals(LONG) ? "timeout-shadow" : "timeout");
                        assertThat(ignored(holdfast)).isEqualTo("[503, 504, 505]");
                    });
        }
        runner.withInitializer(variables(
                        "HOLDFAST_PIPELINES_INVENTORY_RETRY_MAXATTEMPTS", "2",
                        "HOLDFAST_PIPELINES_INVENTORY_CLASSIFIER_IGNORED_0", "501"))
                .withInitializer(unlisted(
                        Map.of(inventory + "retry.max-attempts", "5", inventory + "classifier.ignored", "503,504")))
                .run(context -> {
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    assertThat(String.valueOf(settings(holdfast))).contains("max-attempts=5");
                    assertThat(ignored(holdfast)).isEqualTo("[503, 504]");
                });
    }

    /** To Spring the names are one, and only the source itself knows which of them it has. */
    @Test
    void aSourceThatCannotListItsNamesIsAskedForEachSpellingOfThem() {
        for (String spelt : new String[] {"my-shop", "myShop"}) {
            runner.withInitializer(yaml("application.yml", "holdfast: { pipelines: { my-shop: { timeout: 1s } } }"))
                    .withInitializer(first(Map.of("holdfast.pipelines.myShop.retry.max-attempts", "2")))
                    .withInitializer(unlisted(Map.of(
                            "holdfast.pipelines." + spelt + ".timeout", "4s",
                            "holdfast.pipelines." + spelt + ".retry.max-attempts", "5")))
                    .run(context -> assertThat(context.getBean(Holdfast.class)
                                    .pipeline("my-shop")
                                    .snapshot()
                                    .policies()
                                    .toString())
                            .contains("limit=PT4S", "max-attempts=5"));
        }
    }

    /** As of {@code SpringApplication.setDefaultProperties}. */
    @Test
    void aListOrAnArrayOfCodeIsAList() {
        String name = "holdfast.pipelines.inventory.classifier.ignored";
        for (Object list : new Object[] {
            List.of(503, 504), List.of("503", "${STATUS:504}"), new String[] {"503", "504"}, new int[] {503, 504}
        }) {
            runner.withInitializer(first(Map.of(name, list)))
                    .withInitializer(yaml("application.yml", indented(LONG)))
                    .run(context ->
                            assertThat(ignored(context.getBean(Holdfast.class))).isEqualTo("[503, 504]"));
        }
        runner.withInitializer(first(Map.of(name, List.of())))
                .withInitializer(yaml("application.yml", indented(LONG)))
                .run(context ->
                        assertThat(ignored(context.getBean(Holdfast.class))).isEqualTo("[]"));
    }

    @Test
    void aMappingOfCodeIsRefusedWithoutItsContents() {
        runner.withInitializer(first(Map.of("holdfast.pipelines", Map.of("inventory", Map.of("timeout", "1s")))))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessage("\"holdfast.pipelines\" from property source \"code\" pipelines: is a mapping as an"
                                + " object; expected a property for each key in it"));
    }

    private static ApplicationContextInitializer<ConfigurableApplicationContext> first(Map<String, Object> all) {
        return context -> context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("code", all));
    }

    /** A value is that of the section's option. {@link SectionsOfSeveralSourcesTest} has what the sources merge. */
    @Test
    void theHighestSourceWinsWhateverTheForm() {
        runner.withInitializer(yaml("application.yml", indented(LONG)))
                .withPropertyValues(
                        "holdfast.pipelines.inventory.timeout=1s", "holdfast.pipelines.inventory.deadline=3s")
                .run(context -> assertThat(timeLimits(context.getBean(Holdfast.class)))
                        .isEqualTo("[deadline=PT3S, timeout-shadow=PT1S]"));
        runner.withInitializer(yaml("application.yml", indented(LONG)))
                .withInitializer(variables(
                        "HOLDFAST_PIPELINES_INVENTORY_TIMEOUT", "1s", "HOLDFAST_PIPELINES_INVENTORY_DEADLINE", "3s"))
                .run(context -> assertThat(timeLimits(context.getBean(Holdfast.class)))
                        .isEqualTo("[deadline=PT3S, timeout-shadow=PT1S]"));
        runner.withInitializer(yaml("application.yml", indented(SHORT)))
                .withInitializer(variables(
                        "HOLDFAST_PIPELINES_INVENTORY_TIMEOUT_LIMIT", "1s",
                        "HOLDFAST_PIPELINES_INVENTORY_DEADLINE_LIMIT", "3s"))
                .run(context -> assertThat(timeLimits(context.getBean(Holdfast.class)))
                        .isEqualTo("[deadline=PT3S, timeout=PT1S]"));
    }

    /** Neither a value nor a section, and whoever writes it may mean nothing by it. */
    @Test
    void aBlankValueHidesNothing() {
        for (String file : List.of(LONG, SHORT)) {
            runner.withInitializer(yaml("application.yml", indented(file))).run(plain -> {
                String limits = timeLimits(plain.getBean(Holdfast.class));
                runner.withInitializer(yaml("application-prod.yml", indented("""
                                pipelines:
                                  inventory:
                                    deadline:
                                    timeout:
                                """)))
                        .withInitializer(yaml("application.yml", indented(file)))
                        .run(context -> assertThat(timeLimits(context.getBean(Holdfast.class)))
                                .isEqualTo(limits));
                runner.withInitializer(yaml("application.yml", indented(file)))
                        .withPropertyValues("holdfast.pipelines.inventory.timeout=${TIMEOUT_OF_NOBODY:}")
                        .run(context -> assertThat(timeLimits(context.getBean(Holdfast.class)))
                                .isEqualTo(limits));
            });
        }
    }

    @Test
    void aBlankValueWithNothingBelowIsASectionOrAMistake() {
        runner.withPropertyValues("holdfast.pipelines.inventory.timeout=")
                .run(context ->
                        assertThat(timeLimits(context.getBean(Holdfast.class))).isEqualTo("[timeout=PT3S]"));
        runner.withPropertyValues("holdfast.pipelines.inventory.timeout.limit=")
                .run(context ->
                        assertThat(context.getStartupFailure()).rootCause().hasMessageContaining("has no value"));
    }

    /** As in a file: the default of a policy would be there without a word. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "pipelines.inventory.timeout",
                "pipelines.inventory.bulkhead",
                "pipelines.inventory.retry.backoff",
                "pipelines.inventory.retry.max-attempts",
                "pipelines.inventory.bulkhead.use",
                "pipelines.inventory.timeout.mode",
                "pipelines.inventory.timeout.shadow",
                "pipelines.inventory.keys",
                "pipelines.inventory.histograms",
                "pipelines.inventory.extends",
                "pipelines.inventory",
                "templates.careful.timeout",
                "templates",
                "shared.pool.bulkhead",
                "defaults.timeout",
                "defaults"
            })
    void aPlaceholderThatStandsForNothingIsNoSection(String key) {
        String properties = "holdfast.pipelines.prices.timeout: 1s\nholdfast." + key + ": ${NOTHING:250ms}\n"
                + (key.contains("timeout.") ? "holdfast.pipelines.inventory.timeout.limit: 1s\n" : "");
        for (String nothing : new String[] {"", "null"}) {
            runner.withInitializer(yaml("application.yml", properties))
                    .withInitializer(variables("NOTHING", nothing))
                    .run(context -> assertThat(context.getStartupFailure())
                            .rootCause()
                            .isInstanceOf(ConfigException.class)
                            .hasMessageContaining("application.yml:2:")
                            .hasMessageContaining(" " + key)
                            .hasMessageContaining(": is nothing, since ${NOTHING:250ms} is "
                                    + (nothing.isEmpty() ? "empty" : "null")));
        }
    }

    @Test
    void soItIsBesideABlankValueOfAnotherSource() {
        for (boolean isLower : new boolean[] {true, false}) {
            String file = indented("pipelines:\n  inventory:\n    timeout: %s\n");
            runner.withInitializer(yaml("application-prod.yml", file.formatted(isLower ? "" : "${NOTHING}")))
                    .withInitializer(yaml("application.yml", file.formatted(isLower ? "${NOTHING}" : "")))
                    .withInitializer(variables("NOTHING", ""))
                    .run(context -> assertThat(context.getStartupFailure())
                            .rootCause()
                            .hasMessageContaining("inventory.timeout: is nothing, since ${NOTHING} is empty"));
        }
    }

    @Test
    void aBlankVariableOfTheEnvironmentIsAsOneThatIsNotSet() {
        runner.withInitializer(yaml("application.yml", indented(LONG)))
                .withInitializer(variables(
                        "HOLDFAST_PIPELINES_INVENTORY_TIMEOUT", "",
                        "HOLDFAST_PIPELINES_INVENTORY_DEADLINE_LIMIT", " ",
                        "HOLDFAST_PIPELINES_INVENTORY_EXTENDS", "",
                        "HOLDFAST_PIPELINES_INVENTORY_RETRY_MAXATTEMPTS", "",
                        "HOLDFAST_PIPELINES_INVENTORY_CLASSIFIER_IGNORED", ""))
                .run(context -> {
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    assertThat(timeLimits(holdfast)).isEqualTo("[deadline=PT5S, timeout-shadow=PT0.25S]");
                    assertThat(ignored(holdfast)).isEqualTo("[501, 502]");
                });
        runner.withInitializer(variables("HOLDFAST_PIPELINES_INVENTORY_RETRY", ""))
                .run(context -> assertThat(context).doesNotHaveBean(Holdfast.class));
    }

    private static String ignored(Holdfast holdfast) {
        Classifier.Listed listed =
                (Classifier.Listed) holdfast.pipeline("inventory").classifier();
        return IntStream.rangeClosed(500, 510)
                .filter(status -> listed.ofStatus(status) == Verdict.IGNORED)
                .boxed()
                .toList()
                .toString();
    }

    @Test
    void aSingleValueOfAHigherSourceStandsForTheList() {
        runner.withInitializer(yaml("application.yml", indented(LONG)))
                .withPropertyValues("holdfast.pipelines.inventory.classifier.ignored=503")
                .run(context ->
                        assertThat(ignored(context.getBean(Holdfast.class))).isEqualTo("[503]"));
        runner.withInitializer(yaml("application.yml", indented(SHORT)))
                .withPropertyValues(
                        "holdfast.pipelines.inventory.classifier.ignored[0]=503",
                        "holdfast.pipelines.inventory.classifier.ignored[1]=504")
                .run(context ->
                        assertThat(ignored(context.getBean(Holdfast.class))).isEqualTo("[503, 504]"));
    }

    @Test
    void variablesOfTheEnvironmentMakeAList() {
        for (String end : new String[] {"", "_"}) {
            for (String file : new String[] {LONG, SHORT, "pipelines:\n  inventory: { deadline: 1s, timeout: 1s }\n"}) {
                runner.withInitializer(yaml("application.yml", indented(file)))
                        .withInitializer(variables(
                                "HOLDFAST_PIPELINES_INVENTORY_CLASSIFIER_IGNORED_0" + end,
                                "503",
                                "HOLDFAST_PIPELINES_INVENTORY_CLASSIFIER_IGNORED_1" + end,
                                "504",
                                "HOLDFAST_PIPELINES_INVENTORY_CLASSIFIER_IGNORED_2" + end,
                                "505",
                                "HOLDFAST_PIPELINES_INVENTORY_RETRY_MAXATTEMPTS",
                                "2",
                                "HOLDFAST_PIPELINES_INVENTORY_ORDER_0" + end,
                                "deadline",
                                "HOLDFAST_PIPELINES_INVENTORY_ORDER_1" + end,
                                "timeout",
                                "HOLDFAST_PIPELINES_INVENTORY_ORDER_2" + end,
                                "retry",
                                "HOLDFAST_PIPELINES_INVENTORY_SILENCE_0" + end,
                                "timeout-outside-retry"))
                        .run(context -> {
                            Holdfast holdfast = context.getBean(Holdfast.class);
                            assertThat(ignored(holdfast)).isEqualTo("[503, 504, 505]");
                            assertThat(holdfast.toString()).contains("retry");
                        });
            }
        }
    }

    /** It says both itself. */
    @Test
    void oneSourceWithBothFormsIsRefused() {
        runner.withPropertyValues(
                        "holdfast.pipelines.inventory.timeout=1s", "holdfast.pipelines.inventory.timeout.limit=2s")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("has a value and further keys below"));
    }

    @Test
    void placeholdersAreSprings() {
        runner.withPropertyValues("limit=3s", "holdfast.pipelines.inventory.timeout=${limit}")
                .run(context -> assertThat(
                                settings(context.getBean(Holdfast.class)).toString())
                        .contains("PT3S"));
        runner.withPropertyValues("holdfast.pipelines.inventory.timeout=${limit}")
                .run(context ->
                        assertThat(context.getStartupFailure()).rootCause().hasMessageContaining("limit"));
    }

    record Caller(Pipeline inventory) {}

    @Test
    void aPipelineIsABeanWithItsNameAsQualifier() {
        runner.withInitializer(yaml("application.yml", indented(FILE)))
                .withBean("inventory", String.class, () -> "a bean of the application")
                .withUserConfiguration(Qualified.class)
                .run(context -> {
                    assertThat(context.getBean(Caller.class).inventory().name()).isEqualTo("inventory");
                    assertThat(context.getBeansOfType(Pipeline.class)).hasSize(3);
                    assertThat(context.getBean("inventory")).isEqualTo("a bean of the application");
                });
    }

    static class Qualified {
        @Bean
        Caller caller(@Qualifier("inventory") Pipeline pipeline) {
            return new Caller(pipeline);
        }
    }

    @Test
    void beansAreBoundByTheirNames() {
        runner.withPropertyValues(
                        "holdfast.pipelines.inventory.classifier=strict",
                        "holdfast.pipelines.inventory.fallback.function=lastResort")
                .withBean("strict", Classifier.class, () -> (value, error) -> Verdict.FAILURE)
                .withBean("lastResort", Function.class, () -> error -> "nothing")
                .run(context -> assertThat(context.getBean(Holdfast.class)
                                .pipeline("inventory")
                                .<String, RuntimeException>call(() -> "something"))
                        .isEqualTo("nothing"));
    }

    static class Named {
        @Bean({"main.name", "lastResort", "1st"})
        Function<Throwable, Object> several() {
            return error -> "nothing";
        }

        @Bean
        Function<Throwable, Object> $dollar$() {
            return error -> "nothing";
        }
    }

    @Test
    void soTheyAreByTheirAliases() {
        for (String name : new String[] {"main.name", "lastResort"}) {
            runner.withPropertyValues("holdfast.pipelines.inventory.fallback=" + name)
                    .withUserConfiguration(Named.class)
                    .run(context -> assertThat(context.getBean(Pipeline.class).<Object, RuntimeException>call(() -> {
                                throw new IllegalStateException();
                            }))
                            .isEqualTo("nothing"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"$dollar$", "1st"})
    void aBeanWhoseNameAFileCannotHaveIsToldTheRule(String name) {
        runner.withPropertyValues("holdfast.pipelines.inventory.fallback=" + name)
                .withUserConfiguration(Named.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageEndingWith("fallback: is " + name + ", which is a bean, and no name that can stand"
                                + " here; expected a letter or _, then letters, digits and . _ - $ # / :, and no word such"
                                + " as true or null"));
    }

    @Test
    void customizersBindTheRest() {
        runner.withPropertyValues(
                        "holdfast.pipelines.inventory.classifier=strict", "holdfast.pipelines.inventory.retry=")
                .withBean(
                        HoldfastCustomizer.class,
                        () -> builder -> builder.bind("strict", Classifier.class, Classifier.DEFAULT))
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void metersAreInTheRegistryOfTheApplication() {
        runner.withPropertyValues("holdfast.pipelines.inventory.deadline=1s")
                .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
                .run(context -> {
                    context.getBean(Pipeline.class).run(() -> {});
                    assertThat(context.getBean(MeterRegistry.class)
                                    .get("holdfast.calls")
                                    .tag("pipeline", "inventory")
                                    .functionTimer()
                                    .count())
                            .isEqualTo(1);
                });
    }

    @Test
    void pipelinesAreClosedWithTheContext() {
        Pipeline[] pipeline = new Pipeline[1];
        runner.withPropertyValues("holdfast.pipelines.inventory.deadline=1s")
                .run(context -> pipeline[0] = context.getBean(Pipeline.class));
        assertThatThrownBy(() -> pipeline[0].run(() -> {})).hasMessageContaining("closed");
    }

    @Test
    @Logs("properties below resilience4j, and no starter .* they do nothing")
    void thoseOfResilience4jThatNobodyReadsAreWarnedOf() {
        runner.withPropertyValues("holdfast.pipelines.a.timeout=1s", "resilience4j.retry.instances.a.max-attempts=3")
                .run(context -> assertThat(context).hasNotFailed());
    }
}
