/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static dev.holdfast.circuitbreaker.Rig.ILL;
import static dev.holdfast.circuitbreaker.Rig.WELL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testlogs.Logs;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.StateTransition;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.core.RegistryStore;
import io.github.resilience4j.core.functions.CheckedSupplier;
import io.github.resilience4j.core.registry.InMemoryRegistryStore;
import io.github.resilience4j.micrometer.tagged.TaggedCircuitBreakerMetrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** The view in the hands of resilience4j's own classes. */
@Logs({
    "a consumer of events of circuit breaker '.*' threw; told once: .*consumer",
    "recordException\\(s\\) of resilience4j's config is not asked",
    "ignoreException\\(s\\) of resilience4j's config is not asked",
    "recordResult of resilience4j's config is not asked"
})
class ViewTest {
    /** On the system's time, where no pipeline brings another: nothing may become due while a test runs. */
    private static final Duration LONG = Duration.ofHours(1);

    private final CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(
            b -> b.slidingWindowSize(4).minimumNumberOfCalls(4).waitDurationInOpenState(LONG));
    private final CircuitBreaker view = policy.asResilience4j("inventory", Map.of("team", "stock"));

    private static <T> CheckedSupplier<T> failing() {
        return () -> {
            throw new IOException("ill");
        };
    }

    @Test
    void showsWhatThePipelineDoes() {
        List<String> events = new ArrayList<>();
        view.getEventPublisher()
                .onEvent(event -> events.add(event.getEventType().name()));
        try (Rig rig = new Rig(Way.CALL, policy)) {
            rig.run(1, WELL);
            rig.run(3, ILL);
            rig.run(1, Work.error(new IllegalArgumentException("404")));
            assertThat(view.getMetrics().getFailureRate()).isEqualTo(75);
            assertThat(view.getMetrics().getSlowCallRate()).isZero();
            rig.run(1, ILL);
            assertThat(view.getState()).isEqualTo(State.OPEN);
            rig.run(2, WELL);
            assertThat(view.getMetrics().getNumberOfNotPermittedCalls()).isEqualTo(2);
        }
        assertThat(events)
                .containsExactly(
                        "SUCCESS",
                        "ERROR",
                        "ERROR",
                        "ERROR",
                        "IGNORED_ERROR",
                        "ERROR",
                        "FAILURE_RATE_EXCEEDED",
                        "STATE_TRANSITION",
                        "NOT_PERMITTED",
                        "NOT_PERMITTED");
    }

    @Test
    @SuppressWarnings("NullAway") // as a program would that is not checked for nulls
    void needsANameAndTags() {
        assertThatThrownBy(() -> policy.asResilience4j(null, Map.of())).hasMessage("name");
        assertThatThrownBy(() -> policy.asResilience4j("good", null)).hasMessage("tags");
        assertThat(policy.asResilience4j("good", Map.of()).getName()).isEqualTo("good");
    }

    @Test
    void isCalledLikeTheFirstPipelineOfItsPolicy() {
        CircuitBreakerPolicy shared = CircuitBreakerPolicy.ofDefaults();
        assertThat(shared.asResilience4j().getName()).isEqualTo("circuit-breaker");
        try (Pipeline first = Pipeline.of("inventory", shared);
                Pipeline second = Pipeline.of("prices", shared)) {
            assertThat(List.of(first, second)).doesNotHaveDuplicates();
            assertThat(shared.asResilience4j().getName()).isEqualTo("inventory");
            assertThat(shared.asResilience4j()).isSameAs(shared.asResilience4j());
        }
    }

