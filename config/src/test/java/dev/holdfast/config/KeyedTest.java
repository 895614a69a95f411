/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.log.LogObserver;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testlogs.Logged;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One pipeline of a file, an instance for each host or tenant. */
@Logs(
        value = {"circuit-breaker was ", "deadline-not-outermost", "further keys share one"},
        sometimes = true)
class KeyedTest {
    private static final String YAML = """
            shared:
              pool: { throttle: { limit: 1000 } }
            pipelines:
              inventory:
                keys: { max: 3, idle: 10m }
                deadline: 2s
                retry: { max-attempts: 2, backoff: { initial: 1ms } }
                circuit-breaker: { sliding-window-size: 4, minimum-number-of-calls: 4 }
                throttle: { use: pool }
                bulkhead:
            """;

    private final VirtualTime time = new VirtualTime();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @TempDir
    Path directory;

    @AfterEach
    void close() {
        time.close();
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(directory.resolve("holdfast.yaml"), yaml);
    }

    private Holdfast load(String yaml) throws IOException {
        return Holdfast.builder()
                .time(time)
                .observer(new MicrometerObserver(registry))
                .load(write(yaml));
    }

    @ParameterizedTest
    @ValueSource(strings = {"host", "20"})
    void keysAreAMapping(String value) {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("pipelines: { inventory: { keys: " + value + ", timeout: 1s } }"))
                .withMessageContaining("keys: is " + value + "; expected a mapping of max, idle");
    }

    private Set<String> pipelinesInMeters() {
        return registry.getMeters().stream()
                .map(Meter::getId)
                .map(id -> String.valueOf(id.getTag("pipeline")))
                .collect(Collectors.toSet());
    }

    @Test
    void warningsOfAnInstanceAreThoseOfItsPipeline() throws Exception {
        String yaml = "pipelines: { inventory: { order: [bulkhead, deadline], deadline: 1s, bulkhead: %s } }";
        try (Holdfast holdfast = load(yaml.formatted("{ mode: shadow }"))) {
            assertThat(holdfast.pipeline("inventory", "a"))
                    .hasToString("inventory/a: keyed > bulkhead-shadow > deadline > call");
            assertThat(holdfast.pipeline("inventory", "a").warnings()).isEmpty();
        }
        try (Holdfast holdfast = load(yaml.formatted("{}"))) {
            assertThat(holdfast.pipeline("inventory", "a").warnings())
                    .isEqualTo(holdfast.pipeline("inventory").warnings())
                    .singleElement()
                    .asString()
                    .startsWith("deadline-not-outermost: it does not bound what bulkhead does");
        }
    }

    private double callsOfAllInstances(String outcome) {
        return registry.get("holdfast.keyed.calls")
                .tags("pipeline", "inventory", "outcome", outcome)
                .functionCounter()
                .count();
    }

    private static void fail(Pipeline pipeline) {
        assertThatThrownBy(() -> pipeline.call(() -> {
                    throw new IOException("ill");
                }))
                .isInstanceOf(IOException.class);
    }

    /** The meters of an instance go with it: a call each half hour would be the first one each time. */
    @Test
    void callsOfAllInstancesAreCountedTogetherAndOnWhenInstancesGo() throws Exception {
        Holdfast holdfast = load("pipelines: { inventory: { keys: { max: 2, idle: 1m }, timeout: 1s } }");
        assertThat(registry.find("holdfast.keyed.calls").meters())
                .as("nobody has a key yet")
                .isEmpty();
        Pipeline first = holdfast.pipeline("inventory", "a");
        assertThat(callsOfAllInstances("failure")).as("there before the first").isZero();
        for (int life = 0; life < 3; life++) {
            for (String key : List.of("a", "b", "one too many")) {
                fail(holdfast.pipeline("inventory", key));
            }
            assertThat(registry.get("holdfast.keyed.instances").gauge().value()).isEqualTo(2);
            time.advance(Duration.ofMinutes(10));
            assertThat(registry.get("holdfast.keyed.instances").gauge().value()).isZero();
        }
        holdfast.pipeline("inventory").call(() -> "without a key");
        assertThat(callsOfAllInstances("failure")).isEqualTo(9);
        assertThat(callsOfAllInstances("success")).isZero();
        assertThat(registry.get("holdfast.keyed.instances.max").gauge().value()).isEqualTo(2);
        assertThat(first.keys()).isNotNull().extracting(CallObserver.Keys::name).isEqualTo("inventory");
        assertThat(holdfast.pipeline("inventory").keys()).isNull();
        holdfast.close();
        assertThat(registry.getMeters()).isEmpty();
        holdfast.pipeline("inventory", "late");
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void twoConfigurationsOfTheSameNamesAreCountedTogether() throws Exception {
        String yaml = "pipelines: { inventory: { keys: { max: 2 }, timeout: 1s } }";
        try (Holdfast one = load(yaml)) {
            one.pipeline("inventory", "a").call(() -> "one");
            try (Holdfast another = load(yaml)) {
                another.pipeline("inventory", "a").call(() -> "another");
                assertThat(callsOfAllInstances("success")).isEqualTo(2);
            }
            one.pipeline("inventory", "a").call(() -> "one");
            assertThat(callsOfAllInstances("success")).isEqualTo(3);
        }
        assertThat(registry.getMeters()).isEmpty();
    }

    /** An observer that ends its meters then would end them while other instances still have calls. */
    @Test
    void thatAllInstancesAreClosedIsToldAfterTheLastOne() throws Exception {
        List<String> told = new ArrayList<>();
        Holdfast holdfast = Holdfast.builder()
                .time(time)
                .observer(new CallObserver() {
                    @Override
                    public void closed(Observed pipeline) {
                        told.add(pipeline.name());
                    }

                    @Override
                    public void keysClosed(Keys keys) {
                        told.add("all of " + keys.name());
                    }
                })
                .load(write("pipelines: { inventory: { timeout: 1s } }"));
        List.of("a", "b", "c").forEach(key -> holdfast.pipeline("inventory", key));
        holdfast.close();
        assertThat(told)
                .containsExactlyInAnyOrder("inventory", "inventory/a", "inventory/b", "inventory/c", "all of inventory")
                .endsWith("all of inventory");
        holdfast.pipeline("inventory", "late");
        assertThat(told).endsWith("inventory/late", "all of inventory");
    }

    /** Each has a hook that throws. */
    @Test
    void whatIsToldOnceIsToldOnceForAllInstances() throws Exception {
        try (Logged logged = new Logged("dev.holdfast");
                Holdfast holdfast = load("pipelines: { inventory: { timeout: 1s } }")) {
            logged.start();
            for (int key = 0; key < 30; key++) {
                Pipeline instance = holdfast.pipeline("inventory", "k" + key);
                CompletableFuture<Object> unused = instance.operation("x")
                        .unkeyed()
                        .callAsync(attempt -> {
                            attempt.onCancel(() -> {
                                throw new IllegalStateException("broken");
                            });
                            return new CompletableFuture<>();
                        });
            }
            time.advance(Duration.ofSeconds(2));
            assertThat(logged.messages())
                    .singleElement(STRING)
                    .startsWith("an onCancel hook of 'inventory/k")
                    .endsWith("' threw; told once");
        }
    }

    /** Keys may come from outside: somebody who makes them up gives strangers one breaker and one bulkhead. */
    @Test
    void thatFurtherKeysShareAnInstanceIsLoggedOnce() throws Exception {
        try (Logged logged = new Logged("dev.holdfast");
                Holdfast holdfast = load("pipelines: { inventory: { keys: { max: 2 }, timeout: 1s } }")) {
            logged.start();
            List.of("other", "a", "b").forEach(key -> holdfast.pipeline("inventory", key));
            assertThat(logged.messages()).isEmpty();
            List.of("c", "d", "e").forEach(key -> holdfast.pipeline("inventory", key));
            assertThat(logged.messages())
                    .containsExactly(
                            "'inventory' has instances for 2 keys, the most it may have: all further keys share one,"
                                    + " 'inventory/other'; told once");
        }
    }

    /** An outage of a dependency that all keys have in common. */
    @Test
    void linesAboutAllInstancesAreBoundedToo() throws Exception {
        String yaml =
                "pipelines: { inventory: { keys: { idle: 1m }, circuit-breaker: { sliding-window-size: 1, minimum-number-of-calls: 1 } } }";
        try (Logged logged = new Logged(LogObserver.NAME);
                Holdfast holdfast = load(yaml)) {
            logged.start();
            for (int key = 0; key < 300; key++) {
                fail(holdfast.pipeline("inventory", "k" + key));
            }
            assertThat(logged.messages()).hasSize(100);
            time.advance(Duration.ofMinutes(1));
            assertThat(logged.messages())
                    .last(STRING)
                    .isEqualTo("200 more events of instances of 'inventory' were left out");
            fail(holdfast.pipeline("inventory", "one more"));
            assertThat(logged.messages())
                    .last(STRING)
                    .startsWith("pipeline 'inventory/one more': circuit-breaker was closed and is open");
        }
    }

    /** Two have gone with what they left out, and the others are closed within the minute. */
    @Test
    void whatInstancesLeftOutIsCountedWhenAllAreClosed() throws Exception {
        String yaml = "pipelines: { inventory: { keys: { idle: 1s }, circuit-breaker: { sliding-window-size: 1,"
                + " minimum-number-of-calls: 1, permitted-number-of-calls-in-half-open-state: 1,"
                + " wait-duration-in-open-state: 1ms, max-wait-duration-in-open-state: 1ms, outage-duration-threshold: 0s } } }";
        try (Logged logged = new Logged(LogObserver.NAME)) {
            Holdfast holdfast = load(yaml);
            logged.start();
            for (int i = 0; i < 12; i++) {
                for (String key : List.of("a", "b")) {
                    fail(holdfast.pipeline("inventory", key));
                    time.advance(Duration.ofMillis(9));
                    holdfast.pipeline("inventory", key).call(() -> "well");
                }
            }
            assertThat(logged.messages()).hasSize(40);
            time.advance(Duration.ofSeconds(5));
            assertThat(holdfast.instances("inventory")).isEmpty();
            for (int key = 0; key < 100; key++) {
                fail(holdfast.pipeline("inventory", "k" + key));
            }
            assertThat(logged.messages()).hasSize(100);
            assertThat(logged.messages().get(40))
                    .endsWith(" (32 more events of instances of 'inventory' were left out)");
            holdfast.close();
            time.run();
            assertThat(logged.messages())
                    .hasSize(101)
                    .last(STRING)
                    .isEqualTo("40 more events of instances of 'inventory' were left out");
        }
    }

    @Test
    void eachKeyHasItsOwnStateAndSharesWhatIsShared() throws Exception {
        try (Holdfast holdfast = load(YAML)) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            Pipeline b = holdfast.pipeline("inventory", "b");
            assertThat(holdfast.pipeline("inventory", "a")).isSameAs(a).isNotSameAs(b);
            assertThat(a)
                    .hasToString(
                            "inventory/a: deadline > keyed > retry > circuit-breaker > throttle > bulkhead > call");
            assertThat(a.warnings()).isEmpty();
            a.policy(CircuitBreakerPolicy.class).asResilience4j().transitionToForcedOpenState();
            assertThatThrownBy(() -> a.call(() -> "a")).isInstanceOf(CallRejectedException.class);
            assertThat(b.call(() -> "b")).isEqualTo("b");
            assertThat(b.policy(CircuitBreakerPolicy.class).state()).isEqualTo(State.CLOSED);
            assertThat(a.policy(ThrottlePolicy.class)).isSameAs(b.policy(ThrottlePolicy.class));
            assertThat(a.policy(BulkheadPolicy.class)).isNotSameAs(b.policy(BulkheadPolicy.class));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> holdfast.pipeline("inventry", "a"))
                    .withMessageContaining("did you mean 'inventory'?");
        }
    }

    /** Ten an hour, and idle instances go after ten minutes: whoever has used them up must not get ten more by waiting for that. */
    @Test
    void anInstanceStaysUntilItsBucketIsFullAgain() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    keys: { max: 100, idle: 10m }
                    throttle: { limit: 10, per: 1h, burst: 10, max-wait: 0s }
                """)) {
            int admitted = 0;
            for (int minute = 0; minute < 120; minute += 30) {
                for (int i = 0; i < 20; i++) {
                    admitted += isAdmitted(holdfast.pipeline("inventory", "a")) ? 1 : 0;
                }
                time.advance(Duration.ofMinutes(30));
            }
            assertThat(admitted).isEqualTo(10 + 5 + 5 + 5);

            Pipeline a = holdfast.pipeline("inventory", "a");
            time.advance(Duration.ofMinutes(90));
            assertThat(holdfast.pipeline("inventory", "a")).isNotSameAs(a);
        }
    }

    @Test
    void anInstanceThatWasNeverCalledGoesOnceItIsIdle() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    keys: { max: 3, idle: 1m }
                    throttle: { limit: 2, per: 1h, burst: 2 }
                    gate: { max-hold: 1h }
                """)) {
            for (int i = 0; i < 3; i++) {
                holdfast.pipeline("inventory", "key-" + i);
            }
            time.advance(Duration.ofMinutes(2));

            assertThat(pipelinesInMeters()).containsExactly("inventory");
            assertThat(holdfast.pipeline("inventory", "new").name()).isEqualTo("inventory/new");
        }
    }

    @Test
    void anInstanceGoesOnceItsOwnBucketIsFullAndNotAnEmptyOne() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    keys: { max: 100, idle: 1m }
                    throttle: { limit: 10, per: 1h, burst: 10 }
                """)) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            a.call(() -> "a"); // full again after six minutes
            time.advance(Duration.ofMillis(359_999));
            assertThat(pipelinesInMeters()).contains("inventory/a");
            time.advance(Duration.ofMinutes(1));
            assertThat(pipelinesInMeters()).doesNotContain("inventory/a");
        }
    }

    /** Else it would count fewer rejections than the active one makes. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{ limit: 10, per: 1h, burst: 10, mode: shadow }",
                "{ limit: 1000, shadow: { limit: 10, per: 1h, burst: 10 } }"
            })
    void anInstanceStaysUntilTheBucketOfItsThrottleInShadowIsFullAgain(String throttle) throws Exception {
        try (Holdfast holdfast =
                load("pipelines: { inventory: { keys: { max: 100, idle: 1m }, throttle: " + throttle + " } }")) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            for (int i = 0; i < 10; i++) {
                a.call(() -> "a");
            }
            time.advance(Duration.ofMinutes(59));
            assertThat(holdfast.pipeline("inventory", "a")).isSameAs(a);
            assertThat(a.policy(ShadowPolicy.class).count(ShadowPolicy.Decision.REJECTED))
                    .isZero();
            time.advance(Duration.ofMinutes(4));
            assertThat(holdfast.pipeline("inventory", "a")).isNotSameAs(a);
        }
    }

    @Test
    void theWarningsOfAllInstancesAreLoggedOnce() throws Exception {
        String yaml = "pipelines: { inventory: { keys: { max: 100 }, throttle: { limit: 10, burst: %s } } }";
        try (Logged logged = new Logged("dev.holdfast").start();
                Holdfast holdfast = load(yaml.formatted(1))) {
            for (int i = 0; i < 50; i++) {
                assertThat(holdfast.pipeline("inventory", "key-" + i).warnings())
                        .singleElement()
                        .asString()
                        .startsWith("burst-of-one");
            }
            assertThat(logged.messages()).hasSize(1);

            write("""
                    pipelines:
                      inventory:
                        keys: { max: 100 }
                        order: [throttle, retry]
                        throttle: { limit: 10, burst: 5 }
                        retry: {}
                    """);
            holdfast.reload();

            assertThat(holdfast.pipeline("inventory", "key-7").warnings())
                    .singleElement()
                    .asString()
                    .startsWith("throttle-outside-retry");
            assertThat(logged.messages()).hasSize(2);
        }
    }

    private static boolean isAdmitted(Pipeline pipeline) {
        try {
            return pipeline.call(() -> true);
        } catch (CallRejectedException rejected) {
            return false;
        }
    }

    @Test
    void aBreakerThatWasOpenedByHandIsNotForgotten() throws Exception {
        try (Holdfast holdfast = load("pipelines: { inventory: { keys: { idle: 1m }, circuit-breaker: {} } }")) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            a.policy(CircuitBreakerPolicy.class).asResilience4j().transitionToForcedOpenState();
            time.advance(Duration.ofHours(1));
            assertThat(holdfast.pipeline("inventory", "a")).isSameAs(a);

            a.policy(CircuitBreakerPolicy.class).asResilience4j().transitionToClosedState();
            time.advance(Duration.ofHours(1));
            assertThat(holdfast.pipeline("inventory", "a")).isNotSameAs(a);
        }
    }

    /** What all of them share does not go with one of them. */
    @Test
    void whatIsSharedKeepsNoInstance() throws Exception {
        try (Holdfast holdfast = load("""
                shared:
                  daily: { throttle: { limit: 10, per: 1d } }
                pipelines:
                  inventory:
                    keys: { max: 100, idle: 10m }
                    throttle: { use: daily }
                """)) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            Pipeline b = holdfast.pipeline("inventory", "b");
            time.advance(Duration.ofMinutes(30));
            assertThat(holdfast.pipeline("inventory", "a")).isNotSameAs(a);
            assertThat(holdfast.pipeline("inventory", "b")).isNotSameAs(b);
        }
    }

    @Test
    void aboveTheBoundAllFurtherKeysShareOne() throws Exception {
        try (Holdfast holdfast = load(YAML)) {
            List<Pipeline> made = new ArrayList<>();
            for (int i = 0; i < 100_000; i++) {
                Pipeline pipeline = holdfast.pipeline("inventory", "host-" + i);
                if (i < 5 || i == 99_999) {
                    pipeline.call(() -> "a");
                    made.add(pipeline);
                }
            }
            assertThat(made.stream().map(Pipeline::name).distinct())
                    .containsExactly("inventory/host-0", "inventory/host-1", "inventory/host-2", "inventory/other");
            assertThat(pipelinesInMeters()).hasSize(5);
        }
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void theKeyOfTheNameThatOthersShareHasTheirInstance() throws Exception {
        try (Holdfast holdfast = load(YAML)) {
            Pipeline other = holdfast.pipeline("inventory", "other");
            for (int i = 0; i < 3; i++) {
                assertThat(holdfast.pipeline("inventory", "host-" + i)).isNotSameAs(other);
            }

            assertThat(holdfast.pipeline("inventory", "host-3")).isSameAs(other);
            assertThat(holdfast.pipelines().stream().map(Pipeline::name)).doesNotHaveDuplicates();
        }
    }

    /** Where each tenant has an instance, no key names the tenant. */
    @Test
    void keysThatShareAnInstanceShareNoValues() throws Exception {
        String yaml = """
                pipelines:
                  orders:
                    stale-cache: { fresh: 1h, stale-if-error: %s }
                    bulkhead:
                    keys: { max: 2 }
                """;
        try (Holdfast holdfast = load(yaml.formatted("2h"))) {
            for (String staleIfError : List.of("2h", "3h")) {
                write(yaml.formatted(staleIfError));
                holdfast.reload();
                for (String tenant : List.of("a", "b", "c", "d", "other")) {
                    Call<String> of = holdfast.pipeline("orders", tenant)
                            .<String>operation("orders")
                            .key("2026");
                    assertThat(of.call(attempt -> "of " + tenant)).isEqualTo("of " + tenant);
                }
            }
            assertThat(holdfast.pipeline("orders", "a").policies()).hasAtLeastOneElementOfType(StaleCachePolicy.class);
            assertThat(holdfast.pipeline("orders", "c").policies())
                    .doesNotHaveAnyElementsOfTypes(StaleCachePolicy.class)
                    .hasAtLeastOneElementOfType(BulkheadPolicy.class);
        }
    }

    @Test
    void aReloadThatChangesTheBoundAloneSaysSo() throws Exception {
        try (Holdfast holdfast = load(YAML)) {
            for (int i = 0; i < 3; i++) {
                holdfast.pipeline("inventory", "host-" + i);
            }
            assertThat(holdfast.pipeline("inventory", "host-3").name()).isEqualTo("inventory/other");
            write(YAML.replace("max: 3", "max: 4"));

            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(holdfast.pipeline("inventory", "host-3").name()).isEqualTo("inventory/host-3");
            assertThat(holdfast.reload()).isEmpty();
        }
    }

    @Test
    void anIdleInstanceGoesWithItsMetersButNeverWithACallInside() throws Exception {
        try (Holdfast holdfast = load(YAML.replace("deadline: 2s\n", "\n"))) {
            Pipeline idle = holdfast.pipeline("inventory", "idle");
            Pipeline busy = holdfast.pipeline("inventory", "busy");
            idle.call(() -> "a");
            CompletableFuture<String> answer = new CompletableFuture<>();
            CompletableFuture<@Nullable String> call = busy.callAsync(() -> answer);
            time.advance(Duration.ofMinutes(21));
            assertThat(call).isNotDone();
            assertThat(pipelinesInMeters()).containsExactlyInAnyOrder("inventory", "inventory/busy");
            assertThat(holdfast.pipeline("inventory", "busy")).isSameAs(busy);
            assertThat(idle.call(() -> "whoever holds it")).isEqualTo("whoever holds it");
            assertThat(holdfast.pipeline("inventory", "idle")).isNotSameAs(idle);
            answer.complete("late");
            assertThat(call).isCompletedWithValue("late");
            time.advance(Duration.ofMinutes(30));
            assertThat(pipelinesInMeters()).containsExactly("inventory");
            // There is room again.
            assertThat(holdfast.pipeline("inventory", "new").name()).isEqualTo("inventory/new");
        }
    }

    private static final String HANGS = """
            pipelines:
              inventory:
                keys: { max: 1, idle: 10m }
                timeout: 1s
                bulkhead: { lease: %s }
            """;

    /** Nobody waits for it any more, and others have its permit. */
    @ParameterizedTest
    @ValueSource(strings = {"bulkhead: { lease: 1s }", "bulkhead: { lease: 1h }", "retry:"})
    @Logs("bulkhead took back the permit of a call|a call went on for .* after its limit")
    void anInstanceWhoseOnlyWorkIsWrittenOffGoes(String other) throws Exception {
        try (Holdfast holdfast = load(HANGS.replace("bulkhead: { lease: %s }", other))) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<@Nullable String> call = a.callAsync(work::minimalCompletionStage);
            time.advance(Duration.ofSeconds(10));
            assertThat(call).isCompletedExceptionally();
            assertThat(holdfast.pipeline("inventory", "b").name()).isEqualTo("inventory/other");
            time.advance(other.contains("1h") ? Duration.ofMinutes(59) : Duration.ofSeconds(45));
            assertThat(holdfast.instances("inventory")).contains(a);
            time.advance(Duration.ofMinutes(1));
            assertThat(registry.find("holdfast.written.off").meters())
                    .extracting(meter -> meter.getId().getTag("policy"))
                    .isEqualTo(other.contains("lease") ? List.of("bulkhead") : List.of());
            time.advance(Duration.ofMinutes(30));

            assertThat(pipelinesInMeters()).containsExactlyInAnyOrder("inventory", "inventory/other");
            assertThat(holdfast.pipeline("inventory", "b").name()).isEqualTo("inventory/b");
            work.complete("after all");
            assertThat(a.call(() -> "whoever holds it")).isEqualTo("whoever holds it");
        }
    }

    @Test
    @Logs("bulkhead took back the permit of a call|a call went on for .* after its limit")
    void workThatEndsAfterItWasWrittenOffIsNotCountedAgain() throws Exception {
        try (Holdfast holdfast = load(HANGS.formatted("1s").replace("timeout: 1s", ""))) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            CompletableFuture<String> hangs = new CompletableFuture<>();
            CompletableFuture<@Nullable String> call = a.callAsync(hangs::minimalCompletionStage);
            call.cancel(false);
            time.advance(Duration.ofSeconds(2));
            assertThat(a.policy(BulkheadPolicy.class).writtenOff()).isEqualTo(1);
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<@Nullable String> inside = a.callAsync(() -> work);
            hangs.complete("after all");
            time.advance(Duration.ofHours(1));
            assertThat(a.policy(BulkheadPolicy.class).inFlight()).isEqualTo(1);
            assertThat(holdfast.instances("inventory")).containsExactly(a);

            work.complete("12");
            assertThat(inside).isCompletedWithValue("12");
            assertThat(a.policy(BulkheadPolicy.class).inFlight()).isZero();
            time.advance(Duration.ofHours(1));
            assertThat(holdfast.instances("inventory")).isEmpty();
        }
    }

    @Test
    @Logs("bulkhead took back the permit of a call|a call went on for .* after its limit")
    void anInstanceGoesWhoseCallerIsHeldBeyondTheLease() throws Exception {
        try (Holdfast holdfast = load(HANGS.formatted("1s"))) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            assertThatThrownBy(() -> a.call(() -> {
                        time.advance(Duration.ofMinutes(20));
                        boolean wasInterrupted = Thread.interrupted();
                        assertThat(wasInterrupted).isTrue();
                        assertThat(holdfast.pipeline("inventory", "b").name()).isEqualTo("inventory/b");
                        return "after all";
                    }))
                    .isInstanceOf(CallTimeoutException.class);
            assertThat(a.policy(BulkheadPolicy.class).inFlight()).isZero();
            assertThat(a.call(() -> "whoever holds it")).isEqualTo("whoever holds it");
            assertThat(pipelinesInMeters()).containsExactlyInAnyOrder("inventory", "inventory/b");
        }
    }

    /** Neither the reload nor the end waits for it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anInstanceThatIsMadeDuringAReloadOrTheEndDoesNotMissIt(boolean ends) throws Exception {
        CountDownLatch making = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        List<String> heard = Collections.synchronizedList(new ArrayList<>());
        CallObserver observer = new CallObserver() {
            @Override
            public void opened(Observed pipeline) {
                if (pipeline.name().equals("inventory/slow")) {
                    making.countDown();
                    uninterruptibly(goOn);
                    heard.add("opened");
                }
            }

            @Override
            public void closed(Observed pipeline) {
                if (pipeline.name().equals("inventory/slow")) {
                    heard.add("closed");
                }
            }
        };
        Holdfast holdfast = Holdfast.builder().time(time).observer(observer).load(write(YAML));
        CompletableFuture<Pipeline> asked = new CompletableFuture<>();
        Thread asking = new Thread(() -> asked.complete(holdfast.pipeline("inventory", "slow")));
        asking.start();
        making.await();
        if (ends) {
            holdfast.close();
        } else {
            for (int attempts = 3; attempts < 5; attempts++) {
                write(YAML.replace("max-attempts: 2", "max-attempts: " + attempts));
                assertThat(holdfast.reload()).containsExactly("inventory");
            }
            assertThat(holdfast.pipeline("inventory", "b").call(() -> "b")).isEqualTo("b");
        }
        assertThat(holdfast.instances("inventory")).extracting(Pipeline::name).doesNotContain("inventory/slow");
        goOn.countDown();
        asking.join();

        Pipeline slow = asked.join();
        assertThat(slow.policy(RetryPolicy.class).settings().maxAttempts()).isEqualTo(ends ? 2 : 4);
        assertThat(holdfast.pipeline("inventory", "slow")).isSameAs(slow);
        if (ends) {
            assertThat(heard).containsExactly("opened", "closed");
            assertThatThrownBy(() -> slow.call(() -> "a")).isInstanceOf(CallRejectedException.class);
        } else {
            write(YAML.replace("max-attempts: 2", "max-attempts: 5"));
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(slow.policy(RetryPolicy.class).settings().maxAttempts()).isEqualTo(5);
        }
        holdfast.close();
        assertThat(heard).containsExactly("opened", "closed");
    }

    /** At most for a minute: if a reload waited for it, the reload would go on after it. */
    private static void uninterruptibly(CountDownLatch latch) {
        try {
            boolean unused = latch.await(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anInstanceStaysForItsIdleTimeAfterTheEndOfALongCall() throws Exception {
        try (Holdfast holdfast = load("pipelines: { inventory: { keys: { idle: 10m }, bulkhead: } }")) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            time.advance(Duration.ofSeconds(299));
            CompletableFuture<String> answer = new CompletableFuture<>();
            CompletableFuture<@Nullable String> call = a.callAsync(() -> answer);
            time.advance(Duration.ofMinutes(5));
            answer.complete("late");
            assertThat(call).isCompletedWithValue("late");
            time.advance(Duration.ofSeconds(599));
            assertThat(pipelinesInMeters()).contains("inventory/a");
            time.advance(Duration.ofSeconds(301));
            assertThat(pipelinesInMeters()).containsExactly("inventory");
        }
    }

    @Test
    void whatIsSharedKeepsNoInstanceAlsoIfItIsTheOnlyOne() throws Exception {
        try (Holdfast holdfast = load("""
                shared:
                  cb: { circuit-breaker: }
                pipelines:
                  inventory: { keys: { idle: 10m }, circuit-breaker: { use: cb } }
                """)) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            a.policy(CircuitBreakerPolicy.class).asResilience4j().transitionToForcedOpenState();
            time.advance(Duration.ofMinutes(15));
            assertThat(holdfast.instances("inventory")).isEmpty();
        }
    }

    @Test
    void aClosedBreakerKeepsNoInstance() throws IOException {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    keys: { idle: 10m }
                    circuit-breaker: { max-wait-duration-in-open-state: 1d }
                """)) {
            Pipeline unused = holdfast.pipeline("inventory", "a");
            time.advance(Duration.ofMinutes(15));
            assertThat(pipelinesInMeters()).doesNotContain("inventory/a");
        }
    }

    @Test
    void anInstanceStaysWhileItsBreakerMayLetOnlyProbesThrough() throws IOException {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    keys: { idle: 10m }
                    circuit-breaker: { max-wait-duration-in-open-state: 1h }
                """)) {
            holdfast.pipeline("inventory", "a")
                    .policy(CircuitBreakerPolicy.class)
                    .asResilience4j()
                    .transitionToOpenState();
            time.advance(Duration.ofMinutes(59));
            assertThat(pipelinesInMeters()).contains("inventory/a");
            time.advance(Duration.ofMinutes(20));
            assertThat(pipelinesInMeters()).doesNotContain("inventory/a");
        }
    }

    @Test
    void anInstanceStaysForAsLongAsItsBreakerWasToldToBeOpen() throws IOException {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    keys: { idle: 10m }
                    circuit-breaker:
                """)) {
            holdfast.pipeline("inventory", "a")
                    .policy(CircuitBreakerPolicy.class)
                    .asResilience4j()
                    .transitionToOpenStateFor(Duration.ofHours(1));
            time.advance(Duration.ofMinutes(59));
            assertThat(pipelinesInMeters()).contains("inventory/a");
            time.advance(Duration.ofMinutes(20));
            assertThat(pipelinesInMeters()).doesNotContain("inventory/a");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"forced-open", "disabled", "metrics-only"})
    void anInstanceStaysIfItsBreakerWasTakenOutOfTheStateOfItsSettingsAndGoesIfItIsInThatState(String first)
            throws IOException {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    keys: { idle: 10m }
                    circuit-breaker: { initial-state: %s }
                """.formatted(first))) {
            holdfast.pipeline("inventory", "as it is");
            view(holdfast, "closed by hand").transitionToClosedState();
            CircuitBreaker probed = view(holdfast, "half open by hand");
            probed.transitionToClosedState();
            probed.transitionToOpenState();
            probed.transitionToHalfOpenState();
            time.advance(Duration.ofHours(1));
            assertThat(pipelinesInMeters())
                    .contains("inventory/closed by hand", "inventory/half open by hand")
                    .doesNotContain("inventory/as it is");
        }
    }

    private static CircuitBreaker view(Holdfast holdfast, String key) {
        return holdfast.pipeline("inventory", key)
                .policy(CircuitBreakerPolicy.class)
                .asResilience4j();
    }

    @Test
    void anInstanceStaysForAsLongAsABreakerIsOpenThatALongCallHasOpened() throws Exception {
        try (Holdfast holdfast = load("""
                pipelines:
                  inventory:
                    keys: { idle: 10m }
                    circuit-breaker:
                      sliding-window-size: 1
                      minimum-number-of-calls: 1
                      wait-duration-in-open-state: 12m
                """)) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            time.advance(Duration.ofSeconds(299));
            CompletableFuture<String> answer = new CompletableFuture<>();
            CompletableFuture<@Nullable String> call = a.callAsync(() -> answer);
            time.advance(Duration.ofMinutes(5));
            answer.completeExceptionally(new IOException("late"));
            assertThat(call).isCompletedExceptionally();
            assertThat(a.policy(CircuitBreakerPolicy.class).state()).isEqualTo(State.OPEN);
            time.advance(Duration.ofSeconds(719));
            assertThat(pipelinesInMeters()).contains("inventory/a");
        }
    }

    @Test
    void aShorterIdleTimeHoldsFromTheReloadOn() throws Exception {
        String yaml = "pipelines: { inventory: { keys: { idle: %s }, bulkhead: } }";
        try (Holdfast holdfast = load(yaml.formatted("1d"))) {
            Pipeline unused = holdfast.pipeline("inventory", "a");
            time.advance(Duration.ofMinutes(1));
            write(yaml.formatted("1m"));
            assertThat(holdfast.reload()).containsExactly("inventory");
            time.advance(Duration.ofSeconds(90));
            assertThat(pipelinesInMeters()).doesNotContain("inventory/a");
            Pipeline again = holdfast.pipeline("inventory", "a");
            // Reloads do not put the next look off.
            for (int i = 0; i < 9; i++) {
                assertThat(holdfast.reload()).isEmpty();
                time.advance(Duration.ofSeconds(10));
            }
            assertThat(holdfast.pipeline("inventory", "a")).isNotSameAs(again);
        }
    }

    @Test
    void anInstanceThatHasGoneIsClosedWithTheOthers() throws Exception {
        Holdfast holdfast = load(YAML);
        Pipeline gone = holdfast.pipeline("inventory", "a");
        time.advance(Duration.ofMinutes(15));
        assertThat(pipelinesInMeters()).containsExactly("inventory");
        assertThat(gone.call(() -> "held")).isEqualTo("held");
        holdfast.close();
        assertThatThrownBy(() -> gone.call(() -> "a")).isInstanceOf(CallRejectedException.class);
    }

    @Test
    void aPipelineHasRoomForThePolicyThatCountsTheCallsOfAnInstance() throws Exception {
        String yaml = "pipelines: { inventory: { timeout: 1h, order: [%stimeout] } }";
        try (Holdfast holdfast = load(yaml.formatted("timeout, ".repeat(62)))) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            assertThat(a.policies()).hasSize(64);
            write(yaml.formatted("timeout, ".repeat(63)));
            assertThatThrownBy(holdfast::reload)
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("pipelines.inventory: has 64 policies; expected at most 63");
            assertThat(holdfast.pipeline("inventory").policies()).hasSize(63);
            assertThat(a.policies()).hasSize(64);
        }
    }

    @Test
    void aReloadReachesAllInstancesAndKeepsTheirState() throws Exception {
        try (Holdfast holdfast = load(YAML)) {
            Pipeline a = holdfast.pipeline("inventory", "a");
            BulkheadPolicy bulkhead = a.policy(BulkheadPolicy.class);
            for (int i = 0; i < 4; i++) {
                holdfast.pipeline("inventory", "key-" + i);
            }
            Pipeline other = holdfast.pipeline("inventory", "one more");
            assertThat(other.name()).isEqualTo("inventory/other");
            write(YAML.replace("max-attempts: 2", "max-attempts: 4").replace("max: 3", "max: 5"));
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(List.of(a, other))
                    .allSatisfy(pipeline -> assertThat(pipeline.policy(RetryPolicy.class)
                                    .settings()
                                    .maxAttempts())
                            .isEqualTo(4));
            assertThat(a.policy(BulkheadPolicy.class)).isSameAs(bulkhead);
            assertThat(holdfast.pipeline("inventory", "a")).isSameAs(a);
            assertThat(holdfast.pipeline("inventory", "one more").name()).isEqualTo("inventory/one more");
        }
    }

    @Test
    void closeClosesAllInstances() throws Exception {
        Holdfast holdfast = load(YAML);
        Pipeline a = holdfast.pipeline("inventory", "a");
        holdfast.close();
        assertThatThrownBy(() -> a.call(() -> "a")).isInstanceOf(CallRejectedException.class);
        assertThatThrownBy(() -> holdfast.pipeline("inventory", "b").call(() -> "b"))
                .isInstanceOf(CallRejectedException.class);
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void aKeyFromOutsideForgesNoLineAndNoLongName() throws Exception {
        try (Holdfast holdfast = load(YAML)) {
            assertThat(holdfast.pipeline("inventory", "x\n2026 ERROR forged").name())
                    .isEqualTo("inventory/x\\n2026 ERROR forged");
            assertThat(holdfast.pipeline("inventory", "k".repeat(50_000)).name())
                    .hasSize("inventory/".length() + 101)
                    .isNotEqualTo(
                            holdfast.pipeline("inventory", "k".repeat(50_001)).name());
        }
    }
}
