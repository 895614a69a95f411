/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.lang.reflect.Field;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;

/** What resilience4j's state machine does not show. */
final class Inside {
    private static final Field STATE =
            field("io.github.resilience4j.circuitbreaker.internal.CircuitBreakerStateMachine", "stateReference");
    private static final Field OPEN_UNTIL = field(
            "io.github.resilience4j.circuitbreaker.internal.CircuitBreakerStateMachine$OpenState",
            "retryAfterWaitDuration");

    private Inside() {}

    private static Field field(String type, String name) {
        try {
            Field field = Class.forName(type).getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("another version of resilience4j", e);
        }
    }

    /** The object that is there for one life of a state. */
    static Object life(CircuitBreaker breaker) {
        return ((AtomicReference<?>) value(STATE, breaker)).get();
    }

    static Instant openUntil(Object life) {
        return (Instant) value(OPEN_UNTIL, life);
    }

    private static Object value(Field field, Object of) {
        try {
            return field.get(of);
        } catch (IllegalAccessException e) {
            throw new LinkageError("another version of resilience4j", e);
        }
    }
}
