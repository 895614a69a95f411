/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.internal.OwnFallbacks;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.micrometer.ObservationObserver;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logged;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A configuration that changes while its pipelines are in use. */
@Logs(
        value = {
            "configuration was read again",
            "a changed configuration is refused",
            "no longer in the configuration",
            "burst-of-one"
        },
        sometimes = true)
@Logs(value = "circuit-breaker was closed and is open: by hand", sometimes = true)
@Logs("circuit-breaker was (closed and is open: the policy was added|open and is closed: the policy was replaced)")
class ReloadTest {
    private static final String INVENTORY = """
            shared:
              pool: { bulkhead: { max-concurrent-calls: 20 } }
              spare: { budget: { max-tokens: 20 } }
            pipelines:
              inventory:
                retry: { max-attempts: 3, budget: spare, backoff: { initial: 1ms, max: 1ms } }
                circuit-breaker: { sliding-window-size: 10, minimum-number-of-calls: 10 }
                bulkhead: { use: pool }
              prices: { timeout: 1h }
            """;

    @TempDir
    Path directory;

    private Path write(String yaml) throws IOException {
        return Files.writeString(directory.resolve("holdfast.yaml"), yaml);
    }

    /** Of a call that fails, after one that is good: in an outage there are fewer. */
    private static int attempts(Pipeline pipeline) throws Exception {
        pipeline.call(() -> "well");
        return attemptsOfFailure(pipeline);
    }

    private static int attemptsOfFailure(Pipeline pipeline) {
        AtomicInteger attempts = new AtomicInteger();
        try {
            pipeline.call(() -> {
                attempts.incrementAndGet();
                throw new IllegalStateException("ill");
            });
        } catch (IllegalStateException expected) {
            return attempts.get();
        }
        throw new AssertionError("it is always ill");
    }

    @Test
    void aNumberAloneThatMakesALimitFixedIsToldOnce() throws Exception {
        String shops = "pipelines: { shops: { bulkhead: { %s } }, prices: { bulkhead: { limit: aimd } } }";
        write(shops.formatted("max-wait: 0s"));
        try (Logged logged = new Logged(Holdfast.class.getName()).start();
                Holdfast holdfast = Holdfast.load(directory.resolve("holdfast.yaml"))) {
            write(shops.formatted("max-concurrent-calls: 400"));
            holdfast.reload();
            write(shops.formatted("max-concurrent-calls: 300"));
            holdfast.reload();
            write(shops.formatted("max-concurrent-calls: 300, limit: losses"));
            holdfast.reload();
            assertThat(logged.messages())
                    .containsExactly("pipeline 'shops': the limit of the bulkhead was losses and is fixed, at 400;"
                            + " with limit: losses it adapts");
        }
    }

    @Test
    void whatChangedIsAppliedAndTheRestKeepsItsState() throws Exception {
        Path file = write(INVENTORY);
        try (Holdfast holdfast = Holdfast.load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            Operation<String> stock = inventory.operation("stock");
            CircuitBreakerPolicy breaker = inventory.policy(CircuitBreakerPolicy.class);
            BulkheadPolicy pool = inventory.policy(BulkheadPolicy.class);
            Object budget = inventory.policy(RetryPolicy.class).budget();
            assertThat(attempts(inventory)).isEqualTo(3);

            write(INVENTORY
                    .replace("max-attempts: 3", "max-attempts: 2")
                    .replace("prices: { timeout: 1h }", "orders: { bulkhead: { use: pool }, timeout: 2s }"));
            assertThat(holdfast.reload()).containsExactly("inventory", "orders");

            assertThat(holdfast.pipeline("inventory")).isSameAs(inventory);
            assertThat(attempts(inventory)).isEqualTo(2);
            assertThat(stock.unkeyed().call(attempt -> "a")).isEqualTo("a");
            assertThat(inventory.policy(CircuitBreakerPolicy.class)).isSameAs(breaker);
            assertThat(inventory.policy(BulkheadPolicy.class)).isSameAs(pool);
            assertThat(holdfast.pipeline("orders").policy(BulkheadPolicy.class)).isSameAs(pool);
            assertThat(inventory.policy(RetryPolicy.class).budget()).isEqualTo(budget);
            // The file has it no longer; whoever uses it still has it.
            assertThat(holdfast.pipeline("prices").call(() -> "p")).isEqualTo("p");

            assertThat(holdfast.reload()).isEmpty();
            write(INVENTORY);
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(holdfast.pipeline("orders").policy(BulkheadPolicy.class)).isSameAs(pool);
            assertThat(inventory.policy(BulkheadPolicy.class)).isSameAs(pool);
        }
    }

