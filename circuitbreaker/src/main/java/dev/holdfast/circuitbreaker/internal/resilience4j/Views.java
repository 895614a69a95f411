/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.circuitbreaker.internal.engine.Engine;
import dev.holdfast.circuitbreaker.internal.engine.PipelineClock;
import dev.holdfast.circuitbreaker.internal.engine.Rules;
import dev.holdfast.circuitbreaker.internal.engine.State;
import dev.holdfast.circuitbreaker.internal.engine.Totals;
import dev.holdfast.circuitbreaker.internal.engine.Witness;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The views of one engine, and the events for their consumers. Each view has its own name, so it has its own events. Without
 * a view this costs a call one read. Safe for any number of threads.
 */
public final class Views implements Witness {
    private final Rules rules;
    private final @Nullable CircuitBreakerConfig origin;
    private final PipelineClock clock;
    private final Runnable looks;
    private final List<Resilience4jView> views = new ArrayList<>();
    private String name = PolicyParts.NAME;
    private boolean bound;
    /** Volatile: a policy may be built into another pipeline while calls of the first one run. */
    private volatile Map<State, CallNotPermittedException> refusals;

    /** The views' publishers. Volatile: a view gets the events of calls that end after it was made. */
    private volatile Events[] publishers = {};

    /**
     * Belongs to an engine with these rules, which may come from a config.
     *
     * @param looks to be called when somebody has changed the state
     */
    public Views(Rules rules, @Nullable CircuitBreakerConfig origin, PipelineClock clock, Runnable looks) {
        this.rules = rules;
        this.origin = origin;
        this.clock = clock;
        this.looks = looks;
        refusals = refusals(name);
    }

    private static Map<State, CallNotPermittedException> refusals(String breaker) {
        Map<State, CallNotPermittedException> refusals = new EnumMap<>(State.class);
        for (State state : List.of(State.OPEN, State.HALF_OPEN, State.FORCED_OPEN)) {
            refusals.put(state, PolicyParts.refusal(breaker, States.theirs(state)));
        }
        return refusals;
    }

    /** Receives the name of a pipeline, before its first call. The first name becomes the breaker's. */
    public synchronized void bind(String pipeline) {
        if (!bound) {
            bound = true;
            name = pipeline;
            refusals = refusals(pipeline);
        }
    }

    /** The name of the breaker. */
    public synchronized String name() {
        return name;
    }

    /** The view of this name and these tags; made if there is none. */
    public synchronized CircuitBreaker view(String name, Map<String, String> tags, Engine engine) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(tags, "tags");
        for (Resilience4jView view : views) {
            if (view.getName().equals(name) && view.getTags().equals(tags)) {
                return view;
            }
        }
        Resilience4jView view =
                new Resilience4jView(name, tags, ForeignConfig.config(rules, origin, clock), engine, clock, looks);
        views.add(view);
        publishers = views.stream().map(Resilience4jView::events).toArray(Events[]::new);
        return view;
    }

    /** Whether there are event consumers. */
    public boolean hasConsumers() {
        for (Events events : publishers) {
            if (events.hasConsumers()) {
                return true;
            }
        }
        return false;
    }

    /** A call has succeeded. */
    public void success(long nanos) {
        for (Events events : publishers) {
            events.success(nanos);
        }
    }

    /** A call has failed. */
    public void error(long nanos, Throwable error) {
        for (Events events : publishers) {
            events.error(nanos, error);
        }
    }

    /** A call does not count. */
    public void ignored(long nanos, Throwable error) {
        for (Events events : publishers) {
            events.ignored(nanos, error);
        }
    }

    /** A call was rejected in this state. Returns the exception that an existing {@code catch} expects. */
    public @Nullable CallNotPermittedException notPermitted(State state) {
        for (Events events : publishers) {
            events.notPermitted();
        }
        return refusals.get(state);
    }

    @Override
    public void exceeded(int thresholds, Totals totals) {
        for (Events events : publishers) {
            events.exceeded(thresholds, totals);
        }
    }

    @Override
    public void changed(State from, State to) {
        for (Events events : publishers) {
            events.changed(from, to);
        }
    }

    @Override
    public void reset() {
        for (Events events : publishers) {
            events.reset();
        }
    }
}