    @Test
    void isDrivenByTheirDecorators() throws Throwable {
        assertThat(view.executeSupplier(() -> "well")).isEqualTo("well");
        assertThat(view.executeCallable(() -> "well")).isEqualTo("well");
        view.executeRunnable(() -> {});
        CheckedSupplier<String> decorated = CircuitBreaker.decorateCheckedSupplier(view, failing());
        for (int i = 0; i < 4; i++) {
            assertThatThrownBy(decorated::get).isInstanceOf(IOException.class);
        }
        assertThat(policy.state()).isEqualTo(CircuitBreakerPolicy.State.OPEN);
        assertThatThrownBy(decorated::get)
                .isInstanceOf(CallNotPermittedException.class)
                .hasMessage("CircuitBreaker 'inventory' is OPEN and does not permit further calls")
                .extracting(Throwable::getStackTrace)
                .isEqualTo(new StackTraceElement[0]);
        Supplier<CompletionStage<String>> later =
                CircuitBreaker.decorateCompletionStage(view, () -> CompletableFuture.completedFuture("well"));
        assertThat(later.get().toCompletableFuture()).isCompletedExceptionally();
        view.transitionToClosedState();
        assertThat(later.get().toCompletableFuture()).isCompletedWithValue("well");
        assertThat(view.getMetrics().getNumberOfSuccessfulCalls()).isOne();
    }

    @Test
    void goesIntoTheirRegistryThroughAFilledStore() {
        RegistryStore<CircuitBreaker> store = new InMemoryRegistryStore<>();
        assertThat(store.putIfAbsent(view.getName(), view)).isNull();
        CircuitBreakerRegistry registry =
                CircuitBreakerRegistry.custom().withRegistryStore(store).build();
        assertThat(registry.circuitBreaker("inventory")).isSameAs(view);
        assertThat(registry.getAllCircuitBreakers()).containsExactly(view);
    }

    @Test
    void feedsTheirMeters() {
        RegistryStore<CircuitBreaker> store = new InMemoryRegistryStore<>();
        CircuitBreaker unused = store.putIfAbsent(view.getName(), view);
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        TaggedCircuitBreakerMetrics.ofCircuitBreakerRegistry(
                        CircuitBreakerRegistry.custom().withRegistryStore(store).build())
                .bindTo(meters);
        try (Rig rig = new Rig(Way.CALL_ASYNC, policy)) {
            rig.run(1, WELL);
            rig.run(4, ILL);
            rig.run(3, WELL);
        }
        assertThat(meters.get("resilience4j.circuitbreaker.state")
                        .tags("name", "inventory", "team", "stock", "state", "open")
                        .gauge()
                        .value())
                .isEqualTo(1);
        assertThat(meters.get("resilience4j.circuitbreaker.failure.rate")
                        .gauge()
                        .value())
                .isEqualTo(100);
        assertThat(meters.get("resilience4j.circuitbreaker.calls")
                        .tag("kind", "failed")
                        .timer()
                        .count())
                .isEqualTo(4);
        assertThat(meters.get("resilience4j.circuitbreaker.calls")
                        .tag("kind", "successful")
                        .timer()
                        .count())
                .isEqualTo(1);
        assertThat(meters.get("resilience4j.circuitbreaker.not.permitted.calls")
                        .counter()
                        .count())
                .isEqualTo(3);
    }

    @Test
    void everyKindOfEventReachesItsOwnConsumers() {
        CircuitBreakerPolicy tripping = CircuitBreakerPolicy.of(b -> b.slidingWindowSize(1)
                .waitDurationInOpenState(LONG)
                .slowCallDurationThreshold(Duration.ofMillis(1))
                .slowCallRateThreshold(1));
        CircuitBreaker seen = tripping.asResilience4j();
        List<String> events = new ArrayList<>();
        seen.getEventPublisher()
                .onSuccess(e -> events.add("success " + e.getElapsedDuration()))
                .onError(e -> events.add("error " + e.getThrowable().getMessage()))
                .onIgnoredError(e -> events.add("ignored"))
                .onCallNotPermitted(e -> events.add("not permitted"))
                .onFailureRateExceeded(e -> events.add("failure rate " + e.getFailureRate()))
                .onSlowCallRateExceeded(e -> events.add("slow rate " + e.getSlowCallRate()))
                .onStateTransition(e -> events.add(e.getStateTransition().name()))
                .onReset(e -> events.add("reset"));
        seen.onSuccess(3, TimeUnit.NANOSECONDS);
        seen.onError(2, TimeUnit.MILLISECONDS, new IOException("ill"));
        boolean permitted = seen.tryAcquirePermission();
        seen.reset();
        assertThat(permitted).isFalse();
        assertThat(events)
                .containsExactly(
                        "success PT0.000000003S",
                        "error ill",
                        "failure rate 100.0",
                        "slow rate 100.0",
                        "CLOSED_TO_OPEN",
                        "not permitted",
                        "OPEN_TO_CLOSED",
                        "reset");
    }

