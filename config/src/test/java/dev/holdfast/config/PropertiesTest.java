/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast.Property;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Flat properties in place of a file. */
class PropertiesTest {
    private final List<Property> properties = new ArrayList<>();
    private final List<Holdfast> loaded = new ArrayList<>();

    @AfterEach
    void close() {
        loaded.forEach(Holdfast::close);
    }

    private void put(String path, String value) {
        List<String> keys = List.of(path.replace("[", ".[").split("\\.", -1));
        properties.add(new Property(keys, value, "application.yml", properties.size() + 1, 3));
    }

    private static String settings(Pipeline pipeline) {
        StringBuilder all = new StringBuilder(pipeline.name());
        pipeline.snapshot()
                .policies()
                .forEach(policy -> all.append(policy.name()).append(policy.settings()));
        return all.toString();
    }

    private Holdfast load() {
        Holdfast made = Holdfast.builder().load("the environment", () -> List.of(properties));
        loaded.add(made);
        return made;
    }

    @Test
    void theyMakeWhatTheFileMakes() {
        put("pipelines.inventory.extends", "standard");
        put("pipelines.inventory.deadline", "800ms");
        put("pipelines.inventory.timeout", "250ms");
        put("pipelines.inventory.retry.max-attempts", "2");
        put("pipelines.inventory.classifier.failures[1]", "500-504");
        put("pipelines.inventory.classifier.failures[0]", "421");
        put("pipelines.prices.bulkhead", "");
        Holdfast ofFile =
                Holdfast.builder().load("file", new ByteArrayInputStream("""
                                pipelines:
                                  inventory:
                                    extends: standard
                                    deadline: 800ms
                                    timeout: 250ms
                                    retry: { max-attempts: 2 }
                                    classifier:
                                      failures: [421, 500-504]
                                  prices:
                                    bulkhead:
                                """.getBytes(StandardCharsets.UTF_8)));
        loaded.add(ofFile);
        assertThat(load().pipelines().stream().map(PropertiesTest::settings))
                .containsExactlyElementsOf(ofFile.pipelines().stream()
                        .map(PropertiesTest::settings)
                        .toList());
        assertThat(load().pipeline("inventory").classifier())
                .hasToString(ofFile.pipeline("inventory").classifier().toString());
    }

    /** Frameworks split a name with a dot: then its end looks as a section. */
    @Test
    void theEndOfANameWithADotIsToldAsSuch() {
        put("pipelines.shop.v2.timeout", "1s");
        assertThatThrownBy(this::load)
                .hasMessageContaining("pipelines.shop.v2: unknown section, with sections below it; expected brackets"
                        + " around a name with a dot, \"[shop.v2]\", or one of deadline");
        properties.clear();
        put("pipelines.shop.v2.limit", "1s");
        assertThatThrownBy(this::load).hasMessageContaining("pipelines.shop.v2: unknown section; expected one of");
        assertThatThrownBy(() -> ofFile("pipelines: { shop: { v2: { timeout: 1s } } }"))
                .hasMessageContaining("pipelines.shop.v2: unknown section; expected one of");
    }

