/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.circuitbreaker.internal.engine.Engine;
import dev.holdfast.circuitbreaker.internal.engine.Window;
import dev.holdfast.testlogs.Logged;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.StateTransition;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.TransitionCheckResult;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import io.github.resilience4j.circuitbreaker.internal.SchedulerFactory;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Where our view and resilience4j's breaker differ, as docs/circuit-breaker.md says, and where they might be thought to and do not. */
class DifferencesTest {
    private final Ticking time = new Ticking(1_000);

    private CircuitBreaker theirs(CircuitBreakerConfig config) {
        return CircuitBreaker.of(
                "twin", CircuitBreakerConfig.from(config).clock(time.clock()).build());
    }

    private CircuitBreaker ours(CircuitBreakerConfig config) {
        return Twins.ours(config, time);
    }

    private static CircuitBreakerConfig.Builder two() {
        return CircuitBreakerConfig.custom().permittedNumberOfCallsInHalfOpenState(2);
    }

    private static CircuitBreaker halfOpen(CircuitBreaker breaker) {
        breaker.transitionToOpenState();
        breaker.transitionToHalfOpenState();
        return breaker;
    }

    private static int permits(CircuitBreaker breaker) {
        int permits = 0;
        while (breaker.tryAcquirePermission()) {
            permits++;
        }
        return permits;
    }

    @Test
    void permitThatWasNotTakenIsNotGivenBack() {
        CircuitBreaker theirs = halfOpen(theirs(two().build()));
        CircuitBreaker ours = halfOpen(ours(two().build()));
        theirs.releasePermission();
        ours.releasePermission();
        assertThat(permits(theirs)).isEqualTo(3);
        assertThat(permits(ours)).isEqualTo(2);
    }

    @Test
    void callOfThePipelineCountsOnlyInTheStateThatAdmittedIt() {
        CircuitBreakerConfig config = two().build();
        CircuitBreaker theirs = theirs(config);
        boolean admitted = theirs.tryAcquirePermission();
        halfOpen(theirs).onError(1, TimeUnit.NANOSECONDS, new IOException("late"));
        assertThat(theirs.getMetrics().getNumberOfFailedCalls()).isOne();
        assertThat(admitted).isTrue();

        Engine ours = Engines.of(CircuitBreakerSettings.from(config));
        long token = ours.acquire(0);
        ours.moveTo(Engines.state(State.OPEN), 0);
        ours.moveTo(Engines.state(State.HALF_OPEN), 0);
        ours.record(token, Window.FAILED, 0);
        assertThat(ours.life().window.totals(0).failed()).isZero();
        // Through the view, which has no tokens, it counts as theirs does.
        CircuitBreaker view = ours(config);
        halfOpen(view).onError(1, TimeUnit.NANOSECONDS, new IOException("late"));
        assertThat(view.getMetrics().getNumberOfFailedCalls()).isOne();
    }

    @Test
    void resultThatFindsItOpenedFromAStateThatCountsNothingIsNotCounted() {
        CircuitBreaker theirs = theirs(CircuitBreakerConfig.ofDefaults());
        CircuitBreaker ours = ours(CircuitBreakerConfig.ofDefaults());
        for (CircuitBreaker breaker : new CircuitBreaker[] {theirs, ours}) {
            breaker.transitionToForcedOpenState();
            breaker.transitionToOpenState();
        }
        assertThatThrownBy(() -> theirs.onSuccess(1, TimeUnit.NANOSECONDS)).isInstanceOf(ArithmeticException.class);
        ours.onSuccess(1, TimeUnit.NANOSECONDS);
        assertThat(ours.getMetrics().getNumberOfBufferedCalls()).isZero();
    }