    @Test
    void consumerThatThrowsBreaksNoCall() {
        view.getEventPublisher().onEvent(event -> {
            throw new AssertionError("consumer");
        });
        view.onSuccess(1, TimeUnit.NANOSECONDS);
        assertThat(view.getMetrics().getNumberOfBufferedCalls()).isOne();
    }

    @Test
    void whatIsReportedTwiceOrWithoutAdmissionOrGivenBackForNothingCorruptsNothing() {
        CircuitBreakerPolicy probing = CircuitBreakerPolicy.of(b -> b.permittedNumberOfCallsInHalfOpenState(3)
                .minimumNumberOfCalls(20)
                .probeLease(LONG));
        CircuitBreaker seen = probing.asResilience4j();
        seen.transitionToOpenState();
        seen.transitionToHalfOpenState();
        for (int i = 0; i < 50; i++) {
            seen.releasePermission();
        }
        assertThat(List.of(seen.tryAcquirePermission(), seen.tryAcquirePermission(), seen.tryAcquirePermission()))
                .containsOnly(true);
        assertThat(seen.tryAcquirePermission()).isFalse();
        seen.onError(1, TimeUnit.NANOSECONDS, new IOException("once"));
        seen.onError(1, TimeUnit.NANOSECONDS, new IOException("twice"));
        seen.releasePermission();
        seen.releasePermission();
        assertThat(seen.tryAcquirePermission()).isTrue();
        assertThat(seen.tryAcquirePermission()).isFalse();
        seen.onSuccess(1, TimeUnit.NANOSECONDS);
        assertThat(seen.getState()).isEqualTo(State.CLOSED);
    }

    @Test
    void givingBackThroughTheViewTakesNoPermitFromAPipelinesCall() {
        CircuitBreakerPolicy probing = CircuitBreakerPolicy.of(b -> b.permittedNumberOfCallsInHalfOpenState(2));
        CircuitBreaker seen = probing.asResilience4j();
        try (Rig rig = new Rig(Way.CALL_ASYNC, probing)) {
            seen.transitionToOpenState();
            seen.transitionToHalfOpenState();
            rig.start(WELL.taking(Duration.ofMillis(50)));
            rig.start(WELL.taking(Duration.ofMillis(50)));
            seen.releasePermission();
            assertThat(rig.start(WELL).error()).hasMessageContaining("all 2 probes are out");
            rig.time.run();
            assertThat(seen.getState()).isEqualTo(State.CLOSED);
        }
    }