    @Test
    void aFileWithAnErrorChangesNothing() throws Exception {
        Path file = write(INVENTORY);
        try (Holdfast holdfast = Holdfast.load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            List<?> before = inventory.policies();
            write(INVENTORY.replace("max-attempts: 3", "max-attempts: 2").replace("timeout: 1h", "timeout: 1"));
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(holdfast::reload)
                    .withMessageContaining("which has no unit");
            assertThat(inventory.policies()).isEqualTo(before);
            assertThat(attempts(inventory)).isEqualTo(3);
            write(INVENTORY.replace("max-attempts: 3", "max-attempts: 2"));
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(attempts(inventory)).isEqualTo(2);
        }
    }

    @Test
    void anOrderThatCannotWorkInOnePipelineChangesNone() throws Exception {
        Path file = write(INVENTORY);
        try (Holdfast holdfast = Holdfast.load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            write(INVENTORY
                    .replace("max-attempts: 3", "max-attempts: 2")
                    .replace(
                            "prices: { timeout: 1h }",
                            "prices: { timeout: 1h, bulkhead: { use: pool }, order: [timeout, bulkhead, bulkhead] }"));
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(holdfast::reload)
                    .withMessageContaining("can never work");
            assertThat(attempts(inventory)).isEqualTo(3);
            assertThat(holdfast.pipeline("prices").policy(TimeoutPolicy.class).limit())
                    .isEqualTo(Duration.ofHours(1));
        }
    }

    @Test
    void aClassifierAndDefaultsChangeToo() throws Exception {
        String yaml = """
                defaults: { retry: { max-attempts: 2, backoff: { initial: 1ms } } }
                pipelines:
                  inventory: { retry: , classifier: { failures: java.lang.IllegalStateException } }
                """;
        Path file = write(yaml);
        try (Holdfast holdfast = Holdfast.load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            assertThat(attempts(inventory)).isEqualTo(2);
            write(yaml.replace("max-attempts: 2", "max-attempts: 4"));
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(attempts(inventory)).isEqualTo(4);
            String ignored = yaml.replace("failures:", "ignored:");
            write(ignored);
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(attempts(inventory)).isEqualTo(1);
            assertThat(holdfast.reload()).isEmpty();
            write("shared: { pool: { bulkhead: } }\n" + yaml
                    + "  prices: { bulkhead: { use: pool }, order: [bulkhead, bulkhead] }\n");
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(holdfast::reload)
                    .withMessageContaining("can never work");
            assertThat(attempts(inventory))
                    .as("the classifier is as it was, too")
                    .isEqualTo(1);
        }
    }

    @Test
    void aStreamAndAClosedConfigurationAreNotReadAgain() throws Exception {
        byte[] yaml = INVENTORY.getBytes(StandardCharsets.UTF_8);
        try (Holdfast holdfast = Holdfast.builder().load("stream", new ByteArrayInputStream(yaml))) {
            assertThatIllegalStateException().isThrownBy(holdfast::reload);
        }
        Holdfast closed = Holdfast.load(write(INVENTORY));
        closed.close();
        assertThatIllegalStateException().isThrownBy(closed::reload);
    }

    /** Tells what was read. */
    private static final class Reads implements CallObserver {
        final BlockingQueue<String> told = new LinkedBlockingQueue<>();

        @Override
        public void configurationRead(Object configuration, boolean applied, String message) {
            told.add((applied ? "applied: " : "refused: ") + message);
        }

        String next() throws InterruptedException {
            return String.valueOf(told.poll(5, TimeUnit.MINUTES));
        }
    }

    @Test
    void observersAreToldOfAReloadByHand() throws Exception {
        Reads reads = new Reads();
        Path file = write(INVENTORY);
        try (Holdfast holdfast = Holdfast.builder().observer(reads).load(file)) {
            write(INVENTORY.replace("max-attempts: 3", "max-attempts: 0"));
            assertThatExceptionOfType(ConfigException.class).isThrownBy(holdfast::reload);
            write(INVENTORY.replace("max-attempts: 3", "max-attempts: 2"));
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(holdfast.reload()).isEmpty();
            assertThat(reads.told).hasSize(3);
            assertThat(reads.next()).startsWith("refused: ").contains("max-attempts: is 0");
            assertThat(reads.next()).isEqualTo("applied: changed inventory");
            assertThat(reads.next()).isEqualTo("applied: no pipeline changed");
        }
    }

