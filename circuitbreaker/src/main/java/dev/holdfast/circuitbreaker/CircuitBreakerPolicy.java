/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.Outcome;
import dev.holdfast.circuitbreaker.internal.engine.Engine;
import dev.holdfast.circuitbreaker.internal.engine.Life;
import dev.holdfast.circuitbreaker.internal.engine.PipelineClock;
import dev.holdfast.circuitbreaker.internal.engine.Totals;
import dev.holdfast.circuitbreaker.internal.engine.Window;
import dev.holdfast.circuitbreaker.internal.resilience4j.ExistingCircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.internal.resilience4j.PolicyParts;
import dev.holdfast.circuitbreaker.internal.resilience4j.Views;
import dev.holdfast.internal.ChangesAlone;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Refused;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Stops calling a dependency that answers nearly nothing, and probes it until it answers again.
 *
 * <p>It counts what the classifier calls {@link Outcome#FAILURE} or {@link Outcome#PUSHBACK}, and timeouts. It does not
 * count a call that did not reach the dependency, was cancelled or interrupted, was {@linkplain Passage#cutShort cut short}
 * by a limit from outside, or is the caller's own fault. If a probe ends this way, another call becomes the probe; but a value
 * that the classifier calls {@link Outcome#IGNORED} shows that the dependency answers, and is a good probe. A result counts
 * only in the state that admitted its call.
 *
 * <p>Never blocks. Safe for any number of threads and pipelines. Pipelines that share the policy share the breaker, and must
 * use the same {@link TimeSource}. A change of state by time is seen when a call looks: an open breaker becomes half-open with
 * the first call after its wait. To force it open or closed, disable or reset it, use {@link #asResilience4j()}.
 */
public final class CircuitBreakerPolicy extends Policy implements ChangesAlone {

    /** The states of a circuit breaker. */
    public enum State {
        /** Calls pass, and are counted. */
        CLOSED,
        /** Calls are rejected until the wait is over. */
        OPEN,
        /** Some calls pass as probes, which decide what comes next; the others are rejected. */
        HALF_OPEN,
        /** Calls are rejected until the state is changed by hand. */
        FORCED_OPEN,
        /** Calls pass, and are not counted. */
        DISABLED,
        /** Calls pass and are counted, and never open the breaker. */
        METRICS_ONLY
    }

    /** Held for an attempt that {@linkplain Passage#repeats repeats} one. */
    private static final Object AGAIN = new Object();

    private final CircuitBreakerSettings settings;
    private final PipelineClock clock;
    private final Views views;

    /** A call's slot holds its token. */
    private final Engine engine;

    /** The last life that pipelines were told of. Moves on under the lock, once there are pipelines. */
    private final AtomicReference<Life> told;

    private final ShortLock telling = new ShortLock();

    /** The pipelines that have it. */
    private final Listeners listeners = new Listeners();

    /** Whether running calls can become overdue. */
    private final boolean watches;

    private final long slowNanos;
    private final long holdNanos;

    /** Turns the pipeline's time into the breaker's. Plain: written while a pipeline is built, before its first call. */
    private long shift;

    CircuitBreakerPolicy(CircuitBreakerSettings settings, PipelineClock clock) {
        super(
                PolicyParts.NAME,
                ENTER | SUCCESS | FAILURE | STILL_ADMITS | (settings.runningCallsCountAsSlow() ? OVERDUE : 0));
        this.settings = settings;
        this.clock = clock;
        watches = settings.runningCallsCountAsSlow();
        slowNanos = settings.slowCallDurationThreshold().toNanos();
        holdNanos = settings.maxPushbackHold().toNanos();
        views = new Views(settings.rules(), settings.origin(), clock, this::look);
        engine = new Engine(settings.rules(), views, clock.peek());
        told = new AtomicReference<>(engine.life());
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
        return new CircuitBreakerPolicy(settings, new PipelineClock());
    }

    /**
     * An existing resilience4j breaker, which stays shared with your other code. It keeps its own clock and its config. The
     * pipeline's failures also go through the config's predicates, which gives a {@linkplain Policy#warnings warning}. The
     * pipeline does not know how long the breaker stays open.
     */
    public static Policy of(CircuitBreaker existing) {
        return new ExistingCircuitBreakerPolicy(existing);
    }

    /** The settings that this breaker was made with. */
    public CircuitBreakerSettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /**
     * The present state. An open breaker stays open until a call comes after its wait, unless it {@linkplain
     * CircuitBreakerSettings#automaticTransitionFromOpenToHalfOpenEnabled becomes half-open by itself}.
     */
    public State state() {
        return State.valueOf(engine.state(clock::nanos).name());
    }

    /**
     * Whether it rejects every call now: it is forced open, or it is open and its wait is not over. After the wait it is still
     * {@link State#OPEN}, and the next call is a probe.
     */
    public boolean rejectsAll() {
        long now = clock.nanos();
        return engine.life(now).nanosLeft(now) > 0 || state() == State.FORCED_OPEN;
    }

    /**
     * A view that implements resilience4j's {@code CircuitBreaker}: state, metrics, events, config, and manual transitions,
     * which calls see at once. It can be used in resilience4j's registries, meters and decorators.
     *
     * <p>Its name is that of the first pipeline that this policy is built into; before that, {@code circuit-breaker}.
     *
     * <p>Calls through the view are not tracked one by one: a result counts in the state that it finds, and a probe's
     * permission is free at once only if the thread that acquired it releases it. The view uses the time of the pipeline;
     * before there is a pipeline, the system's. Event consumers run on the thread that causes the event: the thread of a
     * call, or the timer thread if a running call was too slow. Event consumers must be quick.
     */
    public CircuitBreaker asResilience4j() {
        return asResilience4j(views.name(), Map.of());
    }

    /**
     * A view with another name and with tags, for registries and meters. The same name and tags give the same view. Each
     * view has its own event consumers.
     */
    public CircuitBreaker asResilience4j(String name, Map<String, String> tags) {
        return views.view(name, tags, engine);
    }

    @Override
    public void bind(String pipeline, TimeSource time) {
        // In this order: if another pipeline binds it meanwhile, and has calls, what it began stays.
        Life made = engine.life();
        boolean unread = clock.isUnread();
        shift = clock.bind(time);
        if (unread) {
            // Nothing has happened so far. The wait of a breaker that starts open is one of the pipeline's time.
            boolean unused = told.compareAndSet(made, engine.start(made, clock.nanos()));
        }
        views.bind(pipeline);
    }

    /**
     * Takes over the state and the remaining wait, unless the two begin with different states: then this one begins with its own.
     * The window begins anew.
     */
    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof CircuitBreakerPolicy breaker) {
            long now = clock.nanos();
            engine.takeOver(breaker.engine, breaker.clock.nanos(), now);
            told.set(engine.life());
            engine.follow(breaker.engine, now);
        }
    }

    /**
     * Nothing if it is closed, or in a state that lasts and with which a new one would begin. For ever while it is open, or if it was
     * put by hand into or out of a state that lasts. Else as long as a wait may be, since calls are probes after it.
     */
    @Override
    public long remembers() {
        State now = state();
        State first = settings.initialState();
        boolean byHand = isByHand(now) || isByHand(first);
        if (byHand ? now == first : now == State.CLOSED) {
            return 0;
        }
        long nanos = clock.nanos();
        if (byHand || engine.life(nanos).nanosLeft(nanos) > 0) {
            return Long.MAX_VALUE;
        }
        // The first wait may be longer than what the wait grows to.
        return Math.max(
                settings.waitDurationInOpenState().toNanos(),
                settings.maxWaitDurationInOpenState().toNanos());
    }

    /** Whether a breaker comes into this state, and out of it, by hand or by its settings alone. */
    private static boolean isByHand(State state) {
        return state == State.FORCED_OPEN || state == State.DISABLED || state == State.METRICS_ONLY;
    }

    @Override
    public int enter(Passage passage) {
        Life at = engine.life();
        return at.admitsAll && at == told.get() && at.window.isCalm() ? admit(passage, at.token) : ask(passage);
    }

    private int admit(Passage passage, long token) {
        passage.slot(token);
        if (passage.repeats()) {
            passage.object(AGAIN);
        }
        if (watches) {
            // A call is slow if it runs for longer, so it is overdue with the first nanosecond beyond.
            passage.beside().overdueAfter(slowNanos + 1);
        }
        return PROCEED;
    }

    private int ask(Passage passage) {
        long now = passage.now() + shift;
        boolean isTry = Refused.isTry(passage);
        long token = isTry ? engine.acquire(now) : engine.acquireForHedge(now);
        Life at = tell(passage, "");
        if (token != Engine.REFUSED) {
            return admit(passage, token);
        }
        passage.slot(Engine.REFUSED);
        Throwable cause = isTry ? views.notPermitted(at.state) : null;
        return PolicyParts.refuse(passage, at.state, at.nanosLeft(now), engine.probes(at), cause);
    }

    /** The last result, which opens the breaker; of what the dependency said, only for how long it asks for time. */
    private static String last(Passage passage) {
        Throwable error = passage.error();
        String kind = passage.outcome().name().toLowerCase(Locale.ROOT);
        long asked = passage.outcome() == Outcome.PUSHBACK ? passage.retryAfter() : 0;
        return "; the last result: " + kind
                + (asked > 0 ? " for " + Checks.time(asked) : "")
                + (error == null ? "" : " (" + error.getClass().getSimpleName() + ")");
    }

    /**
     * The thread that first sees a change reports it.
     *
     * @param last said of a breaker that opens
     */
    private Life tell(Passage passage, String last) {
        Life at = engine.life();
        // First without the objects: a breaker that is open is asked by each call.
        return at == told.get() ? at : tell(Told.of(passage), passage::replaced, last);
    }

    private Life tell(Told pipeline, BooleanSupplier isGone, String last) {
        Life at = note(pipeline, isGone, last);
        pipeline.tellChanges();
        return at;
    }

    /** Under the lock: what is told first happened first. */
    private Life note(Told pipeline, BooleanSupplier isGone, String last) {
        telling.lock();
        try {
            Life before = told.get();
            Life at = engine.life();
            // Another pipeline may still have this breaker, and is to be told: the change is not marked as told.
            if (before != at && !isGone.getAsBoolean()) {
                told.set(at);
                note(before, at, last, pipeline);
            }
            return at;
        } finally {
            telling.unlock();
        }
    }

    private static void note(Life before, Life at, String last, Told pipeline) {
        Life from = before;
        for (Life next : at.since(before)) {
            if (from.state != next.state) {
                String cause = next.isOfFailures() && next == at ? next.cause() + last : next.cause();
                pipeline.noteChange(from.state.word(), next.state.word(), cause);
            }
            from = next;
        }
    }

    @Override
    public String toldState() {
        telling.lock();
        try {
            return told.get().state.word();
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
        if (pipeline != null && engine.life(clock.nanos()) != told.get()) {
            Life unused = tell(pipeline, pipeline::isGone, "");
        }
    }

    @Override
    public int stillAdmits(Passage passage) {
        // The state is another one: a call that was admitted while closed becomes a probe if a place is free.
        return engine.life(passage.now() + shift).admitted(passage.slot()) ? PROCEED : ask(passage);
    }

    @Override
    public int settle(Passage passage) {
        long token = passage.slot();
        long now = passage.now() + shift;
        if (token != Engine.REFUSED) {
            report(passage, token, now);
        }
        Life at = engine.life();
        if (!at.admitsAll || at != told.get()) {
            long left = tell(passage, last(passage)).nanosLeft(now);
            if (left > 0) {
                passage.holdRetry(left);
            }
        }
        return KEEP;
    }

    private void report(Passage passage, long token, long now) {
        Outcome outcome = PolicyParts.counted(passage);
        switch (outcome) {
            case SUCCESS -> {
                views.success(passage.actionNanos());
                record(passage, token, Window.GOOD, now);
            }
            case FAILURE, PUSHBACK, TIMEOUT -> {
                // If something further in holds the next try already, the pushback has its owner.
                if (outcome == Outcome.PUSHBACK && passage.heldRetry() == 0) {
                    hold(passage, token, now);
                }
                views.error(passage.actionNanos(), PolicyParts.error(passage));
                record(
                        passage,
                        token,
                        passage.object() == AGAIN ? Window.FAILED | Engine.REPEATED : Window.FAILED,
                        now);
            }
            case IGNORED -> {
                // A probe asks whether the dependency answers. An exception is no proof of that: code here may have
                // thrown it.
                boolean answered = engine.isProbe(token, now) && PolicyParts.isAnswer(passage);
                if (!answered) {
                    release(passage, token, now);
                }
                views.ignored(passage.actionNanos(), PolicyParts.error(passage));
                if (answered) {
                    record(passage, token, Window.GOOD, now);
                }
            }
            case REJECTED, CANCELLED, INTERRUPTED -> release(passage, token, now);
        }
    }

    private void record(Passage passage, long token, int kind, long now) {
        if (watches && passage.beside().overdue()) {
            engine.recordOverdue(token, kind, now);
        } else {
            engine.record(token, passage.actionNanos() > slowNanos ? kind | Window.SLOW : kind, now);
        }
    }

    private void release(Passage passage, long token, long now) {
        engine.release(token, watches && passage.beside().overdue(), now);
    }

    private void hold(Passage passage, long token, long now) {
        long asked = Math.min(passage.retryAfter(), holdNanos);
        if (asked > 0) {
            engine.hold(token, asked, now);
        }
    }

    @Override
    public void abandon(Passage passage) {
        if (passage.slot() != Engine.REFUSED) {
            release(passage, passage.slot(), passage.now() + shift);
        }
    }

    @Override
    public void overdue(long slot, long now) {
        if (slot != Engine.REFUSED) {
            engine.overdue(slot, now + shift);
        }
    }

    @Override
    public boolean overdueRunsUserCode() {
        return views.hasConsumers();
    }

    @Override
    public void meters(Meters meters) {
        PolicyParts.meters(
                meters,
                () -> engine.state(clock::nanos),
                new PolicyParts.Rates(
                        () -> totals().failureRate(),
                        () -> totals().slowRate(),
                        () -> totals().calls(),
                        engine::notPermitted));
    }

    private Totals totals() {
        long now = clock.nanos();
        return engine.life(now).window.totals(now);
    }

    @Override
    public List<String> warnings() {
        return settings.warnings();
    }
}
