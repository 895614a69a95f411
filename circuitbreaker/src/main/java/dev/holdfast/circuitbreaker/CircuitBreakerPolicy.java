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
 * Stops calling a dependency that answers nearly nothing, and probes it until it answers again.
 *
 * <p>It counts what the classifier calls {@link Outcome#FAILURE} or {@link Outcome#PUSHBACK}, and timeouts. It does not count a
 * call that did not reach the dependency, was cancelled or interrupted, was {@linkplain Passage#cutShort cut short} by a limit
 * from outside, or is the caller's own fault; if a probe ends this way, another call becomes the probe. A result counts only in
 * the state that admitted its call.
 *
 * <p>Never blocks. Safe for any number of threads and pipelines. Pipelines that share the policy share the breaker, and must use
 * the same {@link TimeSource}. A change of state is seen when a call looks: an open breaker becomes half-open with the first call
 * after its wait. To force it open or closed, disable or reset it, use {@link #asResilience4j()}.
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
     * An existing breaker, which stays shared with your other code. It keeps its own clock and its config. What the pipeline
     * calls a failure also goes through the config's predicates, which gives a {@linkplain #warnings warning}. The pipeline does
     * not know how long it stays open.
     */
    public static CircuitBreakerPolicy of(CircuitBreaker existing) {
        return new CircuitBreakerPolicy(new SharedBreaker(existing));
    }

    /**
     * The settings that this breaker was made with; of an {@linkplain #of(CircuitBreaker) existing} one, what
     * {@link CircuitBreakerSettings#from} reads in its config.
     */
    public CircuitBreakerSettings settings() {
        return breaker.settings();
    }

    /** The present state. A state that ends by itself, by the settings, has ended here, too. */
    public State state() {
        return breaker.state();
    }

    /**
     * A view that implements resilience4j's {@code CircuitBreaker}: state, metrics, events, config, and manual transitions, which
     * calls see at once. It can be used in resilience4j's registries, meters and decorators.
     *
     * <p>Calls through the view are not tracked one by one: a result counts in the state that it finds, and a probe's permission
     * is free at once only if the thread that acquired it releases it. The view uses the time of the pipeline; before there is a
     * pipeline, the system's. Event consumers run on the thread that causes the event: the thread of a call, or the timer thread
     * if a running call was too slow. They must be quick. The view of an {@linkplain #of(CircuitBreaker) existing} breaker is that
     * breaker.
     */
    public CircuitBreaker asResilience4j() {
        return breaker.view();
    }

    /**
     * A view with another name and with tags, for registries and meters. The same name and tags give the same view. Each view has
     * its own event consumers.
     *
     * @throws UnsupportedOperationException if it is an existing breaker, which has a name already
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
