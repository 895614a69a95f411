/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static dev.holdfast.circuitbreaker.Rig.ILL;
import static dev.holdfast.circuitbreaker.Rig.WELL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.PipelineSnapshot.StateChange;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testlogs.Logs;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A change of state is told with the numbers that it rests on. */
@Logs(value = "two-circuit-breakers", sometimes = true)
class CausesTest {
    private static CircuitBreakerPolicy breaker() {
        return CircuitBreakerPolicy.of(b -> b.slidingWindowSize(10)
                .minimumNumberOfCalls(10)
                .failureRateThreshold(50)
                .slowCallRateThreshold(80)
                .slowCallDurationThreshold(Duration.ofSeconds(1))
                .permittedNumberOfCallsInHalfOpenState(4)
                .waitDurationInOpenState(Duration.ofSeconds(5)));
    }

    @ParameterizedTest
    @EnumSource
    void failuresAWaitAndProbes(Way way) {
        try (Rig rig = new Rig(way, breaker())) {
            rig.run(4, WELL);
            rig.run(6, ILL);
            rig.advance(Duration.ofSeconds(60));
            rig.run(4, WELL);

            assertThat(rig.causes)
                    .containsExactly(
                            "6 of 10 calls failed (60 %, limit 50 %); the last result: failure (IOException)",
                            "its wait is over", "3 of 3 probes succeeded, 0 were slow");
            assertThat(rig.pipeline.snapshot().changes())
                    .extracting(StateChange::to)
                    .containsExactly("closed", "half_open", "open");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPushbackWithItsTime(Way way) {
        try (Rig rig = new Rig(way, breaker())) {
            rig.run(5, WELL);
            rig.run(5, Work.value("busy for 3 s"));
            assertThat(rig.causes)
                    .containsExactly("5 of 10 calls failed (50 %, limit 50 %); the last result: pushback for 3.0 s");
        }
    }

    @ParameterizedTest
    @EnumSource
    void anOutage(Way way) {
        try (Rig rig = new Rig(way, breaker())) {
            rig.run(3, WELL);
            for (int i = 0; i < 5; i++) {
                rig.advance(Duration.ofSeconds(1));
                rig.run(1, ILL);
            }
            assertThat(rig.causes)
                    .containsExactly(
                            "nothing but failures for 4.0 s, 5 of them; the last result: failure (IOException)");
        }
    }

    @ParameterizedTest
    @EnumSource
    void slowCalls(Way way) {
        try (Rig rig = new Rig(way, breaker())) {
            rig.run(2, WELL);
            rig.run(8, Work.value("late").taking(Duration.ofSeconds(2)));

            assertThat(rig.causes).containsExactly("80 % of the calls were slow (limit 80 %), 1 still running");
        }
    }

    @ParameterizedTest
    @EnumSource
    void byHandAndByAnExistingBreaker(Way way) {
        CircuitBreakerPolicy own = breaker();
        CircuitBreaker existing = CircuitBreaker.ofDefaults("orders");
        try (Rig rig = new Rig(way, own, CircuitBreakerPolicy.of(existing))) {
            own.asResilience4j().transitionToDisabledState();
            existing.transitionToDisabledState();
            rig.run(1, WELL);

            assertThat(rig.causes).containsExactly("by hand", "decided by the existing breaker 'orders'");
        }
    }

    @Test
    void whatWasRejectedIsCountedInAllStatesAndGoesOnAfterAReload() {
        CircuitBreakerPolicy first = breaker();
        CircuitBreakerPolicy second = CircuitBreakerPolicy.of(b -> b.minimumNumberOfCalls(5));
        try (Rig rig = new Rig(Way.CALL, first)) {
            rig.run(10, ILL);
            rig.run(3, WELL);
            assertThat(rejected(rig)).isEqualTo(3);
            rig.advance(Duration.ofSeconds(60));
            rig.run(2, ILL);
            rig.run(2, WELL);

            long before = rejected(rig);
            rig.pipeline.replace(second);
            assertThat(rejected(rig)).isEqualTo(before);
            rig.run(1, WELL);
            assertThat(rejected(rig)).isEqualTo(before + 1);
            assertThat(second.asResilience4j().getMetrics().getNumberOfNotPermittedCalls())
                    .isOne();
        }
    }

    private static long rejected(Rig rig) {
        Number rejected = rig.pipeline.snapshot().numbers().get("circuitbreaker.not.permitted");
        return Objects.requireNonNull(rejected).longValue();
    }

    @ParameterizedTest
    @EnumSource
    void anOpeningThatNoCallSawIsToldWithTheNextOne(Way way) {
        try (Rig rig = new Rig(way, breaker())) {
            for (int i = 0; i < 10; i++) {
                var unused = rig.start(Work.value("late").taking(Duration.ofMinutes(10)));
            }
            rig.advance(Duration.ofMinutes(1));
            var unused = rig.start(WELL);

            assertThat(rig.causes)
                    .containsExactly("100 % of the calls were slow (limit 80 %), 10 still running", "its wait is over");
        }
    }
}
