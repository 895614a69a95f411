/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What somebody on call copies from the page does what the page says. */
@Logs(value = "pipeline 'inventory': ", sometimes = true)
class EmergencyPageTest {
    private static final Path PAGE = Pages.DOCS.resolve("emergency.md");
    private static final String STANDARD = "pipelines:\n  inventory:\n    extends: standard\n";

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void standard() throws IOException {
        file = Files.writeString(folder.resolve("holdfast.yaml"), STANDARD);
    }

    private static String sample(String what) {
        return Pages.blocks(PAGE, "yaml").stream()
                .filter(sample -> sample.contains(what))
                .findFirst()
                .orElseThrow();
    }

    private void reload(Holdfast holdfast, String text) throws IOException {
        Files.writeString(file, text);
        assertThat(holdfast.reload()).containsExactly("inventory");
    }

    private static int attemptsOfACallThatFails(Pipeline inventory) {
        AtomicInteger attempts = new AtomicInteger();
        assertThatThrownBy(() -> inventory.call(() -> {
                    attempts.incrementAndGet();
                    throw new IOException("is down");
                }))
                .isInstanceOf(IOException.class);
        return attempts.get();
    }

    @Test
    void everyReasonOfARejectionIsInTheTable() {
        assertThat(cells("Rejections"))
                .containsExactlyInAnyOrderElementsOf(
                        Arrays.stream(Reason.values()).map(Reason::name).toList());
    }

    @Test
    void everyAlertHasAFirstQuestion() throws IOException {
        List<String> alerts = Pattern.compile("- alert: (\\w+)")
                .matcher(Files.readString(Pages.DOCS.resolve("monitoring/holdfast-alerts.yml")))
                .results()
                .map(alert -> alert.group(1))
                .toList();
        assertThat(cells("The first minute")).containsExactlyInAnyOrderElementsOf(alerts);
    }

    /** The words in code in the first column. */
    private static Set<String> cells(String section) {
        Set<String> cells = new LinkedHashSet<>();
        Pattern.compile("(?m)^\\| \\[?`(\\w+)`")
                .matcher(Pages.section(PAGE, section))
                .results()
                .forEach(cell -> cells.add(cell.group(1)));
        return cells;
    }

    @Test
    void theBlockTurnsAllProtectionOffInOneReloadAndWithoutItAllIsOn() throws Exception {
        try (Holdfast holdfast = Holdfast.builder().load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            inventory.policy(CircuitBreakerPolicy.class).asResilience4j().transitionToForcedOpenState();

            reload(holdfast, sample("deadline: { mode: shadow }"));
            assertThat(inventory.snapshot().policies())
                    .hasSize(5)
                    .allMatch(policy -> policy.name().endsWith("-shadow"));
            assertThat(attemptsOfACallThatFails(inventory)).isEqualTo(1);

            reload(holdfast, STANDARD);
            assertThat(inventory.snapshot().policies())
                    .noneMatch(policy -> policy.name().endsWith("-shadow"));
            assertThat(attemptsOfACallThatFails(inventory)).isEqualTo(3);
        }
    }

    @Test
    void withProtectionOffOnlyTheCallsOwnDeadlineIsLeft() throws Exception {
        Files.writeString(file, sample("deadline: { mode: shadow }"));
        try (Holdfast holdfast = Holdfast.builder().load(file)) {
            Operation<Duration> operation = holdfast.pipeline("inventory").operation("stock");
            Duration hour = Duration.ofHours(1);
            assertThat(operation.unkeyed().call(Attempt::remaining)).isGreaterThan(hour);
            assertThat(operation.unkeyed().deadline(hour).call(Attempt::remaining))
                    .isLessThanOrEqualTo(hour);
        }
    }

    @Test
    void theBreakerAloneIsOffAndOnAgain() throws Exception {
        try (Holdfast holdfast = Holdfast.builder().load(file)) {
            CircuitBreakerPolicy.State before = state(holdfast);
            reload(holdfast, sample("initial-state: disabled"));
            assertThat(state(holdfast)).isEqualTo(CircuitBreakerPolicy.State.DISABLED);
            reload(holdfast, STANDARD);
            assertThat(state(holdfast)).isEqualTo(before);
        }
    }

    @Test
    void allCallsAreStoppedUntilTheLineIsOut() throws Exception {
        try (Holdfast holdfast = Holdfast.builder().load(file)) {
            reload(holdfast, sample("initial-state: forced-open"));
            assertThatThrownBy(() -> holdfast.pipeline("inventory").call(() -> "it"))
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejection -> assertThat(rejection.reason()).isEqualTo(Reason.CIRCUIT_OPEN));
            reload(holdfast, STANDARD);
            assertThat(holdfast.pipeline("inventory").<String, Exception>call(() -> "it"))
                    .isEqualTo("it");
        }
    }

    @Test
    void theRaisedLimitStillAdaptsAndIsGoneWithoutTheLine() throws Exception {
        try (Holdfast holdfast = Holdfast.builder().load(file)) {
            assertThat(bulkhead(holdfast)).isEqualTo("LOSSES, 200 at most, 10 now");
            reload(holdfast, sample("max-concurrent-calls: 400"));
            assertThat(bulkhead(holdfast)).isEqualTo("LOSSES, 400 at most, 400 now");
            reload(holdfast, STANDARD);
            assertThat(bulkhead(holdfast)).isEqualTo("LOSSES, 200 at most, 10 now");
        }
        Files.writeString(file, sample("max-concurrent-calls: 400"));
        try (Holdfast started = Holdfast.builder().load(file)) {
            assertThat(bulkhead(started)).isEqualTo("LOSSES, 400 at most, 400 now");
        }
    }

    private static String bulkhead(Holdfast holdfast) {
        BulkheadPolicy bulkhead = holdfast.pipeline("inventory").policy(BulkheadPolicy.class);
        return bulkhead.settings().limit() + ", " + bulkhead.settings().maxConcurrentCalls() + " at most, "
                + bulkhead.limit() + " now";
    }

    /** The table at the end of the page: what ends a change by hand. */
    @Test
    void whatWasDoneByHandEndsAsThePageSays() throws Exception {
        try (Holdfast holdfast = Holdfast.builder().load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            inventory.policy(CircuitBreakerPolicy.class).asResilience4j().transitionToDisabledState();
            inventory.shadow("bulkhead");

            reload(
                    holdfast,
                    STANDARD + "    retry: { max-attempts: 2 }\n    circuit-breaker: { sliding-window-size: 60 }\n");
            assertThat(state(holdfast)).isEqualTo(CircuitBreakerPolicy.State.DISABLED);
            assertThat(inventory).asString().contains("bulkhead-shadow");

            reload(holdfast, STANDARD + "    bulkhead: { max-wait: 50ms }\n");
            assertThat(inventory).asString().doesNotContain("shadow");
            assertThat(state(holdfast)).isEqualTo(CircuitBreakerPolicy.State.DISABLED);

            reload(holdfast, STANDARD + "    circuit-breaker: { initial-state: open }\n");
            reload(holdfast, STANDARD);
            assertThat(state(holdfast)).isEqualTo(CircuitBreakerPolicy.State.CLOSED);
        }
    }

    private static CircuitBreakerPolicy.State state(Holdfast holdfast) {
        return holdfast.pipeline("inventory").policy(CircuitBreakerPolicy.class).state();
    }
}
