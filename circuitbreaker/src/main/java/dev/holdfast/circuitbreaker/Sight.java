/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One life of a state, as it was seen: a breaker that is closed, opens and closes again is seen as three. A call keeps the
 * sight under which it was admitted; its result counts only as long as that is what is seen.
 */
final class Sight {
    private static final CircuitBreakerConfig STACKLESS =
            CircuitBreakerConfig.custom().writableStackTraceEnabled(false).build();

    private final State state;
    private final @Nullable Object life;
    private final boolean untilKnown;
    private final long untilNanos;
    private final AtomicLong probesSince;
    private final @Nullable CallNotPermittedException refusal;

    private Sight(String engine, State state, @Nullable Object life, long now, long waitNanos) {
        this.state = state;
        this.life = life;
        untilKnown = state == State.OPEN && waitNanos >= 0;
        // The engine lets the first call through when the wait is over and not when it is just ending.
        untilNanos = now + waitNanos + 1;
        probesSince = new AtomicLong(now);
        refusal = admits() ? null : refusal(engine, state);
    }

    /**
     * What is seen from now on.
     *
     * @param life what tells this life of the state from others; null where nothing does
     * @param waitNanos how long an open breaker stays so; -1 if not known
     */
    static Sight of(String engine, State state, @Nullable Object life, long now, long waitNanos) {
        return new Sight(engine, state, life, now, waitNanos);
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

    /** How long it stays open; -1 if it is not open, the time is not known, or it is over. */
    long nanosLeft(long now) {
        if (!untilKnown) {
            return -1;
        }
        long left = untilNanos - now;
        return left > 0 ? left : -1;
    }

    /** Whether this half-open life has waited for its probes for so long; true for one caller each time. */
    boolean probesOverdue(long now, long maxWaitNanos) {
        long since = probesSince.get();
        return state == State.HALF_OPEN && now - since >= maxWaitNanos && probesSince.compareAndSet(since, now);
    }

    /** What an existing {@code catch} looks for. Shared: it has neither stack trace nor suppressed exceptions. */
    @Nullable
    CallNotPermittedException refusal() {
        return refusal;
    }

    /** The state as it is called in metrics: {@code half_open}. */
    static String name(State state) {
        return state.name().toLowerCase(Locale.ROOT);
    }

    /** Made from a twin, since the engine's own config decides on stack traces and usually wants them. */
    static CallNotPermittedException refusal(String engine, State state) {
        CircuitBreakerConfig inState =
                CircuitBreakerConfig.from(STACKLESS).initialState(state).build();
        return CallNotPermittedException.createCallNotPermittedException(CircuitBreaker.of(engine, inState));
    }
}
