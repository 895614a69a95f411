/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.config.ConfigException.Problem;
import dev.holdfast.config.SampleFactory.Sample;
import dev.holdfast.internal.Shown;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A file that somebody wrote to do harm is refused, within bounds, by a {@link ConfigException} and by nothing else. */
class NastyFilesTest {
    /** Far from what any of these takes, and far below what more than linear work would. */
    private static final long MOST_CPU_NANOS = 10_000_000_000L;

    private final Samples samples = new Samples();

    /** A strong reference: what is set would else be lost with it. */
    private final Logger log = Logger.getLogger("dev.holdfast");

    @TempDir
    Path directory;

    /** Some of these pipelines stand in an order that hurts, which is not what is asked here. */
    @BeforeEach
    void logNothing() {
        log.setUseParentHandlers(false);
    }

    @AfterEach
    void logAgain() {
        log.setUseParentHandlers(true);
    }

    /** What can be written again and again until a file is full. */
    static Stream<String> repeated() {
        return Stream.of(
                (" ¦\t¦\n¦\r¦\r\n¦a¦1¦1_¦_¦-¦- ¦+¦.¦:¦: ¦?¦? ¦#¦%¦%a\n¦[¦]¦[[¦{¦}¦{a: ¦[{¦? [¦- - ¦&¦&a ¦&a\n¦*¦*a "
                                + "¦*a\n¦!¦!a ¦!!¦!<¦'¦''¦\"¦\\¦\"\\¦\\\"¦|\n¦>\n¦|9\n ¦a: ¦a:\n¦a: b\n¦a: b\n ¦<<: ¦<<: *a\n¦---\n"
                                + "¦...\n¦,¦[,¦a,¦\"a\": ¦\"a\":¦{\"a\":¦\u0000¦\u0007¦\u007f¦\u0085¦\u00a0¦\u0661¦\u202e¦\u2028¦\u2029"
                                + "¦\ufeff¦\ud83d\ude00¦\uffff¦é¦@¦`¦~¦~: ¦\n  ¦a\n¦a\n\n¦a \n¦'a\n¦\"a\n\n¦e¦1e¦0x¦P¦PT1S")
                        .split("¦", -1));
    }

    /** Where it is written. In the first three until the file is full, which is where a parser looks furthest ahead. */
    private static final List<String> AROUND = List.of(
            "%s",
            "pipelines: %s",
            "pipelines:\n  inventory:\n    timeout: %s\n",
            "pipelines:\n  inventory:\n    timeout: \"%s\"\n",
            "pipelines:\n  inventory:\n    timeout: |\n      %s\n",
            "pipelines:\n  inventory:\n    timeout: [%s]\n",
            "pipelines:\n  inventory:\n    retry: { max-attempts: %s }\n",
            "pipelines:\n  inventory:\n    retry: { seed: \"%s\" }\n",
            "pipelines:\n  inventory:\n    fallback: { label: \"%s\" }\n",
            "pipelines:\n  inventory:\n    classifier: '%s'\n",
            "pipelines:\n  inventory:\n    order: [%s]\n    retry:\n",
            "pipelines:\n  inventory:\n    retry: { ? \"%s\" : 1 }\n",
            "pipelines:\n  ? '%s'\n  : retry: {}\n",
            "pipelines:\n  %s: {}\n",
            "x: &%s 1\n",
            "x: *%s\n",
            "x: !%s 1\n");

    @ParameterizedTest(name = "text {index}")
    @MethodSource("repeated")
    void anythingRepeatedIsRefusedOrReadQuickly(String unit) throws Exception {
        for (String around : AROUND) {
            int room = (AROUND.indexOf(around) < 3 ? Bounds.BYTES : Bounds.BYTES / 32) - around.length();
            int times = room / unit.getBytes(StandardCharsets.UTF_8).length;
            ends(around.replace("%s", unit.repeat(times)), around + " with " + visible(unit));
        }
    }

    private static String visible(String text) {
        return Shown.line(text, 20);
    }

