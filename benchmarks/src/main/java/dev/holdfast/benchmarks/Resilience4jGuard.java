/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.github.resilience4j.decorators.Decorators;
import io.github.resilience4j.timelimiter.TimeLimiter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import org.openjdk.jmh.infra.Blackhole;

/** resilience4j's decorators, as its documentation composes them; each caller's call is decorated once. */
final class Resilience4jGuard implements Guard {
    private final Work work;
    private final Resilience4jParts parts;

    /** The time limiter's: a thread for each caller, since more of them would only be colder. */
    private final ExecutorService executor = Executors.newFixedThreadPool(Series.MOST_THREADS);

    /** The asynchronous retry's. */
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

    Resilience4jGuard(Scenario scenario, SlidingWindowSynchronizationStrategy window, Blackhole blackhole)
            throws Exception {
        work = scenario.work();
        parts = new Resilience4jParts(
                window, work == Work.TIMED_BREAKER ? SlidingWindowType.TIME_BASED : SlidingWindowType.COUNT_BASED);
        Pollution.ofDecorators(scenario.profile(), parts, blackhole);
        if (scenario.micrometer()) {
            parts.bindTo(new SimpleMeterRegistry());
        }
    }

    @Override
    public Callable<?> around(Caller caller) {
        Callable<String> call = caller::answer;
        return switch (work) {
            case RETRY -> Decorators.ofCallable(call).withRetry(parts.retry()).decorate();
            case BREAKER, TIMED_BREAKER, OPEN_BREAKER ->
                Decorators.ofCallable(call).withCircuitBreaker(parts.breaker()).decorate();
            case THROTTLE ->
                Decorators.ofCallable(call).withRateLimiter(parts.limiter()).decorate();
            case BULKHEAD ->
                Decorators.ofCallable(call).withBulkhead(parts.bulkhead()).decorate();
            case FOUR -> four(call);
            case SIX -> four(limited(call));
            case FOUR_ASYNC ->
                Decorators.ofCompletionStage(caller::stage)
                        .withBulkhead(parts.bulkhead())
                        .withRateLimiter(parts.limiter())
                        .withCircuitBreaker(parts.breaker())
                        .withRetry(parts.retry(), timer)
                        .decorate()::get;
            case LIMITS -> limited(call);
            case INHERITED, NESTED -> throw new IllegalArgumentException("has no such thing: " + work);
        };
    }

    private Callable<String> four(Callable<String> call) {
        return Decorators.ofCallable(call)
                .withBulkhead(parts.bulkhead())
                .withRateLimiter(parts.limiter())
                .withCircuitBreaker(parts.breaker())
                .withRetry(parts.retry())
                .decorate();
    }

    /** It limits futures only, so a blocking call is another thread's. */
    private Callable<String> limited(Callable<String> call) {
        TimeLimiter limiter = TimeLimiter.of(Policies.TIMEOUT);
        return TimeLimiter.<String, Future<String>>decorateFutureSupplier(limiter, () -> executor.submit(call));
    }

    @Override
    public void close() {
        executor.shutdownNow();
        timer.shutdownNow();
    }
}
