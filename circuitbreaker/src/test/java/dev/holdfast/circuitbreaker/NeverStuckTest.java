/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static dev.holdfast.circuitbreaker.Rig.ILL;
import static dev.holdfast.circuitbreaker.Rig.WELL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logged;
import dev.holdfast.testlogs.Logs;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever functions of the user's do, calls end with their own outcome and the breaker finds its way back. */
@Logs("resilience4j-predicates")
class NeverStuckTest {
    private static final Duration DAY = Duration.ofDays(1);

    private final Logged logged = new Logged("dev.holdfast.circuitbreaker");

    @BeforeEach
    void listen() {
        logged.start();
    }

    @AfterEach
    void listenNoMore() {
        logged.close();
    }

    private static CircuitBreakerPolicy waiting(IntervalFunction function) {
        return CircuitBreakerPolicy.of(b -> b.slidingWindowSize(5).waitIntervalFunctionInOpenState(function));
    }

    /** Opens it twice, the second time from half-open. */
    private static void openTwice(Rig rig, Duration between) {
        for (int i = 0; i < 2; i++) {
            for (int k = 0; k < 5; k++) {
                assertThat(rig.errorOf(ILL)).isSameAs(ILL.error());
            }
            rig.advance(between);
        }
    }

    private enum Odd {
        THROWS {
            @Override
            Long millis(int opening) {
                throw new IllegalStateException("interval");
            }
        },
        THROWS_THE_SECOND_TIME {
            @Override
            Long millis(int opening) {
                if (opening == 2) {
                    throw new IllegalStateException("interval");
                }
                return 100L;
            }
        },
        THROWS_AN_ERROR {
            @Override
            Long millis(int opening) {
                throw new StackOverflowError("interval");
            }
        },
        RETURNS_NULL {
            @Override
            @SuppressWarnings("NullAway") // that is what is tried
            Long millis(int opening) {
                return null;
            }
        },
        RETURNS_NOTHING {
            @Override
            Long millis(int opening) {
                return 0L;
            }
        },
        RETURNS_A_NEGATIVE {
            @Override
            Long millis(int opening) {
                return Long.MIN_VALUE;
            }
        };

        abstract Long millis(int opening);
    }

