/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.Arrays;
import java.util.Optional;

/**
 * The kinds of resilience4j, in the default order of our sections. The number is resilience4j's place of the aspect if
 * none is written.
 */
enum Kind {
    RETRY("Retry", "retry", "retry", "retryaspectorder", Integer.MAX_VALUE - 5),
    CIRCUIT_BREAKER(
            "CircuitBreaker", "circuitbreaker", "circuit-breaker", "circuitbreakeraspectorder", Integer.MAX_VALUE - 4),
    RATE_LIMITER("RateLimiter", "ratelimiter", "throttle", "ratelimiteraspectorder", Integer.MAX_VALUE - 3),
    BULKHEAD("Bulkhead", "bulkhead", "bulkhead", "bulkheadaspectorder", Integer.MAX_VALUE - 1),
    THREAD_POOL("Bulkhead", "threadpoolbulkhead", "bulkhead", "bulkheadaspectorder", Integer.MAX_VALUE - 1),
    TIME_LIMITER("TimeLimiter", "timelimiter", "timeout", "timelimiteraspectorder", Integer.MAX_VALUE - 2);

    private final String annotation;
    private final String prefix;
    private final String section;
    private final String aspect;
    private final int aspectOrder;

    Kind(String annotation, String prefix, String section, String aspect, int aspectOrder) {
        this.annotation = annotation;
        this.prefix = prefix;
        this.section = section;
        this.aspect = aspect;
        this.aspectOrder = aspectOrder;
    }

    static Optional<Kind> of(String prefix) {
        String wanted = Text.canonical(prefix);
        return Arrays.stream(values())
                .filter(kind -> kind.prefix.equals(wanted))
                .findFirst();
    }

    /** The annotation in code that asks for one. */
    String annotation() {
        return annotation;
    }

    /** Its name among the settings, as {@link Text#canonical}. */
    String prefix() {
        return prefix;
    }

    /** The section of a pipeline that does the same. */
    String section() {
        return section;
    }

    /** The setting with the place of its aspect. */
    String aspect() {
        return aspect;
    }

    /** The place of its aspect if none is written: the least is outermost. */
    int aspectOrder() {
        return aspectOrder;
    }
}
