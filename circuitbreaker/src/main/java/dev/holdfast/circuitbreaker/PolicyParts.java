/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is the same for a breaker of our own and for one of the user's. */
final class PolicyParts {
    static final String NAME = "circuit-breaker";

    private static final long MILLISECOND = 1_000_000;
    private static final long TENTH = 100 * MILLISECOND;

    private PolicyParts() {}

    /**
     * The outcome as it counts. Three kinds of calls say nothing of the dependency, and count as turned away: one that did not
     * reach it, one that was not given the time that an answer takes, and one that a policy further in answered.
     */
    static Outcome counted(Passage passage) {
        Outcome outcome = passage.started() && !passage.cutShort() ? passage.outcome() : Outcome.REJECTED;
        return outcome == Outcome.SUCCESS && passage.source() != Source.LIVE ? Outcome.REJECTED : outcome;
    }

    /** What the call ended with, where an exception is asked for. */
    static Throwable error(Passage passage) {
        Throwable error = passage.error();
        return error == null ? ValueFailure.INSTANCE : error;
    }

    /** Turned away in this state, which lasts so much longer; -1 if that is not known. */
    static int refuse(Passage passage, State state, long left, int probes, @Nullable Throwable cause) {
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

    /** The state as it is called in metrics: {@code half_open}. */
    static String name(State state) {
        return state.name().toLowerCase(Locale.ROOT);
    }

    static void meters(Meters meters, Supplier<State> now, DoubleSupplier failureRate) {
        for (State state : State.values()) {
            meters.gauge(
                    "circuitbreaker.state",
                    "1 for the state that the circuit breaker is in, 0 for the others.",
                    "state",
                    name(state),
                    () -> now.get() == state ? 1 : 0);
        }
        meters.gauge(
                "circuitbreaker.failure.rate",
                "Percentage of failed calls in the window; -1 while it holds too few.",
                failureRate);
    }
}
