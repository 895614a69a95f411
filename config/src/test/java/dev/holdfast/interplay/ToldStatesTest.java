/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.config.Holdfast;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The last change of a state that observers, meters and snapshots know of says what the state is. */
@Logs("circuit-breaker was")
class ToldStatesTest {
    private static final String TIMEOUT = "pipelines:\n  inventory:\n    timeout: 1s\n";
    private static final String ACTIVE = TIMEOUT + "    circuit-breaker: {}\n";
    private static final String SHADOW = TIMEOUT + "    circuit-breaker: { mode: shadow }\n";

    private final List<String> changes = new CopyOnWriteArrayList<>();
    private final CallObserver recorder = new CallObserver() {
        @Override
        public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
            changes.add(policy + " " + from + " > " + to + ": " + cause);
        }
    };

    @TempDir
    private Path directory;

    private static void forceOpen(Pipeline pipeline) {
        pipeline.policy(CircuitBreakerPolicy.class).asResilience4j().transitionToForcedOpenState();
    }

    private List<String> afterForcedOpen(String... files) throws IOException {
        Path file = directory.resolve("holdfast.yaml");
        Files.writeString(file, ACTIVE);
        try (Holdfast holdfast = Holdfast.builder().observer(recorder).load(file)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            forceOpen(inventory);
            for (String next : files) {
                Files.writeString(file, next);
                holdfast.reload();
            }
            assertThat(inventory.snapshot().changes()).hasSameSizeAs(changes);
            return changes.subList(1, changes.size());
        }
    }

    @Test
    void aReloadThatPutsABreakerIntoShadowTellsThatItIsClosed() throws IOException {
        assertThat(afterForcedOpen(SHADOW, ACTIVE))
                .containsExactly("circuit-breaker forced_open > closed: the policy went into shadow");
    }

    @Test
    void aReloadThatRemovesABreakerTellsThatItIsClosed() throws IOException {
        assertThat(afterForcedOpen(TIMEOUT, ACTIVE))
                .containsExactly("circuit-breaker forced_open > closed: the policy was removed");
    }

    @Test
    void aReloadThatKeepsTheStateTellsNothing() throws IOException {
        assertThat(afterForcedOpen(ACTIVE.replace("{}", "{ failure-rate-threshold: 80 }"), ACTIVE.replace("1s", "2s")))
                .isEmpty();
    }

    @Test
    void aBreakerThatCannotTakeOverTellsItsOwnState() {
        CircuitBreakerPolicy shared = CircuitBreakerPolicy.ofDefaults();
        try (Pipeline inventory = pipeline(recorder, shared);
                Pipeline other = Pipeline.of("other", shared)) {
            assertThat(other.name()).isEqualTo("other");
            shared.asResilience4j().transitionToForcedOpenState();
            changes.clear();
            inventory.replace(CircuitBreakerPolicy.ofDefaults());
            assertThat(changes).containsExactly("circuit-breaker forced_open > closed: the policy was replaced");
        }
    }

    @Test
    void aBreakerThatGoesIntoShadowAndOutOfItKeepsItsStateUnderBothNames() {
        try (Pipeline inventory = pipeline(recorder, CircuitBreakerPolicy.ofDefaults())) {
            forceOpen(inventory);
            changes.clear();
            inventory.shadow("circuit-breaker");
            assertThat(changes)
                    .containsExactly(
                            "circuit-breaker forced_open > closed: the policy went into shadow",
                            "circuit-breaker-shadow closed > forced_open: the policy went into shadow");
            changes.clear();
            inventory.enforce("circuit-breaker");
            assertThat(changes)
                    .containsExactly(
                            "circuit-breaker-shadow forced_open > closed: the policy was taken out of shadow",
                            "circuit-breaker closed > forced_open: the policy was taken out of shadow");
        }
    }

    @Test
    void aBreakerThatIsAddedOpenTellsIt() {
        try (Pipeline inventory = pipeline(recorder, TimeoutPolicy.of(Duration.ofSeconds(1)))) {
            inventory.replace(CircuitBreakerPolicy.of(b -> b.initialState(State.FORCED_OPEN)));
            assertThat(changes).containsExactly("circuit-breaker closed > forced_open: the policy was added");
        }
    }

    @Test
    void anExistingBreakerThatIsRemovedTellsThatItIsClosed() {
        CircuitBreaker existing = CircuitBreaker.ofDefaults("theirs");
        try (Pipeline inventory = pipeline(recorder, CircuitBreakerPolicy.of(existing))) {
            existing.transitionToForcedOpenState();
            assertThat(inventory.snapshot().changes()).hasSize(1);
            changes.clear();
            inventory.replace(TimeoutPolicy.of(Duration.ofSeconds(1)));
            assertThat(changes).containsExactly("circuit-breaker forced_open > closed: the policy was removed");
        }
    }

    private static Pipeline pipeline(CallObserver observer, Policy policy) {
        return Pipeline.builder("inventory").policies(policy).observer(observer).build();
    }

    @Test
    void aChangeThatAnObserverMakesIsToldAfterTheOneThatItHeard() {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.ofDefaults();
        AtomicBoolean isDone = new AtomicBoolean();
        CallObserver undoes = new CallObserver() {
            @Override
            public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
                if (isDone.compareAndSet(false, true)) {
                    breaker.asResilience4j().transitionToClosedState();
                }
            }
        };
        try (Pipeline inventory = Pipeline.builder("inventory")
                .with(breaker)
                .observer(undoes)
                .observer(recorder)
                .build()) {
            breaker.asResilience4j().transitionToForcedOpenState();
            assertThat(changes)
                    .containsExactly(
                            "circuit-breaker closed > forced_open: by hand",
                            "circuit-breaker forced_open > closed: by hand");
            assertThat(inventory.snapshot().changes())
                    .extracting(change -> change.to())
                    .containsExactly("closed", "forced_open");
        }
    }

    @Test
    void anObserverThatWaitsKeepsUpNoOtherOneAndNoChange() throws InterruptedException {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.ofDefaults();
        CountDownLatch isWaiting = new CountDownLatch(1);
        CountDownLatch goesOn = new CountDownLatch(1);
        List<String> heard = new CopyOnWriteArrayList<>();
        CallObserver waits = new CallObserver() {
            @Override
            public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
                heard.add(to);
                isWaiting.countDown();
                boolean unused = await(goesOn);
            }
        };
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        try (Pipeline inventory = Pipeline.builder("inventory")
                .with(breaker)
                .observer(waits)
                .observer(new MicrometerObserver(registry))
                .observer(recorder)
                .build()) {
            Thread first = new Thread(() -> breaker.asResilience4j().transitionToForcedOpenState());
            first.start();
            assertThat(await(isWaiting)).isTrue();
            assertThat(changesIn(registry))
                    .as("the library's own hear it first")
                    .isEqualTo(1);
            assertThat(inventory.snapshot().changes()).hasSize(1);

            breaker.asResilience4j().transitionToDisabledState();
            assertThat(inventory.snapshot().changes())
                    .extracting(change -> change.to())
                    .containsExactly("disabled", "forced_open");
            assertThat(changesIn(registry)).isEqualTo(2);
            assertThat(changes)
                    .containsExactly(
                            "circuit-breaker closed > forced_open: by hand",
                            "circuit-breaker forced_open > disabled: by hand");
            assertThat(heard).containsExactly("forced_open");
            goesOn.countDown();
            first.join();
            assertThat(heard).containsExactly("forced_open", "disabled");
        }
    }

    private static double changesIn(SimpleMeterRegistry registry) {
        return registry.find("holdfast.state.changes").meters().stream()
                .mapToDouble(meter -> meter.measure().iterator().next().getValue())
                .sum();
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
