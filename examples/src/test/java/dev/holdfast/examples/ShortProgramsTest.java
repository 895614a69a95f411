/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.testlogs.Logs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every second request of their service fails, so each of them shows that Holdfast tried again. */
// Once in a JVM: another test may have been the first.
@Logs(value = "attempts-beyond-deadline", sometimes = true)
class ShortProgramsTest {
    private static final Duration STANDARD_TIMEOUT = Duration.ofSeconds(3);

    @Test
    void plainJavaGetsItsAnswers() throws Exception {
        assertPrints("42 units42 units, LIVE, attempts: 2", Duration.ofMillis(300), () -> run(PlainJava::main));
    }

    @Test
    void answersFromMemoryAreTheUsersOwn() throws Exception {
        assertPrints("ada: 42 unitsgrace: 42 unitsada: 42 units", STANDARD_TIMEOUT, () -> run(FromMemory::main));
    }

    @Test
    void theProgramWithAFileGetsItsAnswer(@TempDir Path folder) throws Exception {
        String file = Files.readString(Path.of("src/main/resources/inventory.yaml"));
        Path patient = folder.resolve("patient.yaml");
        Files.writeString(
                patient, file.replace("deadline: 800ms", "deadline: 2h").replace("limit: 250ms", "limit: 1h"));
        assertThat(patient).content().contains("2h", "1h");
        assertThat(printed(() -> run(FromYaml::main, patient.toString()))).isEqualToIgnoringNewLines("42 units");
    }

    @Test
    void theProgramWithAContextFindsItsRequestWhereTheCallGoesOn() throws Exception {
        assertPrints("r-17: 42 unitsr-17: 42 units", STANDARD_TIMEOUT, () -> run(WithContext::main));
    }

    @Test
    void aStageOfSomebodyElsesIsContinuedUnderTheDeadlineThatHeldBefore() throws Exception {
        try (StockService client = new StockService();
                Pipeline inventory = Pipeline.of("inventory")) {
            CompletableFuture<String> stage = new CompletableFuture<>();
            CompletableFuture<String> end = Deadline.within(
                    Duration.ofNanos(1), () -> WithContext.continued(stage, inventory, client, Runnable::run));
            stage.complete("sku-1");
            assertThat(end).isCompletedExceptionally();
        }
    }

    @Test
    void theAsynchronousProgramGetsBothAnswers() throws Exception {
        assertPrints("42 units and 42 units", STANDARD_TIMEOUT, () -> run(Asynchronous::main));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PlainJava", "FromMemory", "FromYaml", "Asynchronous"})
    void eachIsShortAndHasARegionToQuote(String name) throws IOException {
        Path source = Path.of("src/main/java/dev/holdfast/examples", name + ".java");
        assertThat(Files.readAllLines(source))
                .hasSizeLessThan(40)
                .anyMatch(line -> line.contains("// tag::"))
                .anyMatch(line -> line.contains("// end::"));
    }

    @FunctionalInterface
    private interface Program {
        void start(String[] args) throws IOException;
    }

    private static int run(Program program, String... args) throws IOException {
        program.start(args);
        return 0;
    }

    /**
     * The limits are those that the pages show. Where the machine holds the program up for as long as the shortest of them,
     * it has ended an attempt or a call, and rightly; nothing else may come in the way.
     */
    private static void assertPrints(
            String expected, Duration shortestLimit, CheckedSupplier<Integer, IOException> program) throws IOException {
        long start = System.nanoTime();
        String printed;
        try {
            printed = printed(program).replaceAll("\\R", "");
        } catch (CallTimeoutException | CallRejectedException | CompletionException | IOException late) {
            printed = late.toString();
        }
        if (!printed.equals(expected)) {
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            assertThat(took).as("time in which it printed '%s'", printed).isGreaterThanOrEqualTo(shortestLimit);
            assertThat(printed)
                    .satisfiesAnyOf(
                            late -> assertThat(late).contains("CallTimeoutException"),
                            late -> assertThat(late).contains("within the time"),
                            late -> assertThat(late).contains("stock answered 500"), // no time was left for another
                            late -> assertThat(late.replaceAll("attempts: [13]", "attempts: 2"))
                                    .isEqualTo(expected));
        }
    }

    private static String printed(CheckedSupplier<Integer, IOException> program) throws IOException {
        PrintStream before = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, UTF_8));
        try {
            program.get();
        } finally {
            System.setOut(before);
        }
        return bytes.toString(UTF_8);
    }
}
