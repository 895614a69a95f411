/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.spi.InvalidSettingsException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.TransitionCheckResult;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CircuitBreakerSettingsTest {

    @Test
    void defaultsOpenOnlyWhenNearlyNothingComesThroughAndNotForLong() {
        CircuitBreakerSettings settings = CircuitBreakerSettings.builder().build();
        assertThat(settings.failureRateThreshold()).isEqualTo(90);
        assertThat(settings.slowCallRateThreshold()).isEqualTo(100);
        assertThat(settings.slowCallDurationThreshold()).isEqualTo(Duration.ofMinutes(1));
        assertThat(settings.outageDurationThreshold()).isEqualTo(Duration.ofSeconds(2));
        assertThat(settings.slidingWindowType()).isEqualTo(SlidingWindowType.COUNT_BASED);
        assertThat(settings.slidingWindowSize()).isEqualTo(50);
        assertThat(settings.minimumNumberOfCalls()).isEqualTo(20);
        assertThat(settings.permittedNumberOfCallsInHalfOpenState()).isEqualTo(5);
        assertThat(settings.waitDurationInOpenState()).isEqualTo(Duration.ofMillis(100));
        assertThat(settings.waitMultiplierInOpenState()).isEqualTo(1.05);
        assertThat(settings.maxWaitDurationInOpenState()).isEqualTo(Duration.ofSeconds(2));
        assertThat(settings.probeLease()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.maxWaitDurationInHalfOpenState()).isZero();
        assertThat(settings.transitionToStateAfterWaitDuration()).isEqualTo(State.OPEN);
        assertThat(settings.runningCallsCountAsSlow()).isTrue();
        assertThat(settings.automaticTransitionFromOpenToHalfOpenEnabled()).isFalse();
        assertThat(settings.initialState()).isEqualTo(State.CLOSED);
        assertThat(settings.maxPushbackHold()).isEqualTo(Duration.ofSeconds(10));
        assertThat(settings.warnings()).isEmpty();
    }

    @Test
    void defaultMinimumFollowsASmallerCountWindowOnly() {
        assertThat(CircuitBreakerSettings.of(b -> b.slidingWindowSize(10)).minimumNumberOfCalls())
                .isEqualTo(10);
        assertThat(CircuitBreakerSettings.of(
                                b -> b.slidingWindowSize(10).slidingWindowType(SlidingWindowType.TIME_BASED))
                        .minimumNumberOfCalls())
                .isEqualTo(20);
    }

    static Stream<Arguments> wrong() {
        return Stream.of(
                wrong(b -> b.failureRateThreshold(0), "failureRateThreshold is 0.0 but must be 1 to 100"),
                wrong(b -> b.failureRateThreshold(101), "failureRateThreshold is 101.0 but must be 1 to 100"),
                wrong(b -> b.failureRateThreshold(Double.NaN), "failureRateThreshold is NaN but must be 1 to 100"),
                wrong(b -> b.slowCallRateThreshold(0.5), "slowCallRateThreshold is 0.5 but must be 1 to 100"),
                wrong(
                        b -> b.slowCallDurationThreshold(Duration.ZERO),
                        "slowCallDurationThreshold is 0s but must be 1ms to 1d"),
                wrong(
                        b -> b.outageDurationThreshold(Duration.ofNanos(1)),
                        "outageDurationThreshold is 1ns but must be 0s, or 1ms to 1d"),
                wrong(b -> b.slidingWindowSize(0), "slidingWindowSize is 0 but must be 1 to 100,000"),
                wrong(
                        b -> b.slidingWindowSize(3_601).slidingWindowType(SlidingWindowType.TIME_BASED),
                        "slidingWindowSize is 3601 but must be 1 to 3,600"),
                wrong(b -> b.minimumNumberOfCalls(0), "minimumNumberOfCalls is 0 but must be 1 to 1,000,000"),
                wrong(
                        b -> b.minimumNumberOfCalls(51),
                        "minimumNumberOfCalls is 51 but must be at most slidingWindowSize, which is 50"),
                wrong(
                        b -> b.permittedNumberOfCallsInHalfOpenState(0),
                        "permittedNumberOfCallsInHalfOpenState is 0 but must be 1 to 1,000"),
                wrong(
                        b -> b.waitDurationInOpenState(Duration.ofNanos(1)),
                        "waitDurationInOpenState is 1ns but must be 1ms to 1d"),
                wrong(
                        b -> b.maxWaitDurationInHalfOpenState(Duration.ofDays(2)),
                        "maxWaitDurationInHalfOpenState is 2d but must be 0s, or 1ms to 1d"),
                wrong(b -> b.probeLease(Duration.ofNanos(5)), "probeLease is 5ns but must be 0s, or 1ms to 1d"),
                wrong(
                        b -> b.transitionToStateAfterWaitDuration(State.DISABLED),
                        "transitionToStateAfterWaitDuration is DISABLED but must be OPEN or CLOSED"),
                wrong(b -> b.waitMultiplierInOpenState(0.5), "waitMultiplierInOpenState is 0.5 but must be 1 to 10"),
                wrong(
                        b -> b.maxWaitDurationInOpenState(Duration.ZERO),
                        "maxWaitDurationInOpenState is 0s but must be 1ms to 1d"),
                wrong(b -> b.maxPushbackHold(Duration.ofDays(2)), "maxPushbackHold is 2d but must be 0s to 1d"));
    }

    private static Arguments wrong(Consumer<CircuitBreakerSettings.Builder> options, String message) {
        return Arguments.of(options, "circuit-breaker: " + message);
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void valueOutOfRangeIsRefusedWithOptionValueAndRange(
            Consumer<CircuitBreakerSettings.Builder> options, String message) {
        assertThatThrownBy(() -> CircuitBreakerSettings.of(options))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessage(message);
    }

    @Test
    void everythingThatIsWrongIsToldAtOnce() {
        assertThatThrownBy(() -> CircuitBreakerSettings.of(
                        b -> b.failureRateThreshold(0).slidingWindowSize(0).waitDurationInOpenState(Duration.ZERO)))
                .isInstanceOfSatisfying(
                        InvalidSettingsException.class,
                        e -> assertThat(e.problems())
                                .extracting(InvalidSettingsException.Problem::option)
                                .containsExactly(
                                        "failureRateThreshold", "slidingWindowSize", "waitDurationInOpenState"));
    }

    @Test
    void builderOfSettingsHoldsTheirValues() {
        CircuitBreakerSettings settings = CircuitBreakerSettings.of(b -> b.failureRateThreshold(70)
                .slowCallRateThreshold(80)
                .slowCallDurationThreshold(Duration.ofSeconds(2))
                .outageDurationThreshold(Duration.ofSeconds(4))
                .runningCallsCountAsSlow(false)
                .slidingWindowType(SlidingWindowType.TIME_BASED)
                .slidingWindowSize(7)
                .minimumNumberOfCalls(9)
                .permittedNumberOfCallsInHalfOpenState(3)
                .probeLease(Duration.ofSeconds(4))
                .maxWaitDurationInHalfOpenState(Duration.ofSeconds(3))
                .transitionToStateAfterWaitDuration(State.CLOSED)
                .waitDurationInOpenState(Duration.ofMillis(250))
                .waitMultiplierInOpenState(2)
                .maxWaitDurationInOpenState(Duration.ofSeconds(6))
                .automaticTransitionFromOpenToHalfOpenEnabled(true)
                .initialState(State.DISABLED)
                .maxPushbackHold(Duration.ofSeconds(5)));
        assertThat(settings.toBuilder().build()).hasToString(settings.toString());
        assertThat(settings)
                .hasToString("CircuitBreakerSettings[failureRateThreshold=70.0, slowCallRateThreshold=80.0,"
                        + " slowCallDurationThreshold=2s, runningCallsCountAsSlow=false, slidingWindowType=TIME_BASED,"
                        + " slidingWindowSize=7, minimumNumberOfCalls=9, outageDurationThreshold=4s, permittedNumberOfCallsInHalfOpenState=3,"
                        + " probeLease=4s, maxWaitDurationInHalfOpenState=3s, transitionToStateAfterWaitDuration=CLOSED,"
                        + " waitDurationInOpenState=250ms, waitMultiplierInOpenState=2.0, maxWaitDurationInOpenState=6s,"
                        + " automaticTransitionFromOpenToHalfOpenEnabled=true, initialState=DISABLED,"
                        + " maxPushbackHold=5s]");
    }

    @Test
    void settingsDoNotFollowABuilder() {
        CircuitBreakerSettings.Builder before = CircuitBreakerSettings.builder();
        CircuitBreakerSettings settings = before.build();
        CircuitBreakerSettings.Builder after = settings.toBuilder();
        String text = settings.toString();
        before.slidingWindowSize(7).waitDurationInOpenState(Duration.ofSeconds(1));
        after.slidingWindowSize(9).minimumNumberOfCalls(9);
        assertThat(settings).hasToString(text);
    }

    @Test
    void minimumThatNobodySetFollowsTheWindow() {
        CircuitBreakerSettings smaller = CircuitBreakerSettings.builder().build().toBuilder()
                .slidingWindowSize(10)
                .build();
        assertThat(smaller.minimumNumberOfCalls()).isEqualTo(10);
        assertThat(smaller.toBuilder().slidingWindowSize(50).build().minimumNumberOfCalls())
                .isEqualTo(20);
    }

    @Test
    void waitGrowsWithEachOpeningUpToItsMaximum() {
        CircuitBreakerSettings settings =
                CircuitBreakerSettings.of(b -> b.waitDurationInOpenState(Duration.ofMillis(100))
                        .waitMultiplierInOpenState(3)
                        .maxWaitDurationInOpenState(Duration.ofSeconds(1)));
        assertThat(IntStream.rangeClosed(1, 5).mapToLong(settings.rules().openWait()::millis))
                .containsExactly(100L, 300L, 900L, 1_000L, 1_000L);
        assertThat(settings.rules().openWait().millis(10_000)).isEqualTo(1_000);
        assertThat(settings.rules().openNanos(2)).isEqualTo(300_000_000);
    }

    @Test
    void maximumBelowTheFirstWaitDoesNotShortenIt() {
        CircuitBreakerSettings settings =
                CircuitBreakerSettings.of(b -> b.waitDurationInOpenState(Duration.ofMillis(100))
                        .waitMultiplierInOpenState(2)
                        .maxWaitDurationInOpenState(Duration.ofMillis(10)));
        assertThat(IntStream.rangeClosed(1, 3).mapToLong(settings.rules().openWait()::millis))
                .containsExactly(100L, 100L, 100L);
    }

    @Test
    void waitOfAFunctionTakesThePlaceOfTheOthersAndTheOtherWayRound() {
        CircuitBreakerSettings settings = CircuitBreakerSettings.of(
                b -> b.waitIntervalFunctionInOpenState(IntervalFunction.of(1_000, n -> n + 7)));
        assertThat(settings.rules().openWait().millis(3)).isEqualTo(1_014);
        assertThat(settings).asString().contains("waitIntervalFunctionInOpenState=given");
        CircuitBreakerSettings again = settings.toBuilder()
                .waitDurationInOpenState(Duration.ofMillis(50))
                .waitMultiplierInOpenState(1)
                .build();
        assertThat(settings.toBuilder().build().rules().openWait().millis(3)).isEqualTo(1_014);
        assertThat(again.rules().openWait().millis(3)).isEqualTo(50);
    }

    @Test
    void everythingInResilience4jsConfigIsTakenOver() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .failureRateThreshold(40)
                .slowCallRateThreshold(60)
                .slowCallDurationThreshold(Duration.ofSeconds(3))
                .slidingWindowType(CircuitBreakerConfig.SlidingWindowType.TIME_BASED)
                .slidingWindowSize(30)
                .minimumNumberOfCalls(77)
                .permittedNumberOfCallsInHalfOpenState(4)
                .waitIntervalFunctionInOpenState(IntervalFunction.ofExponentialBackoff(8_000, 2))
                .maxWaitDurationInHalfOpenState(Duration.ofSeconds(9))
                .transitionToStateAfterWaitDuration(CircuitBreaker.State.CLOSED)
                .automaticTransitionFromOpenToHalfOpenEnabled(true)
                .initialState(CircuitBreaker.State.METRICS_ONLY)
                .build();
        CircuitBreakerSettings settings = CircuitBreakerSettings.from(config);
        assertThat(settings)
                .hasToString("CircuitBreakerSettings[failureRateThreshold=40.0, slowCallRateThreshold=60.0,"
                        + " slowCallDurationThreshold=3s, runningCallsCountAsSlow=false, slidingWindowType=TIME_BASED,"
                        + " slidingWindowSize=30, minimumNumberOfCalls=77, outageDurationThreshold=0s, permittedNumberOfCallsInHalfOpenState=4,"
                        + " probeLease=0s, maxWaitDurationInHalfOpenState=9s, transitionToStateAfterWaitDuration=CLOSED,"
                        + " waitDurationInOpenState=8s, waitMultiplierInOpenState=1.0, maxWaitDurationInOpenState=1d,"
                        + " waitIntervalFunctionInOpenState=given, automaticTransitionFromOpenToHalfOpenEnabled=true,"
                        + " initialState=METRICS_ONLY, maxPushbackHold=0s]");
        assertThat(settings.rules().openWait().millis(3)).isEqualTo(32_000);
        assertThat(settings.warnings()).isEmpty();
    }

    static Stream<Arguments> withoutCounterpart() {
        return Stream.of(
                Arguments.of(
                        "resilience4j-predicates: recordException(s)", plain().recordExceptions(IOException.class)),
                Arguments.of("resilience4j-predicates: ignoreException(s)", plain().ignoreException(e -> true)),
                Arguments.of("resilience4j-predicates: recordResult", plain().recordResult("bad"::equals)),
                Arguments.of(
                        "resilience4j-predicates: transitionOnResult",
                        plain().transitionOnResult(any -> TransitionCheckResult.noTransition())),
                Arguments.of("resilience4j-unused-option: clock and", plain().clock(Clock.system(ZoneOffset.MAX))),
                Arguments.of(
                        "resilience4j-unused-option: clock and",
                        plain().currentTimestampFunction(Clock::millis, TimeUnit.NANOSECONDS)),
                Arguments.of(
                        "resilience4j-unused-option: slidingWindowSynchronizationStrategy",
                        plain().slidingWindowSynchronizationStrategy(SlidingWindowSynchronizationStrategy.LOCK_FREE)));
    }

    private static CircuitBreakerConfig.Builder plain() {
        return CircuitBreakerConfig.custom();
    }

    @ParameterizedTest
    @MethodSource("withoutCounterpart")
    void whatIsNotInForceInAPipelineIsWarnedOfByName(String option, CircuitBreakerConfig.Builder config) {
        CircuitBreakerSettings settings = CircuitBreakerSettings.from(config.build());
        assertThat(settings.warnings())
                .singleElement()
                .asString()
                .startsWith(option)
                .contains("resilience4j's config");
        assertThat(CircuitBreakerPolicy.of(settings).warnings()).isEqualTo(settings.warnings());
    }

    @Test
    void precedenceOfIgnoredExceptionsIsWarnedOfWithTheirPredicates() {
        CircuitBreakerConfig config = plain().enableIgnoreExceptionsPrecedence().build();
        assertThat(CircuitBreakerSettings.from(config).warnings())
                .anyMatch(
                        warning -> warning.startsWith("resilience4j-predicates: ignoreExceptionsPrecedenceEnabled of"));
    }

    @Test
    void whatResilience4jRepairsInSilenceIsRepairedInItsConfigOnly() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .slidingWindowSize(10)
                .minimumNumberOfCalls(100)
                .permittedNumberOfCallsInHalfOpenState(20)
                .maxWaitDurationInHalfOpenState(Duration.ofNanos(999_999))
                .build();
        CircuitBreakerSettings settings = CircuitBreakerSettings.from(config);
        assertThat(settings.minimumNumberOfCalls()).isEqualTo(10);
        assertThat(settings.rules().thresholdsOfProbes(20).minimumCalls()).isEqualTo(20);
        assertThat(settings.toBuilder().build().rules().thresholdsOfProbes(20).minimumCalls())
                .isEqualTo(20);
        assertThat(settings.toBuilder()
                        .minimumNumberOfCalls(7)
                        .build()
                        .rules()
                        .thresholdsOfProbes(20)
                        .minimumCalls())
                .isEqualTo(7);
        assertThat(settings.maxWaitDurationInHalfOpenState()).isZero();
    }
}
