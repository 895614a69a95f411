/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A placeholder that stands for an empty text, or for null, never means the defaults. */
class EmptyPlaceholdersTest {
    private static Holdfast load(String yaml) {
        return load(yaml, "");
    }

    private static Holdfast load(String yaml, String value) {
        return Holdfast.builder()
                .placeholders(Map.of("D", value)::get)
                .load("holdfast.yaml", new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pipelines: { a: { deadline: '${D}' } }",
                "pipelines: { a: { timeout: '${D}' } }",
                "pipelines: { a: { bulkhead: '${D}' } }",
                "pipelines: { a: { timeout: { limit: '${D}' } } }",
                "pipelines: { a: { timeout: '${UNSET:}' } }",
                "pipelines: { a: { retry: { backoff: '${D}' } } }",
                "pipelines: { a: { retry: { budget: '${D}' } } }",
                "pipelines: { a: { retry: , keys: '${D}' } }",
                "pipelines: { a: { retry: , histograms: '${D}' } }",
                "pipelines: { a: { retry: , advice: '${D}' } }",
                "pipelines: { a: { retry: , classifier: '${D}' } }",
                "pipelines: { a: { retry: , classifier: { base: '${D}' } } }",
                "pipelines: { a: { timeout: { limit: 1s, mode: '${D}' } } }",
                "pipelines: { a: { timeout: { limit: 1s, shadow: '${D}' } } }",
                "pipelines: { a: { bulkhead: { use: '${D}' } } }",
                "pipelines: { a: { retry: , extends: '${D}' } }",
                "pipelines: { a: '${D}' }",
                "pipelines: '${D}'",
                "{ defaults: { timeout: '${D}' }, pipelines: { a: { retry: } } }",
                "{ defaults: { timeout: 1s }, pipelines: { a: { timeout: '${D}' } } }",
                "{ defaults: '${D}', pipelines: { a: { retry: } } }",
                "{ templates: { t: { bulkhead: '${D}' } }, pipelines: { a: { retry: } } }",
                "{ templates: { t: { timeout: 1s } }, pipelines: { a: { extends: t, timeout: '${D}' } } }",
                "{ templates: { t: '${D}' }, pipelines: { a: { retry: } } }",
                "{ templates: '${D}', pipelines: { a: { retry: } } }",
                "{ shared: '${D}', pipelines: { a: { retry: } } }",
                "{ shared: { pool: { bulkhead: '${D}' } }, pipelines: { a: { retry: } } }"
            })
    void isRefusedByItsName(String yaml) {
        ConfigException refused =
                catchThrowableOfType(ConfigException.class, () -> load(yaml).close());
        assertThat(refused).hasMessageContaining("since ${").hasMessageContaining(" is empty");
        assertThat(refused.problems()).hasSize(1);
        String ofNull = yaml.replace("${UNSET:}", "${UNSET:null}");
        for (String value : new String[] {"null", "~"}) {
            ConfigException alike = catchThrowableOfType(
                    ConfigException.class, () -> load(ofNull, value).close());
            assertThat(alike).hasMessageMatching("(?s).*since \\$\\{.*} is (null|~).*");
            assertThat(alike.problems()).hasSize(1);
        }
    }

    /** As an empty text is. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "pipelines: { a: { extends: standard, without: '${D}' } }",
                "pipelines: { a: { retry: , silence: '${D}' } }",
                "pipelines: { a: { retry: , order: '${D}' } }",
                "pipelines: { a: { retry: , classifier: { failures: '${D}' } } }",
                "pipelines: { a: { retry: , histograms: { slo: '${D}' } } }"
            })
    void nullIsNoEmptyList(String yaml) {
        ConfigException refused = catchThrowableOfType(
                ConfigException.class, () -> load(yaml, "null").close());
        assertThat(refused).hasMessageContaining("nothing, since ${D} is null");
    }

    @Test
    void isToldWithWhatMayStandThere() {
        ConfigException refused =
                catchThrowableOfType(ConfigException.class, () -> load("""
                pipelines:
                  a:
                    deadline: ${D}${D}
                    bulkhead: "${D}"
                """).close());
        assertThat(refused.problems())
                .extracting(Object::toString)
                .satisfiesExactly(
                        first -> assertThat(first)
                                .isEqualTo(
                                        "holdfast.yaml:3:15 pipelines.a.deadline: is nothing, since ${D}${D} is empty;"
                                                + " expected a duration such as 250ms, 5s or PT1M30S"),
                        second -> assertThat(second)
                                .startsWith("holdfast.yaml:4:15 pipelines.a.bulkhead: is nothing, since ${D} is empty;"
                                        + " expected a mapping of max-concurrent-calls, "));
    }

    @Test
    void isAnEmptyListWhereAListMayStand() {
        try (Holdfast holdfast = load("""
                pipelines:
                  a: { extends: standard, without: "${D}", silence: "${D}", classifier: { failures: "${D}" } }
                """)) {
            assertThat(holdfast.pipelines()).hasSize(1);
        }
    }
}
