/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.Classifier;
import dev.holdfast.internal.Lazily;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A name that code binds has one form: for code, and for a file, also where nobody knows what code binds. */
class BoundNamesTest {
    private static void check(String pipeline) {
        String yaml = "pipelines: { a: { " + pipeline + " } }";
        Holdfast.builder()
                .withAnyName()
                .load("holdfast.yaml", new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                .close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "retry: { interval: 100 }   | retry.interval: is 100, which is not bound in code; did you mean backoff: { initial: 100ms }?",
                "retry: { interval: 100ms } | retry.interval: is 100ms, which is not bound in code; did you mean backoff: { initial: 100ms }?",
                "retry: { interval: 0.5 }   | retry.interval: is 0.5, which is not bound in code; expected the name of a Function that code binds",
                "fallback: 42               | fallback: is 42, which is not bound in code; did you mean fallback: { value: 42 }?",
                "retry: , classifier: 500   | classifier: is 500, which is not bound in code; did you mean classifier: { failures: 500 }?",
                "retry: , classifier: true  | classifier: is true, which is not bound in code; expected the name of a Classifier that code binds",
                "retry: , classifier: ''    | classifier: is the text \"\", which is not bound in code; expected the name of a Classifier that code binds",
                "retry: { budget: a b }     | retry.budget: is a b, which is not bound in code; expected the name of a RetryBudget that code binds",
                "bulkhead: { use: 5 }       | bulkhead.use: is 5, which is no policy's name; expected a name below shared, or one that code binds",
                "bulkhead: { replicas: 5s } | bulkhead.replicas: is 5s, which is not bound in code; expected a whole number, or the name of an IntSupplier that code binds"
            })
    void whatIsNoNameIsRefusedAlsoIfAnyNameMayBeBound(String pipeline, String message) {
        ConfigException refused = catchThrowableOfType(ConfigException.class, () -> check(pipeline));
        assertThat(refused.problems())
                .singleElement()
                .asString()
                .matches(".*yaml:1:[0-9]+ pipelines\\.a\\..*")
                .endsWith(" pipelines.a." + message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"http-status", "lastResort", "com.acme.Shop$Inner#0", "größe", "_x", "shop/eu:1", "trueish", "n"
            })
    void aNameOfABeanIsAName(String name) {
        assertThatCode(() -> check("retry: { interval: \"" + name + "\" }")).doesNotThrowAnyException();
        assertThatCode(() -> Holdfast.builder().bind(name, Classifier.DEFAULT)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "5", "100ms", "true", "Null", "NO", "a b", "-a", "a\n", "${a}", "a,b", "\u00D7", "a\u3000b"})
    void codeCannotBindAnotherText(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Holdfast.builder().bind(text, Classifier.DEFAULT))
                .withMessageMatching(
                        "a name to bind must not be blank|a file cannot have the name '.*'; expected a letter or _,"
                                + " then letters, digits and \\. _ - \\$ # / :, and no word such as true or null");
    }

    @Test
    void aBeanWithAnotherNameIsNotBoundAndDoesNoHarm() {
        assertThatCode(() -> Holdfast.builder()
                        .bind("my classifier", new Lazily(Classifier.class, () -> Classifier.DEFAULT)))
                .doesNotThrowAnyException();
    }

    @Test
    void whatPipelinesShareHasANameOfThisForm() {
        String yaml = "{ shared: { 5: { bulkhead: } }, pipelines: { a: { bulkhead: { use: 5 } } } }";
        ConfigException refused = catchThrowableOfType(
                ConfigException.class,
                () -> Holdfast.builder()
                        .load("holdfast.yaml", new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                        .close());
        assertThat(refused)
                .hasMessageStartingWith("holdfast.yaml:1:13 shared.5: is no name; expected a letter or _, then");
        assertThat(refused.problems()).hasSize(1);
    }
}
