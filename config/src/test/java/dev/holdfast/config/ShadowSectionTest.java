/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.testcalls.PlainPolicyFactory;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShadowSectionTest {
    @TempDir
    Path directory;

    private Path file(String yaml) throws IOException {
        return Files.writeString(directory.resolve("holdfast.yaml"), yaml);
    }

    private Holdfast load(String yaml) throws IOException {
        return Holdfast.load(file(yaml));
    }

    private static String order(Holdfast holdfast) {
        return holdfast.pipeline("inventory").toString();
    }

    @Test
    void aPolicyIsInShadow() throws IOException {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    retry: {}
                    bulkhead: { max-concurrent-calls: 5, mode: shadow }
                    timeout: { limit: 250ms, mode: active }
                """)) {
            assertThat(order(holdfast)).isEqualTo("inventory: retry > bulkhead-shadow > timeout > call");
            BulkheadPolicy bulkhead = (BulkheadPolicy)
                    holdfast.pipeline("inventory").policy(ShadowPolicy.class).policy();
            assertThat(bulkhead.limit()).isEqualTo(5);
        }
    }

    @Test
    void aSecondSetOfOptionsIsInShadowAndHasTheOthersOfTheSection() throws IOException {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    bulkhead:
                      max-concurrent-calls: 20
                      max-waiting-calls: 7
                      shadow: { max-concurrent-calls: 10 }
                    timeout: { limit: 1s, shadow: 250ms }
                    order: [bulkhead, timeout]
                """)) {
            Pipeline pipeline = holdfast.pipeline("inventory");
            assertThat(pipeline.toString())
                    .isEqualTo("inventory: bulkhead-shadow > bulkhead > timeout-shadow > timeout > call");
            assertThat(pipeline.policy(BulkheadPolicy.class).limit()).isEqualTo(20);
            BulkheadPolicy second =
                    (BulkheadPolicy) ShadowPolicy.inside(pipeline.policies().get(0));
            assertThat(second.limit()).isEqualTo(10);
            assertThat(second.settings().maxWaitingCalls()).isEqualTo(7);
            TimeoutPolicy timeout =
                    (TimeoutPolicy) ShadowPolicy.inside(pipeline.policies().get(2));
            assertThat(timeout.limit()).isEqualTo(Duration.ofMillis(250));
        }
    }

    @Test
    void isInherited() throws IOException {
        try (Holdfast holdfast = load("""
                defaults:
                  timeout: { limit: 1s, mode: shadow }
                templates:
                  careful:
                    extends: standard
                    bulkhead: { shadow: { max-concurrent-calls: 10 } }
                pipelines:
                  inventory: { extends: careful }
                  payments: { extends: careful, timeout: { mode: active } }
                """)) {
            assertThat(order(holdfast))
                    .isEqualTo("inventory: deadline > retry > circuit-breaker > bulkhead-shadow > bulkhead"
                            + " > timeout-shadow > call");
            assertThat(holdfast.pipeline("payments").toString()).endsWith("bulkhead > timeout > call");
        }
    }

    @Test
    void aReloadSwitchesItAndRunningCallsKeepTheirPermits() throws Exception {
        String yaml = """
                pipelines:
                  inventory:
                    bulkhead: { max-concurrent-calls: 1, max-wait: 0s, mode: %s }
                """;
        try (Holdfast holdfast = load(yaml.formatted("shadow"))) {
            Pipeline pipeline = holdfast.pipeline("inventory");
            pipeline.run(() -> {
                Files.writeString(directory.resolve("holdfast.yaml"), yaml.formatted("active"));
                assertThat(holdfast.reload()).containsExactly("inventory");
                assertThatThrownBy(() -> pipeline.run(() -> {})).hasMessageContaining("1 of 1 permits are out");
            });
            pipeline.run(() -> {});
            assertThat(order(holdfast)).isEqualTo("inventory: bulkhead > call");

            Files.writeString(directory.resolve("holdfast.yaml"), yaml.formatted("shadow"));
            holdfast.reload();
            pipeline.run(() -> pipeline.run(() -> {}));
            assertThat(pipeline.policy(ShadowPolicy.class).report())
                    .isEqualTo("would have turned away 1 try, of which 1 succeeded");
        }
    }

    @Test
    void keyedInstancesHaveItToo() throws IOException {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    deadline: { limit: 1s, shadow: 100ms }
                    bulkhead: { mode: shadow }
                """)) {
            Pipeline instance = holdfast.pipeline("inventory", "east");
            assertThat(instance.warnings()).isEmpty();
            assertThat(instance.toString()).startsWith("inventory/east: deadline-shadow > deadline > ");
        }
    }

    @Test
    void whatIsWrongIsToldWithItsPlace() throws IOException {
        Path file = file("""
                defaults:
                  bulkhead: { mode: shady }
                shared:
                  ours: { bulkhead: { shadow: { max-concurrent-calls: 2 } } }
                  tokens: { budget: {} }
                pipelines:
                  inventory:
                    bulkhead: { shadow: { max-concurrent-calls: 0 } }
                    timeout: { mode: shadow, shadow: 1s }
                    retry: { budget: tokens, mode: shadow }
                    circuit-breaker: { shadow: }
                """);

        assertThat(Holdfast.check(file))
                .extracting(problem -> problem.toString().replaceAll("^.*holdfast.yaml", "holdfast.yaml"))
                .containsExactly(
                        "holdfast.yaml:2:21 defaults.bulkhead.mode: is shady; expected one of active, shadow",
                        "holdfast.yaml:4:23 shared.ours.bulkhead.shadow: stands in what pipelines share; expected no second"
                                + " options there",
                        "holdfast.yaml:8:49 pipelines.inventory.bulkhead.shadow.max-concurrent-calls: is 0; expected 1 to"
                                + " 1,000,000",
                        "holdfast.yaml:9:30 pipelines.inventory.timeout.shadow: stands beside mode: shadow; expected one or"
                                + " the other",
                        "holdfast.yaml:10:5 pipelines.inventory.retry: has a budget that others use, too, and would take its"
                                + " tokens although it is in shadow; expected a budget of its own",
                        "holdfast.yaml:11:24 pipelines.inventory.circuit-breaker.shadow: has no value; expected options of"
                                + " circuit-breaker");
    }

    @Test
    void aMistakeInTheOptionsThatBothHaveIsToldOnce() throws IOException {
        Path file = file("""
                pipelines:
                  inventory:
                    bulkhead: { max-waiting-calls: -1, unknown: 3, shadow: { max-concurrent-calls: 1 } }
                """);

        assertThat(Holdfast.check(file)).hasSize(2);
    }

    @Test
    void aReloadIntoShadowWithASmallerLimitTurnsNobodyAwayWhoHasBegun() throws Exception {
        Path file = file("""
                pipelines:
                  inventory:
                    bulkhead: { max-concurrent-calls: 2, max-waiting-calls: 5, max-wait: 3s }
                """);
        try (VirtualTime time = new VirtualTime();
                Holdfast holdfast = Holdfast.builder().time(time).load(file)) {
            Pipeline pipeline = holdfast.pipeline("inventory");
            long began = time.nanos();
            List<CompletableFuture<?>> calls = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                calls.add(Work.value("it")
                        .taking(Duration.ofSeconds(1))
                        .start(
                                Way.CALL_ASYNC,
                                time,
                                pipeline.<Object>operation("get").unkeyed())
                        .result());
            }
            time.advance(Duration.ofMillis(200));
            file("""
                    pipelines:
                      inventory:
                        bulkhead: { max-concurrent-calls: 1, max-waiting-calls: 0, mode: shadow }
                    """);
            holdfast.reload();
            time.run();

            assertThat(calls).allSatisfy(call -> assertThat(call).isCompleted());
            assertThat(time.nanos() - began).isEqualTo(Duration.ofSeconds(3).toNanos());
        }
    }

    @Test
    void aPolicyThatBindsOthersIsRefusedAtItsLine() throws IOException {
        Policy binding = new Policy("binding", Policy.ENTER) {
            @Override
            public boolean bindsOthers() {
                return true;
            }
        };
        Holdfast.Builder builder = Holdfast.builder()
                .factories(new Factories(List.of(new PlainPolicyFactory("binding", 1, () -> binding))));
        Path active = file("pipelines: { inventory: { binding: {} } }");
        builder.load(active).close();

        Path shadow = file("pipelines: { inventory: { binding: { mode: shadow } } }");
        assertThatThrownBy(() -> builder.load(shadow))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("holdfast.yaml:1")
                .hasMessageContaining("pipelines.inventory.binding")
                .hasMessageContaining("binding cannot be in shadow: other code uses its object, too");
    }

    /** A policy of somebody's own with an option of this name. */
    private static PolicyFactory<?> own(String option) {
        return new PlainPolicyFactory(
                "own",
                1,
                () -> {
                    throw new AssertionError("not made");
                },
                List.of(PolicyFactory.Option.flag(option, any -> true, (any, value) -> {})));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mode", "shadow", "shadow.limit", "use"})
    void aPolicyOfOnesOwnCannotHaveAnOptionThatEverySectionHas(String option) {
        assertThatThrownBy(() -> new Factories(List.of(own(option))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the section own of ")
                .hasMessageEndingWith("has the option " + option.replaceAll("\\..*", "")
                        + ", which every section has for another purpose; give it another name");
        assertThatCode(() -> new Factories(List.of(own("modes")))).doesNotThrowAnyException();
    }

    @Test
    void whatIsWrongInAnUnusedTemplateIsToldToo() throws IOException {
        Path file = file("""
                templates:
                  unused: { advice: 5, silence: { a: b }, bulkhead: { shadow: [1] } }
                pipelines:
                  inventory: { retry: }
                """);

        assertThat(Holdfast.check(file)).hasSize(3);
    }
}
