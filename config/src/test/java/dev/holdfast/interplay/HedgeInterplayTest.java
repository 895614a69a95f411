/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.interplay.Rig.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.interplay.Rig.Step;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.throttling.ThrottlePolicy;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

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
            assertThat(throttle.rejected()).isZero();
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

    /** What rejects the hedge while the call's own attempt goes on, and the number in which it counts rejected tries. */
    enum Inner {
        BULKHEAD("bulkhead.rejected"),
        BULKHEAD_WITH_PLACES("bulkhead.rejected"),
        EXISTING_BULKHEAD("bulkhead.rejected"),
        NESTED_BULKHEAD("bulkhead.rejected"),
        THROTTLE("throttle.rejected"),
        EXISTING_RATE_LIMITER("throttle.rejected"),
        BREAKER("circuitbreaker.not.permitted"),
        EXISTING_BREAKER("circuitbreaker.not.permitted"),
        SHADOWED_BULKHEAD("shadow.decisions{decision=rejected}");

        final String rejected;

        Inner(String rejected) {
            this.rejected = rejected;
        }

        /** What is to be done while the call runs is added to {@code meanwhile}. */
        List<Policy> policies(List<Runnable> meanwhile) {
            return switch (this) {
                case BULKHEAD ->
                    List.of(BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWaitingCalls(0)));
                case BULKHEAD_WITH_PLACES -> List.of(bulkhead(1));
                case EXISTING_BULKHEAD ->
                    List.of(BulkheadPolicy.of(Bulkhead.of(
                            "old",
                            BulkheadConfig.custom()
                                    .maxConcurrentCalls(1)
                                    .maxWaitDuration(Duration.ZERO)
                                    .build())));
                case NESTED_BULKHEAD -> List.of(bulkhead(10), bulkhead(1));
                case THROTTLE ->
                    List.of(ThrottlePolicy.of(
                            t -> t.limit(1).per(millis(60_000)).burst(1).maxWait(millis(60_000))));
                case EXISTING_RATE_LIMITER ->
                    List.of(ThrottlePolicy.of(RateLimiter.of(
                            "old",
                            RateLimiterConfig.custom()
                                    .limitForPeriod(1)
                                    .limitRefreshPeriod(Duration.ofDays(1))
                                    .timeoutDuration(Duration.ZERO)
                                    .build())));
                case BREAKER -> {
                    CircuitBreakerPolicy breaker = breaker();
                    meanwhile.add(() -> breaker.asResilience4j().transitionToForcedOpenState());
                    yield List.of(breaker);
                }
                case EXISTING_BREAKER -> {
                    CircuitBreaker existing = CircuitBreaker.ofDefaults("old");
                    meanwhile.add(existing::transitionToForcedOpenState);
                    yield List.of(CircuitBreakerPolicy.of(existing));
                }
                case SHADOWED_BULKHEAD ->
                    List.of(ShadowPolicy.of(
                            BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWaitingCalls(0))));
            };
        }
    }

    @ParameterizedTest
    @MethodSource("innerPoliciesAndWays")
    void aHedgeThatAnInnerPolicyRejectsIsNoRejectedTry(Inner inner, Way way) {
        List<Runnable> meanwhile = new ArrayList<>();
        List<Policy> policies = new ArrayList<>(List.of(hedge()));
        policies.addAll(inner.policies(meanwhile));
        try (Rig rig = new Rig(way, policies.toArray(Policy[]::new))) {
            Rig.Running running =
                    rig.start(Step.of("slow").after(50), Step.of("slow").after(50));
            rig.time.advance(millis(10));
            meanwhile.forEach(Runnable::run);
            rig.time.run();

            assertThat(running.end()).isEqualTo("slow LIVE at 50");
            assertThat(rig.told.lines()).noneMatch(line -> line.contains("rejected"));
            assertThat(rig.pipeline.snapshot().numbers())
                    .containsEntry(inner.rejected, 0L)
                    .containsEntry("hedge.refused", inner == Inner.SHADOWED_BULKHEAD ? 0L : 1L);
        }
    }

    static Stream<Arguments> innerPoliciesAndWays() {
        return Arrays.stream(Inner.values())
                .flatMap(inner -> Arrays.stream(Way.values()).map(way -> Arguments.of(inner, way)));
    }
}