    @Test
    void resultPredicatesOfTheConfigDecideForTheViewAlone() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .recordException(e -> e instanceof IOException)
                .ignoreException(e -> e instanceof IllegalArgumentException)
                .recordResult("bad"::equals)
                .build();
        CircuitBreakerPolicy made = CircuitBreakerPolicy.of(CircuitBreakerSettings.from(config));
        CircuitBreaker seen = made.asResilience4j();
        seen.onResult(1, TimeUnit.NANOSECONDS, "bad");
        seen.onError(1, TimeUnit.NANOSECONDS, new IllegalStateException("not recorded"));
        seen.onError(1, TimeUnit.NANOSECONDS, new IllegalArgumentException("ignored"));
        assertThat(seen.getMetrics().getNumberOfFailedCalls()).isOne();
        assertThat(seen.getMetrics().getNumberOfSuccessfulCalls()).isOne();
        try (Rig rig = new Rig(Way.CALL, made)) {
            rig.run(1, Work.error(new IllegalStateException("a failure to the classifier")));
            assertThat(seen.getMetrics().getNumberOfFailedCalls()).isEqualTo(2);
        }
    }

    @Test
    void configShowsTheSettingsAndTheBreakersOwnTime() {
        CircuitBreakerConfig config = view.getCircuitBreakerConfig();
        assertThat(config.getSlidingWindowSize()).isEqualTo(4);
        assertThat(config.getFailureRateThreshold()).isEqualTo(90);
        assertThat(config.getWaitIntervalFunctionInOpenState().apply(1)).isEqualTo(LONG.toMillis());
        assertThat(config.isWritableStackTraceEnabled()).isFalse();
        assertThat(view.getTimestampUnit()).isEqualTo(TimeUnit.NANOSECONDS);
        try (Rig rig = new Rig(Way.CALL, policy)) {
            assertThat(config.getClock().instant()).isEqualTo(Instant.ofEpochMilli(rig.time.millis()));
            long before = view.getCurrentTimestamp();
            rig.advance(Duration.ofNanos(7));
            assertThat(view.getCurrentTimestamp()).isEqualTo(before + 7);
            assertThat(config.getCurrentTimestampFunction().apply(config.getClock()))
                    .isEqualTo(before + 7);
        }
    }

    @Test
    void stackTracesAreAsTheConfigSays() {
        CircuitBreaker seen = CircuitBreakerPolicy.of(CircuitBreakerSettings.from(CircuitBreakerConfig.ofDefaults()))
                .asResilience4j();
        seen.transitionToForcedOpenState();
        assertThatThrownBy(seen::acquirePermission)
                .isInstanceOf(CallNotPermittedException.class)
                .satisfies(e -> assertThat(e.getStackTrace()).isNotEmpty());
    }

    @Test
    void isOneForEachNameAndSetOfTags() {
        assertThat(policy.asResilience4j("inventory", Map.of("team", "stock"))).isSameAs(view);
        assertThat(policy.asResilience4j()).isSameAs(policy.asResilience4j()).isNotSameAs(view);
        assertThat(policy.asResilience4j("inventory", Map.of())).isNotSameAs(view);
        assertThat(view.getTags()).isEqualTo(Map.of("team", "stock"));
        assertThat(view).hasToString("CircuitBreaker 'inventory'");
        List<StateTransition> other = new ArrayList<>();
        policy.asResilience4j().getEventPublisher().onStateTransition(e -> other.add(e.getStateTransition()));
        view.transitionToDisabledState();
        assertThat(other).containsExactly(StateTransition.CLOSED_TO_DISABLED);
    }

    @Test
    void whatWasOpenedBeforeThereWasAPipelineStaysOpenForItsTime() {
        view.transitionToOpenStateFor(Duration.ofHours(1));
        try (Rig rig = new Rig(Way.CALL, policy)) {
            assertThat(rig.rejection().retryAfter().orElseThrow())
                    .isBetween(Duration.ofMinutes(59), Duration.ofHours(1).plusNanos(1));
            rig.advance(Duration.ofHours(1).plusNanos(1));
            assertThat(rig.run(WELL)).isCompleted();
        }
    }

    @Test
    void opensUntilAMomentOfItsClockHoweverFar() {
        try (Rig rig = new Rig(Way.CALL, policy)) {
            view.transitionToOpenStateUntil(
                    Instant.ofEpochMilli(rig.time.millis()).plusSeconds(3));
            assertThat(rig.rejection().retryAfter())
                    .contains(Duration.ofSeconds(3).plusNanos(1));
            view.transitionToOpenStateUntil(Instant.MAX);
            assertThat(rig.rejection().retryAfter())
                    .contains(Duration.ofDays(20_000).plusNanos(1));
            view.transitionToOpenStateFor(Duration.ofSeconds(Long.MAX_VALUE));
            assertThat(rig.rejection().retryAfter())
                    .contains(Duration.ofDays(20_000).plusNanos(1));
            view.transitionToOpenStateUntil(Instant.MIN);
            rig.advance(Duration.ofNanos(1));
            assertThat(rig.run(WELL)).isCompleted();
        }
    }
}
