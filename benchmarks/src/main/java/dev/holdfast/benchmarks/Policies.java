/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.throttling.AdaptiveThrottlePolicy;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The policies as they are measured: with limits that never bind, and the settings that all peers have. */
final class Policies {
    static final int ATTEMPTS = 3;

    /** None: a wait of any length would be all that is measured where calls fail. */
    static final Duration BACKOFF = Duration.ZERO;

    static final int WINDOW = 100;
    static final Duration TIME_WINDOW = Duration.ofSeconds(10);
    static final int FAILURE_RATE = 50;

    /** Longer than any run, so that an open breaker stays open. */
    static final Duration OPEN = Duration.ofHours(1);

    static final int CONCURRENT = 50;
    static final int CALLS_PER_SECOND = 100_000_000;
    /** The tests of what is measured set longer ones, since they run on machines of any speed. */
    static final Duration TIMEOUT = Duration.ofMillis(Long.getLong("holdfast.benchmarks.timeout", 500));

    static final Duration DEADLINE = TIMEOUT.multipliedBy(4);

    private Policies() {}

    /** Its budget, like every other limit here, must not bind: the first attempt of every tenth call may fail. */
    static Policy retry() {
        return retry(r -> r.budget(b -> b.maxTokens(1_000).tokenRatio(1)));
    }

    static Policy unbudgetedRetry() {
        return retry(r -> r.budgetEnabled(false));
    }

    private static Policy retry(Consumer<RetrySettings.Builder> budget) {
        return RetryPolicy.of(r ->
                budget.accept(r.maxAttempts(ATTEMPTS).initialBackoff(BACKOFF).maxBackoff(BACKOFF)));
    }

    static Policy circuitBreaker() {
        return circuitBreaker(SlidingWindowType.COUNT_BASED, WINDOW);
    }

    static Policy timedCircuitBreaker() {
        return circuitBreaker(SlidingWindowType.TIME_BASED, (int) TIME_WINDOW.toSeconds());
    }

    private static Policy circuitBreaker(SlidingWindowType type, int size) {
        return CircuitBreakerPolicy.of(c -> c.failureRateThreshold(FAILURE_RATE)
                .slidingWindowType(type)
                .slidingWindowSize(size)
                .minimumNumberOfCalls(WINDOW)
                .waitDurationInOpenState(OPEN));
    }

    static Policy throttle() {
        // The burst is a whole second: a thread that is held up for less after it read the clock is not rejected.
        return ThrottlePolicy.of(
                t -> t.limit(CALLS_PER_SECOND).per(Duration.ofSeconds(1)).burst(CALLS_PER_SECOND));
    }

    static Policy bulkhead() {
        return BulkheadPolicy.of(b -> b.maxConcurrentCalls(CONCURRENT));
    }

    /** The default limit. */
    static Policy adaptiveBulkhead() {
        return BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.LOSSES).maxConcurrentCalls(CONCURRENT));
    }

    static Policy timeout() {
        return TimeoutPolicy.of(TIMEOUT);
    }

    /** After a measured time, which is half a second as long as too little is measured. */
    static Policy hedge() {
        return HedgePolicy.ofDefaults();
    }

    static Policy deadline() {
        return DeadlinePolicy.of(DEADLINE);
    }

    static Policy staleCache() {
        return StaleCachePolicy.of(c -> c.fresh(Duration.ofHours(1)).maxEntries(10_000));
    }

    /** Retry, circuit breaker, throttle, bulkhead: outermost first. */
    static List<Policy> four() {
        return List.of(retry(), circuitBreaker(), throttle(), bulkhead());
    }

    /** The four, a timeout inside and a deadline around them. */
    static List<Policy> six() {
        List<Policy> six = new ArrayList<>(four());
        six.add(0, deadline());
        six.add(timeout());
        return six;
    }

    /** The policy of this name. */
    static Policy named(String name) {
        return switch (name) {
            case "retry" -> retry();
            case "circuit-breaker" -> circuitBreaker();
            case "throttle" -> throttle();
            case "bulkhead" -> bulkhead();
            case "adaptive-bulkhead" -> adaptiveBulkhead();
            case "timeout" -> timeout();
            case "deadline" -> deadline();
            case "gate" -> GatePolicy.ofDefaults();
            case "adaptive-throttle" -> AdaptiveThrottlePolicy.ofDefaults();
            case "hedge" -> hedge();
            default -> throw new IllegalArgumentException("no policy is called " + name);
        };
    }
}