    @Test
    void openingAtOnceBecauseOfAResultIsWhatTheirDocumentationSays() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .transitionOnResult(any -> TransitionCheckResult.transitionToOpen())
                .build();
        CircuitBreaker theirs = theirs(config);
        assertThatThrownBy(() -> theirs.onResult(1, TimeUnit.NANOSECONDS, "any"))
                .isInstanceOf(IllegalArgumentException.class);
        // It is not open, and turns everything away for ever.
        assertThat(theirs.getState()).isEqualTo(State.CLOSED);
        assertThat(theirs.tryAcquirePermission()).isFalse();
        CircuitBreaker ours = ours(config);
        ours.onResult(1, TimeUnit.NANOSECONDS, "any");
        assertThat(ours.getState()).isEqualTo(State.OPEN);
    }

    @Test
    void openingUntilAMomentBecauseOfAResultIsTheSame() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .transitionOnResult(any -> TransitionCheckResult.transitionToOpenAndWaitUntil(
                        time.clock().instant().plusSeconds(7)))
                .build();
        for (CircuitBreaker breaker : new CircuitBreaker[] {theirs(config), ours(config)}) {
            breaker.onResult(1, TimeUnit.NANOSECONDS, "any");
            assertThat(breaker.getState()).isEqualTo(State.OPEN);
            time.advance(TimeUnit.SECONDS.toNanos(7));
            assertThat(breaker.tryAcquirePermission()).isFalse();
            time.advance(1);
            assertThat(breaker.tryAcquirePermission()).isTrue();
        }
    }

    private static void holdTheirTimers(CountDownLatch goOn) {
        // It has one thread.
        SchedulerFactory.getInstance().getScheduler().execute(() -> {
            try {
                goOn.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void waitInHalfOpenEndsWithItsStateAlsoByReset() throws InterruptedException {
        // Theirs knows no other clock than the machine's: its timers wait until it was reset.
        CountDownLatch goOn = new CountDownLatch(1);
        holdTheirTimers(goOn);
        CircuitBreaker theirs = halfOpen(theirs(
                two().maxWaitDurationInHalfOpenState(Duration.ofMillis(1)).build()));
        CountDownLatch opened = new CountDownLatch(1);
        theirs.getEventPublisher().onStateTransition(event -> {
            if (event.getStateTransition() == StateTransition.CLOSED_TO_OPEN) {
                opened.countDown();
            }
        });
        theirs.reset();
        goOn.countDown();
        assertThat(opened.await(5, TimeUnit.MINUTES)).as("by its old timer").isTrue();

        CircuitBreaker ours = halfOpen(
                ours(two().maxWaitDurationInHalfOpenState(Duration.ofMillis(5)).build()));
        ours.reset();
        time.advance(TimeUnit.SECONDS.toNanos(1));
        assertThat(ours.getState()).isEqualTo(State.CLOSED);
    }

    @Test
    void permitThatAnotherThreadGivesBackMayNotBeItsOwn() throws Exception {
        CircuitBreaker theirs = halfOpen(theirs(two().build()));
        CircuitBreaker ours = halfOpen(ours(two().build()));
        Thread prober = new Thread(() -> {
            assertThat(permits(theirs)).isEqualTo(2);
            assertThat(permits(ours)).isEqualTo(2);
        });
        prober.start();
        prober.join();
        theirs.releasePermission();
        ours.releasePermission();
        assertThat(permits(theirs)).as("three of two run").isOne();
        assertThat(permits(ours)).isZero();
        time.advance(TimeUnit.SECONDS.toNanos(5));
        assertThat(permits(ours)).as("after a lease").isOne();
    }

    @Test
    void stateThatIsChosenByHandWhileAResultIsJudgedStandsHereAsThere() {
        for (boolean our : new boolean[] {false, true}) {
            AtomicReference<CircuitBreaker> breaker = new AtomicReference<>();
            CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                    .transitionOnResult(any -> {
                        breaker.get().transitionToForcedOpenState();
                        return TransitionCheckResult.transitionToOpenAndWaitFor(Duration.ofSeconds(1));
                    })
                    .build();
            breaker.set(our ? ours(config) : theirs(config));
            breaker.get().onResult(1, TimeUnit.NANOSECONDS, "any");
            assertThat(breaker.get().getState()).isEqualTo(State.FORCED_OPEN);
        }
    }

    @Test
    void predicateThatThrowsIsLoggedAndTakesNothing() {
        CircuitBreakerConfig config = two().recordException(e -> {
                    throw new IllegalStateException("predicate");
                })
                .build();
        CircuitBreaker theirs = halfOpen(theirs(config));
        CircuitBreaker ours = halfOpen(ours(config));
        assertThat(theirs.tryAcquirePermission()).isTrue();
        assertThat(ours.tryAcquirePermission()).isTrue();
        IOException ill = new IOException("ill");
        assertThatThrownBy(() -> theirs.onError(1, TimeUnit.NANOSECONDS, ill)).hasMessage("predicate");
        assertThat(permits(theirs)).as("one is lost, and nothing is counted").isOne();
        assertThat(theirs.getMetrics().getNumberOfBufferedCalls()).isZero();
        try (Logged logged = new Logged("dev.holdfast.circuitbreaker").start()) {
            ours.onError(1, TimeUnit.NANOSECONDS, ill);
            assertThat(logged.messages()).hasSize(1);
        }
        assertThat(ours.getMetrics().getNumberOfFailedCalls()).isOne();
    }

    @Test
    void intervalFunctionThatThrowsLeavesNoBreakerBehind() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .slidingWindowSize(1)
                .minimumNumberOfCalls(1)
                .waitIntervalFunctionInOpenState(opening -> {
                    throw new IllegalStateException("interval");
                })
                .build();
        CircuitBreaker theirs = theirs(config);
        IOException ill = new IOException("ill");
        assertThatThrownBy(() -> theirs.onError(1, TimeUnit.NANOSECONDS, ill)).hasMessage("interval");
        assertThat(theirs.getState()).isEqualTo(State.CLOSED);
        assertThat(theirs.tryAcquirePermission()).as("for ever").isFalse();
        try (Logged logged = new Logged("dev.holdfast.circuitbreaker").start()) {
            CircuitBreaker ours = ours(config);
            ours.onError(1, TimeUnit.NANOSECONDS, ill);
            assertThat(ours.getState()).isEqualTo(State.OPEN);
            time.advance(TimeUnit.SECONDS.toNanos(60) + 1);
            assertThat(ours.tryAcquirePermission()).isTrue();
            assertThat(logged.messages()).isNotEmpty();
        }
    }

    @Test
    void waitIsAtMostADay() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .waitIntervalFunctionInOpenState(opening -> Duration.ofDays(2).toMillis())
                .build();
        CircuitBreaker theirs = theirs(config);
        CircuitBreaker ours = ours(config);
        theirs.transitionToOpenState();
        ours.transitionToOpenState();
        time.advance(Duration.ofDays(1).toNanos() + 1);
        assertThat(theirs.tryAcquirePermission()).isFalse();
        assertThat(ours.tryAcquirePermission()).isTrue();
    }

    @Test
    void clockOfItsConfigIsNotTheBreakers() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .currentTimestampFunction(clock -> 7L, TimeUnit.SECONDS)
                .build();
        assertThat(theirs(config).getCurrentTimestamp()).isEqualTo(7);
        assertThat(ours(config).getCurrentTimestamp()).isEqualTo(time.nanos());
        assertThat(ours(config).getTimestampUnit()).isEqualTo(TimeUnit.NANOSECONDS);
        assertThat(ours(config).getCircuitBreakerConfig()).isNotSameAs(config);
    }

    @Test
    void allProbesAreWaitedForHereAsThereWithSettingsMadeOfTheirConfig() {
        CircuitBreakerConfig config = two().slidingWindowSize(2).build();
        for (CircuitBreaker breaker : new CircuitBreaker[] {halfOpen(theirs(config)), halfOpen(ours(config))}) {
            assertThat(permits(breaker)).isEqualTo(2);
            breaker.onSuccess(1, TimeUnit.NANOSECONDS);
            assertThat(breaker.getState()).isEqualTo(State.HALF_OPEN);
            for (int opening = 0; opening < 5; opening++) {
                assertThat(permits(halfOpen(breaker))).isEqualTo(2);
            }
        }
        // And not with Holdfast's own.
        CircuitBreaker own = halfOpen(CircuitBreakerPolicy.ofDefaults().asResilience4j());
        assertThat(own.tryAcquirePermission()).isTrue();
        own.onSuccess(1, TimeUnit.NANOSECONDS);
        assertThat(own.getState()).isEqualTo(State.CLOSED);
    }

    @Test
    void statesAndWindowsHaveTheSameNames() {
        String[] states = names(State.values());
        assertThat(names(CircuitBreakerPolicy.State.values())).containsExactlyInAnyOrder(states);
        assertThat(names(dev.holdfast.circuitbreaker.internal.engine.State.values()))
                .containsExactlyInAnyOrder(states);
        assertThat(names(CircuitBreakerSettings.SlidingWindowType.values()))
                .containsExactlyInAnyOrder(names(CircuitBreakerConfig.SlidingWindowType.values()));
    }

    private static String[] names(Enum<?>[] constants) {
        return Arrays.stream(constants).map(Enum::name).toArray(String[]::new);
    }

    @Test
    void sameChangesByHandAreAllowed() {
        for (State from : State.values()) {
            for (State to : State.values()) {
                boolean theirs = true;
                try {
                    assertThat(StateTransition.transitionBetween("twin", from, to)
                                    .getToState())
                            .isEqualTo(to);
                } catch (IllegalStateTransitionException e) {
                    theirs = false;
                }
                boolean here = Engines.state(from).allows(Engines.state(to));
                assertThat(here).as("%s to %s", from, to).isEqualTo(theirs);
            }
        }
    }

    @Test
    void noOpeningFromMetricsOnlyHereAsThere() {
        for (CircuitBreaker breaker :
                new CircuitBreaker[] {theirs(CircuitBreakerConfig.ofDefaults()), ours(CircuitBreakerConfig.ofDefaults())
                }) {
            breaker.transitionToMetricsOnlyState();
            assertThatThrownBy(breaker::transitionToOpenState).isInstanceOf(IllegalStateTransitionException.class);
            assertThat(breaker.getState()).isEqualTo(State.METRICS_ONLY);
        }
    }

    @Test
    void errorThatIsNotRecordedIsASuccessHereAsThere() {
        CircuitBreakerConfig config =
                CircuitBreakerConfig.custom().recordException(e -> false).build();
        for (CircuitBreaker breaker : new CircuitBreaker[] {theirs(config), ours(config)}) {
            breaker.onError(1, TimeUnit.NANOSECONDS, new IOException("not recorded"));
            assertThat(breaker.getMetrics().getNumberOfSuccessfulCalls()).isOne();
        }
    }
}
