/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Source;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Stops calling a dependency from which nearly nothing comes back, and probes it until something does.
 *
 * <p>Counts what the classifier calls {@link Outcome#FAILURE} or {@link Outcome#PUSHBACK}, and attempts that ran out of
 * time. Counts nothing that did not reach the dependency, was cancelled or interrupted, or is the caller's own fault; a
 * probe that ended so gives its place to another call. A result counts only in the state in which its call was admitted.
 *
 * <p>Never blocks. Safe for any number of threads and pipelines; those that share one policy share the breaker, and must
 * go by the same {@link TimeSource}. State changes are told when a call sees them: an open breaker becomes half-open with
 * the first call after its wait. To force it open or closed, disable or reset it, use {@link #resilience4j}.
 */
public final class CircuitBreakerPolicy extends Policy {
    static final String NAME = "circuit-breaker";

    private static final long MILLISECOND = 1_000_000;
    private static final long TENTH = 100 * MILLISECOND;

    private final Breaker breaker;
    private final List<String> warnings;

    private CircuitBreakerPolicy(Breaker breaker, List<String> warnings) {
        super(NAME, ENTER | SUCCESS | FAILURE | STILL_ADMITS);
        this.breaker = breaker;
        this.warnings = warnings;
    }

    /** A breaker with the defaults. */
    public static CircuitBreakerPolicy ofDefaults() {
        return of(CircuitBreakerSettings.builder().build());
    }

    /**
     * A breaker with these options.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range
     */
    public static CircuitBreakerPolicy of(Consumer<? super CircuitBreakerSettings.Builder> options) {
        return of(CircuitBreakerSettings.of(options));
    }

    /** A breaker with these settings. */
    public static CircuitBreakerPolicy of(CircuitBreakerSettings settings) {
        return new CircuitBreakerPolicy(Breaker.own(NAME, settings), List.of());
    }

    /**
     * A breaker that exists, and stays shared with whatever else uses it. It keeps its own clock, and its config stays in
     * force: what the pipeline calls a failure goes through the config's predicates as well, which is worth a
     * {@linkplain #warnings warning}. How long it stays open is not known here.
     */
    public static CircuitBreakerPolicy of(CircuitBreaker existing) {
        return new CircuitBreakerPolicy(Breaker.shared(existing), OwnPredicates.warnings(existing));
    }

    /** The state, as it was left by the last call. */
    public State state() {
        return breaker.engine().getState();
    }

    /** The engine: metrics, events, and manual transitions, which calls see at once. */
    public CircuitBreaker resilience4j() {
        return breaker.engine();
    }

    @Override
    public int enter(Passage passage) {
        boolean acquired = breaker.tryAcquire(passage.now());
        Sight sight = breaker.look(passage);
        if (acquired && sight.admits()) {
            passage.object(sight);
            return PROCEED;
        }
        // What was acquired before it opened is a permit of a state that is over: nothing to give back.
        passage.object(null);
        return refuse(passage, sight);
    }

    @Override
    public int stillAdmits(Passage passage) {
        // Another state has another price: a call that was let in while closed is a probe now, if there is room for it.
        return breaker.look(passage) == passage.object() ? PROCEED : enter(passage);
    }

    @Override
    public int settle(Passage passage) {
        Sight sight = breaker.look(passage);
        if (sight == passage.object()) {
            passage.object(null);
            report(passage);
            sight = breaker.look(passage);
        }
        long left = sight.nanosLeft(passage.now());
        if (left > 0) {
            passage.holdRetry(left);
        }
        return KEEP;
    }

    @Override
    public void abandon(Passage passage) {
        if (passage.object() != null && breaker.look(passage) == passage.object()) {
            breaker.release();
        }
        passage.object(null);
    }

    private void report(Passage passage) {
        Outcome outcome = passage.started() ? passage.outcome() : Outcome.REJECTED;
        switch (outcome) {
            case SUCCESS -> {
                // An answer that a policy further in made up says nothing about the dependency.
                if (passage.source() == Source.LIVE) {
                    breaker.succeeded(passage.actionNanos());
                } else {
                    breaker.release();
                }
            }
            case FAILURE, PUSHBACK, TIMEOUT -> breaker.failed(passage.actionNanos(), cause(passage.error()));
            case IGNORED, REJECTED, CANCELLED, INTERRUPTED -> breaker.release();
        }
    }

    private static Throwable cause(@Nullable Throwable error) {
        return error == null ? ValueFailure.INSTANCE : error;
    }

    private int refuse(Passage passage, Sight sight) {
        long left = sight.nanosLeft(passage.now());
        String message = "circuit breaker of '" + passage.pipeline() + "' is " + fact(sight.state(), left);
        return passage.reject(Reason.CIRCUIT_OPEN, left, message, sight.refusal());
    }

    private String fact(State state, long left) {
        return switch (state) {
            case OPEN -> left < 0 ? "open" : "open, next probe in " + seconds(left);
            case FORCED_OPEN -> "forced open";
            case HALF_OPEN -> "half-open, all " + breaker.probes() + " probes are out";
            // Seen between the engine's decision to open and its change of state.
            case CLOSED, DISABLED, METRICS_ONLY -> "about to open";
        };
    }

    private static String seconds(long nanos) {
        if (nanos < 10 * TENTH) {
            return (nanos + MILLISECOND - 1) / MILLISECOND + " ms";
        }
        long tenths = (nanos + TENTH - 1) / TENTH;
        return tenths / 10 + "." + tenths % 10 + " s";
    }

    @Override
    public void bind(TimeSource time) {
        breaker.bind(time);
    }

    @Override
    public void meters(Meters meters) {
        for (State state : State.values()) {
            meters.gauge(
                    "circuitbreaker.state",
                    "1 for the state that the circuit breaker is in, 0 for the others.",
                    "state",
                    Sight.name(state),
                    () -> state() == state ? 1 : 0);
        }
        meters.gauge(
                "circuitbreaker.failure.rate",
                "Percentage of failed calls in the window; -1 while it holds too few.",
                () -> breaker.engine().getMetrics().getFailureRate());
    }

    @Override
    public List<String> warnings() {
        return warnings;
    }
}
