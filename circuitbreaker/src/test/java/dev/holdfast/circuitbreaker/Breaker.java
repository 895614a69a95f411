/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.circuitbreaker.internal.engine.PipelineClock;
import dev.holdfast.spi.Policy;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.Map;

/** A policy, and the breaker behind it as resilience4j's classes see it. */
record Breaker(Policy policy, CircuitBreaker view) {
    static Breaker own(CircuitBreakerPolicy policy) {
        return new Breaker(policy, policy.asResilience4j());
    }

    /** That goes by this time from the beginning. */
    static CircuitBreaker own(String name, CircuitBreakerSettings settings, Ticking time) {
        PipelineClock clock = new PipelineClock();
        long unused = clock.bind(time);
        return new CircuitBreakerPolicy(settings, clock).asResilience4j(name, Map.of());
    }

    static Breaker existing(CircuitBreaker breaker) {
        return new Breaker(CircuitBreakerPolicy.of(breaker), breaker);
    }

    Breaker halfOpen() {
        view.transitionToOpenState();
        view.transitionToHalfOpenState();
        return this;
    }
}