    @Test
    void watchingSeesEditorsThatReplaceTheFileAndLinksThatAreSwitched() throws Exception {
        Reads reads = new Reads();
        // As Kubernetes mounts a configuration: a link to a link to a folder.
        Path first = Files.createDirectory(directory.resolve("..1"));
        Path second = Files.createDirectory(directory.resolve("..2"));
        Files.writeString(first.resolve("holdfast.yaml"), INVENTORY);
        Files.writeString(second.resolve("holdfast.yaml"), INVENTORY.replace("max-attempts: 3", "max-attempts: 2"));
        Path data = Files.createSymbolicLink(directory.resolve("..data"), first);
        Path mounted = Files.createSymbolicLink(directory.resolve("holdfast.yaml"), data.resolve("holdfast.yaml"));
        try (Holdfast holdfast =
                Holdfast.builder().observer(reads).watch(Duration.ofMillis(100)).load(mounted)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            Path other = Files.createSymbolicLink(directory.resolve("..data_tmp"), second);
            Files.move(other, data, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            assertThat(reads.next()).isEqualTo("applied: changed inventory");
            assertThat(attempts(inventory)).isEqualTo(2);

            replace(second, "pipelines: { inventory: { retry: 3");
            assertThat(reads.next()).startsWith("refused: ").contains("not YAML");
            assertThat(attempts(inventory)).isEqualTo(2);
            Files.delete(second.resolve("holdfast.yaml"));
            assertThat(reads.next()).startsWith("refused: ").contains("there is no such file");
            replace(second, INVENTORY.replace("max-attempts: 3", "max-attempts: 4"));
            assertThat(reads.next()).isEqualTo("applied: changed inventory");
            assertThat(attempts(inventory)).isEqualTo(4);
        }
    }

    /** As an editor saves. */
    private void replace(Path folder, String yaml) throws IOException {
        Path saved = Files.writeString(directory.resolve("saved"), yaml);
        Files.move(
                saved,
                folder.resolve("holdfast.yaml"),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void tracesGoOnAfterAReload() throws IOException {
        List<String> ended = new ArrayList<>();
        ObservationRegistry observations = ObservationRegistry.create();
        observations.observationConfig().observationHandler(new ObservationHandler<>() {
            @Override
            public void onStop(Observation.Context context) {
                ended.add(context.getContextualName() + " " + context.getLowCardinalityKeyValue("holdfast.outcome"));
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
        try (Holdfast holdfast = Holdfast.builder()
                .observer(new ObservationObserver(observations))
                .load(write(INVENTORY))) {
            write(INVENTORY.replace("max-attempts: 3", "max-attempts: 2"));
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(attemptsOfFailure(holdfast.pipeline("inventory"))).isEqualTo(2);
        }
        assertThat(ended)
                .containsExactly(
                        "attempt inventory keyValue(holdfast.outcome=failure)",
                        "attempt inventory keyValue(holdfast.outcome=failure)",
                        "call inventory keyValue(holdfast.outcome=failure)");
    }

    @Test
    void aSharedPolicyTakesOverFromTheOneOfItsNameOnce() throws Exception {
        String shared = """
                shared:
                  pool: { bulkhead: { max-concurrent-calls: %s, max-wait: 0s } }
                  rate: { throttle: { limit: 10, per: 1h, burst: %s, max-wait: 0s } }
                pipelines:
                  inventory: { bulkhead: { use: pool }, throttle: { use: rate } }
                  payments:  { bulkhead: { use: pool }, throttle: { use: rate } }
                """;
        try (Holdfast holdfast = Holdfast.load(write(shared.formatted(1, 3)))) {
            Pipeline inventory = holdfast.pipeline("inventory");
            Pipeline payments = holdfast.pipeline("payments");
            inventory.run(() -> {
                write(shared.formatted(2, 4));
                assertThat(holdfast.reload()).containsExactly("inventory", "payments");
                assertThat(inventory.policy(BulkheadPolicy.class)).isSameAs(payments.policy(BulkheadPolicy.class));
                assertThat(inventory.policy(BulkheadPolicy.class).inFlight()).isOne();
                payments.run(() -> assertThatThrownBy(() -> inventory.run(() -> {}))
                        .hasMessageContaining("2 of 2 permits are out"));
            });
            assertThat(inventory.policy(BulkheadPolicy.class).inFlight()).isZero();
            // One of three was used before, and another one after.
            assertThat(inventory.policy(ThrottlePolicy.class).available()).isOne();
        }
    }

    @Test
    void aSharedPolicyTakesOverAlsoIfAPipelineThatIsNewToItHasInstances() throws Exception {
        String yaml = """
                shared:
                  cb: { circuit-breaker: { wait-duration-in-open-state: %s } }
                pipelines:
                  inventory: { timeout: 1s%s }
                  payments:  { circuit-breaker: { use: cb } }
                """;
        try (Holdfast holdfast = Holdfast.load(write(yaml.formatted("1h", "")))) {
            Pipeline instance = holdfast.pipeline("inventory", "key");
            Pipeline payments = holdfast.pipeline("payments");
            breaker(payments).asResilience4j().transitionToOpenState();
            write(yaml.formatted("2h", ", circuit-breaker: { use: cb }"));
            assertThat(holdfast.reload()).containsExactly("inventory", "payments");
            assertThat(breaker(payments)).isSameAs(breaker(instance));
            assertThat(breaker(payments).state()).isEqualTo(CircuitBreakerPolicy.State.OPEN);
        }
    }

    @Test
    void callsOfAPipelineThatJoinsASharedPolicyCountInWhatThatTakesOver() throws Exception {
        String yaml = """
                shared:
                  pool: { bulkhead: { max-concurrent-calls: %s, max-wait: 0s } }
                pipelines:
                  inventory: { timeout: 1m%s }
                  payments:  { bulkhead: { use: pool } }
                """;
        CompletableFuture<String> answer = new CompletableFuture<>();
        List<CompletableFuture<String>> calls = new ArrayList<>();
        AtomicReference<@Nullable Pipeline> joining = new AtomicReference<>();
        CallObserver calling = new CallObserver() {
            @Override
            public void replaced(Observed pipeline) {
                Pipeline one = joining.get();
                if (one != null && pipeline.name().equals(one.name())) {
                    calls.add(one.callAsync(() -> answer));
                }
            }
        };
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        try (Holdfast holdfast = Holdfast.builder()
                .observer(new MicrometerObserver(registry))
                .observer(calling)
                .load(write(yaml.formatted(2, "")))) {
            joining.set(holdfast.pipeline("inventory"));
            Pipeline payments = holdfast.pipeline("payments");
            calls.add(payments.callAsync(() -> answer));
            write(yaml.formatted(3, ", bulkhead: { use: pool }"));
            assertThat(holdfast.reload()).containsExactly("inventory", "payments");
            BulkheadPolicy pool = payments.policy(BulkheadPolicy.class);
            assertThat(pool.inFlight()).isEqualTo(2);
            assertThat(registry.get("holdfast.bulkhead.limit").gauges())
                    .extracting(Gauge::value)
                    .containsExactly(3.0, 3.0);
            answer.complete("done");
            for (CompletableFuture<String> call : calls) {
                assertThat(call.get()).isEqualTo("done");
            }
            assertThat(pool.inFlight()).isZero();
            pool.resize(4);
            assertThat(registry.get("holdfast.bulkhead.limit").gauges())
                    .as("of what both have")
                    .extracting(Gauge::value)
                    .containsExactly(4.0, 4.0);
        }
    }

    @Test
    void aPipelineThatComesBackSharesWhatTheOthersHaveNow() throws Exception {
        String yaml = """
                shared:
                  cb: { circuit-breaker: { minimum-number-of-calls: 5 } }
                pipelines:
                  payments:  { circuit-breaker: { use: cb } }
                  inventory: { circuit-breaker: { use: cb } }
                """;
        try (Holdfast holdfast = Holdfast.load(write(yaml))) {
            Pipeline inventory = holdfast.pipeline("inventory");
            Pipeline payments = holdfast.pipeline("payments");
            write(yaml.replace("calls: 5", "calls: 6").lines().limit(4).collect(Collectors.joining("\n")));
            assertThat(holdfast.reload()).containsExactly("payments");
            write(yaml);
            assertThat(holdfast.reload()).containsExactly("payments", "inventory");
            assertThat(breaker(inventory)).isSameAs(breaker(payments));
            assertThat(holdfast.reload()).isEmpty();
        }
    }

    @Test
    void aSharedPolicyThatNoPipelineHasAndNoFileNamesIsForgotten() throws Exception {
        String yaml = """
                shared:
                  %1$s: { circuit-breaker: { minimum-number-of-calls: %2$s } }
                pipelines:
                  payments:  { circuit-breaker: { use: %1$s } }
                """;
        try (Holdfast holdfast = Holdfast.load(write(yaml.formatted("first", 5)))) {
            Pipeline payments = holdfast.pipeline("payments");
            breaker(payments).asResilience4j().transitionToOpenState();
            WeakReference<Policy> first = new WeakReference<>(breaker(payments));
            write(yaml.formatted("second", 5));
            holdfast.reload();
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
            while (first.get() != null && System.nanoTime() - end < 0) {
                System.gc();
                Thread.onSpinWait();
            }
            assertThat(first.get()).isNull();
            write(yaml.formatted("first", 6));
            holdfast.reload();
            assertThat(breaker(payments).state()).isEqualTo(CircuitBreakerPolicy.State.CLOSED);
        }
    }

    @Test
    void aSharedPolicyThatAPipelineOutsideTheFileStillHasHandsOverWhenItsNameComesBack() throws Exception {
        String yaml = """
                shared:
                  cb: { circuit-breaker: { minimum-number-of-calls: %s } }
                pipelines:
                  payments:  { circuit-breaker: { use: cb } }
                """;
        try (Holdfast holdfast = Holdfast.load(write(yaml.formatted(5)))) {
            Pipeline payments = holdfast.pipeline("payments");
            breaker(payments).asResilience4j().transitionToOpenState();
            write("pipelines: { inventory: { timeout: 1s } }");
            holdfast.reload();
            holdfast.reload();
            write(yaml.formatted(6));
            assertThat(holdfast.reload()).containsExactly("payments");
            assertThat(breaker(payments).state()).isEqualTo(CircuitBreakerPolicy.State.OPEN);
        }
    }

    @Test
    void aPolicyThatStaysIsInShadowOrActiveAsItWasPutByHand() throws Exception {
        String yaml = """
                pipelines:
                  inventory: { retry: { max-attempts: %s }, timeout: 1s, bulkhead: { mode: shadow, max-concurrent-calls: %s } }
                """;
        try (Holdfast holdfast = Holdfast.load(write(yaml.formatted(2, 5)))) {
            Pipeline inventory = holdfast.pipeline("inventory");
            inventory.shadow("timeout");
            inventory.enforce("bulkhead");
            write(yaml.formatted(3, 5));
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(inventory).hasToString("inventory: retry > bulkhead > timeout-shadow > call");
            write(yaml.formatted(3, 6));
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(inventory)
                    .as("the section of the bulkhead has changed")
                    .hasToString("inventory: retry > bulkhead-shadow > timeout-shadow > call");
        }
    }

    @Test
    void aTotalOfAPolicyGoesOnWhenItsPlaceIsTakenByOneThatBeginsAnew() throws Exception {
        String own = "pipelines: { inventory: { throttle: { limit: 1, per: 1h, burst: 1 } } }";
        String shared = """
                shared: { rate: { throttle: { limit: 1, per: 1h, burst: 1 } } }
                pipelines: { inventory: { throttle: { use: rate } }, prices: { throttle: { use: rate } } }
                """;
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        try (Holdfast holdfast =
                Holdfast.builder().observer(new MicrometerObserver(registry)).load(write(own))) {
            Pipeline inventory = holdfast.pipeline("inventory");
            int rejected = 0;
            for (String next : List.of(shared, own, shared)) {
                inventory.run(() -> {});
                assertThatThrownBy(() -> inventory.run(() -> {})).isInstanceOf(CallRejectedException.class);
                rejected++;
                write(next);
                holdfast.reload();
                assertThat(registry.get("holdfast.throttle.rejected")
                                .tag("pipeline", "inventory")
                                .functionCounter()
                                .count())
                        .isEqualTo(rejected);
            }
        }
    }

    private static CircuitBreakerPolicy breaker(Pipeline pipeline) {
        return pipeline.policy(CircuitBreakerPolicy.class);
    }

    @Test
    void aSharedPolicyIsAsBeforeIfTheReloadIsRefused() throws Exception {
        String yaml = """
                shared:
                  pool: { bulkhead: { max-concurrent-calls: %s, max-wait: 0s } }
                pipelines:
                  first:     { timeout: %ss }
                  prices:    { timeout: 1s%s }
                  inventory: { bulkhead: { use: pool } }
                  payments:  { bulkhead: { use: pool } }
                  last:      { timeout: 1s%s }
                """;
        String fallback = ", fallback: { only-of-operations: true }";
        for (String refusing : List.of("prices", "last")) {
            try (Holdfast holdfast = Holdfast.load(write(yaml.formatted(1, 1, fallback, fallback)))) {
                OwnFallbacks.keep(holdfast.pipeline(refusing), () -> true);
                Pipeline inventory = holdfast.pipeline("inventory");
                inventory.run(() -> {
                    write(yaml.formatted(5, 2, "", ""));
                    assertThatThrownBy(holdfast::reload).hasMessageContaining("fallback of their own");
                    assertThat(inventory.policy(BulkheadPolicy.class).limit()).isOne();
                    assertThat(inventory.policy(BulkheadPolicy.class).inFlight())
                            .isOne();
                });
                assertThat(inventory.policy(BulkheadPolicy.class).inFlight()).isZero();
            }
        }
    }

    @Test
    void aThousandReloadsUnderLoadFailNoCallLoseNoPermitAndNoMeter() throws Exception {
        int reloads = 1_000;
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        Path file = write(INVENTORY);
        try (Holdfast holdfast =
                Holdfast.builder().observer(new MicrometerObserver(registry)).load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            BulkheadPolicy pool = inventory.policy(BulkheadPolicy.class);
            inventory.call(() -> "warm");
            // The first one brings the meters of reloads.
            assertThat(holdfast.reload()).isEmpty();
            Set<Meter.Id> meters = ids(registry);
            AtomicBoolean over = new AtomicBoolean();
            AtomicLong calls = new AtomicLong(1);
            List<CompletableFuture<@Nullable Throwable>> callers = new ArrayList<>();
            // Two of each kind keep two processors busy; more would only take the reloads' turns.
            for (int i = 0; i < 4; i++) {
                boolean blocking = i % 2 == 0;
                CompletableFuture<@Nullable Throwable> end = new CompletableFuture<>();
                callers.add(end);
                new Thread(() -> end.complete(load(inventory, blocking, over, calls))).start();
            }
            for (int i = 0; i < reloads; i++) {
                // Every policy is another one in turn; so are their number and their order.
                write(INVENTORY
                        .replace("max-attempts: 3", "max-attempts: " + (2 + i % 5))
                        .replace("sliding-window-size: 10", "sliding-window-size: " + (10 + i % 3))
                        .replace(
                                "bulkhead: { use: pool }",
                                "bulkhead: { use: pool }\n    timeout: " + (1 + i % 7) + "m"
                                        + (i % 4 == 0 ? "" : "\n    throttle: { limit: 1000000000, burst: 1000000 }")));
                holdfast.reload();
            }
            over.set(true);
            for (CompletableFuture<@Nullable Throwable> caller : callers) {
                assertThat(caller.get(10, TimeUnit.MINUTES)).isNull();
            }
            write(INVENTORY);
            holdfast.reload();
            assertThat(pool.inFlight()).isZero();
            assertThat(pool.waiting()).isZero();
            assertThat(ids(registry)).isEqualTo(meters);
            assertThat(registry.get("holdfast.calls")
                            .tag("pipeline", "inventory")
                            .functionTimer()
                            .count())
                    .isEqualTo((double) calls.get());
        }
        assertThat(registry.getMeters()).isEmpty();
    }

    private static Set<Meter.Id> ids(SimpleMeterRegistry registry) {
        return registry.getMeters().stream().map(Meter::getId).collect(Collectors.toSet());
    }

    private static @Nullable Throwable load(Pipeline pipeline, boolean blocking, AtomicBoolean over, AtomicLong calls) {
        try {
            while (!over.get()) {
                calls.incrementAndGet();
                if (blocking) {
                    pipeline.call(() -> "a");
                } else {
                    pipeline.callAsync(() -> CompletableFuture.supplyAsync(() -> "b"))
                            .get(5, TimeUnit.MINUTES);
                }
            }
            return null;
        } catch (CallRejectedException full) {
            return full;
        } catch (Exception failed) {
            return failed;
        }
    }
}
