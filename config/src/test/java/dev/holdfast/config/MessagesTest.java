/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A problem is told in words that help, at the place where it is to be mended, and nothing that only follows from it. */
class MessagesTest {
    @TempDir
    Path directory;

    private List<String> problems(String yaml) throws IOException {
        Path file = Files.writeString(directory.resolve("f.yaml"), yaml);
        return Holdfast.check(file).stream()
                .map(problem -> problem.toString().replace(file + ":", ""))
                .toList();
    }

    @Test
    void aTemplateAndExtendsWithoutAValueHaveNoValue() throws Exception {
        assertThat(problems("templates: { t: }\npipelines: { a: { extends: , retry: } }"))
                .containsExactly(
                        "1:14 templates.t: has no value; expected sections",
                        "2:19 pipelines.a.extends: has no value;"
                                + " expected the name of a template or of another pipeline");
    }

    @Test
    void aTabAfterAColonIsToldAsWhatItIs() throws Exception {
        assertThat(problems("pipelines:\n  a:\n    timeout:\t1s\n"))
                .singleElement()
                .asString()
                .endsWith("not YAML: a tab stands where only a space may stand");
        assertThat(problems("pipelines:\n  a:\n    timeout: 1s\t# a tab before a comment\n"))
                .isEmpty();
    }

    @Test
    void ofAnUnknownSectionTheOrderSaysNothing() throws Exception {
        assertThat(problems("""
                pipelines:
                  a:
                    order: [retry]
                    retry:
                    shadow: 1s
                  b: { extends: a }
                """)).singleElement().asString().startsWith("5:5 pipelines.a.shadow: unknown section; ");
    }

    @Test
    void anOrderThatATemplateWritesWrongIsNoFaultOfThePipeline() throws Exception {
        assertThat(problems("""
                templates: { t: { order: [retry, silence], retry: , silence: burst-of-one } }
                pipelines: { a: { extends: t } }
                """)).isNotEmpty().noneMatch(problem -> problem.contains("an order of its own"));
    }

    @Test
    void whatIsNotInAnInheritedOrderNeedsAnOrderOfItsOwn() throws Exception {
        assertThat(problems("""
                pipelines:
                  a:
                    order: [retry, bulkhead]
                    retry:
                    bulkhead:
                  b:
                    extends: a
                    timeout: 1s
                  c: { extends: b }
                  d: { extends: a, without: retry }
                  e: { extends: a, timeout: 1s, order: [timeout, retry, bulkhead] }
                """))
                .containsExactly(
                        "8:5 pipelines.b.timeout: is not in the inherited order; expected an order of its own beside it,"
                                + " of retry, bulkhead, timeout",
                        "10:3 pipelines.d: inherits an order that names retry, which it does not have;"
                                + " expected an order of its own");
    }

    @Test
    void whatIsWrongWithAnOrderItselfIsToldThereAlsoIfOthersInheritIt() throws Exception {
        assertThat(problems("""
                templates:
                  t: { order: [retri, deadline], retry: , deadline: 1s, timeout: 1s }
                pipelines:
                  a: { extends: t }
                  b: { extends: t }
                """))
                .containsExactly(
                        "2:8 pipelines.a.order: leaves out timeout; expected every section",
                        "2:16 pipelines.a.order: names retri, which is no section of this pipeline;"
                                + " did you mean retry?");
    }

    @Test
    void aNameHasNoPlaceholder() throws Exception {
        assertThat(problems("""
                templates:
                  "${T}": { timeout: 1s }
                pipelines:
                  ${NAME:a}: { timeout: 1s }
                """))
                .containsExactly(
                        "2:3 templates.${T}: the name has a placeholder, and nothing is put into a key;"
                                + " expected a name without ${",
                        "4:3 pipelines.${NAME:a}: the name has a placeholder, and nothing is put into a key;"
                                + " expected a name without ${");
    }

    @Test
    void anOptionWithoutAValueHasNoneAlsoIfItWouldInheritOne() throws Exception {
        assertThat(problems("""
                templates:
                  t: { timeout: { limit: 1s }, fallback: { value: x }, classifier: { failures: 500 } }
                pipelines:
                  a: { extends: t, timeout: { limit: } }
                  b: { extends: t, fallback: { shadow: { value: null } } }
                  c: { extends: t, classifier: { failures: } }
                  d: { extends: t, classifier: }
                """))
                .extracting(problem -> problem.replaceAll(";.*", ""))
                .containsExactly(
                        "4:31 pipelines.a.timeout.limit: has no value",
                        "5:42 pipelines.b.fallback.shadow.value: has no value",
                        "6:34 pipelines.c.classifier.failures: has no value",
                        "7:20 pipelines.d.classifier: has no value");
        assertThat(problems("""
                templates:
                  t: { timeout: { limit: 1s }, retry: { backoff: { initial: 1s } } }
                pipelines:
                  a: { extends: t, timeout: , retry: { backoff: } }
                """)).isEmpty();
    }

    @Test
    void aRuleHasAName() throws Exception {
        assertThat(problems("pipelines: { a: { timeout: , silence: [5, burst-of-one, true] } }"))
                .containsExactly(
                        "1:40 pipelines.a.silence: is 5; expected the name of a rule",
                        "1:57 pipelines.a.silence: is true; expected the name of a rule");
        assertThat(problems("{ defaults: { silence: '' }, pipelines: { a: { timeout: } } }"))
                .containsExactly("1:24 defaults.silence: is a blank text; expected the name of a rule");
    }

    @Test
    void whatIsNoSectionHasNoDefaults() {
        for (String key : List.of("keys", "order", "extends", "without", "audit")) {
            String yaml = "{ defaults: { " + key + ": { use: any } }, pipelines: { a: { timeout: } } }";
            assertThatThrownBy(() -> Holdfast.builder()
                            .withAnyName()
                            .load("f.yaml", new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))))
                    .hasMessageStartingWith("f.yaml:1:15 defaults." + key + ": unknown section; ");
        }
    }

    @Test
    void aSecondPolicyHasOptionsAlsoWhereNobodyUsesIt() throws Exception {
        assertThat(problems("""
                defaults: { timeout: { shadow: } }
                templates: { t: { retry: { shadow: } } }
                pipelines: { a: { bulkhead: } }
                """))
                .containsExactly(
                        "1:24 defaults.timeout.shadow: has no value; expected options of timeout",
                        "2:28 templates.t.retry.shadow: has no value; expected options of retry");
    }
}
