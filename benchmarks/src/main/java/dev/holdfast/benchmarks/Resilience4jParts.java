/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.micrometer.tagged.TaggedBulkheadMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedCircuitBreakerMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedRateLimiterMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedRetryMetrics;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import io.github.resilience4j.retry.RetryRegistry;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;

/** The peer's four, each from a registry as its documentation shows, with the settings that {@link Policies} has. */
final class Resilience4jParts {
    private static final String NAME = "inventory";

    private final SlidingWindowSynchronizationStrategy window;
    private final SlidingWindowType type;
    private final RetryRegistry retries;
    private final CircuitBreakerRegistry breakers;
    private final RateLimiterRegistry limiters;
    private final BulkheadRegistry bulkheads;

    Resilience4jParts(SlidingWindowSynchronizationStrategy window, SlidingWindowType type) {
        this.window = window;
        this.type = type;
        int size = type == SlidingWindowType.TIME_BASED ? (int) Policies.TIME_WINDOW.toSeconds() : Policies.WINDOW;
        retries = RetryRegistry.of(RetryConfig.custom()
                .maxAttempts(Policies.ATTEMPTS)
                .waitDuration(Policies.BACKOFF)
                .build());
        breakers = CircuitBreakerRegistry.of(CircuitBreakerConfig.custom()
                .failureRateThreshold(Policies.FAILURE_RATE)
                .slidingWindow(size, Policies.WINDOW, type, window)
                .waitDurationInOpenState(Policies.OPEN)
                // Not its default: a stack trace for each rejection costs more than all that is compared.
                .writableStackTraceEnabled(false)
                .build());
        limiters = RateLimiterRegistry.of(RateLimiterConfig.custom()
                .limitForPeriod(Policies.CALLS_PER_SECOND)
                .limitRefreshPeriod(Duration.ofSeconds(1))
                .timeoutDuration(Duration.ZERO)
                .build());
        bulkheads = BulkheadRegistry.of(BulkheadConfig.custom()
                .maxConcurrentCalls(Policies.CONCURRENT)
                .maxWaitDuration(Duration.ZERO)
                .build());
    }

    /** The same settings again, sharing nothing. */
    Resilience4jParts another() {
        return new Resilience4jParts(window, type);
    }

    Retry retry() {
        return retries.retry(NAME);
    }

    CircuitBreaker breaker() {
        return breakers.circuitBreaker(NAME);
    }

    RateLimiter limiter() {
        return limiters.rateLimiter(NAME);
    }

    Bulkhead bulkhead() {
        return bulkheads.bulkhead(NAME);
    }

    /** Binds all four to Micrometer. */
    void bindTo(MeterRegistry registry) {
        TaggedRetryMetrics.ofRetryRegistry(retries).bindTo(registry);
        TaggedCircuitBreakerMetrics.ofCircuitBreakerRegistry(breakers).bindTo(registry);
        TaggedRateLimiterMetrics.ofRateLimiterRegistry(limiters).bindTo(registry);
        TaggedBulkheadMetrics.ofBulkheadRegistry(bulkheads).bindTo(registry);
    }

    /** What each wraps around a call. */
    List<UnaryOperator<Callable<String>>> layers() {
        Bulkhead bulkhead = bulkhead();
        RateLimiter limiter = limiter();
        CircuitBreaker breaker = breaker();
        Retry retry = retry();
        return List.of(
                call -> Bulkhead.decorateCallable(bulkhead, call),
                call -> RateLimiter.decorateCallable(limiter, call),
                call -> CircuitBreaker.decorateCallable(breaker, call),
                call -> Retry.decorateCallable(retry, call));
    }
}
