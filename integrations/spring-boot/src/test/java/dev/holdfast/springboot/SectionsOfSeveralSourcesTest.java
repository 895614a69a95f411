/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.PipelineSnapshot.PolicySnapshot;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.CompositePropertySource;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** A section that is a value in one source and has options in another one: as in two files, they are merged. */
class SectionsOfSeveralSourcesTest {
    private static final String INVENTORY = "holdfast.pipelines.inventory.";

    private final ApplicationContextRunner runner =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class));

    /** The first one wins. */
    private ApplicationContextRunner with(List<Map<String, Object>> sources) {
        return runner.withInitializer(context -> {
            for (int i = 0; i < sources.size(); i++) {
                context.getEnvironment()
                        .getPropertySources()
                        .addLast(new MapPropertySource("source " + i, sources.get(i)));
            }
        });
    }

    /** In shadow, its name says so. */
    private static PolicySnapshot policy(Holdfast holdfast, String name) {
        return holdfast.pipeline("inventory").snapshot().policies().stream()
                .filter(one -> one.name().startsWith(name))
                .findFirst()
                .orElseThrow();
    }

    private static String timeout(Holdfast holdfast) {
        PolicySnapshot timeout = policy(holdfast, "timeout");
        return timeout.name() + "=" + timeout.settings().get("limit");
    }

    @ParameterizedTest
    @CsvSource({
        "defaults.timeout, pipelines.inventory.timeout",
        "pipelines.inventory.timeout, pipelines.inventory.deadline",
        "templates.careful.timeout, pipelines.inventory.timeout"
    })
    void optionsAboveAValueKeepIt(String section, String used) {
        Map<String, Object> low = new LinkedHashMap<>(Map.of("holdfast." + section, "500ms"));
        low.putIfAbsent("holdfast." + used, "");
        if (section.startsWith("templates")) {
            low.put(INVENTORY + "extends", "careful");
        }
        with(List.of(Map.of("holdfast." + section + ".mode", "shadow"), low))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout-shadow=PT0.5S"));
    }

    @Test
    void aValueAboveOptionsIsOneOfThem() {
        Map<String, Object> low = Map.of(INVENTORY + "timeout.limit", "250ms", INVENTORY + "timeout.mode", "shadow");
        with(List.of(Map.of(INVENTORY + "timeout", "1s"), low))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout-shadow=PT1S"));
        with(List.of(low, Map.of(INVENTORY + "timeout", "1s")))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout-shadow=PT0.25S"));
    }

    @Test
    void eachKeyIsThatOfTheHighestSourceThatHasIt() {
        with(List.of(
                        Map.of(INVENTORY + "timeout.mode", "shadow"),
                        Map.of(INVENTORY + "timeout", "700ms"),
                        Map.of(INVENTORY + "timeout.limit", "2s", INVENTORY + "timeout.mode", "active"),
                        Map.of(INVENTORY + "timeout", "9s")))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout-shadow=PT0.7S"));
    }

    @Test
    void soItIsWithVariablesOfTheEnvironment() {
        runner.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new SystemEnvironmentPropertySource(
                                "test-systemEnvironment", Map.of("HOLDFAST_PIPELINES_INVENTORY_TIMEOUT", "1s"))))
                .withPropertyValues(INVENTORY + "timeout.limit=250ms", INVENTORY + "timeout.mode=shadow")
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout-shadow=PT1S"));
        runner.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new SystemEnvironmentPropertySource(
                                "test-systemEnvironment",
                                Map.of("HOLDFAST_PIPELINES_INVENTORY_TIMEOUT_MODE", "shadow"))))
                .withPropertyValues(INVENTORY + "timeout=250ms")
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout-shadow=PT0.25S"));
    }

    /** Of any policy that has such an option. */
    @Test
    void aFallbackAndAHedgeAreMergedToo() {
        with(List.of(
                        Map.of(INVENTORY + "fallback.mode", "active", INVENTORY + "hedge.mode", "shadow"),
                        Map.of(INVENTORY + "fallback", "empty", INVENTORY + "hedge", "40ms")))
                .withUserConfiguration(Functions.class)
                .run(context -> {
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    assertThat(policy(holdfast, "fallback").settings().get("function"))
                            .isNotNull();
                    assertThat(policy(holdfast, "hedge").name()).isEqualTo("hedge-shadow");
                    assertThat(String.valueOf(policy(holdfast, "hedge").settings()))
                            .contains("delay=PT0.04S");
                });
    }

    @Configuration
    static class Functions {
        @Bean
        java.util.function.Function<Throwable, String> empty() {
            return error -> "";
        }
    }

    /** As in files: it is another policy altogether. */
    @Test
    void aValueTakesThePlaceOfAPolicyThatIsUsed() {
        Map<String, Object> low = Map.of("holdfast.shared.slow.timeout.limit", "5s", INVENTORY + "timeout.use", "slow");
        with(List.of(Map.of(INVENTORY + "timeout", "1s"), low))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout=PT1S"));
        with(List.of(low, Map.of(INVENTORY + "timeout", "1s")))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout=PT5S"));
    }

    @Test
    void aValueThatIsWrongIsToldAsThatOfTheOption() {
        with(List.of(Map.of(INVENTORY + "timeout.mode", "shadow"), Map.of(INVENTORY + "timeout", "off")))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("source 1")
                        .hasMessageContaining("pipelines.inventory.timeout.limit: is off; expected"));
    }

    @Test
    void inOneSourceAValueBesideOptionsIsAMistake() {
        with(List.of(
                        Map.of(INVENTORY + "timeout", "1s", INVENTORY + "timeout.mode", "shadow"),
                        Map.of(INVENTORY + "timeout.limit", "3s")))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("timeout: has a value and further keys below"));
    }

    private static final Map<String, Object> STANDARD_WITHOUT_TIMEOUT =
            Map.of(INVENTORY + "extends", "standard", INVENTORY + "without", "timeout");

    @Test
    void aSectionOfAHigherSourceIsThereAlthoughALowerOneLeavesItOut() {
        for (String key : List.of("timeout", "timeout.limit")) {
            with(List.of(Map.of(INVENTORY + key, "1s"), STANDARD_WITHOUT_TIMEOUT))
                    .run(context ->
                            assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout=PT1S"));
            with(List.of(Map.of(), Map.of(INVENTORY + key, "1s", INVENTORY + "bulkhead", ""), STANDARD_WITHOUT_TIMEOUT))
                    .run(context ->
                            assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout=PT1S"));
        }
    }

    @Test
    void aHigherSourceLeavesOutWhatALowerOneHas() {
        with(List.of(
                        Map.of(INVENTORY + "without[0]", "timeout"),
                        Map.of(INVENTORY + "timeout", "1s", INVENTORY + "bulkhead", "")))
                .run(context -> assertThat(context.getBean(Holdfast.class)
                                .pipeline("inventory")
                                .toString())
                        .isEqualTo("inventory: bulkhead > call"));
    }

    @Test
    void aSectionWithoutOptionsIsThereToo() {
        Map<String, Object> low = Map.of(INVENTORY + "timeout", "700ms", INVENTORY + "bulkhead", "");
        with(List.of(Map.of(INVENTORY + "timeout", ""), Map.of(INVENTORY + "without", "timeout"), low))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout=PT0.7S"));
        with(List.of(Map.of(INVENTORY + "timeout", "", INVENTORY + "without", "timeout"), low))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("without: names timeout, which stands here itself"));
    }

    @Test
    void sourcesAreInTheirOrderAlsoWhereAHigherOneIsBlank() {
        with(List.of(
                        Map.of(INVENTORY + "retry", "", INVENTORY + "deadline", ""),
                        Map.of(INVENTORY + "timeout.limit", "1s"),
                        Map.of(INVENTORY + "timeout", "3s", INVENTORY + "deadline", "9s")))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout=PT1S"));
    }

    @Test
    void aSourceThatLeavesOutWhatItHasIsRefused() {
        with(List.of(Map.of(
                        INVENTORY + "timeout",
                        "1s",
                        INVENTORY + "extends",
                        "standard",
                        INVENTORY + "without",
                        "timeout")))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("without: names timeout, which stands here itself"));
        runner.withSystemProperties(
                        INVENTORY + "timeout=1s", INVENTORY + "extends=standard", INVENTORY + "without=retry,timeout")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("without: names timeout, which stands here itself"));
    }

    @Test
    void useAValueAndOptionsOfThreeSourcesAreMergedAsFiles() {
        Map<String, Object> shared = Map.of("holdfast.shared.slow.timeout.limit", "5s");
        Map<String, Object> use = Map.of(INVENTORY + "timeout.use", "slow");
        Map<String, Object> value = Map.of(INVENTORY + "timeout", "1s");
        Map<String, Object> options = Map.of(INVENTORY + "timeout.mode", "shadow");
        with(List.of(options, value, use, shared))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout-shadow=PT1S"));
        with(List.of(use, options, value, shared))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout=PT5S"));
        with(List.of(value, use, options, shared))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout=PT1S"));
        with(List.of(Map.of(INVENTORY + "timeout.use", ""), value))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("source 0")
                        .hasMessageContaining("timeout.use: has no value"));
    }

    @Test
    void aMisspeltKeyIsToldWhereItStands() {
        with(List.of(Map.of(INVENTORY + "retry.max-attempts", "4"), Map.of(INVENTORY + "retry.maxAttempts", "2")))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageMatching(
                                ".*source 1\" pipelines.inventory.retry.*: to Spring, maxAttempts and max-attempts"
                                        + " \\(.*source 0.*\\) are one key; did you mean max-attempts\\?"));
        with(List.of(
                        Map.of(INVENTORY + "circuit-breaker.minimum-calls", "20"),
                        Map.of(INVENTORY + "circuitBreaker.failure-rate-threshold", "60")))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("source 1")
                        .hasMessageContaining("circuitBreaker: unknown section"));
        with(List.of(
                        Map.of(INVENTORY + "retry.max-attempts", "5"),
                        Map.of(INVENTORY + "retry.maxAttempts", "4"),
                        Map.of(INVENTORY + "retry.max-attempts", "2")))
                .run(context -> assertThat(policy(context.getBean(Holdfast.class), "retry")
                                .settings()
                                .get("max-attempts"))
                        .isEqualTo(5));
        with(List.of(
                        Map.of(INVENTORY + "retry.maxAttempts", "5"),
                        Map.of(INVENTORY + "retry.max-attempts", "4"),
                        Map.of(INVENTORY + "retry.maxAttempts", "2")))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageMatching(".*source 2\" .*maxAttempts and max-attempts \\(.*source 1.*"));
    }

    /** {@code @PropertySource} makes one source of two files that are given one name. */
    @Test
    void partsOfOneSourceAreMergedAsSourcesAre() {
        CompositePropertySource parts = new CompositePropertySource("parts");
        parts.addPropertySource(new MapPropertySource("high", Map.of(INVENTORY + "timeout.mode", "shadow")));
        parts.addPropertySource(new MapPropertySource("low", Map.of(INVENTORY + "timeout", "2s")));
        runner.withInitializer(
                        context -> context.getEnvironment().getPropertySources().addLast(parts))
                .run(context ->
                        assertThat(timeout(context.getBean(Holdfast.class))).isEqualTo("timeout-shadow=PT2S"));
    }

    @Test
    @Logs("'inventory' has instances for 1 keys")
    void keysOfInstancesAreMergedToo() {
        with(List.of(
                        Map.of(INVENTORY + "keys.max", "1"),
                        Map.of(
                                INVENTORY + "keys.idle",
                                "2h",
                                INVENTORY + "keys.max",
                                "7",
                                INVENTORY + "timeout",
                                "1s")))
                .run(context -> {
                    Holdfast holdfast = context.getBean(Holdfast.class);
                    assertThat(holdfast.pipeline("inventory", "a").name()).isEqualTo("inventory/a");
                    assertThat(holdfast.pipeline("inventory", "b").name()).isEqualTo("inventory/other");
                });
    }
}
