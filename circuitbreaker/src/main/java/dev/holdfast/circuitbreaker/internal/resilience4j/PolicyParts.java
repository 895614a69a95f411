/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.circuitbreaker.internal.engine.State;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is the same for a breaker of our own and for one of the user's. */
public final class PolicyParts {
    /** The policy's name. */
    public static final String NAME = "circuit-breaker";

    private static final CircuitBreakerConfig STACKLESS =
            CircuitBreakerConfig.custom().writableStackTraceEnabled(false).build();
    private static final long MILLISECOND = 1_000_000;
    private static final long TENTH = 100 * MILLISECOND;

    private PolicyParts() {}

    /**
     * The outcome as it counts. Three kinds of calls say nothing of the dependency, and count as turned away: one that did not
     * reach it, one that was not given the time that an answer takes, and one that a policy further in answered.
     */
    public static Outcome counted(Passage passage) {
        Outcome outcome = passage.started() && !passage.cutShort() ? passage.outcome() : Outcome.REJECTED;
        return outcome == Outcome.SUCCESS && passage.source() != Source.LIVE ? Outcome.REJECTED : outcome;
    }

    /** What the call ended with, where an exception is asked for. */
    public static Throwable error(Passage passage) {
        Throwable error = passage.error();
        return error == null ? ValueFailure.INSTANCE : error;
    }

    /** Turned away in this state, which lasts so much longer; -1 if that is not known. */
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
            case OPEN -> left < 0 ? "open" : "open, next probe in " + seconds(left);
            case FORCED_OPEN -> "forced open";
            // The others have been half-open, or are about to be open, while the call was turned away.
            case HALF_OPEN, CLOSED, DISABLED, METRICS_ONLY -> "half-open, all " + probes + " probes are out";
        };
    }

    private static String seconds(long nanos) {
        if (nanos < 10 * TENTH) {
            return (nanos + MILLISECOND - 1) / MILLISECOND + " ms";
        }
        long tenths = (nanos + TENTH - 1) / TENTH;
        return tenths / 10 + "." + tenths % 10 + " s";
    }

    /**
     * What an existing {@code catch} looks for. It may be shared: it has neither stack trace nor suppressed exceptions. Made from
     * a twin, since a breaker's own config decides on stack traces and usually wants them.
     */
    static CallNotPermittedException refusal(String breaker, CircuitBreaker.State state) {
        CircuitBreakerConfig inState =
                CircuitBreakerConfig.from(STACKLESS).initialState(state).build();
        return CallNotPermittedException.createCallNotPermittedException(CircuitBreaker.of(breaker, inState));
    }

    /** Of the state that this function knows, and the failure rate. */
    public static void meters(Meters meters, Supplier<State> now, DoubleSupplier failureRate) {
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
                failureRate);
    }

    /** Stands for a value that the classifier holds to be a failure. */
    private static final class ValueFailure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @SuppressWarnings("StaticAssignmentOfThrowable") // it has no stack trace, and nothing can be added to it
        static final ValueFailure INSTANCE = new ValueFailure();

        private ValueFailure() {
            super("the value counts as a failure", null, false, false);
        }
    }
}