    @ParameterizedTest
    @EnumSource(Odd.class)
    void functionThatSaysNothingUsefulEndsNoBreaker(Odd odd) {
        for (Way way : Way.values()) {
            CircuitBreakerPolicy policy = waiting(odd::millis);
            try (Rig rig = new Rig(way, policy)) {
                openTwice(rig, Duration.ofMillis(500));
                for (int i = 0; i < 20; i++) {
                    assertThat(rig.run(WELL)).isCompleted();
                }
                assertThat(policy.state()).isEqualTo(State.CLOSED);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Odd.class)
    void orOneThatIsOpenFromTheStartOrOpenedByHandOrMadeOfTheirConfig(Odd odd) {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .waitIntervalFunctionInOpenState(odd::millis)
                .initialState(CircuitBreaker.State.OPEN)
                .build();
        for (CircuitBreakerSettings settings : List.of(
                CircuitBreakerSettings.from(config),
                CircuitBreakerSettings.of(
                        b -> b.waitIntervalFunctionInOpenState(odd::millis).initialState(State.OPEN)))) {
            CircuitBreaker view = CircuitBreakerPolicy.of(settings).asResilience4j();
            view.transitionToClosedState();
            view.transitionToOpenState();
            view.transitionToHalfOpenState();
            view.transitionToOpenState();
            assertThat(view.getState()).isEqualTo(CircuitBreaker.State.OPEN);
        }
    }

    @Test
    void functionThatThrowsIsToldOfOnce() {
        try (Rig rig = new Rig(Way.CALL, waiting(Odd.THROWS::millis))) {
            openTwice(rig, Duration.ofMillis(500));
        }
        assertThat(logged.messages())
                .singleElement()
                .asString()
                .contains("waitIntervalFunctionInOpenState threw for opening 1", "the wait is 100ms");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void waitThatNoClockCanMeasureIsADay(Way way) {
        for (long huge : new long[] {Long.MAX_VALUE, Long.MAX_VALUE / 1_000_000 + 1, DAY.toMillis() + 1}) {
            CircuitBreakerPolicy policy = waiting(opening -> huge);
            try (Rig rig = new Rig(way, policy)) {
                rig.run(5, ILL);
                assertThat(policy.state()).isEqualTo(State.OPEN);
                assertThat(rig.rejection().retryAfter()).contains(DAY.plusNanos(1));
                rig.advance(DAY.plusNanos(1));
                for (int i = 0; i < 5; i++) {
                    assertThat(rig.errorOf(ILL)).isSameAs(ILL.error());
                }
                assertThat(policy.state()).isEqualTo(State.OPEN);
                rig.advance(DAY.plusNanos(1));
                assertThat(rig.run(WELL)).isCompleted();
            }
        }
    }

    @Test
    void functionThatGrowsWithoutEndNeverEndsABreaker() {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b ->
                b.slidingWindowSize(1).waitIntervalFunctionInOpenState(IntervalFunction.ofExponentialBackoff(100, 10)));
        try (Rig rig = new Rig(Way.CALL, policy)) {
            for (int i = 0; i < 100; i++) {
                assertThat(rig.errorOf(ILL)).isSameAs(ILL.error());
                rig.advance(DAY.plusNanos(1));
                rig.run(1, ILL);
                rig.advance(DAY.plusNanos(1));
            }
            assertThat(rig.run(WELL)).isCompleted();
        }
    }

    @Test
    void functionsOfTheirConfigThatThrowTakeNoOutcomeAndNoPermission() {
        List<UnaryOperator<CircuitBreakerConfig.Builder>> thrown = List.of(
                c -> c.recordException(e -> {
                    throw new IllegalStateException("predicate");
                }),
                c -> c.ignoreException(e -> {
                    throw new AssertionError("predicate");
                }),
                c -> c.recordResult(result -> {
                    throw new IllegalStateException("predicate");
                }),
                c -> c.transitionOnResult(any -> {
                    throw new IllegalStateException("transition");
                }));
        for (UnaryOperator<CircuitBreakerConfig.Builder> option : thrown) {
            CircuitBreakerConfig config = option.apply(
                            CircuitBreakerConfig.custom().permittedNumberOfCallsInHalfOpenState(2))
                    .build();
            CircuitBreaker view =
                    CircuitBreakerPolicy.of(CircuitBreakerSettings.from(config)).asResilience4j();
            view.transitionToOpenState();
            view.transitionToHalfOpenState();
            for (int i = 0; i < 2; i++) {
                assertThat(view.tryAcquirePermission()).isTrue();
                assertThatCode(() -> view.onError(1, TimeUnit.NANOSECONDS, new IOException("ill")))
                        .doesNotThrowAnyException();
            }
            assertThat(view.getState()).isEqualTo(CircuitBreaker.State.OPEN);
            view.transitionToHalfOpenState();
            for (int i = 0; i < 2; i++) {
                assertThat(view.executeSupplier(() -> "well")).isEqualTo("well");
            }
            assertThat(view.getState()).isEqualTo(CircuitBreaker.State.CLOSED);
        }
        assertThat(logged.messages()).hasSize(thrown.size()).allMatch(text -> text.contains("told once"));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void functionsOfAnExistingBreakerThatThrowTakeNoOutcome(Way way) {
        CircuitBreaker existing = CircuitBreaker.of(
                "theirs",
                CircuitBreakerConfig.custom()
                        .slidingWindowSize(2)
                        .transitionOnResult(any -> {
                            throw new IllegalStateException("transition");
                        })
                        .build());
        try (Rig rig = new Rig(way, CircuitBreakerPolicy.of(existing))) {
            assertThat(rig.errorOf(ILL)).isSameAs(ILL.error());
            assertThat(rig.run(WELL).join().value()).isEqualTo("well");
        }
        assertThat(logged.messages())
                .singleElement()
                .asString()
                .contains("circuit breaker 'theirs' threw when it was told of a result");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void halfOpenClosesWithTheFirstAnswerThatMakesTheVerdictCertain(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(way, policy)) {
            policy.asResilience4j().transitionToOpenState();
            policy.asResilience4j().transitionToHalfOpenState();
            for (int i = 0; i < 4; i++) {
                rig.start(WELL.taking(Duration.ofSeconds(40)));
            }
            rig.start(WELL.taking(Duration.ofMillis(10)));
            rig.advance(Duration.ofMillis(10));
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            assertThat(rig.start(WELL).result()).isCompleted();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void halfOpenOpensWithTheFailureThatMakesTheVerdictCertain(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.failureRateThreshold(50));
        try (Rig rig = new Rig(way, policy)) {
            policy.asResilience4j().transitionToOpenState();
            policy.asResilience4j().transitionToHalfOpenState();
            rig.start(WELL.taking(Duration.ofSeconds(40)));
            rig.start(WELL.taking(Duration.ofSeconds(40)));
            for (int i = 0; i < 3; i++) {
                assertThat(policy.state()).isEqualTo(State.HALF_OPEN);
                rig.start(ILL);
            }
            assertThat(policy.state()).as("three of five").isEqualTo(State.OPEN);
        }
    }
}
