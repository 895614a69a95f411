/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What stands behind the policy: an engine of our own, or a breaker of the user's. Safe for any number of threads. */
abstract class Breaker {
    /** What a policy returns to go on. */
    static final int PROCEED = 0;

    private static final long MILLISECOND = 1_000_000;
    private static final long TENTH = 100 * MILLISECOND;

    abstract int enter(Passage passage);

    abstract int stillAdmits(Passage passage);

    abstract void settle(Passage passage);

    abstract void abandon(Passage passage);

    /** Whether it wants to be told of calls that run for too long. */
    abstract boolean watches();

    abstract void overdue(long slot, long now);

    /** Whether somebody may be told of what {@link #overdue} changes. */
    abstract boolean hasConsumers();

    abstract void bind(TimeSource time);

    abstract CircuitBreakerSettings settings();

    abstract State state();

    abstract float failureRate();

    abstract CircuitBreaker view();

    abstract CircuitBreaker view(String name, Map<String, String> tags);

    abstract List<String> warnings();

    /** What did not reach the dependency, or was not given the time that an answer takes, counts as turned away. */
    static Outcome outcome(Passage passage) {
        return passage.started() && !passage.cutShort() ? passage.outcome() : Outcome.REJECTED;
    }

    /** The state as it is called in metrics: {@code half_open}. */
    static String name(State state) {
        return state.name().toLowerCase(Locale.ROOT);
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
}