    private static Holdfast ofFile(String text) {
        return Holdfast.builder()
                .placeholders(name -> name.equals("FAILURES") ? "421, 500-504" : null)
                .load("file", new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void anOrderOfOneNameMayBeAPropertyOrAPlaceholder() {
        put("pipelines.inventory.order", "retry");
        put("pipelines.inventory.retry", "");
        loaded.add(ofFile("pipelines: { inventory: { order: '${ORDER:retry}', retry: } }"));
        load();
        assertThat(loaded).extracting(Holdfast::toString).containsOnly("inventory: retry > call");
    }

    @Test
    void commasMakeAListInAPropertyAndInAPlaceholder() {
        put("pipelines.inventory.order", "timeout, retry");
        put("pipelines.inventory.silence", "timeout-outside-retry,attempts-beyond-deadline");
        put("pipelines.inventory.timeout", "250ms");
        put("pipelines.inventory.retry", "");
        put("pipelines.inventory.classifier.failures", "421,500-504");
        put("pipelines.inventory.histograms.slo", "50ms,100ms");
        loaded.add(ofFile("""
                        pipelines:
                          inventory:
                            order: ${ORDER:timeout, retry}
                            silence: ${RULES:timeout-outside-retry,attempts-beyond-deadline}
                            timeout: 250ms
                            retry:
                            classifier: { failures: "${FAILURES}" }
                            histograms: { slo: "${SLO:50ms,100ms}" }
                        """));
        loaded.add(ofFile("""
                        pipelines:
                          inventory:
                            order: [timeout, retry]
                            silence: [timeout-outside-retry, attempts-beyond-deadline]
                            timeout: 250ms
                            retry:
                            classifier: { failures: [421, 500-504] }
                            histograms: { slo: [50ms, 100ms] }
                        """));
        load();
        assertThat(loaded.stream()
                        .map(one -> settings(one.pipeline("inventory")))
                        .distinct())
                .hasSize(1)
                .first()
                .asString()
                .matches(".*timeout.*retry.*");
        assertThat(loaded.stream()
                        .map(one -> one.pipeline("inventory").classifier())
                        .distinct())
                .hasSize(1);
    }

    @Test
    void aListWithCommasIsAsStrictAsAnother() {
        put("pipelines.inventory.timeout", "250ms");
        put("pipelines.inventory.classifier.failures", "421,,five");
        put("pipelines.inventory.histograms.slo", "50ms,-1ms");
        assertThatThrownBy(this::load)
                .hasMessageContainingAll(
                        "application.yml:2:3 pipelines.inventory.classifier.failures: has no value",
                        "application.yml:2:3 pipelines.inventory.classifier.failures: is five",
                        "application.yml:3:3 pipelines.inventory.histograms.slo: is -1ms");
        assertThatThrownBy(() -> ofFile("""
                                pipelines:
                                  inventory:
                                    timeout: 250ms
                                    classifier: { failures: "421,500" }
                                """))
                .hasMessageContaining("file:4:29 pipelines.inventory.classifier.failures: is 421,500");
    }

    /** Frameworks make one of it. */
    @Test
    void anEmptyTextIsAnEmptyListWhereAListMayStand() {
        put("templates.careful.classifier.ignored[0]", "501");
        put("templates.careful.extends", "standard");
        put("pipelines.inventory.extends", "careful");
        put("pipelines.inventory.classifier.ignored", "");
        put("pipelines.inventory.without", "");
        put("pipelines.inventory.silence", "");
        put("pipelines.inventory.histograms.slo", "");
        loaded.add(ofFile("""
                        templates:
                          careful: { extends: standard, classifier: { ignored: [501] } }
                        pipelines:
                          inventory:
                            extends: careful
                            classifier: { ignored: [] }
                            without: []
                            silence: []
                            histograms: { slo: [] }
                        """));
        load();
        assertThat(loaded.stream()
                        .map(one -> settings(one.pipeline("inventory")))
                        .distinct())
                .hasSize(1);
        assertThat(loaded.stream()
                        .map(one -> one.pipeline("inventory").classifier())
                        .distinct())
                .hasSize(1);
    }

    @Test
    void aProblemHasThePlaceOfItsProperty() {
        put("pipelines.inventory.deadline", "800ms");
        put("pipelines.inventory.retry.max-atempts", "2");
        put("pipelines.inventory.timeout", "250");
        assertThatThrownBy(this::load).isInstanceOf(ConfigException.class).hasMessage("""
                        application.yml:2:3 pipelines.inventory.retry.max-atempts: unknown option; did you mean max-attempts?
                        application.yml:3:3 pipelines.inventory.timeout: is 250, which has no unit; expected 250ms, 250s or another unit (ns, us, ms, s, m, h, d)""");
    }

    @Test
    void noneAtAllIsAProblem() {
        assertThatThrownBy(this::load)
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("the environment: is empty; expected ");
    }

    @Test
    void aValueWithKeysBelowIsAProblem() {
        put("pipelines.inventory.deadline.of", "1s");
        put("pipelines.inventory.deadline", "800ms");
        assertThatThrownBy(this::load)
                .hasMessageContaining("pipelines.inventory.deadline: has a value and further keys below");
        properties.clear();
        put("pipelines.inventory.deadline", "800ms");
        put("pipelines.inventory.deadline.limit", "1s");
        put("pipelines.inventory.deadline.of", "1s");
        assertThatThrownBy(this::load)
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        wrong -> assertThat(wrong.problems())
                                .filteredOn(problem -> problem.toString().contains("further keys below"))
                                .hasSize(1));
    }

    @Test
    void theyAreBounded() {
        put("pipelines" + ".a".repeat(30), "x");
        assertThatThrownBy(this::load).isInstanceOf(ConfigException.class).hasMessageContaining("at most 20 levels");
        properties.clear();
        for (int i = 0; i < 100_001; i++) {
            put("pipelines.a[" + i + "]", "x");
        }
        assertThatThrownBy(this::load).isInstanceOf(ConfigException.class).hasMessageContaining("at most 100000");
    }

    @Test
    void theyAreReadAgain() {
        put("pipelines.inventory.deadline", "800ms");
        Holdfast holdfast = load();
        properties.clear();
        put("pipelines.inventory.deadline", "900ms");
        assertThat(holdfast.reload()).containsExactly("inventory");
        assertThat(settings(holdfast.pipeline("inventory"))).contains("PT0.9S");
        properties.clear();
        put("pipelines.inventory.deadline", "900");
        assertThatThrownBy(holdfast::reload).isInstanceOf(ConfigException.class);
        assertThat(settings(holdfast.pipeline("inventory"))).contains("PT0.9S");
    }

    @Test
    void aListHasNoGap() {
        put("pipelines.inventory.timeout", "1s");
        put("pipelines.inventory.classifier.ignored[2]", "501");
        put("pipelines.inventory.classifier.ignored[0]", "500");
        put("pipelines.inventory.silence[1]", "timeout-outside-retry");
        assertThatThrownBy(this::load)
                .hasMessage("application.yml:2:3 pipelines.inventory.classifier.ignored.[2]: has no [1] before it;"
                        + " expected a list without a gap" + System.lineSeparator()
                        + "application.yml:4:3 pipelines.inventory.silence.[1]: has no [0] before it;"
                        + " expected a list without a gap");
    }

    @Test
    void aNameIsNoLongerThanInAFile() {
        String longest = "n".repeat(128);
        put("pipelines." + longest + ".timeout", "1s");
        assertThat(load().pipeline(longest)).isNotNull();
        put("pipelines." + longest + "n.timeout", "1s");
        for (ThrowingCallable loading : List.<ThrowingCallable>of(
                this::load, () -> ofFile("pipelines: { " + longest + "n: { timeout: 1s } }"))) {
            assertThatThrownBy(loading)
                    .hasMessageEndingWith("has a key of 129 characters; expected at most 128 characters");
        }
    }
}
