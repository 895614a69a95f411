/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
import dev.holdfast.spi.CallObserver.Tracer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Tells the observers of one pipeline. An exception of an observer is logged once for its class, and goes no further. */
final class Observers {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast.observer");

    private final String pipeline;
    private final CallObserver[] observers;
    /** Each observer, or what it has for this pipeline. */
    private final CallObserver[] bound;
    /** Which of them are told of every call; the others are told of rare events alone. */
    private final boolean[] hearCalls;

    private CallObserver[] ofCalls;
    private final StateNews states;

    private final Log log;

    /** Null if no observer follows calls. */
    final @Nullable Traces traces;

    Observers(String pipeline, List<CallObserver> observers, Log log) {
        this.pipeline = pipeline;
        this.log = log;
        this.observers = observers.toArray(new CallObserver[0]);
        bound = this.observers.clone();
        states = new StateNews(this.observers);
        hearCalls = new boolean[bound.length];
        for (int i = 0; i < bound.length; i++) {
            hearCalls[i] = hearsCalls(bound[i]);
        }
        ofCalls = ofCalls();
        traces = traces();
    }

    private CallObserver[] ofCalls() {
        return IntStream.range(0, bound.length)
                .filter(i -> hearCalls[i])
                .mapToObj(i -> bound[i])
                .toArray(CallObserver[]::new);
    }

    private @Nullable Traces traces() {
        List<Tracer> tracers = new ArrayList<>();
        for (CallObserver observer : observers) {
            try {
                Tracer tracer = observer.tracer(pipeline);
                if (tracer != null) {
                    tracers.add(tracer);
                }
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
        return tracers.isEmpty() ? null : new Traces(tracers, this::log);
    }

    private boolean hearsCalls(CallObserver observer) {
        try {
            return observer.hearsCalls();
        } catch (Throwable thrown) {
            log(observer, thrown);
            return true;
        }
    }

    /** Whether anybody listens to every call. Each call asks this before it collects what it would tell. */
    boolean anyOfCalls() {
        return ofCalls.length != 0;
    }

    // One loop in each method, and no lambda on the path of a call, so that nothing is allocated.

    void opened(Observed opened) {
        for (int i = 0; i < observers.length; i++) {
            CallObserver observer = observers[i];
            try {
                observer.opened(opened);
                bound[i] = Objects.requireNonNull(observer.forPipeline(opened), "forPipeline");
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
        ofCalls = ofCalls();
    }

    void replaced(Observed pipeline) {
        each(observers, observer -> observer.replaced(pipeline));
    }

    void closed(Observed closed) {
        each(observers, observer -> observer.closed(closed));
    }

    void callSettled(@Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
        for (CallObserver observer : ofCalls) {
            try {
                observer.callSettled(pipeline, operation, outcome, source, attempts, nanos);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void backgroundSettled(@Nullable String operation, Outcome outcome, long nanos) {
        each(ofCalls, observer -> observer.backgroundSettled(pipeline, operation, outcome, nanos));
    }

    void attemptSettled(@Nullable String operation, int attempt, Outcome outcome, long nanos) {
        for (CallObserver observer : ofCalls) {
            try {
                observer.attemptSettled(pipeline, operation, attempt, outcome, nanos);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void rejected(@Nullable String operation, String policy, Reason reason) {
        for (CallObserver observer : bound) {
            try {
                observer.rejected(pipeline, operation, policy, reason);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void retryScheduled(@Nullable String operation, int attempts, long waitNanos) {
        each(observer -> observer.retryScheduled(pipeline, operation, attempts, waitNanos));
    }

    void retryRefused(@Nullable String operation, int attempts, Refusal why) {
        each(observer -> observer.retryRefused(pipeline, operation, attempts, why));
    }

    void hedged(@Nullable String operation, int attempt) {
        each(observer -> observer.hedged(pipeline, operation, attempt));
    }

    /** The observers hear of it with {@link #tellChanges}, in the order of these. */
    void noteChange(StateNews.Change change) {
        states.note(change, this::stateChanged);
    }

    void tellChanges() {
        states.tell(this::stateChanged);
    }

    private void stateChanged(StateNews.Change change, int observer) {
        try {
            bound[observer].stateChanged(pipeline, change.policy(), change.from(), change.to(), change.cause());
        } catch (Throwable thrown) {
            log(observers[observer], thrown);
        }
    }

    void limitChanged(String policy, int from, int to) {
        each(observer -> observer.limitChanged(pipeline, policy, from, to));
    }

    void overrun(@Nullable String operation, long nanos) {
        each(observer -> observer.overrun(pipeline, operation, nanos));
    }

    void writtenOff(@Nullable String operation, String policy) {
        each(observer -> observer.writtenOff(pipeline, operation, policy));
    }

    /** For what is rare. */
    private void each(Consumer<CallObserver> tell) {
        each(bound, tell);
    }

    private void each(CallObserver[] told, Consumer<CallObserver> tell) {
        for (CallObserver observer : told) {
            try {
                tell.accept(observer);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    private void log(Object observer, Throwable thrown) {
        try {
            String name = observer.getClass().getName();
            if (log.isNews("observer " + name)) {
                LOG.warn("an observer of '" + pipeline + "' threw; told once: " + name, thrown);
            }
        } catch (Throwable noMemory) {
            // The call must go on.
        }
    }
}
