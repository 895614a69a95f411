/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testlogs.Logs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command for CI: what is wrong with a file, on standard error, and an exit code. */
@Logs(value = "two-retries", sometimes = true)
class CheckCommandTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    Path directory;

    private int check(String... files) {
        List<String> arguments = new java.util.ArrayList<>(List.of("check"));
        arguments.addAll(List.of(files));
        return Main.run(arguments, print(out), print(err));
    }

    private static PrintStream print(ByteArrayOutputStream to) {
        return new PrintStream(to, true, StandardCharsets.UTF_8);
    }

    private String write(String name, String yaml) throws IOException {
        return Files.writeString(directory.resolve(name), yaml).toString();
    }

    @Test
    void aGoodFileIsSilentAlsoWhereCodeBindsNames() throws Exception {
        String good = write("good.yaml", """
                pipelines:
                  inventory:
                    classifier: http-status
                    fallback: last-resort
                    retry: { budget: spare }
                    bulkhead: { use: pool }
                """);
        assertThat(check(good)).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8) + err.toString(StandardCharsets.UTF_8))
                .isEmpty();
    }

    @Test
    void aNameThatIsNearlyASharedOneIsMisspelt() throws Exception {
        String misspelt = write("misspelt.yaml", """
                shared:
                  pool: { bulkhead: { max-concurrent-calls: 20 } }
                  spare: { budget: { max-tokens: 20 } }
                pipelines:
                  a: { bulkhead: { use: poool }, retry: { budget: spar } }
                """);
        assertThat(check(misspelt)).isOne();
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        misspelt
                                + ":5:25 pipelines.a.bulkhead.use: is poool, which is no policy's name; did you mean pool?",
                        misspelt
                                + ":5:51 pipelines.a.retry.budget: is spar, which is not bound in code; did you mean spare?");
    }

    @Test
    void aShortNameAndOneWithAnotherNumberThanASharedOneMayBeBoundInCode() throws Exception {
        String good = write("good.yaml", """
                shared:
                  pool-1: { bulkhead: { max-concurrent-calls: 20 } }
                  spare-1: { budget: { max-tokens: 20 } }
                  one: { bulkhead: { max-concurrent-calls: 20 } }
                pipelines:
                  a: { bulkhead: { use: pool-2 }, retry: { budget: spare-2 } }
                  b: { bulkhead: { use: of-customers } }
                  c: { bulkhead: { use: on1 } }
                """);
        assertThat(check(good)).isZero();
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void whoAsksForHelpGetsTheUsage() {
        assertThat(check("--help")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).startsWith("usage: ");
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void warningsAreToldAndAreNoError() throws Exception {
        String doubtful = write("doubtful.yaml", "pipelines: { a: { retry: , order: [retry, retry] } }");
        assertThat(check(doubtful)).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).startsWith("warning: a: two-retries");
    }

    @Test
    void problemsAreOnStandardErrorALineEach() throws Exception {
        String good = write("good.yaml", "pipelines: { a: { retry: } }");
        String bad = write("bad.yaml", "pipelines: { a: { timeout: 5 }, b: { retrie: } }");
        assertThat(check(good, bad)).isOne();
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        bad
                                + ":1:28 pipelines.a.timeout: is 5, which has no unit; expected 5ms, 5s or another unit (ns, us, ms,"
                                + " s, m, h, d)",
                        bad + ":1:38 pipelines.b.retrie: unknown section; did you mean retry?");
        assertThat(check(directory.resolve("none.yaml").toString())).isOne();
    }

    @Test
    void aFileOfSpringBootIsToldInOneLineWhatReadsAndChecksIt() throws Exception {
        String message =
                ": a file of Spring Boot's properties, which only Holdfast's starter reads; expected what stands"
                        + " below holdfast, in a file of its own; a test that starts the application checks this one, see"
                        + " https://holdfast.dev/docs/spring-boot.md#tests";
        String nested = write("application.yml", """
                server: { port: 8080 }
                inventory.url: ${INVENTORY}
                holdfast:
                  pipelines:
                    inventory: { extends: standard }
                ---
                spring.config.activate.on-profile: production
                """);
        String dotted = write("application-b.yml", "management:\nholdfast.pipelines.inventory.timeout: 1s\n");
        assertThat(check(nested, dotted)).isOne();
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(nested + ":3:1" + message, dotted + ":2:1" + message);
    }

    @Test
    void aFileOfPipelinesMayHaveNoKeyHoldfast() throws Exception {
        String file = write("file.yaml", "holdfast: {}\npipelines: { a: { retry: } }");
        assertThat(check(file)).isOne();
        assertThat(err.toString(StandardCharsets.UTF_8))
                .startsWith(file + ":1:1 holdfast: unknown key; expected one of");
    }

    @Test
    void severalFilesAreOneConfiguration() throws Exception {
        String base = write("base.yaml", "templates: { service: { retry: } }\npipelines: { a: { extends: service } }");
        String over = write("over.yaml", "pipelines: { a: { retry: { max-attempts: 2 } }, b: { extends: service } }");
        assertThat(check(base, over)).isZero();
        assertThat(check(over)).isOne();
    }

    @Test
    void schemaIsPrintedWithThePoliciesOnTheClassPath() {
        assertThat(Main.run(List.of("schema"), print(out), print(err))).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(Holdfast.schema());
        assertThat(Main.run(List.of("schema", "holdfast.yaml"), print(out), print(err)))
                .isEqualTo(2);
    }

    @Test
    void aWrongCommandTellsTheRightOne() {
        assertThat(check()).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("usage: ");
    }
}
