/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The engine of our own, on the time of the pipeline. A call's slot holds its token. */
final class OwnBreaker extends Breaker {
    private final String name;
    private final CircuitBreakerSettings settings;
    private final PipelineClock clock;
    private final Views views = new Views();
    private final Engine engine;
    private final Map<State, CallNotPermittedException> refusals = new EnumMap<>(State.class);

    /** The life that pipelines have been told of last. */
    private final AtomicReference<Life> told;

    /** Whether running calls are watched. */
    private final boolean watches;

    private final long slowNanos;
    private final long holdNanos;

    /** What makes the pipeline's time the breaker's. Plain: written while a pipeline is built, before its first call. */
    private long shift;

    OwnBreaker(String name, CircuitBreakerSettings settings) {
        this(name, settings, new PipelineClock());
    }

    OwnBreaker(String name, CircuitBreakerSettings settings, PipelineClock clock) {
        this.name = name;
        this.settings = settings;
        this.clock = clock;
        watches = settings.runningCallsCountAsSlow();
        slowNanos = settings.slowCallDurationThreshold().toNanos();
        holdNanos = settings.maxPushbackHold().toNanos();
        // A breaker that starts closed does not look at the time, and so does not hold on to the system's.
        long now = settings.initialState() == State.CLOSED ? 0 : clock.nanos();
        engine = new Engine(settings, views, now);
        told = new AtomicReference<>(engine.life());
        for (State state : List.of(State.OPEN, State.HALF_OPEN, State.FORCED_OPEN)) {
            refusals.put(state, Sight.refusal(name, state));
        }
    }

    @Override
    CircuitBreakerSettings settings() {
        return settings;
    }

    @Override
    void bind(TimeSource time) {
        shift = clock.bind(time);
    }

    @Override
    int enter(Passage passage) {
        Life at = engine.life();
        return at.admitsAll && at == told.get() && at.window.isCalm() ? admit(passage, at.token) : ask(passage);
    }

    private int admit(Passage passage, long token) {
        passage.slot(token);
        if (watches) {
            // Slow is what runs for longer, so it is told with the first nanosecond that is too much.
            passage.beside().overdueAfter(slowNanos + 1);
        }
        return PROCEED;
    }

    private int ask(Passage passage) {
        long now = passage.now() + shift;
        long token = engine.acquire(now);
        Life at = tell(passage);
        if (token != Engine.REFUSED) {
            return admit(passage, token);
        }
        passage.slot(Engine.REFUSED);
        views.notPermitted();
        int probes = at.probes == null ? settings.probes(at.openings) : at.probes.permits();
        return refuse(passage, at.state, at.nanosLeft(now), probes, refusals.get(at.state));
    }

    /** Whoever sees a change first tells it. */
    private Life tell(Passage passage) {
        while (true) {
            // In this order, so that an older life never takes the place of a newer one.
            Life before = told.get();
            Life at = engine.life();
            if (before == at) {
                return at;
            }
            if (told.compareAndSet(before, at)) {
                if (before.state != at.state) {
                    passage.stateChanged(name(before.state), name(at.state));
                }
                return at;
            }
        }
    }

    @Override
    int stillAdmits(Passage passage) {
        // Another state has another price: a call that was let in while closed is a probe now, if there is room for it.
        return engine.life(passage.now() + shift).admitted(passage.slot()) ? PROCEED : ask(passage);
    }

    @Override
    void settle(Passage passage) {
        long token = passage.slot();
        long now = passage.now() + shift;
        if (token != Engine.REFUSED) {
            report(passage, token, now);
        }
        Life at = engine.life();
        if (at.admitsAll && at == told.get()) {
            return;
        }
        long left = tell(passage).nanosLeft(now);
        if (left > 0) {
            passage.holdRetry(left);
        }
    }

    private void report(Passage passage, long token, long now) {
        Outcome outcome = outcome(passage);
        switch (outcome) {
            case SUCCESS -> {
                // An answer that a policy further in made up says nothing about the dependency.
                if (passage.source() == Source.LIVE) {
                    views.success(passage.actionNanos());
                    record(passage, token, Window.GOOD, now);
                } else {
                    release(passage, token, now);
                }
            }
            case FAILURE, PUSHBACK, TIMEOUT -> {
                if (outcome == Outcome.PUSHBACK) {
                    hold(passage, token, now);
                }
                views.error(passage.actionNanos(), cause(passage.error()));
                record(passage, token, Window.FAILED, now);
            }
            case IGNORED, REJECTED, CANCELLED, INTERRUPTED -> {
                release(passage, token, now);
                if (outcome == Outcome.IGNORED) {
                    views.ignored(passage.actionNanos(), cause(passage.error()));
                }
            }
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

    private static Throwable cause(@Nullable Throwable error) {
        return error == null ? ValueFailure.INSTANCE : error;
    }

    @Override
    void abandon(Passage passage) {
        if (passage.slot() != Engine.REFUSED) {
            release(passage, passage.slot(), passage.now() + shift);
        }
    }

    @Override
    void overdue(long slot, long now) {
        if (slot != Engine.REFUSED) {
            engine.overdue(slot, now + shift);
        }
    }

    @Override
    boolean hasConsumers() {
        return views.hasConsumers();
    }

    @Override
    boolean watches() {
        return watches;
    }

    @Override
    State state() {
        Life life = engine.life();
        return life.ends || !life.window.isCalm() ? engine.life(clock.nanos()).state : life.state;
    }

    @Override
    float failureRate() {
        long now = clock.nanos();
        return engine.life(now).window.totals(now).failureRate();
    }

    @Override
    CircuitBreaker view() {
        return view(name, Map.of());
    }

    @Override
    CircuitBreaker view(String viewName, Map<String, String> tags) {
        return views.view(
                viewName, tags, (called, tagged) -> new Resilience4jView(called, tagged, settings, engine, clock));
    }

    @Override
    List<String> warnings() {
        return settings.warnings();
    }
}
