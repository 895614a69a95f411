/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.ConfigException.Problem;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that use the policies on the class path, as a service does. */
@Logs("chaos-enabled")
@Logs(value = "attempts-beyond-deadline", sometimes = true)
class ClassPathTest {
    /** What each pipeline was told of: {@code opened inventory}. */
    private final List<String> told = new ArrayList<>();

    private final CallObserver observer = new CallObserver() {
        @Override
        public void opened(Observed pipeline) {
            told.add("opened " + pipeline.name());
        }

        @Override
        public void closed(Observed pipeline) {
            told.add("closed " + pipeline.name());
        }
    };

    @TempDir
    Path directory;

    @Test
    void theExampleOfTheDesignIsOnePipelineInTheDefaultOrder() throws Exception {
        try (VirtualTime time = new VirtualTime();
                Holdfast holdfast = Holdfast.builder().time(time).load(good("design"))) {
            Pipeline inventory = holdfast.pipeline("inventory");
            assertThat(inventory)
                    .hasToString("inventory: deadline > stale-cache > retry > circuit-breaker > throttle > bulkhead"
                            + " > timeout > call");
            assertThat(limitOfDeadline(inventory)).isEqualTo(Duration.ofMillis(800));
            assertThat(limitOfTimeout(inventory)).isEqualTo(Duration.ofMillis(250));
            assertThat(inventory.warnings()).isEmpty();
            var answer = time.spawn(() -> inventory.<String, RuntimeException>call(() -> "live"));
            time.run();
            assertThat(answer.join()).isEqualTo("live");
        }
    }

    @Test
    void everyFormIsUnderstood() throws Exception {
        Function<Throwable, String> empty = error -> "empty";
        try (Holdfast holdfast = Holdfast.builder()
                .bind("http-status", Classifier.DEFAULT)
                .bind("empty-stock", empty)
                .load(good("every-form"))) {
            assertThat(holdfast.pipeline("inventory"))
                    .hasToString("inventory: deadline > fallback > stale-cache > retry > circuit-breaker > throttle"
                            + " > bulkhead > bulkhead > timeout > call");
            assertThat(holdfast.pipeline("prices")).hasToString("prices: retry > timeout > call");
        }
    }

    @Test
    void theBoundClassifierAndTheTimeAreThePipelines() throws Exception {
        Path file = write("pipelines: { inventory: { classifier: picky, retry: { max-attempts: 3 } } }");
        AtomicInteger attempts = new AtomicInteger();
        Classifier picky = (value, error) -> "busy".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS;
        try (VirtualTime time = new VirtualTime();
                Holdfast holdfast =
                        Holdfast.builder().bind("picky", picky).time(time).load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            var answer = time.spawn(() ->
                    inventory.<String, RuntimeException>call(() -> attempts.incrementAndGet() < 3 ? "busy" : "live"));
            time.run();
            assertThat(answer.join()).isEqualTo("live");
            assertThat(attempts).hasValue(3);
        }
    }

    @Test
    void theBoundFallbackAnswers() throws Exception {
        Path file = write("pipelines: { inventory: { fallback: last-resort } }");
        try (Holdfast holdfast = Holdfast.builder()
                .bind("last-resort", Function.class, error -> "none")
                .load(file)) {
            String answer = holdfast.pipeline("inventory").call(() -> {
                throw new IOException("gone");
            });
            assertThat(answer).isEqualTo("none");
        }
    }

    @Test
    void whatTheCallsCarryIsSaidOnceForAllPipelines() throws Exception {
        Path file = write("pipelines: { inventory: { retry: }, prices: { retry: } }");
        ThreadLocal<String> tenant = new ThreadLocal<>();
        CallContext context = () -> {
            String captured = tenant.get();
            return () -> {
                tenant.set(captured);
                return tenant::remove;
            };
        };
        try (Holdfast holdfast = Holdfast.builder().context(context).load(file)) {
            for (Pipeline pipeline : holdfast.pipelines()) {
                CompletableFuture<String> stage = new CompletableFuture<>();
                tenant.set("shop");
                CompletableFuture<String> seen = pipeline.callAsync(() -> stage).thenApply(value -> tenant.get());
                tenant.remove();
                stage.complete("value");
                assertThat(seen).isCompletedWithValue("shop");
            }
        }
    }

    @Test
    void closingClosesEveryPipeline() throws Exception {
        Path file = write("pipelines: { inventory: { retry: }, prices: { retry: } }");
        Holdfast holdfast = Holdfast.builder().observer(observer).load(file);
        holdfast.close();
        holdfast.close();
        assertThat(told).containsExactly("opened inventory", "opened prices", "closed inventory", "closed prices");
        assertThatExceptionOfType(CallRejectedException.class)
                .isThrownBy(() -> holdfast.pipeline("prices").<String, RuntimeException>call(() -> "live"))
                .satisfies(rejected -> assertThat(rejected.reason()).isEqualTo(Reason.CLOSED));
    }

