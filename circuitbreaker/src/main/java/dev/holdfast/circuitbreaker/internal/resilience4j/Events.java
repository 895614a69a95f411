/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.circuitbreaker.internal.engine.State;
import dev.holdfast.circuitbreaker.internal.engine.Thresholds;
import dev.holdfast.circuitbreaker.internal.engine.Totals;
import dev.holdfast.circuitbreaker.internal.engine.Witness;
import dev.holdfast.internal.SafeLog;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.EventPublisher;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.StateTransition;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnCallNotPermittedEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnErrorEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnFailureRateExceededEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnIgnoredErrorEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnResetEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnSlowCallRateExceededEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnStateTransitionEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnSuccessEvent;
import io.github.resilience4j.core.EventConsumer;
import io.github.resilience4j.core.EventProcessor;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * resilience4j's events, in its order. As in resilience4j, no event is made without a consumer, and a breaker that is
 * disabled or forced open reports only resets and changes. A consumer that throws is logged, here once.
 */
final class Events extends EventProcessor<CircuitBreakerEvent> implements EventPublisher, Witness {
    private static final SafeLog LOG = SafeLog.of(Events.class.getName());

    private final String name;
    private final Supplier<State> state;
    private final AtomicBoolean consumerFailed = new AtomicBoolean();

    Events(String name, Supplier<State> state) {
        this.name = name;
        this.state = state;
    }

    void success(long nanos) {
        if (hasConsumers()) {
            publish(new CircuitBreakerOnSuccessEvent(name, Duration.ofNanos(nanos)));
        }
    }

    void error(long nanos, Throwable error) {
        if (hasConsumers()) {
            publish(new CircuitBreakerOnErrorEvent(name, Duration.ofNanos(nanos), error));
        }
    }

    void ignored(long nanos, Throwable error) {
        if (hasConsumers()) {
            publish(new CircuitBreakerOnIgnoredErrorEvent(name, Duration.ofNanos(nanos), error));
        }
    }

    void notPermitted() {
        if (hasConsumers()) {
            publish(new CircuitBreakerOnCallNotPermittedEvent(name));
        }
    }

    @Override
    public void exceeded(int thresholds, Totals totals) {
        if (!hasConsumers()) {
            return;
        }
        if ((thresholds & Thresholds.FAILING) != 0) {
            publish(new CircuitBreakerOnFailureRateExceededEvent(name, totals.failureRate()));
        }
        if ((thresholds & Thresholds.SLOW) != 0) {
            publish(new CircuitBreakerOnSlowCallRateExceededEvent(name, totals.slowRate()));
        }
    }

    @Override
    public void changed(State from, State to) {
        if (from != to && hasConsumers()) {
            StateTransition transition =
                    StateTransition.transitionBetween(name, States.theirs(from), States.theirs(to));
            publish(new CircuitBreakerOnStateTransitionEvent(name, transition));
        }
    }

    @Override
    public void reset() {
        if (hasConsumers()) {
            publish(new CircuitBreakerOnResetEvent(name));
        }
    }

    @SuppressWarnings("CatchingThrowable") // as in resilience4j: no consumer may break a call
    private void publish(CircuitBreakerEvent event) {
        if (!event.getEventType().forcePublish && !States.theirs(state.get()).allowPublish) {
            return;
        }
        try {
            processEvent(event);
        } catch (Throwable e) {
            if (consumerFailed.compareAndSet(false, true)) {
                LOG.warn("a consumer of events of circuit breaker '" + name + "' threw; told once", e);
            }
        }
    }

    private CircuitBreaker.EventPublisher on(Class<?> type, EventConsumer<? extends CircuitBreakerEvent> consumer) {
        registerConsumer(type.getName(), consumer);
        return this;
    }

    @Override
    public EventPublisher onSuccess(EventConsumer<CircuitBreakerOnSuccessEvent> consumer) {
        return on(CircuitBreakerOnSuccessEvent.class, consumer);
    }

    @Override
    public EventPublisher onError(EventConsumer<CircuitBreakerOnErrorEvent> consumer) {
        return on(CircuitBreakerOnErrorEvent.class, consumer);
    }

    @Override
    public EventPublisher onStateTransition(EventConsumer<CircuitBreakerOnStateTransitionEvent> consumer) {
        return on(CircuitBreakerOnStateTransitionEvent.class, consumer);
    }

    @Override
    public EventPublisher onReset(EventConsumer<CircuitBreakerOnResetEvent> consumer) {
        return on(CircuitBreakerOnResetEvent.class, consumer);
    }

    @Override
    public EventPublisher onIgnoredError(EventConsumer<CircuitBreakerOnIgnoredErrorEvent> consumer) {
        return on(CircuitBreakerOnIgnoredErrorEvent.class, consumer);
    }

    @Override
    public EventPublisher onCallNotPermitted(EventConsumer<CircuitBreakerOnCallNotPermittedEvent> consumer) {
        return on(CircuitBreakerOnCallNotPermittedEvent.class, consumer);
    }

    @Override
    public EventPublisher onFailureRateExceeded(EventConsumer<CircuitBreakerOnFailureRateExceededEvent> consumer) {
        return on(CircuitBreakerOnFailureRateExceededEvent.class, consumer);
    }

    @Override
    public EventPublisher onSlowCallRateExceeded(EventConsumer<CircuitBreakerOnSlowCallRateExceededEvent> consumer) {
        return on(CircuitBreakerOnSlowCallRateExceededEvent.class, consumer);
    }
}
