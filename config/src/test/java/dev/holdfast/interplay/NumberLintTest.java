/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Settings that contradict one another give a warning with their numbers, and those a little beside them give none. */
@Logs("pipeline 'stock': ")
class NumberLintTest {
    private static List<String> warnings(Policy... policies) {
        try (Pipeline pipeline = Pipeline.of("stock", policies)) {
            return pipeline.warnings();
        }
    }

    private static Policy timeout(long millis) {
        return TimeoutPolicy.of(ofMillis(millis));
    }

    @Test
    void attemptsThatDoNotFitIntoTheDeadline() {
        Policy retry = RetryPolicy.of(r -> r.maxAttempts(3));

        assertThat(warnings(DeadlinePolicy.of(ofSeconds(2)), retry, timeout(700)))
                .containsExactly(
                        "attempts-beyond-deadline: 3 attempts of 700ms take 2100ms, and the deadline is 2s, so that a slow"
                                + " dependency is never tried so often; make the timeout shorter, the attempts fewer, or the deadline longer");
        assertThat(warnings(DeadlinePolicy.of(ofSeconds(2)), retry, timeout(650)))
                .isEmpty();
        assertThat(warnings(DeadlinePolicy.of(ofSeconds(2)), timeout(1_900))).isEmpty();
        assertThat(warnings(DeadlinePolicy.of(ofSeconds(2)), retry, timeout(2_000)))
                .singleElement()
                .asString()
                .startsWith("timeout-not-below-deadline: ");
    }

    private static Policy openFor(long first, long most) {
        return CircuitBreakerPolicy.of(
                b -> b.waitDurationInOpenState(ofSeconds(first)).maxWaitDurationInOpenState(ofSeconds(most)));
    }

    @Test
    void aRetryThatWaitsForTheBreakerWithoutADeadline() {
        Policy retry = RetryPolicy.ofDefaults();

        assertThat(warnings(retry, openFor(20, 2)))
                .containsExactly(
                        "retry-waits-without-deadline: a failed call may wait as long as the circuit breaker is open, up to 20s"
                                + " before each further attempt; add a deadline, or make the breaker's wait shorter");
        assertThat(warnings(retry, openFor(1, 6))).singleElement().asString().contains("up to 6s");
        assertThat(warnings(retry, openFor(60, 60)))
                .singleElement()
                .asString()
                .as("a longer hold ends the call")
                .contains("up to 30s");
        assertThat(warnings(retry, openFor(5, 5))).isEmpty();
        assertThat(warnings(retry, CircuitBreakerPolicy.ofDefaults())).isEmpty();
    }

    @Test
    void aRetryThatCannotWaitLongForTheBreakerNeedsNoDeadline() {
        assertThat(warnings(DeadlinePolicy.of(ofSeconds(60)), RetryPolicy.ofDefaults(), openFor(20, 20)))
                .isEmpty();
        assertThat(warnings(RetryPolicy.of(r -> r.maxAttempts(1)), openFor(20, 20)))
                .isEmpty();
        assertThat(warnings(RetryPolicy.of(r -> r.maxRetryAfter(ofSeconds(5))), openFor(20, 20)))
                .isEmpty();
        assertThat(warnings(
                        RetryPolicy.ofDefaults(),
                        CircuitBreakerPolicy.of(b -> b.waitDurationInOpenState(ofSeconds(20))
                                .waitIntervalFunctionInOpenState(attempt -> 100L))))
                .isEmpty();
        assertThat(warnings(
                        RetryPolicy.ofDefaults(),
                        CircuitBreakerPolicy.of(CircuitBreaker.of(
                                "existing",
                                CircuitBreakerConfig.custom()
                                        .waitDurationInOpenState(ofSeconds(20))
                                        .build()))))
                .as("it tells no retry how long it is open")
                .isEmpty();
    }