    /** Files that grow by what they say and not by how long they are. */
    static Map<String, String> growing() {
        Map<String, String> files = new LinkedHashMap<>();
        files.put("aliases of aliases", levels(40, i -> "[" + aliases(i - 1, 9) + "]"));
        files.put("mappings of aliases", levels(40, i -> "{" + entries(i - 1, 9) + "}"));
        files.put("merges of lists of lists", levels(40, i -> "{ <<: [" + aliases(i - 1, 9) + "] }"));
        files.put("merges of refused lists", levels(12, i -> "{ <<: [[" + aliases(i - 1, 9) + "]] }"));
        files.put("merges of merges", levels(400, i -> "{ <<: *a" + (i - 1) + ", k" + i + ": 1 }"));
        files.put(
                "a wide mapping merged again and again", wide(3_000) + "x: { <<: [" + aliasesOf("w", 20_000) + "] }\n");
        files.put("a wide mapping merged in many places", wide(3_000) + lines(10_000, i -> "x" + i + ": { <<: *w }\n"));
        files.put(
                "unknown options times aliases",
                "o: &o { " + join(400, i -> "colour" + i + ": 1") + " }\npipelines:\n"
                        + lines(4_000, i -> "  p" + i + ": { retry: *o }\n"));
        files.put(
                "good options times aliases",
                "o: &o { retry: 3, timeout: 1s, deadline: 2s, throttle: { limit: 5 } }\n" + "pipelines:\n"
                        + lines(9_000, i -> "  p" + i + ": *o\n"));
        files.put(
                "pipelines times aliases of pipelines",
                "p: &p\n" + lines(2_000, i -> "  p" + i + ": 1\n") + "pipelines: *p\n");
        files.put(
                "an order of aliases",
                "r: &r retry\npipelines: { p: { retry: , order: [" + aliasesOf("r", 40_000) + "] } }\n");
        files.put(
                "orders times aliases",
                "o: &o [" + join(900, i -> "retry") + "]\npipelines:\n"
                        + lines(5_000, i -> "  p" + i + ": { retry: , order: *o }\n"));
        files.put(
                "templates that extend each other",
                "templates:\n" + lines(9_000, i -> "  t" + i + ": { extends: t" + (i + 1) + " }\n")
                        + "pipelines: { p: { extends: t0 } }\n");
        files.put(
                "a wide template that many extend and leave out",
                "templates:\n  w: { " + join(3_000, i -> "s" + i + ": ") + " }\n  n: { extends: w, without: ["
                        + join(3_000, i -> "s" + i) + "] }\npipelines:\n"
                        + lines(5_000, i -> "  p" + i + ": { extends: n, retry: }\n"));
        files.put(
                "a template that many extend",
                "templates:\n  t: { retry: { max-attempts: 2 }, timeout: 1s, deadline: 2s, throttle: { limit: 5 } }\n"
                        + "pipelines:\n" + lines(8_000, i -> "  p" + i + ": { extends: t }\n"));
        files.put(
                "wide defaults of many pipelines",
                "defaults: { " + join(3_000, i -> "s" + i + ": ") + " }\npipelines:\n"
                        + lines(9_000, i -> "  p" + i + ": { retry: }\n"));
        files.put(
                "a class that is not there, again and again",
                "c: &c com.example.None\npipelines: { p: { retry: , classifier: { ignored: [" + aliasesOf("c", 40_000)
                        + "] } } }\n");
        files.put(
                "statuses of many pipelines",
                "pipelines:\n" + lines(4_500, i -> "  p" + i + ": { classifier: { ignored: 100-599 } }\n"));
        files.put("keys of one hash", "pipelines: { p: { retry: {" + collisions(15) + "} } }\n");
        files.put("a key longer than any", "pipelines:\n  ? " + "k".repeat(200_000) + "\n  : {}\n");
        files.put(
                "long keys inside each other",
                "pipelines:\n" + lines(18, i -> "  ".repeat(i + 1) + "k".repeat(120) + i + ":\n"));
        files.put("many anchors", lines(15_000, i -> "k" + i + ": &a" + i + " 1\n"));
        files.put("many duplicates", "pipelines:\n" + lines(30_000, i -> "  p: 1\n"));
        files.put("many tags", lines(15_000, i -> "k" + i + ": !t" + i + " 1\n"));
        files.put("many tag directives", lines(9_000, i -> "%TAG !t" + i + "! tag:x,2026:\n") + "---\na: 1\n");
        return files;
    }

