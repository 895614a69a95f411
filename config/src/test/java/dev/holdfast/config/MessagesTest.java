/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.spi.PolicyFactory.Option;
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

    @Test
    void anOptionOfAnotherLibraryIsToldWithItsNameHere() throws Exception {
        assertThat(problems("""
                pipelines:
                  a:
                    retry: { max-retries: 3, delay: 1s, waitDuration: 1s, maxDuration: 3s }
                    circuit-breaker: { failure-threshold: 5, delay: 1s, slidingWindowSize: 20, success-threshold: 2 }
                    bulkhead: { maxConcurrentCalls: 5, maxWaitDuration: 1s, max-concurrency: 3 }
                    throttle: { limitForPeriod: 3, limitRefreshPeriod: 1s, timeout-duration: 1s }
                """))
                .extracting(problem -> problem.replaceAll(".*(\\.[^.]+): unknown option; did you mean", "$1"))
                .containsExactly(
                        ".max-retries max-attempts, which counts the first attempt too: 3 retries are 4 attempts?",
                        ".delay initial under backoff?",
                        ".waitDuration initial under backoff?",
                        ".maxDuration the section deadline, for all attempts together?",
                        ".failure-threshold failure-rate-threshold, in percent?",
                        ".delay wait-duration-in-open-state?",
                        ".slidingWindowSize sliding-window-size?",
                        ".success-threshold permitted-number-of-calls-in-half-open-state?",
                        ".maxConcurrentCalls max-concurrent-calls?",
                        ".maxWaitDuration max-wait?",
                        ".max-concurrency max-concurrent-calls?",
                        ".limitForPeriod limit?",
                        ".limitRefreshPeriod per?",
                        ".timeout-duration max-wait?");
    }

    @Test
    void theNamesOfOtherLibrariesLeadToOptionsThatThereAre() {
        Factories factories = Factories.loaded();
        assertThat(OtherNames.all()).allSatisfy((name, meant) -> {
            int dot = name.indexOf('.');
            List<String> options = factories.find(name.substring(0, dot)).orElseThrow().options().stream()
                    .map(Option::name)
                    .toList();
            assertThat(options).noneMatch(option -> option.replace("-", "").equals(name.substring(dot + 1)));
            String[] levels = meant.replaceAll(",.*", "").split(" under ", -1);
            boolean elsewhere = meant.startsWith("the section ") || levels[levels.length - 1].equals("classifier");
            assertThat(elsewhere || options.contains(levels.length == 1 ? levels[0] : levels[1] + "." + levels[0]))
                    .isTrue();
        });
    }

    @Test
    void whatStandsALevelTooFarOutBelongsBelowAName() throws Exception {
        String belongs =
                ", where the sections of a pipeline stand; expected the name of a pipeline or a template above it, and ";
        assertThat(problems("""
                templates:
                  extends: standard
                pipelines:
                  extends: standard
                  without: [bulkhead]
                  timeout: 1s
                  a: { retry: }
                """))
                .containsExactly(
                        "2:12 templates.extends: is standard" + belongs + "extends one level further in",
                        "4:12 pipelines.extends: is standard" + belongs + "extends one level further in",
                        "5:12 pipelines.without: is a list" + belongs + "without one level further in",
                        "6:12 pipelines.timeout: is 1s" + belongs + "timeout one level further in");
        assertThat(problems("{ defaults: { extends: standard }, pipelines: { a: { timeout: 1s } } }"))
                .containsExactly("1:15 defaults.extends: unknown section; expected it below the name of a pipeline, or"
                        + " of a template that several pipelines extend");
    }

    @Test
    void aSectionIsTurnedOffByWithout() throws Exception {
        assertThat(problems("""
                pipelines:
                  a:
                    extends: standard
                    bulkhead: false
                    circuit-breaker: { enabled: false }
                    timeout: off
                    retry: true
                """))
                .containsExactly(
                        "4:15 pipelines.a.bulkhead: is false; expected without: [bulkhead] in its place, or nothing if"
                                + " the pipeline does not inherit it",
                        "5:24 pipelines.a.circuit-breaker.enabled: unknown option; expected no such option: a section"
                                + " that is there is on; or without: [circuit-breaker] in its place, or nothing if the"
                                + " pipeline does not inherit it",
                        "6:14 pipelines.a.timeout: is off; expected without: [timeout] in its place, or nothing if the"
                                + " pipeline does not inherit it",
                        "7:12 pipelines.a.retry: is true; expected 'retry:' without a value, for the defaults");
    }

    @Test
    void aStatusWithAnXIsARange() throws Exception {
        assertThat(problems("pipelines: { a: { retry: , classifier: { failures: [5xx, 42X, '4**', 'xx5'] } } }"))
                .extracting(problem -> problem.replaceAll(".*failures: ", ""))
                .startsWith(
                        "is 5xx; did you mean 500-599?",
                        "is 42X; did you mean 420-429?",
                        "is 4**; did you mean 400-499?")
                .last()
                .asString()
                .startsWith("is xx5, which is no class here");
    }

    @Test
    void aNumberOrATimeInPlaceOfASectionIsToldWithTheOptionThatTakesIt() throws Exception {
        assertThat(problems("""
                pipelines:
                  a: { retry: 2, bulkhead: 20, throttle: 50 }
                  b: { stale-cache: 10m, gate: 1s }
                """))
                .containsExactly(
                        "2:15 pipelines.a.retry: is 2; did you mean retry: { max-attempts: 2 }?",
                        "2:28 pipelines.a.bulkhead: is 20; did you mean bulkhead: { max-concurrent-calls: 20 }, a fixed limit?",
                        "2:42 pipelines.a.throttle: is 50; did you mean throttle: { limit: 50 }?",
                        "3:21 pipelines.b.stale-cache: is 10m; did you mean stale-cache: { fresh: 10m }?",
                        "3:32 pipelines.b.gate: is 1s; did you mean gate: { max-hold: 1s }?");
        // What no option takes is told with all of them.
        assertThat(problems("pipelines: { a: { retry: 0, bulkhead: 0.5 } }"))
                .allMatch(problem -> problem.contains("; expected a mapping of "));
    }

    @Test
    void soIsOneOfAProperty() {
        assertThatThrownBy(() -> Holdfast.builder()
                        .load(
                                "p",
                                () -> List.of(List.of(new Holdfast.Property(
                                        List.of("pipelines", "a", "bulkhead"), "50", "p", 1, 1)))))
                .hasMessage("p:1:1 pipelines.a.bulkhead: is 50; did you mean bulkhead: { max-concurrent-calls: 50 }, a"
                        + " fixed limit?");
    }

    @Test
    void replicasBelowAPipelineAreToldWithTheSectionsThatHaveThem() throws Exception {
        assertThat(problems("pipelines: { a: { retry: , replicas: 40 } }"))
                .containsExactly("1:28 pipelines.a.replicas: unknown section; did you mean replicas in throttle,"
                        + " bulkhead or retry.budget?");
    }

    @Test
    void onlyOfOperationsThatIsFalseIsToldAsNotThere() throws Exception {
        String expected = "exactly one of function, async-function, value and only-of-operations";
        assertThat(problems("pipelines: { a: { fallback: { only-of-operations: false } } }"))
                .singleElement()
                .asString()
                .endsWith("function is missing; expected " + expected
                        + " (only-of-operations: false is as if it were not there)");
        assertThat(problems("pipelines: { a: { fallback: } }"))
                .singleElement()
                .asString()
                .endsWith("function is missing; expected " + expected);
    }

    /** It may be in a file that nobody reads. */
    @Test
    void anUnknownNameThatIsExtendedMayStandInAFileThatIsNotRead() throws Exception {
        assertThat(problems("pipelines: { a: { extends: company } }"))
                .containsExactly(
                        "1:28 pipelines.a.extends: is company, which is no template and no pipeline;"
                                + " expected one of standard; if company stands in another file, is that file read, or imported?");
        assertThat(problems("pipelines: { a: { extends: standrd } }"))
                .singleElement()
                .asString()
                .endsWith("did you mean standard?");
    }

    @Test
    void aSwitchAtTheTopIsToldWithWhatTurnsProtectionOff() throws Exception {
        for (String key : List.of("enabled", "disabled")) {
            assertThat(problems(key + ": false\npipelines: { a: { retry: } }"))
                    .containsExactly("1:1 " + key + ": there is no such switch; expected mode: shadow in the sections"
                            + " below defaults, to turn protection off");
        }
    }

    @Test
    void aShareInPlaceOfAPercentageIsToldWithTheUnit() throws Exception {
        assertThat(problems("""
                pipelines:
                  a:
                    retry: { backoff: { multiplier: 0.5 } }
                    hedge: { percentile: 0.95 }
                    circuit-breaker: { failure-rate-threshold: 0.5 }
                """))
                .containsExactly(
                        "3:37 pipelines.a.retry.backoff.multiplier: is 0.5; expected 1 to 100",
                        "4:26 pipelines.a.hedge.percentile: is 0.95; expected 50 to 99.9 percent",
                        "5:48 pipelines.a.circuit-breaker.failure-rate-threshold: is 0.5; expected 1 to 100 percent");
    }
}
