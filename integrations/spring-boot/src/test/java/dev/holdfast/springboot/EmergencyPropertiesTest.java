/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.PipelineSnapshot.PolicySnapshot;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.Holdfast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** The properties that somebody on call copies from the page do what the page says. */
class EmergencyPropertiesTest {
    private static final Path PAGE = Path.of("../../docs/emergency.md");

    private static List<String> block(String what) throws IOException {
        return Pattern.compile("(?ms)^```properties\\n(.*?)^```$")
                .matcher(Files.readString(PAGE))
                .results()
                .map(block -> block.group(1))
                .filter(block -> block.contains(what))
                .findFirst()
                .orElseThrow()
                .lines()
                .toList();
    }

    private static void startedWith(List<String> properties, Consumer<Holdfast> look) {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.pipelines.inventory.extends=standard")
                .withPropertyValues(properties.toArray(String[]::new))
                .run(context -> look.accept(context.getBean(Holdfast.class)));
    }

    private static CircuitBreakerPolicy.State state(Holdfast holdfast) {
        return holdfast.pipeline("inventory").policy(CircuitBreakerPolicy.class).state();
    }

    @Test
    void allCallsAreStopped() throws IOException {
        startedWith(
                block("initial-state=forced-open"),
                holdfast -> assertThat(state(holdfast)).isEqualTo(CircuitBreakerPolicy.State.FORCED_OPEN));
    }

    @Test
    void theBreakerAloneIsOff() throws IOException {
        startedWith(
                block("initial-state=disabled"),
                holdfast -> assertThat(state(holdfast)).isEqualTo(CircuitBreakerPolicy.State.DISABLED));
    }

    @Test
    void allProtectionIsOffAndNoPolicyIsAdded() throws IOException {
        startedWith(
                block("deadline.mode=shadow"),
                holdfast -> assertThat(holdfast.pipeline("inventory").snapshot().policies())
                        .hasSize(5)
                        .extracting(PolicySnapshot::name)
                        .allMatch(name -> name.endsWith("-shadow")));
    }

    @Test
    void theRaisedLimitAdapts() throws IOException {
        startedWith(block("max-concurrent-calls=400"), holdfast -> {
            BulkheadPolicy bulkhead = holdfast.pipeline("inventory").policy(BulkheadPolicy.class);
            assertThat(bulkhead.settings().maxConcurrentCalls()).isEqualTo(400);
            assertThat(bulkhead.settings().limit()).hasToString("LOSSES");
        });
    }
}