    static Stream<String> growingNames() {
        return growing().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("growingNames")
    void aFileThatGrowsWhileItIsReadIsBounded(String name) throws Exception {
        ends(Objects.requireNonNull(growing().get(name)), name);
    }

    private static String levels(int levels, IntFunction<String> level) {
        return "a0: &a0 { x: 1 }\n"
                + lines(levels, i -> "a" + (i + 1) + ": &a" + (i + 1) + " " + level.apply(i + 1) + "\n")
                + "pipelines: { p: { retry: *a" + levels + " } }\n";
    }

    private static String aliases(int level, int count) {
        return aliasesOf("a" + level, count);
    }

    private static String aliasesOf(String name, int count) {
        return join(count, i -> "*" + name);
    }

    private static String entries(int level, int count) {
        return join(count, i -> "k" + i + ": *a" + level);
    }

    private static String wide(int entries) {
        return "w: &w { " + join(entries, i -> "k" + i + ": 1") + " }\n";
    }

    private static String lines(int count, IntFunction<String> line) {
        return IntStream.range(0, count).mapToObj(line).collect(Collectors.joining());
    }

    private static String join(int count, IntFunction<String> item) {
        return IntStream.range(0, count).mapToObj(item).collect(Collectors.joining(", "));
    }

    /** {@code Aa} and {@code BB} have the same hash, and so have all texts made of so many of them. */
    private static String collisions(int pairs) {
        return join(
                1 << (pairs - 2),
                i -> IntStream.range(0, pairs)
                                .mapToObj(bit -> (i >> bit & 1) == 0 ? "Aa" : "BB")
                                .collect(Collectors.joining())
                        + ": 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"timeout", "deadline", "retry", "classifier"})
    void aNumberOfFourKilobytesWithSeparatorsIsRefused(String section) throws Exception {
        ConfigException refused =
                refused("pipelines:\n  inventory:\n    " + section + ": 1" + "_1".repeat(2_000) + "\n");
        assertThat(refused.problems()).isNotEmpty();
    }

    @Test
    void aFileThatIsTooLargeIsRefusedByItsSize() throws Exception {
        ConfigException refused = refused("#".repeat(Bounds.BYTES + 1));
        assertThat(refused).hasMessageEndingWith("holdfast.yaml: is too large; expected at most 256 KiB");
    }

    @Test
    void aFileWithoutAnEndIsNotReadToItsEnd() {
        Path endless = Path.of("/dev/zero");
        if (Files.exists(endless)) {
            ConfigException refused = catchThrowableOfType(
                    ConfigException.class, () -> samples.holdfast().load(endless));
            assertThat(refused).hasMessage("/dev/zero: is too large; expected at most 256 KiB");
        }
    }

    @Test
    void aLargeHonestFileIsRead() throws Exception {
        String pipeline =
                "    retry: *common\n    timeout: 250ms\n    deadline: { limit: 2s }\n    throttle: { limit: 200 }\n";
        String yaml = "pipelines:\n  p:\n    retry: &common { max-attempts: 3, backoff: { initial: 5ms, max: 1s } }\n"
                + lines(1_500, i -> "  pipeline-" + i + ":\n" + pipeline);
        try (Holdfast holdfast = samples.holdfast().load(file(yaml))) {
            assertThat(holdfast.pipelines()).hasSize(1_501);
        }
    }

    /** A file of 11 KB asks for 50 million places. */
    @ParameterizedTest
    @ValueSource(
            strings = {"sliding-window-size: 100000", "sliding-window-type: time-based, sliding-window-size: 3600"})
    void aWindowTakesMemoryWhenItIsUsedAndNotWhenItIsRead(String large) throws Exception {
        String yaml = "templates: { t: { circuit-breaker: { %s } } }\npipelines:\n"
                + lines(500, i -> "  p" + i + ": { extends: t }\n");
        long first = allocatedByCheck(yaml.replace("%s", "sliding-window-size: 100"));
        long usual = allocatedByCheck(yaml.replace("%s", "sliding-window-size: 100"));
        assertThat(allocatedByCheck(yaml.replace("%s", large)))
                .as("bytes, beside %s and %s", first, usual)
                .isLessThan(usual * 3 / 2);
    }

    /** The words of a range, made for each option of each pipeline, were two thirds of it. */
    @Test
    void aGoodFileMakesNoWordsOfProblems() throws Exception {
        String yaml =
                "templates: { t: { retry: { max-attempts: 2 }, bulkhead: { max-concurrent-calls: 3 }, timeout: 1s, throttle: { limit: 3 } } }\npipelines:\n"
                        + lines(1_000, i -> "  p" + i + ": { extends: t }\n");
        long first = allocatedByCheck(yaml);
        assertThat(allocatedByCheck(yaml) / 1_000)
                .as("bytes for each pipeline, the first time %s", first / 1_000)
                .isLessThan(150_000);
    }

    @Test
    void thePoliciesOfAllPipelinesAreBounded() throws Exception {
        String most = "pipelines:\n" + lines(2_000, i -> "  p" + i + ": { extends: standard }\n");
        assertThat(Holdfast.check(file(most))).isEmpty();
        assertThat(Holdfast.check(file(most + "  last: { timeout: 1s }\n")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.toString())
                        .endsWith("holdfast.yaml:2002:3 pipelines.last: has one policy too many, with those of the"
                                + " pipelines before it; expected at most 10000 policies of all pipelines"));
        String caches = "templates: { t: { stale-cache: , order: [" + join(60, i -> "stale-cache")
                + "] } }\npipelines:\n" + lines(1_400, i -> "  p" + i + ": { extends: t }\n");
        assertThat(refused(caches).problems()).hasSize(1);
    }

    private long allocatedByCheck(String yaml) throws IOException {
        Path file = file(yaml);
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThat(Holdfast.check(file)).isEmpty();
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "!!java.net.URL 250ms",
                "!!str 250ms",
                "!!float 250ms",
                "! 250ms",
                "!x 250ms",
                "!<tag:yaml.org,2002:str> 250ms",
                "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL [\"http://localhost:1/\"]]]]",
                "!!map { limit: 250ms }",
                "!!int 250"
            })
    void anyTagIsRefused(String value) throws Exception {
        ConfigException refused = refused("pipelines:\n  inventory:\n    timeout: " + value + "\n");
        assertThat(refused.problems().get(0).what()).startsWith("the tag !").endsWith(" means nothing here");
        assertThat(refused.problems().get(0).path()).isEqualTo("pipelines.inventory.timeout");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "!!str pipelines: { p: { retry: } }",
                "%TAG !j! tag:yaml.org,2002:java.\n---\npipelines: !j!net.URL { p: { retry: } }",
                "pipelines: { !!str p: { retry: } }",
                "!!map\npipelines: { p: { retry: } }",
                "pipelines: { p: { retry: , order: !!seq [retry] } }"
            })
    void aTagIsRefusedWhereverItStands(String yaml) throws Exception {
        assertThat(refused(yaml).problems().get(0).what()).startsWith("the tag !");
    }

    /** The line breaks of YAML; two of them are none of Java's. */
    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029"})
    void anAnchorStandsForItsOwnValueAfterAnyLineBreak(String lineBreak) throws Exception {
        String yaml = "pipelines:\n  first:\n    retry: { max-attempts: 5 } #" + lineBreak
                + "    timeout: &limit 2s\n    deadline: &other 1s\n  second:\n    timeout: *limit\n    deadline: *other\n";
        try (Holdfast holdfast = samples.holdfast().load(file(yaml))) {
            for (String pipeline : List.of("first", "second")) {
                Map<String, Object> limits = holdfast.pipeline(pipeline).policies().stream()
                        .map(Sample.class::cast)
                        .filter(policy -> !policy.name().equals("retry"))
                        .collect(Collectors.toMap(Sample::name, policy -> policy.values.get("limit")));
                assertThat(limits)
                        .containsEntry("timeout", Duration.ofSeconds(2))
                        .containsEntry("deadline", Duration.ofSeconds(1));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029"})
    void aProblemStandsInTheLineThatTheParserCounts(String lineBreak) throws Exception {
        String bad = "pipelines:" + lineBreak + "  p:" + lineBreak + "    retry: { max-attempts: 0 }" + lineBreak;
        Problem problem = refused(bad).problems().get(0);
        assertThat(problem.line()).isEqualTo(3);
        assertThat(problem.column()).isEqualTo(28);
        Problem control =
                refused("a:" + lineBreak + "  \ud83d\ude00\u0007").problems().get(0);
        assertThat(control.what()).isEqualTo("not YAML: control character U+0007");
        assertThat(control.line()).isEqualTo(2);
        assertThat(control.column()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\\n",
                "\\e[31m",
                "\\r",
                "\\0",
                "\\x9b",
                "\\N",
                "\\L",
                "\\P",
                "\\u202e",
                "\\ufeff",
                "\\u200b",
                "\\ud800",
                "\\t",
                "\\b",
                "\\U000e0001"
            })
    void whatCannotBeSeenIsEscapedInMessages(String escape) throws Exception {
        String bad = "\"x" + escape + "y\"";
        List<String> files = List.of(
                bad + ": 1",
                "pipelines: { " + bad + ": { retry: 0 } }",
                "pipelines: { " + bad + ": }",
                "pipelines: { p: { " + bad + ": 1 } }",
                "pipelines: { p: { retry: { " + bad + ": 1 } } }",
                "pipelines: { p: { retry: { backoff: { " + bad + ": 1 } } } }",
                "pipelines: { p: { timeout: " + bad + " } }",
                "pipelines: { p: { retry: " + bad + " } }",
                "pipelines: { p: { retry: { retry-rejections: " + bad + " } } }",
                "pipelines: { p: { retry: { backoff: { jitter: " + bad + " } } } }",
                "pipelines: { p: { classifier: " + bad + ", retry: } }",
                "pipelines: { p: { order: [" + bad + "], retry: } }",
                "pipelines: { p: { " + bad + ": 1, " + bad + ": 1 } }");
        for (String yaml : files) {
            assertThat(refused(yaml).getMessage()).as(yaml).contains("x").contains("y");
        }
    }

    @Test
    void aNameThatCannotBeSeenIsRefused() throws Exception {
        ConfigException refused = refused("pipelines: { \"a\\nERROR all is lost\": { retry: } }");
        assertThat(refused)
                .hasMessageEndingWith(
                        "pipelines.a\\nERROR all is lost: the name has characters that cannot be seen; expected a name in one line");
    }

    @Test
    void onlySoManyProblemsAreTold() throws Exception {
        ConfigException refused =
                refused("pipelines:\n  p:\n    retry:\n" + lines(500, i -> "      colour" + i + ": 1\n"));
        assertThat(refused.problems()).hasSize(Bounds.PROBLEMS + 1);
        assertThat(refused)
                .hasMessageEndingWith(
                        "holdfast.yaml: more is wrong, and only the first 100 problems that were found are told");
    }

    @Test
    void whatWasRefusedIsNotMerged() throws Exception {
        ConfigException refused = refused("""
                base: &base { max-attempts: 0 }
                pipelines:
                  p:
                    retry: { <<: [[*base]], seed: 1 }
                  q:
                    retry:
                      <<: { seed: 1 }
                      <<: *base
                """);
        assertThat(refused.problems())
                .extracting(problem -> problem.path() + ": " + problem.what())
                .containsExactly(
                        "base: unknown key",
                        "pipelines.p.retry.<<: cannot be merged",
                        "pipelines.q.retry.<<: is there twice, first in line 7");
    }

    @Test
    void aMergeInQuotesIsAKeyLikeAnother() throws Exception {
        ConfigException refused = refused("pipelines: { p: { retry: { \"<<\": { seed: 1 } } } }");
        assertThat(refused.problems()).singleElement().extracting(Problem::what).isEqualTo("unknown option");
    }

    @Test
    void aKeyThatMeansNothingIsNoName() throws Exception {
        for (String nothing : List.of("~", "null", "Null")) {
            ConfigException refused = refused("pipelines:\n  " + nothing + ":\n    timeout: 1s\n");
            assertThat(refused.problems())
                    .singleElement()
                    .extracting(problem -> problem.path() + ": " + problem.what())
                    .isEqualTo("pipelines: has the key " + nothing + ", which means nothing in YAML");
        }
        samples.holdfast().load(file("pipelines:\n  \"~\":\n    timeout: 1s\n")).close();
    }

    /** Loads it; whatever it is, it ends in time, in pipelines or in one exception that a log can hold. */
    private void ends(String yaml, String what) throws IOException {
        Path file = file(yaml);
        long before = cpuNanos();
        Throwable thrown = catchThrowable(() -> samples.holdfast().load(file).close());
        long took = cpuNanos() - before;
        check(thrown, what);
        assertThat(took).as("CPU time of %s", what).isLessThan(MOST_CPU_NANOS);
    }

    /** What may come of any file. */
    static void check(@Nullable Throwable thrown, String what) {
        if (thrown == null) {
            return;
        }
        assertThat(thrown).as(what).isInstanceOf(ConfigException.class);
        List<Problem> problems = ((ConfigException) thrown).problems();
        assertThat(problems).as(what).hasSizeBetween(1, Bounds.PROBLEMS + 1);
        assertThat(problems).as(what).allSatisfy(problem -> {
            assertThat(Shown.isVisible(problem.toString()))
                    .as(problem.toString())
                    .isTrue();
            assertThat(problem.toString()).hasSizeLessThan(5_000);
        });
    }

    private ConfigException refused(String yaml) throws IOException {
        Path file = file(yaml);
        Throwable thrown = catchThrowable(() -> samples.holdfast().load(file).close());
        assertThat(thrown).isInstanceOf(ConfigException.class);
        check(thrown, yaml.length() < 1_000 ? yaml : "the file");
        return (ConfigException) thrown;
    }

    private Path file(String yaml) throws IOException {
        return Files.write(directory.resolve("holdfast.yaml"), yaml.getBytes(StandardCharsets.UTF_8));
    }

    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
