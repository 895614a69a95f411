/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.Outcome;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Stops calling a dependency from which nearly nothing comes back, and probes it until something does.
 *
 * <p>Counts what the classifier calls {@link Outcome#FAILURE} or {@link Outcome#PUSHBACK}, and attempts that ran out of
 * time. Counts nothing that did not reach the dependency, was cancelled or interrupted, was {@linkplain Passage#cutShort
 * cut short} by a limit from outside, or is the caller's own fault; a probe that ended so gives its place to another call. A result counts only in the state in which its call was admitted.
 *
 * <p>Never blocks. Safe for any number of threads and pipelines; those that share one policy share the breaker, and must
 * go by the same {@link TimeSource}. State changes are told when a call sees them: an open breaker becomes half-open with
 * the first call after its wait. To force it open or closed, disable or reset it, use {@link #asResilience4j()}.
 */
public final class CircuitBreakerPolicy extends Policy {
    static final String NAME = "circuit-breaker";

    private final Breaker breaker;

    private CircuitBreakerPolicy(Breaker breaker) {
        super(NAME, ENTER | SUCCESS | FAILURE | STILL_ADMITS | (breaker.watches() ? OVERDUE : 0));
        this.breaker = breaker;
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
        return new CircuitBreakerPolicy(new OwnBreaker(NAME, settings));
    }

    /**
     * A breaker that exists, and stays shared with whatever else uses it. It keeps its own clock, and its config stays in
     * force: what the pipeline calls a failure goes through the config's predicates as well, which is worth a
     * {@linkplain #warnings warning}. How long it stays open is not known here.
     */
    public static CircuitBreakerPolicy of(CircuitBreaker existing) {
        return new CircuitBreakerPolicy(new SharedBreaker(existing));
    }

    /** The state. One that ends by itself, by its settings, has ended for whoever asks after that. */
    public State state() {
        return breaker.state();
    }

    /**
     * The breaker as resilience4j's classes know one: its state, metrics and events, its config, and manual transitions,
     * which calls see at once. It goes into a registry of theirs, feeds their meters and is driven by their decorators.
     *
     * <p>What is acquired and reported through it is not tracked: a result counts in the state that it finds, also if the
     * call was admitted in an earlier one, and a probe's permission is free at once only if the thread that took it gives it
     * back. It goes by the time of the pipeline, and by the system's before there is one.
     * Consumers of its events are called by the thread that brought them about, which is a call's or, if a running call
     * was too slow, the pipeline's timer: they must be quick. An {@linkplain #of(CircuitBreaker) existing} breaker is
     * itself.
     */
    public CircuitBreaker asResilience4j() {
        return breaker.view();
    }

    /**
     * The same by another name and with tags, as registries and meters tell breakers apart. The same view for the same name
     * and tags; each has its own event consumers.
     *
     * @throws UnsupportedOperationException if it is an existing breaker, which has its name
     */
    public CircuitBreaker asResilience4j(String name, Map<String, String> tags) {
        return breaker.view(name, tags);
    }

    @Override
    public int enter(Passage passage) {
        return breaker.enter(passage);
    }

    @Override
    public int stillAdmits(Passage passage) {
        return breaker.stillAdmits(passage);
    }

    @Override
    public int settle(Passage passage) {
        breaker.settle(passage);
        return KEEP;
    }

    @Override
    public void overdue(long slot, long now) {
        breaker.overdue(slot, now);
    }

    @Override
    public boolean overdueRunsUserCode() {
        return breaker.hasConsumers();
    }

    @Override
    public void abandon(Passage passage) {
        breaker.abandon(passage);
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
                    Breaker.name(state),
                    () -> state() == state ? 1 : 0);
        }
        meters.gauge(
                "circuitbreaker.failure.rate",
                "Percentage of failed calls in the window; -1 while it holds too few.",
                breaker::failureRate);
    }

    @Override
    public List<String> warnings() {
        return breaker.warnings();
    }
}
