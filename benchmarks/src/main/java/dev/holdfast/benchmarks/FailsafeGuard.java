/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.failsafe.Bulkhead;
import dev.failsafe.CircuitBreaker;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.Policy;
import dev.failsafe.RateLimiter;
import dev.failsafe.RetryPolicy;
import dev.failsafe.Timeout;
import dev.failsafe.function.CheckedSupplier;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/** Failsafe's executor with the settings of {@link Policies}. */
record FailsafeGuard(FailsafeExecutor<Object> executor) implements Guard {

    static FailsafeGuard of(Work work) {
        // The first is the outermost.
        List<Policy<Object>> policies = switch (work) {
            case RETRY -> List.of(retry());
            case BREAKER, OPEN_BREAKER -> List.of(breaker());
            case TIMED_BREAKER -> List.of(timedBreaker());
            case THROTTLE -> List.of(limiter());
            case BULKHEAD -> List.of(bulkhead());
            case LIMITS -> List.of(timeout(Policies.DEADLINE), timeout(Policies.TIMEOUT));
            case FOUR -> List.of(retry(), breaker(), limiter(), bulkhead());
            default -> throw new IllegalArgumentException("not measured: " + work);
        };
        return new FailsafeGuard(Failsafe.with(policies));
    }

    @Override
    public Callable<?> around(Caller caller) {
        CheckedSupplier<Object> action = caller::answer;
        return () -> executor.get(action);
    }

    /** Without a delay, which is its default: it refuses to be told so. */
    private static Policy<Object> retry() {
        return RetryPolicy.builder().withMaxAttempts(Policies.ATTEMPTS).build();
    }

    private static Policy<Object> breaker() {
        return CircuitBreaker.builder()
                .withFailureThreshold(Policies.WINDOW * Policies.FAILURE_RATE / 100, Policies.WINDOW)
                .withDelay(Policies.OPEN)
                .build();
    }

    private static Policy<Object> timedBreaker() {
        return CircuitBreaker.builder()
                .withFailureRateThreshold(Policies.FAILURE_RATE, Policies.WINDOW, Policies.TIME_WINDOW)
                .withDelay(Policies.OPEN)
                .build();
    }

    /** Bursty, as resilience4j's is: the smooth one would turn away two calls that come within 10 ns. */
    private static Policy<Object> limiter() {
        return RateLimiter.burstyBuilder(Policies.CALLS_PER_SECOND, Duration.ofSeconds(1))
                .build();
    }

    /** Interrupts the caller, as ours does; it has the same policy for an attempt and for the whole call. */
    private static Policy<Object> timeout(Duration limit) {
        return Timeout.builder(limit).withInterrupt().build();
    }

    private static Policy<Object> bulkhead() {
        return Bulkhead.builder(Policies.CONCURRENT).build();
    }
}