    @Test
    void waitsThatAreAsLongAsTheDeadline() {
        Policy deadline = DeadlinePolicy.of(ofSeconds(1));

        assertThat(warnings(deadline, ThrottlePolicy.of(t -> t.maxWait(ofSeconds(1)))))
                .containsExactly(
                        "throttle-waits-beyond-deadline: a call may wait 1s for the throttle, and its deadline is 1s, so that"
                                + " one whose turn comes so late is rejected at once and never waits so long; make max-wait much shorter than the deadline");
        assertThat(warnings(deadline, GatePolicy.of(g -> g.maxWait(ofSeconds(1)))))
                .containsExactly(
                        "gate-waits-beyond-deadline: a call may wait 1s for the gate, and its deadline is 1s, so that one that"
                                + " would have to wait so long is rejected at once; make max-wait much shorter than the deadline");
        assertThat(warnings(deadline, GatePolicy.of(g -> g.maxWait(ofMillis(999)))))
                .isEmpty();
        assertThat(warnings(deadline, BulkheadPolicy.of(b -> b.maxWait(ofSeconds(2)))))
                .singleElement()
                .asString()
                .startsWith("bulkhead-waits-beyond-deadline: ");
        assertThat(warnings(deadline, BulkheadPolicy.of(b -> b.maxWait(ofMillis(999)))))
                .isEmpty();
    }

    /** Other pipelines may have the bulkhead, and work that goes on after its timeout keeps its permit. */
    @Test
    void thatABulkheadIsNeverFullIsNotProvedByNumbers() {
        Policy throttle = ThrottlePolicy.of(t -> t.limit(100).per(ofSeconds(1)).burst(5));

        assertThat(warnings(throttle, BulkheadPolicy.of(b -> b.maxConcurrentCalls(25)), timeout(150)))
                .isEmpty();
    }

    @Test
    void aMaxWaitWithoutAQueueSaysNothing() {
        assertThat(warnings(
                        DeadlinePolicy.of(ofSeconds(1)),
                        BulkheadPolicy.of(b -> b.maxWait(ofSeconds(2)).maxWaitingCalls(0))))
                .isEmpty();
    }

    /** Each of these orders has a warning of its own, and the numbers do not prove what they would in the right order. */
    @Test
    void anOrderThatIsWrongHasOnlyTheWarningOfTheOrder() {
        Policy deadline = DeadlinePolicy.of(ofSeconds(1));
        Policy retry = RetryPolicy.of(r -> r.maxAttempts(3));

        assertThat(warnings(ThrottlePolicy.of(t -> t.maxWait(ofSeconds(2))), deadline))
                .singleElement()
                .asString()
                .startsWith("deadline-not-outermost: ");
        assertThat(warnings(retry, deadline, timeout(400)))
                .singleElement()
                .asString()
                .startsWith("deadline-not-outermost: ");
        assertThat(warnings(retry, deadline, timeout(1_000)))
                .singleElement()
                .asString()
                .startsWith("deadline-not-outermost: ");
        assertThat(warnings(deadline, timeout(400), retry))
                .singleElement()
                .asString()
                .startsWith("timeout-outside-retry: ");
        assertThat(warnings(HedgePolicy.of(h -> h.delay(ofSeconds(1))), retry, timeout(500)))
                .singleElement()
                .asString()
                .startsWith("hedge-outside-retry: ");
    }

    @Test
    void moreProbesThanPermits() {
        Policy breaker = CircuitBreakerPolicy.of(b -> b.permittedNumberOfCallsInHalfOpenState(10));

        assertThat(warnings(breaker, BulkheadPolicy.of(b -> b.maxConcurrentCalls(9))))
                .containsExactly(
                        "probes-above-permits: the half-open circuit breaker sends 10 probes at once, and the bulkhead has 9"
                                + " permits; make the probes fewer, or the bulkhead larger");
        assertThat(warnings(breaker, BulkheadPolicy.of(b -> b.maxConcurrentCalls(10))))
                .isEmpty();
    }

