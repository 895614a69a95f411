/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.core.functions.CheckedSupplier;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** Each of the peer's decorators alone. Its time limiter knows futures only, so it is measured with one that is done. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class Resilience4jOne extends Measured {

    /** One decorator around the call. */
    @SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
    public static class Blocking extends Measured {
        @Param({"retry", "circuit-breaker-synchronized", "circuit-breaker-lock-free", "rate-limiter", "bulkhead"})
        public String decorator;

        private CheckedSupplier<String> decorated;

        @Setup
        public void build() {
            CheckedSupplier<String> call = action::get;
            Resilience4jParts parts = new Resilience4jParts(
                    decorator.endsWith("lock-free")
                            ? SlidingWindowSynchronizationStrategy.LOCK_FREE
                            : SlidingWindowSynchronizationStrategy.SYNCHRONIZED);
            decorated = switch (decorator) {
                case "retry" -> Retry.decorateCheckedSupplier(parts.retry(), call);
                case "rate-limiter" -> RateLimiter.decorateCheckedSupplier(parts.limiter(), call);
                case "bulkhead" -> Bulkhead.decorateCheckedSupplier(parts.bulkhead(), call);
                default -> CircuitBreaker.decorateCheckedSupplier(parts.breaker(), call);
            };
        }
    }

    private ScheduledExecutorService timer;
    private Supplier<CompletionStage<String>> timed;

    @Setup
    public void build() {
        timer = Executors.newSingleThreadScheduledExecutor();
        timed = TimeLimiter.of(Duration.ofMillis(500)).decorateCompletionStage(timer, stage);
    }

    @TearDown
    public void close() {
        timer.shutdownNow();
    }

    @Benchmark
    public String call(Blocking blocking) throws Throwable {
        return blocking.decorated.get();
    }

    @Benchmark
    public CompletionStage<String> timeLimiter() {
        return timed.get();
    }
}
