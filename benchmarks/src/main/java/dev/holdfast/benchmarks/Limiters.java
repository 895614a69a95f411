/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import com.google.common.util.concurrent.RateLimiter;
import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.Limiter;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import com.netflix.concurrency.limits.limit.VegasLimit;
import com.netflix.concurrency.limits.limiter.SimpleLimiter;
import io.github.bucket4j.Bucket;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Libraries that limit one thing and wrap nothing: each call asks them first. A refusal ends the run. */
final class Limiters {

    private Limiters() {}

    /** An adaptive limit that begins where Holdfast's bulkhead stands, and stays there while so few calls run. */
    static Guard vegas() {
        return concurrency(
                VegasLimit.newBuilder().initialLimit(Policies.CONCURRENT).build());
    }

    /** The same with the other algorithm. */
    static Guard gradient2() {
        return concurrency(
                Gradient2Limit.newBuilder().initialLimit(Policies.CONCURRENT).build());
    }

    static Guard bucket4j() {
        Bucket bucket = Bucket.builder()
                .addLimit(limit -> limit.capacity(Policies.CALLS_PER_SECOND)
                        .refillGreedy(Policies.CALLS_PER_SECOND, Duration.ofSeconds(1)))
                .build();
        return rate(() -> bucket.tryConsume(1));
    }

    static Guard guava() {
        RateLimiter limiter = RateLimiter.create(Policies.CALLS_PER_SECOND);
        return rate(limiter::tryAcquire);
    }

    private static Guard rate(BooleanSupplier permit) {
        return caller -> () -> {
            if (!permit.getAsBoolean()) {
                throw refused();
            }
            return caller.answer();
        };
    }

    private static Guard concurrency(Limit limit) {
        Limiter<Object> limiter = SimpleLimiter.newBuilder().limit(limit).build();
        return caller -> () -> once(limiter, caller);
    }

    private static String once(Limiter<Object> limiter, Caller caller) {
        Limiter.Listener permit = limiter.acquire("inventory").orElseThrow(Limiters::refused);
        try {
            String answer = caller.answer();
            permit.onSuccess();
            return answer;
        } catch (RuntimeException failure) {
            permit.onIgnore();
            throw failure;
        }
    }

    private static IllegalStateException refused() {
        return new IllegalStateException("a limit that should not bind has turned a call away");
    }
}
