/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.micrometer.ObservationObserver.AttemptObservation;
import dev.holdfast.micrometer.ObservationObserver.CallObservation;
import dev.holdfast.spi.CallContext.Scope;
import dev.holdfast.spi.CallObserver.AttemptTrace;
import dev.holdfast.spi.CallObserver.CallTrace;
import dev.holdfast.spi.CallObserver.Tracer;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Makes the observations of one pipeline's calls. */
final class PipelineTracer implements Tracer {
    static final int MOST_OPERATIONS = 100;

    private static final SafeLog LOG = SafeLog.of("dev.holdfast.micrometer");
    private static final Conventions.OfCalls CALLS = new Conventions.OfCalls();
    private static final Conventions.OfAttempts ATTEMPTS = new Conventions.OfAttempts();

    private final ObservationRegistry registry;
    private final String pipeline;
    private final Set<String> operations = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean told = new AtomicBoolean();

    PipelineTracer(ObservationRegistry registry, String pipeline) {
        this.registry = registry;
        this.pipeline = pipeline;
    }

    @Override
    public @Nullable CallTrace begins(@Nullable String operation) {
        // Handlers may be registered after the pipeline was built.
        return registry.isNoop() ? null : new OfCall(bounded(operation), false);
    }

    private String bounded(@Nullable String operation) {
        if (operation == null) {
            return "none";
        }
        if (operations.contains(operation)) {
            return operation;
        }
        synchronized (operations) {
            if (operations.size() >= MOST_OPERATIONS) {
                return "other";
            }
            operations.add(operation);
            return operation;
        }
    }

    /** Opens a scope; if a handler throws, the thread has what it had before. */
    private Scope open(Observation observation) {
        Observation.Scope before = registry.getCurrentObservationScope();
        try {
            Observation.Scope opened = observation.openScope();
            return () -> close(opened, before);
        } catch (Throwable thrown) {
            registry.setCurrentObservationScope(before);
            throw thrown;
        }
    }

    /**
     * Micrometer tells the handlers first; if one throws, the observation stays current. Throws nothing: an attempt that was begun
     * inside would be lost.
     */
    private void close(Observation.Scope opened, Observation.@Nullable Scope before) {
        try {
            opened.close();
        } catch (Throwable thrown) {
            registry.setCurrentObservationScope(before);
            if (!told.getAndSet(true)) {
                LOG.warn(
                        "a handler of observations of '" + pipeline + "' threw at the end of a scope; told once",
                        thrown);
            }
        }
    }

    /** Its observation is not safe for threads, but hedges add events on threads of their own: hence the lock. */
    private final class OfCall implements CallTrace {
        // Not a monitor: handlers wait for locks of others, and a virtual thread would keep its carrier.
        private final ShortLock lock = new ShortLock();
        private final CallObservation call;
        private final Observation observation;

        // Guarded by the lock.
        private @Nullable Observation latest;
        private boolean ended;

        OfCall(String operation, boolean background) {
            call = new CallObservation(pipeline, operation, background);
            observation = Observation.createNotStarted(null, CALLS, () -> call, registry)
                    .start();
        }

        @Override
        public Scope open() {
            return PipelineTracer.this.open(observation);
        }

        @Override
        public @Nullable AttemptTrace attempt(int number, boolean hedge) {
            Observation slow;
            lock.lock();
            try {
                if (ended) {
                    return null;
                }
                if (!hedge) {
                    OfAttempt attempt = begun(number, false, null);
                    latest = attempt.observation;
                    return attempt;
                }
                slow = latest;
            } finally {
                lock.unlock();
            }
            // Not under the lock: a call that ends meanwhile does not wait for the handlers. It gives the hedge up, and
            // the observation of it then ends as cancelled.
            return begun(number, true, slow);
        }

        private OfAttempt begun(int number, boolean hedge, @Nullable Observation slow) {
            // Handlers of traces take what is current for the parent, whatever the observation says.
            Scope scope = open();
            try {
                return new OfAttempt(this, number, hedge, slow);
            } finally {
                scope.close();
            }
        }

        @Override
        public void rejected(String policy, Reason reason) {
            lock.lock();
            try {
                if (!ended) {
                    observation.event(Observation.Event.of(
                            "rejected", "rejected by " + policy + ": " + Registration.tag(reason)));
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public CallTrace background() {
            Scope scope = open();
            try {
                return new OfCall(call.operation(), true);
            } finally {
                scope.close();
            }
        }

        @Override
        public void ended(Outcome outcome, Source source, long ageNanos, int attempts, @Nullable Throwable error) {
            lock.lock();
            try {
                ended = true;
                latest = null;
                call.outcome = outcome;
                call.source = source;
                call.age = Duration.ofNanos(ageNanos);
                call.attempts = attempts;
                stop(observation, outcome, error);
            } finally {
                lock.unlock();
            }
        }
    }

    private final class OfAttempt implements AttemptTrace {
        private final AttemptObservation attempt;
        private final Observation observation;
        /** What is current while the action runs: the call, if the registry's predicates want no attempts. */
        private final Observation shown;

        OfAttempt(OfCall of, int number, boolean hedge, @Nullable Observation slow) {
            attempt = new AttemptObservation(of.call, number, hedge, slow);
            observation = Observation.createNotStarted(null, ATTEMPTS, () -> attempt, registry)
                    .start();
            shown = observation.isNoop() ? of.observation : observation;
        }

        @Override
        public Scope open() {
            return PipelineTracer.this.open(shown);
        }

        @Override
        public void ended(Outcome outcome, boolean left, @Nullable Throwable error) {
            attempt.outcome = outcome;
            attempt.left = left;
            stop(observation, outcome, error);
        }
    }

    /** What was given up because it was not needed any more is no error. */
    private static void stop(Observation observation, Outcome outcome, @Nullable Throwable error) {
        try {
            Throwable shown = error == null && (outcome == Outcome.FAILURE || outcome == Outcome.PUSHBACK)
                    ? new ClassifiedAsFailure(outcome)
                    : error;
            if (shown != null && outcome != Outcome.CANCELLED) {
                observation.error(shown);
            }
        } finally {
            observation.stop();
        }
    }

    /** What the observation of an answer has for its error, if the classifier calls the answer a failure. Thrown nowhere. */
    @SuppressWarnings("serial")
    static final class ClassifiedAsFailure extends RuntimeException {
        ClassifiedAsFailure(Outcome outcome) {
            super("the classifier calls the answer a " + Registration.tag(outcome), null, false, false);
        }
    }
}
