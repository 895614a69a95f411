/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import org.jspecify.annotations.Nullable;

/**
 * One life of a state of a user's breaker, as it was seen: a breaker that is closed, opens and closes again is seen as three.
 * A call keeps the sight under which it was admitted; its result counts only as long as that is what is seen.
 */
final class Sight {
    private static final CircuitBreakerConfig STACKLESS =
            CircuitBreakerConfig.custom().writableStackTraceEnabled(false).build();

    private final State state;
    private final @Nullable Object life;
    private final @Nullable CallNotPermittedException refusal;

    /** With what tells this life of the state from others; null where nothing does. */
    Sight(String engine, State state, @Nullable Object life) {
        this.state = state;
        this.life = life;
        refusal = admits() ? null : refusal(engine, state);
    }

    State state() {
        return state;
    }

    boolean is(State other, @Nullable Object otherLife) {
        return state == other && life == otherLife;
    }

    /** Whether there is anything that a call could be given. */
    boolean admits() {
        return state != State.OPEN && state != State.FORCED_OPEN;
    }

    /** What an existing {@code catch} looks for. Shared: it has neither stack trace nor suppressed exceptions. */
    @Nullable
    CallNotPermittedException refusal() {
        return refusal;
    }

    /** Made from a twin, since the engine's own config decides on stack traces and usually wants them. */
    static CallNotPermittedException refusal(String engine, State state) {
        CircuitBreakerConfig inState =
                CircuitBreakerConfig.from(STACKLESS).initialState(state).build();
        return CallNotPermittedException.createCallNotPermittedException(CircuitBreaker.of(engine, inState));
    }
}
