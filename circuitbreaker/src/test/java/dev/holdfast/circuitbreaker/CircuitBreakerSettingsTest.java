/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.spi.InvalidSettingsException;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Duration;
import java.util.function.Consumer;
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
        assertThat(settings.slidingWindowType()).isEqualTo(SlidingWindowType.COUNT_BASED);
        assertThat(settings.slidingWindowSize()).isEqualTo(50);
        assertThat(settings.minimumNumberOfCalls()).isEqualTo(20);
        assertThat(settings.permittedNumberOfCallsInHalfOpenState()).isEqualTo(5);
        assertThat(settings.waitDurationInOpenState()).isEqualTo(Duration.ofMillis(500));
        assertThat(settings.maxWaitDurationInHalfOpenState()).isEqualTo(Duration.ofSeconds(5));
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
                wrong(b -> b.slidingWindowSize(0), "slidingWindowSize is 0 but must be 1 to 100,000"),
                wrong(
                        b -> b.slidingWindowSize(3_601).slidingWindowType(SlidingWindowType.TIME_BASED),
                        "slidingWindowSize is 3601 but must be 1 to 3,600"),
                wrong(b -> b.minimumNumberOfCalls(0), "minimumNumberOfCalls is 0 but must be 1 to 50"),
                wrong(b -> b.minimumNumberOfCalls(51), "minimumNumberOfCalls is 51 but must be 1 to 50"),
                wrong(
                        b -> b.permittedNumberOfCallsInHalfOpenState(0),
                        "permittedNumberOfCallsInHalfOpenState is 0 but must be 1 to 1,000"),
                wrong(
                        b -> b.waitDurationInOpenState(Duration.ofNanos(1)),
                        "waitDurationInOpenState is PT0.000000001S but must be 1ms to 1d"),
                wrong(
                        b -> b.maxWaitDurationInHalfOpenState(Duration.ofDays(2)),
                        "maxWaitDurationInHalfOpenState is 2d but must be 1ms to 1d"));
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
                .slidingWindowType(SlidingWindowType.TIME_BASED)
                .slidingWindowSize(7)
                .minimumNumberOfCalls(9)
                .permittedNumberOfCallsInHalfOpenState(3)
                .waitDurationInOpenState(Duration.ofMillis(250))
                .maxWaitDurationInHalfOpenState(Duration.ofSeconds(3)));
        assertThat(settings.toBuilder().build()).hasToString(settings.toString());
        assertThat(settings)
                .hasToString("CircuitBreakerSettings[failureRateThreshold=70.0, slowCallRateThreshold=80.0,"
                        + " slowCallDurationThreshold=2s, slidingWindowType=TIME_BASED, slidingWindowSize=7,"
                        + " minimumNumberOfCalls=9, permittedNumberOfCallsInHalfOpenState=3,"
                        + " waitDurationInOpenState=250ms, maxWaitDurationInHalfOpenState=3s]");
    }

    @Test
    void resilience4jsConfigIsTakenOver() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .failureRateThreshold(40)
                .slowCallRateThreshold(60)
                .slowCallDurationThreshold(Duration.ofSeconds(3))
                .slidingWindowType(SlidingWindowType.TIME_BASED)
                .slidingWindowSize(30)
                .minimumNumberOfCalls(77)
                .permittedNumberOfCallsInHalfOpenState(4)
                .waitDurationInOpenState(Duration.ofSeconds(8))
                .maxWaitDurationInHalfOpenState(Duration.ofSeconds(9))
                .build();
        assertThat(CircuitBreakerSettings.from(config))
                .hasToString("CircuitBreakerSettings[failureRateThreshold=40.0, slowCallRateThreshold=60.0,"
                        + " slowCallDurationThreshold=3s, slidingWindowType=TIME_BASED, slidingWindowSize=30,"
                        + " minimumNumberOfCalls=77, permittedNumberOfCallsInHalfOpenState=4,"
                        + " waitDurationInOpenState=8s, maxWaitDurationInHalfOpenState=9s]");
    }

    @Test
    void whatResilience4jRepairsInSilenceIsRepairedInItsConfigOnly() {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .slidingWindowSize(10)
                .minimumNumberOfCalls(100)
                .build();
        CircuitBreakerSettings settings = CircuitBreakerSettings.from(config);
        assertThat(settings.minimumNumberOfCalls()).isEqualTo(10);
        assertThat(settings.maxWaitDurationInHalfOpenState()).isEqualTo(Duration.ofSeconds(5));
    }
}
