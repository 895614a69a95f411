/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Tells the observers of one pipeline; what one of them throws is logged once for its class and goes no further. */
final class Observers {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast.observer");

    private final String pipeline;
    private final CallObserver[] observers;
    /** Those that are told of calls: each observer, or what it has for this pipeline. */
    private final CallObserver[] bound;

    private final Set<Class<?>> logged = ConcurrentHashMap.newKeySet();

    Observers(String pipeline, List<CallObserver> observers) {
        this.pipeline = pipeline;
        this.observers = observers.toArray(new CallObserver[0]);
        bound = this.observers.clone();
    }

    /** Whether anybody listens: every call asks before it puts together what it would tell. */
    boolean any() {
        return bound.length != 0;
    }

    // One loop a method and no lambda: these run on the call's path and allocate nothing.

    /** Before the pipeline's first call. */
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
    }

    void closed(Observed closed) {
        for (CallObserver observer : observers) {
            try {
                observer.closed(closed);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void callSettled(@Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
        for (CallObserver observer : bound) {
            try {
                observer.callSettled(pipeline, operation, outcome, source, attempts, nanos);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void backgroundSettled(@Nullable String operation, Outcome outcome, long nanos) {
        for (CallObserver observer : bound) {
            try {
                observer.backgroundSettled(pipeline, operation, outcome, nanos);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void attemptSettled(@Nullable String operation, int attempt, Outcome outcome, long nanos) {
        for (CallObserver observer : bound) {
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
        for (CallObserver observer : bound) {
            try {
                observer.retryScheduled(pipeline, operation, attempts, waitNanos);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void retryRefused(@Nullable String operation, int attempts, Refusal why) {
        for (CallObserver observer : bound) {
            try {
                observer.retryRefused(pipeline, operation, attempts, why);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void hedged(@Nullable String operation, int attempt) {
        for (CallObserver observer : bound) {
            try {
                observer.hedged(pipeline, operation, attempt);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void stateChanged(String policy, String from, String to) {
        for (CallObserver observer : bound) {
            try {
                observer.stateChanged(pipeline, policy, from, to);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void overrun(@Nullable String operation, long nanos) {
        for (CallObserver observer : bound) {
            try {
                observer.overrun(pipeline, operation, nanos);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    void writtenOff(@Nullable String operation, String policy) {
        for (CallObserver observer : bound) {
            try {
                observer.writtenOff(pipeline, operation, policy);
            } catch (Throwable thrown) {
                log(observer, thrown);
            }
        }
    }

    private void log(CallObserver observer, Throwable thrown) {
        if (logged.add(observer.getClass())) {
            LOG.warn(
                    "an observer of '" + pipeline + "' threw; told once: "
                            + observer.getClass().getName(),
                    thrown);
        }
    }
}
