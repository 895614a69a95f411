/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every second request of their service fails, so each of them shows that Holdfast tried again. */
class ShortProgramsTest {

    @Test
    void plainJavaGetsItsAnswers() throws Exception {
        assertThat(printed(() -> run(PlainJava::main)))
                .isEqualToIgnoringNewLines("42 units42 units, LIVE, attempts: 2");
    }

    @Test
    void theProgramWithAFileGetsItsAnswer() throws Exception {
        assertThat(printed(() -> run(FromYaml::main, "src/main/resources/inventory.yaml")))
                .isEqualToIgnoringNewLines("42 units");
    }

    @Test
    void theProgramWithAContextFindsItsRequestWhereTheCallGoesOn() throws Exception {
        assertThat(printed(() -> run(WithContext::main))).isEqualToIgnoringNewLines("r-17: 42 unitsr-17: 42 units");
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
        assertThat(printed(() -> run(Asynchronous::main))).isEqualToIgnoringNewLines("42 units and 42 units");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PlainJava", "FromYaml", "Asynchronous"})
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
