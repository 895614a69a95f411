/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.decorators.Decorators;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import io.github.resilience4j.timelimiter.TimeLimiter;
import io.github.resilience4j.timelimiter.TimeLimiterConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * So many processes with resilience4j's decorators, in the order of its documentation: retry, circuit breaker, time limiter,
 * bulkhead. With its defaults, but for the time of an attempt, which is the standard pipeline's of three seconds: one second, its
 * default, is less than a request takes in one of the experiments. And its retry waits half a second and up to half of that more or
 * less.
 */
final class Resilience4jFleet implements Client {
    private static final double USUAL_TIMEOUT = 3;
    private static final long FIRST_WAIT_MILLIS = 500;

    private final World world;
    private final WorldScheduler scheduler;
    private final double timeout;
    private final List<Stack> processes = new ArrayList<>();

    private record Stack(Retry retry, CircuitBreaker breaker, TimeLimiter limiter, Bulkhead bulkhead) {}

    Resilience4jFleet(World world, int number) {
        this.world = world;
        scheduler = new WorldScheduler(world);
        timeout = world.variation().timeout() > 0 ? world.variation().timeout() : USUAL_TIMEOUT;
        for (int i = 0; i < number; i++) {
            processes.add(stack());
        }
    }

    private Stack stack() {
        IntervalFunction wait =
                tries -> (long) (FIRST_WAIT_MILLIS * (0.5 + world.random().nextDouble()));
        return new Stack(
                Retry.of("service", RetryConfig.custom().intervalFunction(wait).build()),
                CircuitBreaker.of(
                        "service",
                        CircuitBreakerConfig.custom()
                                .clock(new WorldClock(world))
                                .currentTimestampFunction(
                                        clock -> TimeUnit.MILLISECONDS.toNanos(clock.millis()), TimeUnit.NANOSECONDS)
                                .build()),
                TimeLimiter.of(TimeLimiterConfig.custom()
                        .timeoutDuration(Duration.ofNanos((long) (1e9 * timeout)))
                        .build()),
                Bulkhead.ofDefaults("service"));
    }

    @Override
    public CompletableFuture<Answer> call(@Nullable Integer key, Service attempt) {
        Stack process = processes.get(world.random().nextInt(processes.size()));
        Supplier<CompletableFuture<String>> ask = () -> attempt.ask(world.now() + timeout);
        return Decorators.ofCompletionStage(ask::get)
                .withBulkhead(process.bulkhead())
                .withTimeLimiter(process.limiter(), scheduler)
                .withCircuitBreaker(process.breaker())
                .withRetry(process.retry(), scheduler)
                .get()
                .toCompletableFuture()
                .handle((value, error) -> error == null ? Answer.LIVE : Answer.NONE);
    }
}