    @Test
    void ifOnePipelineCanNeverWorkNoneIsOpened() throws Exception {
        Path file = write("""
                shared: { pool: { bulkhead: } }
                pipelines:
                  inventory: { retry: }
                  prices: { bulkhead: { use: pool }, order: [bulkhead, bulkhead] }
                """);
        assertThatThrownBy(() -> Holdfast.builder().observer(observer).load(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(file
                        + ":4:3 pipelines.prices: pipeline 'prices' has the same bulkhead twice and can never work");
        assertThat(told).isEmpty();
    }

    @Test
    void aPipelineThatCannotBeMadeLeavesNoneOpen() throws Exception {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.ofDefaults();
        Path file = write("""
                pipelines:
                  inventory: { retry: }
                  prices: { circuit-breaker: { use: of-another-time } }
                """);
        Pipeline.of("other", breaker).close();
        try (VirtualTime time = new VirtualTime()) {
            assertThatThrownBy(() -> Holdfast.builder()
                            .bind("of-another-time", breaker)
                            .observer(observer)
                            .time(time)
                            .load(file))
                    .hasMessageContaining("another TimeSource");
        }
        assertThat(told).containsExactly("opened inventory", "closed inventory");
    }

    @Test
    void valuesOutOfRangeOfEveryModuleAreFoundWhereTheyStand() throws Exception {
        Path file = write("""
                pipelines:
                  inventory:
                    deadline: 0s
                    stale-cache:
                      max-entries: 0
                    retry:
                      max-attempts: 0
                      backoff:
                        multiplier: 0.5
                        initial: 40d
                    circuit-breaker:
                      failure-rate-threshold: 101
                    throttle:
                      limit: 0
                    bulkhead:
                      max-concurrent-calls: 0
                      max-wait: 2d
                    timeout:
                      limit: 0s
                    fallback: { value: none, function: empty }
                """);
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> Holdfast.builder()
                        .bind("empty", Function.class, error -> "")
                        .observer(observer)
                        .load(file))
                .satisfies(thrown -> assertThat(thrown.problems().stream().map(ClassPathTest::where))
                        .contains(
                                "3 pipelines.inventory.deadline",
                                "5 pipelines.inventory.stale-cache.max-entries",
                                "7 pipelines.inventory.retry.max-attempts",
                                "9 pipelines.inventory.retry.backoff.multiplier",
                                "10 pipelines.inventory.retry.backoff.initial",
                                "12 pipelines.inventory.circuit-breaker.failure-rate-threshold",
                                "14 pipelines.inventory.throttle.limit",
                                "16 pipelines.inventory.bulkhead.max-concurrent-calls",
                                "17 pipelines.inventory.bulkhead.max-wait",
                                "19 pipelines.inventory.timeout.limit",
                                "20 pipelines.inventory.fallback.function"))
                .withMessageContaining("exactly one of function, async-function, value and only-of-operations");
        assertThat(told).isEmpty();
    }

    @Test
    void chaosInAFileStandsInnermost() throws Exception {
        Path file = write("""
                pipelines:
                  inventory:
                    chaos: { enabled: true, seed: 7, error-rate: 1, error: reset, max-latency: 2h }
                    timeout: 1h
                """);
        try (Holdfast holdfast = Holdfast.builder()
                .bind("reset", Supplier.class, () -> new IOException("reset"))
                .load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            assertThat(inventory).hasToString("inventory: timeout > chaos > call");
            assertThatThrownBy(() -> inventory.<String, RuntimeException>call(() -> "live"))
                    .isInstanceOf(IOException.class)
                    .hasMessage("reset");
        }
    }

    @Test
    void ratesOfChaosAreSharesAndCalledAsInTheFile() throws Exception {
        assertThatThrownBy(() ->
                        Holdfast.load(write("pipelines: { inventory: { chaos: { enabled: true, error-rate: 10% } } }")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("error-rate: is 10%; did you mean 0.1?");
        assertThatThrownBy(() -> Holdfast.load(write(
                        "pipelines: { inventory: { chaos: { enabled: true, error-rate: 0.7, hang-rate: 0.7 } } }")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("latency-rate + error-rate + result-rate + hang-rate is 1.4; expected 0 to 1");
    }

    @Test
    void chaosThatIsNotEnabledInItsFileStopsTheStart() throws Exception {
        Path file = write("pipelines: { inventory: { chaos: { error-rate: 0.1 } } }");
        assertThatThrownBy(() -> Holdfast.load(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("inventory.chaos")
                .hasMessageContaining("enabled is false; expected true, said by you");
    }

    private static String where(Problem problem) {
        return problem.line() + " " + problem.path();
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(directory.resolve("holdfast.yaml"), yaml);
    }

    private static Path good(String name) throws Exception {
        URL file = ClassPathTest.class.getResource("/good/" + name + ".yaml");
        return Path.of(Objects.requireNonNull(file, name).toURI());
    }

    private static Duration limitOfDeadline(Pipeline pipeline) {
        return policy(pipeline, DeadlinePolicy.class).limit();
    }

    private static Duration limitOfTimeout(Pipeline pipeline) {
        return policy(pipeline, TimeoutPolicy.class).limit();
    }

    private static <P extends Policy> P policy(Pipeline pipeline, Class<P> kind) {
        return pipeline.policies().stream()
                .filter(kind::isInstance)
                .map(kind::cast)
                .findFirst()
                .orElseThrow();
    }
}
