/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.Reply.Source;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import io.github.resilience4j.circuitbreaker.internal.CircuitBreakerStateMachine;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A breaker of the user's, left as it is, and what was last seen of it. A call's object is the sight that admitted it. */
final class SharedBreaker extends Breaker {
    private static final SafeLog LOG = SafeLog.of(SharedBreaker.class.getName());

    private final CircuitBreaker engine;
    private final AtomicBoolean warned = new AtomicBoolean();
    private final boolean livesKnown;
    private final int probes;
    private final AtomicReference<Sight> last;

    SharedBreaker(CircuitBreaker engine) {
        this.engine = engine;
        probes = engine.getCircuitBreakerConfig().getPermittedNumberOfCallsInHalfOpenState();
        livesKnown = engine instanceof CircuitBreakerStateMachine;
        last = new AtomicReference<>(new Sight(engine.getName(), engine.getState(), life()));
    }

    @Override
    int enter(Passage passage) {
        boolean acquired = acquire();
        Sight sight = look(passage);
        if (acquired && sight.admits()) {
            passage.object(sight);
            return PROCEED;
        }
        // What was acquired before it opened is a permit of a state that is over: nothing to give back.
        passage.object(null);
        return refuse(passage, sight.state(), -1, probes, sight.refusal());
    }

    @Override
    CircuitBreakerSettings settings() {
        return CircuitBreakerSettings.from(engine.getCircuitBreakerConfig());
    }

    private boolean acquire() {
        try {
            return engine.tryAcquirePermission();
        } catch (IllegalStateTransitionException e) {
            // Between its look at the state and its change of it somebody has chosen another by hand: which is asked
            // now.
            return engine.tryAcquirePermission();
        }
    }

    /** What is seen now. Whoever sees a change first tells it. */
    private Sight look(Passage passage) {
        while (true) {
            // In this order, so that an older view never takes the place of a newer one.
            Sight before = last.get();
            State state = engine.getState();
            // After the state: a permit is of the state that was read, or of one that is over and cannot miss it.
            Object life = life();
            if (before.is(state, life)) {
                return before;
            }
            Sight after = new Sight(engine.getName(), state, life);
            if (last.compareAndSet(before, after)) {
                if (before.state() != state) {
                    passage.stateChanged(name(before.state()), name(state));
                }
                return after;
            }
        }
    }

    /** Each state of resilience4j's state machine has metrics of its own, but for open, which goes on with those of closed. */
    private @Nullable Object life() {
        return livesKnown ? engine.getMetrics() : null;
    }

    @Override
    int stillAdmits(Passage passage) {
        // Another state has another price: a call that was let in while closed is a probe now, if there is room for it.
        return look(passage) == passage.object() ? PROCEED : enter(passage);
    }

    @Override
    void settle(Passage passage) {
        if (look(passage) == passage.object()) {
            passage.object(null);
            told(passage);
            Sight unused = look(passage);
        }
    }

    @Override
    void abandon(Passage passage) {
        if (passage.object() != null && look(passage) == passage.object()) {
            engine.releasePermission();
        }
        passage.object(null);
    }

    /** A predicate or another function of the engine's config may throw: the call has an outcome of its own to end with. */
    @SuppressWarnings("CatchingThrowable")
    private void told(Passage passage) {
        try {
            report(passage);
        } catch (Throwable e) {
            // Mostly before anything was counted. A permission too many is less than one that is lost for ever.
            engine.releasePermission();
            if (warned.compareAndSet(false, true)) {
                LOG.warn("circuit breaker '" + engine.getName() + "' threw when it was told of a result; told once", e);
            }
        }
    }

    private void report(Passage passage) {
        switch (outcome(passage)) {
            case SUCCESS -> {
                // An answer that a policy further in made up says nothing about the dependency.
                if (passage.source() == Source.LIVE) {
                    engine.onSuccess(passage.actionNanos(), TimeUnit.NANOSECONDS);
                } else {
                    engine.releasePermission();
                }
            }
            case FAILURE, PUSHBACK, TIMEOUT -> {
                Throwable error = passage.error();
                engine.onError(
                        passage.actionNanos(), TimeUnit.NANOSECONDS, error == null ? ValueFailure.INSTANCE : error);
            }
            case IGNORED, REJECTED, CANCELLED, INTERRUPTED -> engine.releasePermission();
        }
    }

    @Override
    boolean watches() {
        return false;
    }

    @Override
    void overdue(long slot, long now) {
        // Its engine knows nothing of running calls.
    }

    @Override
    boolean hasConsumers() {
        return false;
    }

    @Override
    void bind(TimeSource time) {
        // It keeps its own clock.
    }

    @Override
    State state() {
        return engine.getState();
    }

    @Override
    float failureRate() {
        return engine.getMetrics().getFailureRate();
    }

    @Override
    CircuitBreaker view() {
        return engine;
    }

    @Override
    CircuitBreaker view(String name, Map<String, String> tags) {
        throw new UnsupportedOperationException(
                "the circuit breaker '" + engine.getName() + "' is resilience4j's already, and has its name");
    }

    @Override
    List<String> warnings() {
        return OwnPredicates.warnings(engine);
    }
}