    @Test
    void aBurstOfOne() {
        assertThat(warnings(ThrottlePolicy.of(t -> t.burst(1))))
                .containsExactly(
                        "burst-of-one: of two calls that come at the same moment the second one is turned away, however low the"
                                + " rate is; give the throttle a max-wait, or a burst of some calls for each process");
        assertThat(warnings(ThrottlePolicy.of(t -> t.burst(1).maxWait(ofMillis(50)))))
                .isEmpty();
        assertThat(warnings(ThrottlePolicy.of(t -> t.burst(2)))).isEmpty();
        assertThat(warnings(ThrottlePolicy.of(t -> t.limit(200).burst(20).replicas(40))))
                .singleElement()
                .asString()
                .startsWith("burst-of-one");
        assertThat(warnings(ThrottlePolicy.of(t -> t.limit(200).burst(80).replicas(40))))
                .isEmpty();
        assertThat(warnings(ThrottlePolicy.of(t -> t.limit(200).replicas(40)))).isEmpty();
        assertThat(warnings(ThrottlePolicy.of(t -> t.limit(10).replicas(40)))).hasSize(1);
    }

    @Test
    void aHedgeThatComesTooLate() {
        assertThat(warnings(HedgePolicy.of(h -> h.delay(ofMillis(300))), timeout(300)))
                .containsExactly(
                        "hedge-after-timeout: a hedge begins after 300ms, and the attempt has ended after 300ms; make the"
                                + " delay much shorter than the timeout");
        assertThat(warnings(HedgePolicy.of(h -> h.delay(ofMillis(100))), timeout(300)))
                .isEmpty();
    }

    @Test
    void aCacheThatNeverAnswers() {
        assertThat(warnings(StaleCachePolicy.of(c -> c.fresh(Duration.ZERO)
                        .staleWhileRevalidate(Duration.ZERO)
                        .staleIfError(Duration.ZERO))))
                .containsExactly(
                        "cache-that-never-answers: fresh, stale-while-revalidate and stale-if-error are all 0s, so that a value"
                                + " which brings no times of its own is never given; give it a stale-if-error, or leave it out");
    }

    @Test
    void aCacheOfValuesWithTimesOfTheirOwnMayAnswer() {
        assertThat(warnings(
                        StaleCachePolicy.of(c -> c.staleIfError(Duration.ZERO).freshness(value -> null))))
                .isEmpty();
        assertThat(warnings(
                        StaleCachePolicy.of(c -> c.staleIfError(Duration.ZERO).freshIfIgnored(ofSeconds(1)))))
                .isEmpty();
    }

    @Test
    void theDefaultsContradictNothing() {
        assertThat(warnings(
                        DeadlinePolicy.of(ofSeconds(10)),
                        StaleCachePolicy.of(c -> {}),
                        RetryPolicy.ofDefaults(),
                        HedgePolicy.of(h -> {}),
                        CircuitBreakerPolicy.ofDefaults(),
                        ThrottlePolicy.ofDefaults(),
                        BulkheadPolicy.ofDefaults(),
                        TimeoutPolicy.of(ofSeconds(3))))
                .isEmpty();
    }

    @Test
    void whatIsInShadowContradictsNothing() {
        assertThat(warnings(ShadowPolicy.of(DeadlinePolicy.of(ofMillis(100))), timeout(100)))
                .isEmpty();
    }

    @Test
    void aWarningIsSilencedByTheNameOfItsRule() {
        Policy[] policies = {timeout(900), RetryPolicy.ofDefaults(), ThrottlePolicy.of(t -> t.burst(1))};
        try (Pipeline pipeline = Pipeline.builder("stock")
                .policies(policies)
                .silence("timeout-outside-retry", "burst-of-one")
                .build()) {
            assertThat(pipeline.warnings()).isEmpty();
            pipeline.replace(policies[0], policies[1], RetryPolicy.ofDefaults());

            assertThat(pipeline.warnings()).singleElement().asString().startsWith("two-retries: ");
        }
    }

    @Test
    void aNameThatNoRuleHasIsToldAndNotForgotten() {
        try (Pipeline pipeline = Pipeline.builder("stock")
                .policies(timeout(900))
                .silence("burst-of-won", "timeout-far-too-long", "chaos-enabled")
                .build()) {
            assertThat(pipeline.warnings())
                    .containsExactly(
                            "unknown-rule: no rule is called 'burst-of-won', so that nothing is silenced; correct the name,"
                                    + " or leave it out");
        }
    }
}
