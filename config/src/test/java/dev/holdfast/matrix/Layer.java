/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static java.time.Duration.ofDays;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.util.List;
import java.util.function.Consumer;

/** The policies of the matrix, each with one setting, so that what they do can be told by a model. All times in ms. */
enum Layer {
    DEADLINE,
    FALLBACK,
    /** A fallback whose answer takes time. */
    STAGE,
    CACHE,
    RETRY,
    HEDGE,
    BREAKER,
    THROTTLE,
    BULKHEAD,
    /** A bulkhead whose limit adapts. */
    ADAPTIVE,
    /** A bulkhead whose attempts run on threads of its own. */
    DEDICATED,
    TIMEOUT;

    static final int ATTEMPTS = 3;
    static final long BACKOFF = 10;
    static final long HEDGE_DELAY = 20;
    static final long STAGE_TAKES = 30;
    static final int PERMITS = 10;
    static final long MAX_WAIT = 80;
    static final int BURST = 50;
    /** Of a throttle that others have used up: one call each so many milliseconds. */
    static final long PACE = 100;

    static final long THROTTLE_MAX_WAIT = 150;
    static final long OPEN_FOR = 200;

    /** The default order, outermost first, with a hedge. */
    static final List<Layer> STANDARD =
            List.of(DEADLINE, FALLBACK, CACHE, RETRY, HEDGE, BREAKER, THROTTLE, BULKHEAD, TIMEOUT);

    boolean limits() {
        return this == DEADLINE || this == TIMEOUT;
    }

    boolean permits() {
        return this == BULKHEAD || this == ADAPTIVE || this == DEDICATED;
    }

    /**
     * Makes the policy.
     *
     * @param limit of a deadline or a timeout
     * @param trouble what it is to meet; NONE if that is for another one
     * @param stage what a fallback that takes time gives
     */
    Policy make(long limit, Trouble trouble, Stage stage) {
        return switch (this) {
            case DEADLINE -> DeadlinePolicy.of(ofMillis(limit));
            case FALLBACK -> FallbackPolicy.of(error -> stage.now());
            case STAGE -> FallbackPolicy.ofAsync(stage::begin);
            // An old value is never too old, and never young enough to be given instead of a call.
            case CACHE -> StaleCachePolicy.of(c -> c.staleIfError(ofDays(1)));
            case RETRY ->
                RetryPolicy.of(r -> r.maxAttempts(ATTEMPTS)
                        .initialBackoff(ofMillis(BACKOFF))
                        .jitter(Jitter.NONE));
            case HEDGE -> HedgePolicy.of(h -> h.delay(ofMillis(HEDGE_DELAY)));
            case BREAKER -> breaker(trouble);
            case THROTTLE -> throttle(trouble);
            case BULKHEAD -> bulkhead(trouble, b -> {});
            case ADAPTIVE -> bulkhead(trouble, b -> b.limit(LimitAlgorithm.AIMD));
            case DEDICATED -> bulkhead(trouble, b -> b.dedicatedThreads(true));
            case TIMEOUT -> TimeoutPolicy.of(ofMillis(limit));
        };
    }

    private static CircuitBreakerPolicy breaker(Trouble trouble) {
        return CircuitBreakerPolicy.of(c -> {
            c.waitDurationInOpenState(ofMillis(OPEN_FOR))
                    .waitMultiplierInOpenState(1)
                    .permittedNumberOfCallsInHalfOpenState(1);
            if (trouble == Trouble.OPEN) {
                c.initialState(State.FORCED_OPEN);
            } else if (trouble == Trouble.HALF_OPEN) {
                c.initialState(State.HALF_OPEN);
            }
        });
    }

    private static ThrottlePolicy throttle(Trouble trouble) {
        boolean others = trouble == Trouble.SLOWED || trouble == Trouble.THROTTLED;
        return ThrottlePolicy.of(t -> {
            t.maxWait(ofMillis(THROTTLE_MAX_WAIT));
            if (others) {
                t.limit(10).per(ofSeconds(1)).burst(10);
            } else {
                // No token comes back while a case is played, so that what is left tells exactly how many were used.
                t.limit(BURST).per(ofDays(1)).burst(BURST);
            }
        });
    }

    private static BulkheadPolicy bulkhead(Trouble trouble, Consumer<BulkheadSettings.Builder> more) {
        int permits = trouble == Trouble.FULL || trouble == Trouble.FULL_FOR_LONG ? 1 : PERMITS;
        return BulkheadPolicy.of(b -> {
            b.maxConcurrentCalls(permits).maxWait(ofMillis(MAX_WAIT));
            more.accept(b);
        });
    }

    @Override
    public String toString() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
