/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static dev.holdfast.circuitbreaker.Rig.ILL;
import static dev.holdfast.circuitbreaker.Rig.WELL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Reply;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.TransitionCheckResult;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import io.github.resilience4j.circuitbreaker.ResultRecordedAsFailureException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is done to the breaker by hand, through the view, and stands whatever calls do at the same moment. */
class ManualStateTest {
    private static final List<State> MANUAL = List.of(State.FORCED_OPEN, State.DISABLED, State.METRICS_ONLY);

    private static void move(CircuitBreaker view, State state) {
        switch (state) {
            case FORCED_OPEN -> view.transitionToForcedOpenState();
            case DISABLED -> view.transitionToDisabledState();
            default -> view.transitionToMetricsOnlyState();
        }
    }

    @Test
    void whatHappensWhileASecondPipelineBindsItStays() {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        // As if the first pipeline had it, and opened it, just when the second one reads the time.
        List<Runnable> meanwhile = new ArrayList<>();
        Ticking time = new Ticking(0) {
            @Override
            public long nanos() {
                if (!meanwhile.isEmpty()) {
                    meanwhile.remove(0).run();
                }
                return super.nanos();
            }
        };
        meanwhile.add(() -> {
            policy.bind("first", time);
            policy.asResilience4j().transitionToOpenState();
        });
        policy.bind("second", time);
        assertThat(policy.asResilience4j().getState()).isEqualTo(State.OPEN);
    }

    private static List<String> changes(Rig rig) {
        return rig.pipeline.snapshot().changes().stream()
                .map(change -> change.policy() + " " + change.from() + " > " + change.to() + " " + change.cause())
                .toList();
    }

