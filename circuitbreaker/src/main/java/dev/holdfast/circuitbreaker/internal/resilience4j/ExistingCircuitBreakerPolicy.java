/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import io.github.resilience4j.circuitbreaker.internal.CircuitBreakerStateMachine;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A breaker of the user's, left as it is, and what was last seen of it. A call's object is the sight that admitted it. */
public final class ExistingCircuitBreakerPolicy extends Policy {
    /** What a config says of failures, which in a pipeline is said by the classifier, differs from this. */
    private static final CircuitBreakerConfig NONE = CircuitBreakerConfig.ofDefaults();

    private static final SafeLog LOG = SafeLog.of(ExistingCircuitBreakerPolicy.class.getName());

    private final CircuitBreaker engine;
    private final AtomicBoolean warned = new AtomicBoolean();
    private final boolean livesKnown;
    private final int probes;
    private final AtomicReference<Sight> last;

    /** Over this one. */
    public ExistingCircuitBreakerPolicy(CircuitBreaker engine) {
        super(PolicyParts.NAME, ENTER | SUCCESS | FAILURE | STILL_ADMITS);
        this.engine = Objects.requireNonNull(engine, "existing");
        probes = engine.getCircuitBreakerConfig().getPermittedNumberOfCallsInHalfOpenState();
        livesKnown = engine instanceof CircuitBreakerStateMachine;
        last = new AtomicReference<>(new Sight(engine, engine.getState(), life()));
    }

    @Override
    public int enter(Passage passage) {
        boolean acquired = acquire();
        Sight sight = look(passage);
        if (acquired && sight.admits()) {
            passage.object(sight);
            return PROCEED;
        }
        // What was acquired before it opened is a permit of a state that is over: nothing to give back.
        passage.object(null);
        return PolicyParts.refuse(passage, States.ours(sight.state), -1, probes, sight.refusal);
    }

    private boolean acquire() {
        try {
            return engine.tryAcquirePermission();
        } catch (IllegalStateTransitionException e) {
            // Somebody has changed the state by hand since the engine looked at it: the new state is asked now.
            return engine.tryAcquirePermission();
        }
    }

    /** What is seen now. Whoever sees a change first tells it. */
    private Sight look(Passage passage) {
        while (true) {
            // In this order, so that an older view never takes the place of a newer one.
            Sight before = last.get();
            CircuitBreaker.State state = engine.getState();
            // After the state: a permit is of the state that was read, or of one that is over and cannot miss it.
            Object life = life();
            if (before.state == state && before.life == life) {
                return before;
            }
            Sight after = new Sight(engine, state, life);
            if (last.compareAndSet(before, after)) {
                if (before.state != state) {
                    passage.stateChanged(
                            States.ours(before.state).word(), States.ours(state).word());
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
    public int stillAdmits(Passage passage) {
        // Another state has another price: a call that was let in while closed is a probe now, if there is room for it.
        return look(passage) == passage.object() ? PROCEED : enter(passage);
    }

    @Override
    public int settle(Passage passage) {
        if (look(passage) == passage.object()) {
            passage.object(null);
            told(passage);
            Sight unused = look(passage);
        }
        return KEEP;
    }

    @Override
    public void abandon(Passage passage) {
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
        switch (PolicyParts.counted(passage)) {
            case SUCCESS -> engine.onSuccess(passage.actionNanos(), TimeUnit.NANOSECONDS);
            case FAILURE, PUSHBACK, TIMEOUT ->
                engine.onError(passage.actionNanos(), TimeUnit.NANOSECONDS, PolicyParts.error(passage));
            case IGNORED, REJECTED, CANCELLED, INTERRUPTED -> engine.releasePermission();
        }
    }

    @Override
    public void meters(Meters meters) {
        PolicyParts.meters(
                meters,
                () -> States.ours(engine.getState()),
                () -> engine.getMetrics().getFailureRate());
    }

    @Override
    public List<String> warnings() {
        CircuitBreakerConfig config = engine.getCircuitBreakerConfig();
        String called = "the circuit breaker '" + engine.getName() + "' ";
        List<String> warnings = new ArrayList<>();
        if (config.getRecordExceptionPredicate() != NONE.getRecordExceptionPredicate()) {
            warnings.add(
                    called + "records certain exceptions only: a failure of the pipeline that is none of them counts"
                            + " as a success; let the pipeline's classifier decide, and take recordException(s) out of its config");
        }
        if (config.getIgnoreExceptionPredicate() != NONE.getIgnoreExceptionPredicate()) {
            warnings.add(
                    called + "ignores certain exceptions: a failure of the pipeline that is one of them is not counted;"
                            + " let the pipeline's classifier decide, and take ignoreException(s) out of its config");
        }
        if (config.getRecordResultPredicate() != NONE.getRecordResultPredicate()) {
            warnings.add(called + "records certain results as failures: in the pipeline its recordResult is not asked;"
                    + " let the pipeline's classifier decide");
        }
        return List.copyOf(warnings);
    }

    /**
     * One life of a state, as it was seen: a breaker that is closed, opens and closes again is seen as three. A call keeps the
     * sight under which it was admitted; its result counts only as long as that is what is seen.
     */
    private static final class Sight {
        final CircuitBreaker.State state;
        /** What tells this life of the state from others; null where nothing does. */
        final @Nullable Object life;

        final @Nullable CallNotPermittedException refusal;

        Sight(CircuitBreaker engine, CircuitBreaker.State state, @Nullable Object life) {
            this.state = state;
            this.life = life;
            refusal = admits() ? null : PolicyParts.refusal(engine.getName(), state);
        }

        /** Whether there is anything that a call could be given. */
        boolean admits() {
            return state != CircuitBreaker.State.OPEN && state != CircuitBreaker.State.FORCED_OPEN;
        }
    }
}
