/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.circuitbreaker.internal.engine.State;
import dev.holdfast.internal.Checks;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Common parts of Holdfast's own breaker and an existing one. */
public final class PolicyParts {
    /** The policy's name. */
    public static final String NAME = "circuit-breaker";

    private static final CircuitBreakerConfig STACKLESS =
            CircuitBreakerConfig.custom().writableStackTraceEnabled(false).build();

    private PolicyParts() {}

    /**
     * The outcome that the breaker counts. Three kinds of calls say nothing about the dependency, and count as rejected: a
     * call that did not reach it, a call without enough time for an answer, and a call that an inner policy answered.
     */
    public static Outcome counted(Passage passage) {
        Outcome outcome = passage.started() && !passage.cutShort() ? passage.outcome() : Outcome.REJECTED;
        return outcome == Outcome.SUCCESS && passage.source() != Source.LIVE ? Outcome.REJECTED : outcome;
    }

    /** Whether the call ended with a value that the dependency has given now, whatever the classifier says of it. */
    public static boolean isAnswer(Passage passage) {
        return passage.error() == null && passage.source() == Source.LIVE;
    }

    /** The error of the call, or a stand-in if it ended with a value. */
    public static Throwable error(Passage passage) {
        Throwable error = passage.error();
        return error == null ? ValueFailure.INSTANCE : error;
    }

    /** Rejects a call in this state, which lasts {@code left} nanoseconds more; -1 if that is not known. */
    public static int refuse(Passage passage, State state, long left, int probes, @Nullable Throwable cause) {
        String pipeline = passage.pipeline();
        return passage.reject(
                Reason.CIRCUIT_OPEN,
                left,
                () -> "circuit breaker of '" + pipeline + "' is " + fact(state, left, probes),
                cause);
    }

    private static String fact(State state, long left, int probes) {
        return switch (state) {
            case OPEN -> left < 0 ? "open" : "open, next probe in " + Checks.time(left);
            case FORCED_OPEN -> "forced open";
            // The state has changed while the call was rejected: it was half-open, or is about to open.
            case HALF_OPEN, CLOSED, DISABLED, METRICS_ONLY -> "half-open, all " + probes + " probes are out";
        };
    }

    /**
     * The exception that an existing {@code catch} expects. It may be shared, because it has neither stack trace nor
     * suppressed exceptions. Made from a twin, because a breaker's own config decides on stack traces and usually wants
     * them.
     */
    static CallNotPermittedException refusal(String breaker, CircuitBreaker.State state) {
        CircuitBreakerConfig inState =
                CircuitBreakerConfig.from(STACKLESS).initialState(state).build();
        return CallNotPermittedException.createCallNotPermittedException(CircuitBreaker.of(breaker, inState));
    }

    /**
     * What a breaker measures.
     *
     * @param failure percentage; -1 while there are too few calls
     * @param slow percentage; -1 while there are too few calls
     * @param buffered calls in the window
     * @param notPermitted rejected calls
     */
    public record Rates(
            DoubleSupplier failure, DoubleSupplier slow, DoubleSupplier buffered, LongSupplier notPermitted) {}

    /** The meters of the state that this function returns, and of what the breaker measures. */
    public static void meters(Meters meters, Supplier<State> now, Rates rates) {
        for (State state : State.values()) {
            meters.gauge(
                    "circuitbreaker.state",
                    "1 for the state that the circuit breaker is in, 0 for the others.",
                    "state",
                    state.word(),
                    () -> now.get() == state ? 1 : 0);
        }
        meters.gauge(
                "circuitbreaker.failure.rate",
                "Percentage of failed calls in the window; -1 while it holds too few.",
                rates.failure);
        meters.gauge(
                "circuitbreaker.slow.rate",
                "Percentage of slow calls in the window; -1 while it holds too few.",
                rates.slow);
        meters.gauge("circuitbreaker.buffered", "Calls in the window.", rates.buffered);
        meters.counter("circuitbreaker.not.permitted", "Calls that were rejected.", rates.notPermitted);
    }

    /** Stands for a value that the classifier calls a failure. */
    private static final class ValueFailure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @SuppressWarnings("StaticAssignmentOfThrowable") // it has no stack trace, and nothing can be added to it
        static final ValueFailure INSTANCE = new ValueFailure();

        private ValueFailure() {
            super("the value counts as a failure", null, false, false);
        }
    }
}
