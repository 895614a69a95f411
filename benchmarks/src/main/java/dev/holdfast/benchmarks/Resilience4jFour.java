/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.core.functions.CheckedSupplier;
import io.github.resilience4j.decorators.Decorators;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** The peer's decorators for what {@link FourPolicies} does, decorated once, with both kinds of window. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class Resilience4jFour extends Measured {
    @Param({"SYNCHRONIZED", "LOCK_FREE"})
    public SlidingWindowSynchronizationStrategy window;

    @Param({"CLEAN", "POLLUTED"})
    public Profile profile;

    @Param({"false", "true"})
    public boolean micrometer;

    private ScheduledExecutorService timer;
    private CheckedSupplier<String> decorated;
    private Supplier<CompletionStage<String>> decoratedStage;

    @Setup
    public void build(Blackhole blackhole) throws Throwable {
        Resilience4jParts parts = new Resilience4jParts(window);
        Pollution.ofDecorators(profile, parts, blackhole);
        if (micrometer) {
            parts.bindTo(new SimpleMeterRegistry());
        }
        timer = Executors.newSingleThreadScheduledExecutor();
        decorated = Decorators.ofCheckedSupplier(action::get)
                .withBulkhead(parts.bulkhead())
                .withRateLimiter(parts.limiter())
                .withCircuitBreaker(parts.breaker())
                .withRetry(parts.retry())
                .decorate();
        decoratedStage = Decorators.ofCompletionStage(stage)
                .withBulkhead(parts.bulkhead())
                .withRateLimiter(parts.limiter())
                .withCircuitBreaker(parts.breaker())
                .withRetry(parts.retry(), timer)
                .decorate();
    }

    @TearDown
    public void close() {
        timer.shutdownNow();
    }

    @Benchmark
    public String call() throws Throwable {
        return decorated.get();
    }

    @Benchmark
    public CompletionStage<String> callAsync() {
        return decoratedStage.get();
    }
}
