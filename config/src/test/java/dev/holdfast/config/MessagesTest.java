/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
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
                        "8:5 pipelines.b.timeout: is not in the inherited order; expected an order of its own beside it",
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
}