    @Test
    void whatIsDoneByHandIsToldAtOnceWithoutACall() {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(Way.CALL, policy)) {
            policy.asResilience4j().transitionToForcedOpenState();
            assertThat(rig.changes).containsExactly("inventory circuit-breaker closed > forced_open");
            policy.asResilience4j().transitionToDisabledState();
            policy.asResilience4j().reset();
            policy.asResilience4j().transitionToOpenStateFor(Duration.ofMinutes(1));
            assertThat(rig.changes).hasSize(4);
            assertThat(changes(rig))
                    .containsExactly(
                            "circuit-breaker closed > open by hand",
                            "circuit-breaker disabled > closed by hand",
                            "circuit-breaker forced_open > disabled by hand",
                            "circuit-breaker closed > forced_open by hand");
            rig.run(1, WELL);
            assertThat(rig.changes).as("told once").hasSize(4);
        }
    }

    @Test
    void whatIsDoneByHandInShadowIsToldAtOnce() {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(Way.CALL, ShadowPolicy.of(policy))) {
            policy.asResilience4j().transitionToForcedOpenState();
            assertThat(rig.changes).containsExactly("inventory circuit-breaker-shadow closed > forced_open");
        }
    }

    /** Those of a pipeline that is closed, or has another policy now, hear nothing more of it. */
    @Test
    void oneOfThePipelinesThatHaveItIsTold() {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        Rig first = new Rig(Way.CALL, policy);
        try (Rig second = new Rig(first, policy);
                Rig third = new Rig(first, policy)) {
            first.pipeline.close();
            second.pipeline.replace(CircuitBreakerPolicy.ofDefaults());
            policy.asResilience4j().transitionToForcedOpenState();
            assertThat(first.changes).isEmpty();
            assertThat(second.changes).isEmpty();
            assertThat(third.changes).containsExactly("inventory circuit-breaker closed > forced_open");
        }
    }

    @Test
    void initialStateOfAReloadIsToldAtOnce() {
        try (Rig rig = new Rig(Way.CALL, CircuitBreakerPolicy.ofDefaults())) {
            rig.pipeline.replace(CircuitBreakerPolicy.of(b -> b.initialState(CircuitBreakerPolicy.State.FORCED_OPEN)));
            assertThat(rig.changes).containsExactly("inventory circuit-breaker closed > forced_open");
            rig.pipeline.replace(CircuitBreakerPolicy.ofDefaults());
            assertThat(changes(rig))
                    .containsExactly(
                            "circuit-breaker forced_open > closed by the option initial-state",
                            "circuit-breaker closed > forced_open by the option initial-state");
        }
    }

    @Test
    void snapshotLooksAtTheStateOfAnExistingBreaker() {
        CircuitBreaker existing = CircuitBreaker.ofDefaults("theirs");
        try (Rig rig = new Rig(Way.CALL, CircuitBreakerPolicy.of(existing))) {
            existing.transitionToForcedOpenState();
            assertThat(changes(rig))
                    .containsExactly("circuit-breaker closed > forced_open decided by the existing breaker 'theirs'");
        }
    }

    /** Time alone changes the state, and nobody calls. */
    @Test
    void snapshotLooksAtAStateThatHasEndedByTime() {
        CircuitBreakerPolicy policy =
                CircuitBreakerPolicy.of(b -> b.automaticTransitionFromOpenToHalfOpenEnabled(true));
        try (Rig rig = new Rig(Way.CALL, policy)) {
            policy.asResilience4j().transitionToOpenState();
            rig.advance(Duration.ofMinutes(1));
            assertThat(changes(rig))
                    .containsExactly(
                            "circuit-breaker open > half_open its wait is over",
                            "circuit-breaker closed > open by hand");
        }
    }

    private static CircuitBreakerConfig.Builder tripping(TransitionCheckResult how) {
        return CircuitBreakerConfig.custom()
                .slidingWindowSize(2)
                .minimumNumberOfCalls(2)
                .transitionOnResult(any -> how);
    }

    private static List<TransitionCheckResult> waysToOpen() {
        return List.of(
                TransitionCheckResult.transitionToOpen(),
                TransitionCheckResult.transitionToOpenAndWaitFor(Duration.ofSeconds(1)),
                TransitionCheckResult.transitionToOpenAndWaitUntil(java.time.Instant.EPOCH.plusSeconds(1)));
    }

    @Test
    void stateThatIsChosenWhileAResultIsJudgedStands() {
        for (State state : MANUAL) {
            for (TransitionCheckResult how : waysToOpen()) {
                AtomicReference<CircuitBreaker> view = new AtomicReference<>();
                CircuitBreakerConfig config = tripping(how)
                        .transitionOnResult(any -> {
                            move(view.get(), state);
                            return how;
                        })
                        .build();
                view.set(CircuitBreakerPolicy.of(CircuitBreakerSettings.from(config))
                        .asResilience4j());
                view.get().onError(1, TimeUnit.NANOSECONDS, new IOException("ill"));
                assertThat(view.get().getState()).isEqualTo(state);
                view.get().transitionToClosedState();
                view.get().onResult(1, TimeUnit.NANOSECONDS, "any");
                assertThat(view.get().getState()).isEqualTo(state);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = State.class,
            names = {"FORCED_OPEN", "DISABLED", "METRICS_ONLY"})
    void stateThatIsChosenWhileThreadsReportStandsAndNobodyIsThrownAt(State state) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(3, ThreadKind.current());
        try {
            for (TransitionCheckResult how : waysToOpen()) {
                for (int round = 0; round < 300; round++) {
                    CircuitBreaker view = CircuitBreakerPolicy.of(
                                    CircuitBreakerSettings.from(tripping(how).build()))
                            .asResilience4j();
                    together(
                            threads,
                            () -> move(view, state),
                            () -> view.onError(1, TimeUnit.NANOSECONDS, new IOException("ill")),
                            () -> view.onResult(1, TimeUnit.NANOSECONDS, "any"));
                    assertThat(view.getState()).as("round %d", round).isEqualTo(state);
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static void together(ExecutorService threads, Runnable... tasks) throws Exception {
        CyclicBarrier start = new CyclicBarrier(tasks.length);
        List<Future<Void>> ends = new ArrayList<>();
        for (Runnable task : tasks) {
            Callable<Void> work = () -> {
                start.await();
                task.run();
                return null;
            };
            ends.add(threads.submit(work));
        }
        for (Future<Void> end : ends) {
            end.get();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void lateResultOfAPipelinesCallUndoesNothing(Way way) {
        for (State state : MANUAL) {
            CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.slidingWindowSize(1));
            try (Rig rig = new Rig(way, policy)) {
                Running<Reply<Object>> late = rig.start(ILL.taking(Duration.ofMillis(10)));
                move(policy.asResilience4j(), state);
                rig.advance(Duration.ofMillis(10));
                assertThat(late.error()).isSameAs(ILL.error());
                assertThat(policy.state().name()).isEqualTo(state.name());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whoOnlyMeasuresThrowsAtNobodyAndTurnsNobodyAway(Way way) {
        CircuitBreakerPolicy policy =
                CircuitBreakerPolicy.of(b -> b.slidingWindowSize(5).slowCallDurationThreshold(Duration.ofMillis(1)));
        policy.asResilience4j().transitionToMetricsOnlyState();
        try (Rig rig = new Rig(way, policy)) {
            for (int i = 0; i < 20; i++) {
                assertThat(rig.errorOf(ILL.taking(Duration.ofMillis(i)))).isSameAs(ILL.error());
            }
            assertThat(rig.run(WELL)).isCompleted();
            assertThat(policy.state()).isEqualTo(CircuitBreakerPolicy.State.METRICS_ONLY);
        }
    }

    @Test
    void whatIsRefusedNamesTheViewThatWasAsked() {
        CircuitBreakerConfig config =
                CircuitBreakerConfig.custom().recordResult("bad"::equals).build();
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(CircuitBreakerSettings.from(config));
        CircuitBreaker view = policy.asResilience4j("inventory", Map.of());
        List<Throwable> recorded = new ArrayList<>();
        view.getEventPublisher().onError(event -> recorded.add(event.getThrowable()));
        view.onResult(1, TimeUnit.NANOSECONDS, "bad");
        assertThat(recorded)
                .singleElement()
                .isInstanceOfSatisfying(
                        ResultRecordedAsFailureException.class,
                        e -> assertThat(e.getCircuitBreakerName()).isEqualTo("inventory"));
        List<Consumer<CircuitBreaker>> notFromHere = List.of(
                CircuitBreaker::transitionToHalfOpenState,
                CircuitBreaker::transitionToOpenState,
                b -> b.transitionToOpenStateFor(Duration.ofSeconds(1)),
                b -> b.transitionToOpenStateUntil(java.time.Instant.MAX));
        view.transitionToMetricsOnlyState();
        for (Consumer<CircuitBreaker> transition : notFromHere) {
            assertThatThrownBy(() -> transition.accept(view))
                    .isInstanceOf(IllegalStateTransitionException.class)
                    .hasMessageStartingWith("CircuitBreaker 'inventory'");
        }
        view.transitionToForcedOpenState();
        assertThatThrownBy(view::acquirePermission)
                .isInstanceOfSatisfying(
                        CallNotPermittedException.class,
                        e -> assertThat(e.getCausingCircuitBreakerName()).isEqualTo("inventory"))
                .hasMessageStartingWith("CircuitBreaker 'inventory' is FORCED_OPEN");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void stackTracesAreWritableIfTheConfigSaysSoAlsoOfItsCopies(boolean writable) {
        CircuitBreakerSettings settings = CircuitBreakerSettings.from(CircuitBreakerConfig.custom()
                .writableStackTraceEnabled(writable)
                .build());
        for (CircuitBreakerSettings each :
                List.of(settings, settings.toBuilder().build())) {
            CircuitBreaker view = CircuitBreakerPolicy.of(each).asResilience4j("inventory", Map.of());
            view.transitionToForcedOpenState();
            assertThat(view.getCircuitBreakerConfig().isWritableStackTraceEnabled())
                    .isEqualTo(writable);
            assertThatThrownBy(view::acquirePermission)
                    .satisfies(e -> assertThat(e.getStackTrace().length > 0).isEqualTo(writable));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whoGivesBackWhatAnotherThreadTookLetsNoMoreProbesOut(boolean leased) throws Exception {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .permittedNumberOfCallsInHalfOpenState(5)
                .build();
        CircuitBreakerSettings settings =
                leased ? CircuitBreakerSettings.builder().build() : CircuitBreakerSettings.from(config);
        Ticking time = new Ticking(1_000);
        CircuitBreaker view = Breaker.own("probing", settings, time);
        view.transitionToOpenState();
        view.transitionToHalfOpenState();
        for (int i = 0; i < 5; i++) {
            assertThat(elsewhere(view::tryAcquirePermission)).isTrue();
        }
        for (int i = 0; i < 3; i++) {
            view.releasePermission();
        }
        assertThat(view.tryAcquirePermission()).as("all five still run").isFalse();
        // If it was one of the probes after all, its place is there again after the lease, as if it had been silent.
        time.advance(TimeUnit.SECONDS.toNanos(5));
        assertThat(view.tryAcquirePermission()).isTrue();
        view.releasePermission();
        assertThat(view.tryAcquirePermission()).as("the thread's own").isTrue();
    }

    @Test
    void probeReportsFromWhateverThread() throws Exception {
        CircuitBreaker view = CircuitBreakerPolicy.of(CircuitBreakerSettings.from(CircuitBreakerConfig.custom()
                        .permittedNumberOfCallsInHalfOpenState(3)
                        .build()))
                .asResilience4j();
        view.transitionToOpenState();
        view.transitionToHalfOpenState();
        for (int i = 0; i < 3; i++) {
            assertThat(view.tryAcquirePermission()).isTrue();
            assertThat(elsewhere(() -> {
                        view.onSuccess(1, TimeUnit.NANOSECONDS);
                        return true;
                    }))
                    .isTrue();
        }
        assertThat(view.getState()).isEqualTo(State.CLOSED);
    }

    private static boolean elsewhere(Callable<Boolean> work) throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            return thread.submit(work).get();
        } finally {
            thread.shutdown();
        }
    }
}
