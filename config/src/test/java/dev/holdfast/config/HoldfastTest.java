/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.config.ConfigException.Problem;
import dev.holdfast.config.SampleFactory.Sample;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.testcalls.PlainPolicyFactory;
import dev.holdfast.testlogs.Logs;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Logs({"timeout-outside-retry", "deadline-not-outermost"})
class HoldfastTest {
    private final Samples samples = new Samples();

    @TempDir
    Path directory;

    @Test
    void withoutAnOrderThePositionsDecide() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    timeout: 250ms
                    throttle: { limit: 200 }
                    circuit-breaker:
                    retry: {}
                    stale-cache: { fresh: 5s }
                    deadline: 800ms
                """)) {
            assertThat(names(holdfast.pipeline("inventory")))
                    .containsExactly("deadline", "stale-cache", "retry", "circuit-breaker", "throttle", "timeout");
        }
    }

    @Test
    void anOrderIsOutermostFirst() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    order: [timeout, retry, deadline]
                    retry: {}
                    deadline: 800ms
                    timeout: 1s
                """)) {
            assertThat(names(holdfast.pipeline("inventory"))).containsExactly("timeout", "retry", "deadline");
        }
    }

    @Test
    void aPolicyThatTheOrderNamesTwiceIsThereTwiceWithTheSameSettings() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    retry: 3
                    timeout: 250ms
                    order: [timeout, retry, timeout]
                """)) {
            List<Policy> policies = holdfast.pipeline("inventory").policies();
            assertThat(policies).extracting(Policy::name).containsExactly("timeout", "retry", "timeout");
            assertThat(policies.get(0)).isNotSameAs(policies.get(2));
            assertThat(values(policies.get(0))).isEqualTo(values(policies.get(2)));
        }
    }

    @Test
    void pipelinesStandInTheOrderOfTheFile() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  prices: { retry: }
                  inventory: { retry: }
                  accounts: { retry: }
                """)) {
            assertThat(holdfast.pipelines())
                    .extracting(Pipeline::name)
                    .containsExactly("prices", "inventory", "accounts");
            assertThat(holdfast.pipeline("inventory"))
                    .isSameAs(holdfast.pipelines().get(1));
            assertThat(holdfast.toString().lines()).hasSize(3);
        }
    }

    @Test
    void nestedOptionsReachTheSettings() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    retry:
                      max-attempts: 5
                      backoff: { initial: 50ms, multiplier: 2, max: 1s, jitter: no-jitter }
                      retry-rejections: true
                      seed: 1_000_000_000_000
                """)) {
            assertThat(values(holdfast.pipeline("inventory").policies().get(0)))
                    .containsEntry("maxAttempts", 5)
                    .containsEntry("initialBackoff", Duration.ofMillis(50))
                    .containsEntry("multiplier", 2.0)
                    .containsEntry("maxBackoff", Duration.ofSeconds(1))
                    .containsEntry("jitter", Samples.Jitter.NO_JITTER)
                    .containsEntry("retryRejections", true)
                    .containsEntry("seed", 1_000_000_000_000L);
        }
    }

    @ParameterizedTest
    @CsvSource({"retry:", "retry: {}", "retry: ~", "retry: null", "'retry: { backoff: }'", "'retry: { backoff: {} }'"})
    void aSectionWithoutOptionsHasTheDefaults(String section) throws Exception {
        try (Holdfast holdfast = load("pipelines: { inventory: { " + section + " } }")) {
            assertThat(values(holdfast.pipeline("inventory").policies().get(0))).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "250ms, PT0.25S",
        "5s, PT5S",
        "2m, PT2M",
        "1h, PT1H",
        "1d, PT24H",
        "10000us, PT0.01S",
        "1000000ns, PT0.001S",
        "PT0.8S, PT0.8S",
        "PT1M30S, PT1M30S",
        "P1D, PT24H",
        "'''5s''', PT5S",
        "0005s, PT5S",
    })
    void aDurationHasItsUnit(String written, Duration meant) throws Exception {
        try (Holdfast holdfast = load("pipelines: { inventory: { deadline: " + written + " } }")) {
            assertThat(values(holdfast.pipeline("inventory").policies().get(0))).containsEntry("limit", meant);
        }
    }

    @ParameterizedTest
    @CsvSource({"50, 50", "50.5, 50.5", "2.5e1, 25", "1_0, 10", "+7, 7"})
    void aDecimalMayBeWritten(String written, double meant) throws Exception {
        try (Holdfast holdfast =
                load("pipelines: { inventory: { circuit-breaker: { failure-rate-threshold: " + written + " } } }")) {
            assertThat(values(holdfast.pipeline("inventory").policies().get(0)))
                    .containsEntry("failureRateThreshold", meant);
        }
    }

    @ParameterizedTest
    @CsvSource({"no, no", "5, 5", "'''5''', 5", "true, true", "on call, on call"})
    void aTextIsWhatStandsInTheFile(String written, String meant) throws Exception {
        try (Holdfast holdfast = load("pipelines: { inventory: { fallback: { label: " + written + " } } }")) {
            assertThat(values(holdfast.pipeline("inventory").policies().get(0))).containsEntry("label", meant);
        }
    }

    @Test
    void anchorsAliasesAndMergesAreFollowed() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    retry: &patient { max-attempts: 5, seed: 1, backoff: &slow { initial: 1s, max: 5s } }
                    timeout: &limit 250ms
                  prices:
                    retry: { <<: *patient, seed: 2 }
                    timeout: *limit
                  accounts:
                    retry: *patient
                  offers:
                    retry: { <<: [{ seed: 3 }, *patient], backoff: *slow }
                """)) {
            assertThat(values(holdfast.pipeline("prices").policies().get(0)))
                    .containsEntry("maxAttempts", 5)
                    .containsEntry("seed", 2L)
                    .containsEntry("initialBackoff", Duration.ofSeconds(1));
            assertThat(values(holdfast.pipeline("prices").policies().get(1)))
                    .containsEntry("limit", Duration.ofMillis(250));
            assertThat(values(holdfast.pipeline("accounts").policies().get(0)))
                    .isEqualTo(values(holdfast.pipeline("inventory").policies().get(0)));
            assertThat(values(holdfast.pipeline("offers").policies().get(0)))
                    .containsEntry("maxAttempts", 5)
                    .containsEntry("seed", 3L);
        }
    }

    @Test
    void aByteOrderMarkAndAnEndOfDocumentAreNoMatter() throws Exception {
        try (Holdfast holdfast = load("\uFEFF---\r\npipelines: { inventory: { retry: } }\r\n...\r\n")) {
            assertThat(names(holdfast.pipeline("inventory"))).containsExactly("retry");
        }
    }

    @Test
    void namesBoundInCodeAreFound() throws Exception {
        Function<Throwable, String> lastResort = error -> "none";
        Path file = write("""
                pipelines:
                  inventory:
                    classifier: http-status
                    fallback: last-resort
                """);
        try (Holdfast holdfast = samples.holdfast()
                .bind("last-resort", lastResort)
                .bind("http-status", Classifier.class, (value, error) -> Classifier.DEFAULT.classify(value, error))
                .bind("not-used", 5)
                .load(file)) {
            assertThat(values(holdfast.pipeline("inventory").policies().get(0))).containsEntry("function", lastResort);
        }
    }

    @Test
    void withNothingBoundTheMessageSaysSo() throws Exception {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("pipelines: { inventory: { classifier: http, retry: } }"))
                .withMessageEndingWith(
                        "is http, which is not bound in code; expected a name that code binds, and it binds none");
    }

    @Test
    void onlyNamesOfTheRightTypeAreOffered() {
        Holdfast.Builder builder = Holdfast.builder()
                .bind("fn", Function.class, error -> error)
                .bind("http", Classifier.class, (value, error) -> Verdict.FAILURE);
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> builder.load("test", yaml("pipelines: { inventory: { retry: { budget: 5 } } }")))
                .withMessageEndingWith(
                        "is 5, which is not bound in code; expected the name of a RetryBudget that code binds");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> builder.load("test", yaml("pipelines: { inventory: { retry: , classifier: htp } }")))
                .withMessageEndingWith("is htp, which is not bound in code; did you mean http?");
    }

    @Test
    void aUseWithoutANameHasNoValue() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("pipelines: { inventory: { bulkhead: { use: } } }"))
                .withMessageEndingWith("pipelines.inventory.bulkhead.use: has no value; expected the name of a policy");
    }

    private static InputStream yaml(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aNameIsBoundOnce() {
        Holdfast.Builder builder = Holdfast.builder().bind("http-status", Classifier.DEFAULT);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.bind("http-status", Classifier.DEFAULT))
                .withMessage("the name 'http-status' is bound already");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.bind(" ", Classifier.DEFAULT))
                .withMessage("a name to bind must not be blank");
    }

    @Test
    void anUnknownPipelineIsRefusedWithTheNearestName() throws Exception {
        try (Holdfast holdfast = load("pipelines: { inventory: { retry: }, prices: { retry: } }")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> holdfast.pipeline("inventry"))
                    .withMessage("no pipeline 'inventry'; did you mean 'inventory'?");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> holdfast.pipeline("accounts"))
                    .withMessage("no pipeline 'accounts'; there are inventory, prices");
        }
    }

    @Test
    void aMissingFileIsAProblem() {
        Path missing = directory.resolve("holdfast.yaml");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> Holdfast.load(missing))
                .withMessage(missing + ": there is no such file");
    }

    @Test
    void aDirectoryIsAProblem() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> Holdfast.load(directory))
                .withMessage(directory + ": cannot be read: is a directory");
    }

    @Test
    void aFileThatIsNotUtf8IsAProblem() throws Exception {
        Path file = directory.resolve("holdfast.yaml");
        Files.write(file, "pipelines: # für alle".getBytes(StandardCharsets.ISO_8859_1));
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> Holdfast.load(file))
                .withMessage(file + ": is not text in UTF-8");
    }

    @Test
    void aProblemTellsItsParts() throws Exception {
        Path file = write("pipelines:\n  inventory:\n    throttle: { limt: 5 }\n");
        ConfigException thrown = catchThrowableOfType(
                ConfigException.class, () -> samples.holdfast().load(file));
        assertThat(thrown.problems())
                .containsExactly(new Problem(
                        file.toString(),
                        3,
                        17,
                        "pipelines.inventory.throttle.limt",
                        "unknown option",
                        Optional.of("one of limit, per, burst"),
                        Optional.of("limit")));
    }

    @Test
    void aPolicyThatChecksItselfOnlyWhenMadeLetsNoPipelineBeMade() throws Exception {
        PolicyFactory<?> late = late(new IllegalArgumentException("never in the morning"));
        Path file = write("pipelines: { inventory: { late: }, prices: { late: } }");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> Holdfast.builder()
                        .factories(new Factories(List.of(late)))
                        .load(file))
                .satisfies(thrown -> assertThat(thrown.problems())
                        .extracting(Problem::path, Problem::what)
                        .containsExactly(
                                tuple("pipelines.inventory.late", "never in the morning"),
                                tuple("pipelines.prices.late", "never in the morning")));
    }

    static Stream<Throwable> ofFactories() {
        return Stream.of(
                new IllegalStateException("no licence"),
                new IOException("no licence"),
                new NoClassDefFoundError("no licence"));
    }

    /** Other languages throw checked exceptions where Java cannot. */
    @ParameterizedTest
    @MethodSource("ofFactories")
    void whateverAFactoryThrowsIsAProblemBesideAllOthers(Throwable thrown) throws Exception {
        Path file = write("pipelines: { inventory: { late: }, prices: { late: , lat: } }");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> Holdfast.builder()
                        .factories(new Factories(List.of(late(thrown))))
                        .load(file))
                .satisfies(told -> assertThat(told.problems())
                        .extracting(Problem::path, Problem::what)
                        .contains(tuple("pipelines.inventory.late", thrown.toString()))
                        .extracting(row -> row.toList().get(0))
                        .contains("pipelines.prices.lat"));
    }

    @Test
    void settingsWhoseCheckCannotBeCalledAreAProblemOfTheirSection() throws Exception {
        PolicyFactory<?> closed = new PlainPolicyFactory("closed", 1, () -> new Policy("closed", 0) {}) {
            @Override
            public Object builder() {
                // A class with a public build(), in a package that its module does not open.
                return HttpRequest.newBuilder(URI.create("http://localhost"));
            }
        };
        Path file = write("pipelines: { inventory: { closed: } }");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> Holdfast.builder()
                        .factories(new Factories(List.of(closed)))
                        .load(file))
                .withMessageContaining(
                        "pipelines.inventory.closed: cannot be checked: build() of jdk.internal.net.http.")
                .withMessageContaining("module java.net.http must open its package to dev.holdfast.config");
    }

    @Test
    void aFactoryThatMakesNullIsAProblemOfItsSection() throws Exception {
        PolicyFactory<?> none = new PlainPolicyFactory("none", 1, () -> null);
        Path file = write("pipelines: { inventory: { none: }, prices: { none: { mode: shadow } } }");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> Holdfast.builder()
                        .factories(new Factories(List.of(none)))
                        .load(file))
                .satisfies(thrown -> assertThat(thrown.problems())
                        .extracting(Problem::path, Problem::what)
                        .containsExactly(
                                tuple("pipelines.inventory.none", "create of its factory returned null"),
                                tuple("pipelines.prices.none", "create of its factory returned null")));
    }

    @Test
    void aSetterThatRefusesIsAProblemOfItsValue() throws Exception {
        SampleFactory moody = new SampleFactory("moody", 1, Optional.empty());
        moody.options()
                .add(Option.<SampleFactory.Builder, Integer>of(
                        "mood", Integer.class, builder -> null, (builder, value) -> {
                            throw new IllegalArgumentException("not " + value + " again");
                        }));
        Path file = write("pipelines: { inventory: { moody: { mood: 5 } } }");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> Holdfast.builder()
                        .factories(new Factories(List.of(moody)))
                        .load(file))
                .withMessage(file + ":1:42 pipelines.inventory.moody.mood: not 5 again");
    }

    @Test
    void twoPoliciesCannotClaimOneSection() {
        List<PolicyFactory<?>> twice = List.of(late(new IOException()), late(new IOException()));
        assertThatIllegalStateException()
                .isThrownBy(() -> new Factories(twice))
                .withMessageContaining("claim the section late");
    }

    @ParameterizedTest
    @ValueSource(strings = {"classifier", "order", "extends", "without", "keys", "silence", "use", "mode", "shadow"})
    void aPolicyCannotClaimAKeyThatAFileHasForAnotherPurpose(String key) {
        List<PolicyFactory<?>> one = List.of(new SampleFactory(key, 1, Optional.empty()));
        assertThatIllegalStateException()
                .isThrownBy(() -> new Factories(one))
                .withMessageEndingWith("has a name that a file has for another purpose; give it another name");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "At-Most", "at most", "at.most", "at--most", "at-most-", "1st"})
    void aSectionHasANameOfSmallLettersDigitsAndHyphens(String key) {
        List<PolicyFactory<?>> one = List.of(new SampleFactory(key, 1, Optional.empty()));
        assertThatIllegalStateException()
                .isThrownBy(() -> new Factories(one))
                .withMessageEndingWith("must have a name of small letters, digits and single hyphens, such as at-most");
    }

    @Test
    void aSectionCannotHaveTwoOptionsOfOneName() {
        SampleFactory moody = new SampleFactory("moody", 1, Optional.empty());
        for (int i = 0; i < 2; i++) {
            moody.options()
                    .add(Option.<SampleFactory.Builder, Integer>of(
                            "mood", Integer.class, builder -> null, (builder, value) -> {}));
        }
        List<PolicyFactory<?>> one = List.of(moody);
        assertThatIllegalStateException()
                .isThrownBy(() -> new Factories(one))
                .withMessageEndingWith("has two options called mood");
    }

    private Holdfast load(String yaml) throws IOException {
        return samples.holdfast().load(write(yaml));
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(directory.resolve("holdfast.yaml"), yaml);
    }

    private static List<String> names(Pipeline pipeline) {
        return pipeline.policies().stream().map(Policy::name).toList();
    }

    private static Map<String, Object> values(Policy policy) {
        return ((Sample) policy).values;
    }

    @SuppressWarnings("unchecked")
    private static <X extends Throwable> Policy sneaky(Throwable thrown) throws X {
        throw (X) thrown;
    }

    /** Throws this when it is to make a policy. */
    private static PolicyFactory<?> late(Throwable thrown) {
        return new PlainPolicyFactory("late", 1, () -> HoldfastTest.<RuntimeException>sneaky(thrown));
    }
}
