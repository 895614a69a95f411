/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.interplay.Rig.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.interplay.Rig.Step;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.testcalls.Way;
import dev.holdfast.throttling.ThrottlePolicy;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Hedged attempts and the real policies further in: each counts each of them. */
class HedgeInterplayTest {
    private static HedgePolicy hedge() {
        return HedgePolicy.of(h -> h.delay(millis(20)));
    }

    private static BulkheadPolicy bulkhead(int permits) {
        return BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(permits).maxWaitingCalls(100).maxWait(millis(60_000)));
    }

    private static CircuitBreakerPolicy breaker() {
        return CircuitBreakerPolicy.of(
                b -> b.failureRateThreshold(50).slidingWindowSize(10).minimumNumberOfCalls(10));
    }

    private static int counted(CircuitBreakerPolicy breaker) {
        return breaker.asResilience4j().getMetrics().getNumberOfBufferedCalls();
    }

    private static int failed(CircuitBreakerPolicy breaker) {
        return breaker.asResilience4j().getMetrics().getNumberOfFailedCalls();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theLosersPermitIsReturnedAndStaysOutAsLongAsItsWorkGoesOn(Way way) {
        BulkheadPolicy bulkhead = bulkhead(2);
        try (Rig rig = new Rig(way, hedge(), bulkhead)) {
            Rig.Running running =
                    rig.start(Step.of("slow").after(1_000), Step.of("fast").after(10));
            rig.time.advance(millis(25));
            assertThat(bulkhead.inFlight()).isEqualTo(2);
            rig.time.advance(millis(5));
            assertThat(running.end()).isEqualTo("fast LIVE at 30");
            assertThat(bulkhead.inFlight()).isZero();

            Rig.Running stubborn = rig.start(
                    Step.of("fast").after(25), Step.of("slow").after(100).stubbornly());
            rig.time.advance(millis(30));
            assertThat(stubborn.end()).isEqualTo("fast LIVE at 25");
            assertThat(bulkhead.inFlight()).isOne();
            rig.time.run();
            assertThat(bulkhead.inFlight()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeThatIsTurnedAwayFurtherInCostsNoTokenAndWasNotStarted(Way way) {
        RetryBudget budget = RetryBudget.of(b -> b.maxTokens(10));
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(millis(20)).budget(budget));
        try (Rig rig = new Rig(way, hedge, bulkhead(1))) {
            rig.start(Step.of("slow").after(50), Step.of("never").after(1));
            rig.time.advance(millis(25));

            assertThat(budget.tokens()).isEqualTo(10);
            assertThat(rig.pipeline.snapshot().numbers())
                    .containsEntry("hedge.started", 0L)
                    .containsEntry("hedge.refused", 1L);
            rig.time.run();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeNeverWaitsForAPermit(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1);
        try (Rig rig = new Rig(way, hedge(), bulkhead)) {
            Rig.Running running =
                    rig.start(Step.of("slow").after(50), Step.of("never").after(1));
            rig.time.advance(millis(25));
            assertThat(bulkhead.waiting()).isZero();
            rig.time.run();
            assertThat(running.end()).isEqualTo("slow LIVE at 50");
            assertThat(running.attempts).hasValue(1);
            assertThat(bulkhead.inFlight()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeNeverWaitsForTheThrottle(Way way) {
        ThrottlePolicy throttle =
                ThrottlePolicy.of(t -> t.limit(10).per(millis(1_000)).burst(1).maxWait(millis(60_000)));
        try (Rig rig = new Rig(way, hedge(), throttle)) {
            Rig.Running running =
                    rig.run(Step.of("slow").after(50), Step.of("never").after(1));
            assertThat(running.end()).isEqualTo("slow LIVE at 50");
            assertThat(running.attempts).hasValue(1);
            assertThat(throttle.rejected()).isOne();
            assertThat(throttle.waited()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theThrottleCountsEachAttempt(Way way) {
        ThrottlePolicy throttle =
                ThrottlePolicy.of(t -> t.limit(4).per(millis(60_000)).burst(4).maxWait(millis(0)));
        try (Rig rig = new Rig(way, hedge(), throttle)) {
            Rig.Running hedged =
                    rig.run(Step.of("slow").after(1_000), Step.of("fast").after(10));
            assertThat(hedged.end()).isEqualTo("fast LIVE at 30");
            assertThat(hedged.attempts).hasValue(2);
            assertThat(throttle.available()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theBreakerCountsTheWinnerAndNotTheLosersLateFailure(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        try (Rig rig = new Rig(way, hedge(), breaker)) {
            Rig.Running running = rig.run(
                    Step.of(new IOException("late")).after(60).stubbornly(),
                    Step.of("fast").after(10));
            assertThat(running.end()).startsWith("fast LIVE");
            assertThat(counted(breaker)).isOne();
            assertThat(failed(breaker)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theBreakerCountsEachAttemptThatFails(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        try (Rig rig = new Rig(way, hedge(), breaker)) {
            Rig.Running running = rig.run(
                    Step.of(new IOException("first")).after(30),
                    Step.of(new IOException("second")).after(30));
            assertThat(running.end()).isEqualTo("second at 50");
            assertThat(failed(breaker)).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOpenBreakerTurnsAHedgeAwayAndTheFirstAttemptGoesOn(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        try (Rig rig = new Rig(way, hedge(), breaker)) {
            Rig.Running running =
                    rig.start(Step.of("slow").after(50), Step.of("never").after(1));
            rig.time.advance(millis(10));
            breaker.asResilience4j().transitionToForcedOpenState();
            rig.time.run();
            assertThat(running.end()).isEqualTo("slow LIVE at 50");
            assertThat(running.attempts).hasValue(1);
        }
    }
}
