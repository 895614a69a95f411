/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import io.smallrye.faulttolerance.api.TypedGuard;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;

/**
 * SmallRye Fault Tolerance without a container, with the settings of {@link Policies}. Its order is fixed: retry, circuit
 * breaker, rate limit, bulkhead.
 */
record SmallRyeGuard(TypedGuard<String> guard) implements Guard {

    static SmallRyeGuard of(Work work) {
        TypedGuard.Builder<String> builder = TypedGuard.create(String.class);
        switch (work) {
            case RETRY -> retry(builder);
            case BREAKER, OPEN_BREAKER -> breaker(builder);
            case THROTTLE -> limiter(builder);
            case BULKHEAD -> bulkhead(builder);
            case FOUR -> bulkhead(limiter(breaker(retry(builder))));
            default -> throw new IllegalArgumentException("not measured: " + work);
        }
        return new SmallRyeGuard(builder.build());
    }

    @Override
    public Callable<?> around(Caller caller) {
        return guard.adaptCallable(caller::answer);
    }

    private static TypedGuard.Builder<String> retry(TypedGuard.Builder<String> builder) {
        return builder.withRetry()
                .maxRetries(Policies.ATTEMPTS - 1)
                .delay(Policies.BACKOFF.toMillis(), ChronoUnit.MILLIS)
                .jitter(0, ChronoUnit.MILLIS)
                .done();
    }

    private static TypedGuard.Builder<String> breaker(TypedGuard.Builder<String> builder) {
        return builder.withCircuitBreaker()
                .requestVolumeThreshold(Policies.WINDOW)
                .failureRatio(Policies.FAILURE_RATE / 100.0)
                .delay(Policies.OPEN.toMillis(), ChronoUnit.MILLIS)
                .done();
    }

    private static TypedGuard.Builder<String> limiter(TypedGuard.Builder<String> builder) {
        return builder.withRateLimit()
                .limit(Policies.CALLS_PER_SECOND)
                .window(1, ChronoUnit.SECONDS)
                .done();
    }

    private static TypedGuard.Builder<String> bulkhead(TypedGuard.Builder<String> builder) {
        return builder.withBulkhead().limit(Policies.CONCURRENT).done();
    }
}
