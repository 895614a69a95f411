/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.internal.ChangesAlone;
import dev.holdfast.internal.Refused;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.ShortLock;
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
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** An existing resilience4j breaker, unchanged, and the last sight of it. A call's object is the sight that admitted it. */
public final class ExistingCircuitBreakerPolicy extends Policy implements ChangesAlone {
    /** The default config. A predicate that differs from it says what a failure is, which in a pipeline the classifier says. */
    private static final CircuitBreakerConfig NONE = CircuitBreakerConfig.ofDefaults();

    private static final SafeLog LOG = SafeLog.of(ExistingCircuitBreakerPolicy.class.getName());

    private final CircuitBreaker engine;
    private final AtomicBoolean warned = new AtomicBoolean();
    /** Of the pipelines alone: the breaker's own number begins anew with each of its states. */
    private final LongAdder notPermitted = new LongAdder();

    private final boolean livesKnown;
    private final int probes;
    private final AtomicReference<Sight> last;
    private final ShortLock telling = new ShortLock();
    private final Listeners listeners = new Listeners();

    /** Uses this breaker. */
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
        // The breaker opened meanwhile, so the permit belongs to a state that is over: nothing to give back.
        passage.object(null);
        Refused.count(passage, notPermitted);
        return PolicyParts.refuse(passage, States.ours(sight.state), -1, probes, sight.refusal);
    }

    private boolean acquire() {
        try {
            return engine.tryAcquirePermission();
        } catch (IllegalStateTransitionException e) {
            // The state was changed manually after the engine read it. Asks the new state.
            return engine.tryAcquirePermission();
        }
    }

    /** The present sight. The thread that first sees a change reports it. */
    private Sight look(Passage passage) {
        Sight before = last.get();
        // First without the two functions, which are objects.
        return before.state == engine.getState() && before.life == life()
                ? before
                : look(passage::replaced, Told.of(passage));
    }

    private Sight look(BooleanSupplier replaced, Told pipeline) {
        while (true) {
            // In this order, so that an older view never takes the place of a newer one.
            Sight before = last.get();
            CircuitBreaker.State state = engine.getState();
            // After the state: so the permit belongs to the state that was read, or to one that is over.
            Object life = life();
            if (before.state == state && before.life == life) {
                return before;
            }
            Sight after = new Sight(engine, state, life);
            if (before.state == state) {
                if (last.compareAndSet(before, after)) {
                    return after;
                }
            } else if (note(before, after, replaced, pipeline)) {
                pipeline.tellChanges();
                return after;
            }
        }
    }

    /** Returns false if another thread was faster. Under the lock: what is told first was seen first. */
    private boolean note(Sight before, Sight after, BooleanSupplier replaced, Told pipeline) {
        telling.lock();
        try {
            if (replaced.getAsBoolean()) {
                return true; // another pipeline may still have this policy, and is to be told
            }
            if (!last.compareAndSet(before, after)) {
                return false;
            }
            pipeline.noteChange(
                    States.ours(before.state).word(),
                    States.ours(after.state).word(),
                    "decided by the existing breaker '" + engine.getName() + "'");
            return true;
        } finally {
            telling.unlock();
        }
    }

    @Override
    public String toldState() {
        telling.lock();
        try {
            return States.ours(last.get().state).word();
        } finally {
            telling.unlock();
        }
    }

    @Override
    public void listener(Listener pipeline) {
        listeners.add(pipeline);
    }

    @Override
    public void look() {
        Listener pipeline = listeners.any();
        if (pipeline != null) {
            Sight unused = look(pipeline::isGone, pipeline);
        }
    }

    /**
     * The metrics identify a life: in resilience4j's state machine each state has its own, except that open keeps those of
     * closed.
     */
    private @Nullable Object life() {
        return livesKnown ? engine.getMetrics() : null;
    }

    @Override
    public int stillAdmits(Passage passage) {
        // The state is another one: a call that was admitted while closed becomes a probe if a place is free.
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

    /** A function of the engine's config may throw, but the call must end with its own outcome. */
    @SuppressWarnings("CatchingThrowable")
    private void told(Passage passage) {
        try {
            report(passage);
        } catch (Throwable e) {
            // It mostly throws before it counts. One permission too many is better than one that is lost for ever.
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
    public boolean bindsOthers() {
        return true;
    }

    @Override
    public Object decidesWith() {
        return engine;
    }

    @Override
    public void meters(Meters meters) {
        PolicyParts.meters(
                meters,
                () -> States.ours(engine.getState()),
                new PolicyParts.Rates(
                        () -> engine.getMetrics().getFailureRate(),
                        () -> engine.getMetrics().getSlowCallRate(),
                        () -> engine.getMetrics().getNumberOfBufferedCalls(),
                        notPermitted::sum));
    }

    @Override
    public List<String> warnings() {
        CircuitBreakerConfig config = engine.getCircuitBreakerConfig();
        String called = ForeignConfig.PREDICATES + "the circuit breaker '" + engine.getName() + "' ";
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
        if (config.getTransitionOnResult() != NONE.getTransitionOnResult()) {
            warnings.add(called + "opens after certain results: in the pipeline its transitionOnResult is asked of"
                    + " exceptions alone, and no value opens it; let the pipeline's classifier decide");
        }
        return List.copyOf(warnings);
    }

    /**
     * One life of a state, as it was seen. Example: a breaker that is closed, opens and closes again is seen as three. A
     * call keeps the sight that admitted it; its result counts only while this is still the present sight.
     */
    private static final class Sight {
        final CircuitBreaker.State state;
        /** Identifies this life of the state; null if nothing does. */
        final @Nullable Object life;

        final CallNotPermittedException refusal;

        Sight(CircuitBreaker engine, CircuitBreaker.State state, @Nullable Object life) {
            this.state = state;
            this.life = life;
            // A state that admits calls and rejects this one is half-open, or was.
            refusal = PolicyParts.refusal(engine.getName(), admits() ? CircuitBreaker.State.HALF_OPEN : state);
        }

        /** Whether the state may admit a call. */
        boolean admits() {
            return state != CircuitBreaker.State.OPEN && state != CircuitBreaker.State.FORCED_OPEN;
        }
    }
}
