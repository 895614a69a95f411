/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * The views of one engine that have been asked for, and what their consumers are told: each view has its own name, and with
 * it its own events. Costs a call one read as long as there is none. Safe for any number of threads.
 */
final class Views implements Witness {
    private final List<Resilience4jView> views = new ArrayList<>();

    /** Copy of the views' publishers. Volatile: a view is told of what ends after it was asked for. */
    private volatile Events[] publishers = {};

    /** The view of this name and these tags; made if there is none. */
    synchronized Resilience4jView view(
            String name, Map<String, String> tags, BiFunction<String, Map<String, String>, Resilience4jView> make) {
        for (Resilience4jView view : views) {
            if (view.getName().equals(name) && view.getTags().equals(tags)) {
                return view;
            }
        }
        Resilience4jView view = make.apply(name, tags);
        views.add(view);
        publishers = views.stream().map(Resilience4jView::events).toArray(Events[]::new);
        return view;
    }

    /** Whether anybody listens. */
    boolean hasConsumers() {
        for (Events events : publishers) {
            if (events.hasConsumers()) {
                return true;
            }
        }
        return false;
    }

    void success(long nanos) {
        for (Events events : publishers) {
            events.success(nanos);
        }
    }

    void error(long nanos, Throwable error) {
        for (Events events : publishers) {
            events.error(nanos, error);
        }
    }

    void ignored(long nanos, Throwable error) {
        for (Events events : publishers) {
            events.ignored(nanos, error);
        }
    }

    void notPermitted() {
        for (Events events : publishers) {
            events.notPermitted();
        }
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
