/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.spi.CallContext.Scope;
import dev.holdfast.spi.CallObserver.AttemptTrace;
import dev.holdfast.spi.CallObserver.CallTrace;
import dev.holdfast.spi.CallObserver.Tracer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The tracers of one pipeline. An exception of a tracer is logged once for its class, and goes no further. */
final class Traces {
    private final List<Tracer> tracers;
    private final BiConsumer<Object, Throwable> threw;

    Traces(List<Tracer> tracers, BiConsumer<Object, Throwable> threw) {
        this.tracers = List.copyOf(tracers);
        this.threw = threw;
    }

    /** What follows a call that begins; null if nothing does. */
    @Nullable
    OfCall begin(CallState call) {
        return of(each(tracers, tracer -> tracer.begins(call.operation())));
    }

    private @Nullable OfCall of(List<CallTrace> calls) {
        return calls.isEmpty() ? null : new OfCall(this, calls);
    }

    /** What each one makes; without those that make nothing or throw. */
    private <T, R> List<R> each(List<T> all, Function<T, @Nullable R> making) {
        List<R> made = new ArrayList<>(all.size());
        tell(all, one -> {
            R product = making.apply(one);
            if (product != null) {
                made.add(product);
            }
        });
        return made;
    }

    private <T> void tell(List<T> all, Consumer<T> telling) {
        for (T one : all) {
            try {
                telling.accept(one);
            } catch (Throwable thrown) {
                threw.accept(one, thrown);
            }
        }
    }

    private void close(List<Scope> scopes) {
        for (int i = scopes.size() - 1; i >= 0; i--) {
            tell(scopes.subList(i, i + 1), Scope::close);
        }
    }

    /** One call, as the tracers follow it. A hedge has one of its own, for its own attempt. */
    static final class OfCall {
        private final Traces traces;
        private final List<CallTrace> calls;
        /** The call beside whose attempt a hedge stands; else this. */
        private final OfCall whole;

        private @Nullable OfAttempt attempt;
        /** Whether it has ended. Read by its hedges, on their threads. */
        private volatile boolean over;

        private OfCall(Traces traces, List<CallTrace> calls) {
            this.traces = traces;
            this.calls = calls;
            whole = this;
        }

        private OfCall(OfCall whole) {
            traces = whole.traces;
            calls = whole.calls;
            this.whole = whole;
        }

        OfCall ofHedge() {
            return new OfCall(this);
        }

        @Nullable
        OfCall background() {
            return traces.of(traces.each(calls, CallTrace::background));
        }

        /** The attempt that is about to run. Its tracers are told when it starts or opens, which may be on another thread. */
        OfAttempt attempt(CallState call) {
            OfAttempt begun = attempt;
            if (begun != null && call.isHedge()) {
                return begun;
            }
            OfAttempt next = new OfAttempt(this, call.attempts, call.isHedge());
            attempt = next;
            return next;
        }

        /** What follows the attempt; null if the call has ended, which happens to a hedge that is given up. */
        private @Nullable List<AttemptTrace> begin(int number, boolean hedge) {
            // Under no lock: the end of the call does not wait for a tracer that is slow to begin its hedge.
            return whole.over ? null : traces.each(calls, trace -> trace.attempt(number, hedge));
        }

        /** The attempt is given up, and its stage has not completed. */
        void leaves() {
            if (attempt != null) {
                attempt.left = true;
            }
        }

        void attemptEnded(CallState call) {
            OfAttempt ended = attempt;
            if (ended != null) {
                attempt = null;
                // It counts as an attempt, also if it was given up before its action began.
                var unused = ended.start();
                ended.end(call.outcome, call.error);
            }
        }

        /** The attempt does not count: there was none. */
        void attemptNotMade(CallState call) {
            OfAttempt none = attempt;
            if (none != null) {
                attempt = null;
                none.end(call.outcome, call.error);
            }
        }

        void rejected(String policy, Reason reason) {
            traces.tell(calls, call -> call.rejected(policy, reason));
        }

        void ended(CallState ended) {
            attemptEnded(ended); // if the call was broken off
            over = true;
            traces.tell(
                    calls,
                    call -> call.ended(ended.outcome, ended.source, ended.ageNanos, ended.attempts, ended.error));
        }

        <R extends @Nullable Object, E extends Exception> R within(CheckedSupplier<R, E> work) throws E {
            List<Scope> scopes = traces.each(calls, CallTrace::open);
            try {
                return work.get();
            } finally {
                traces.close(scopes);
            }
        }
    }

    /** One attempt. If it is given up while its action runs on another thread, its tracers hear the end when that returns. */
    static final class OfAttempt {
        /** No monitor: a virtual thread of Java 21 that waits while it has one keeps its carrier. */
        private final ShortLock lock = new ShortLock();

        private final OfCall call;
        private final int number;
        private final boolean hedge;

        // Guarded by the lock.
        private @Nullable List<AttemptTrace> attempts;
        private boolean open;
        private @Nullable Outcome outcome;
        private @Nullable Throwable error;

        /** Written by the thread that then ends the attempt. */
        private boolean left;

        private OfAttempt(OfCall call, int number, boolean hedge) {
            this.call = call;
            this.number = number;
            this.hedge = hedge;
        }

        /** Before the action; does nothing if it has started, or was given up before. */
        List<AttemptTrace> start() {
            lock.lock();
            try {
                List<AttemptTrace> started = attempts;
                if (started == null) {
                    started = outcome == null ? call.begin(number, hedge) : null;
                    if (started == null) {
                        started = List.of();
                        outcome = Outcome.CANCELLED;
                    }
                    attempts = started;
                }
                return started;
            } finally {
                lock.unlock();
            }
        }

        /** Runs the action, or what plays it; not if the attempt was given up before: then nobody would follow it. */
        <R extends @Nullable Object, E extends Exception> R within(CheckedSupplier<R, E> action) throws E {
            List<Scope> scopes = open();
            if (scopes == null) {
                throw new CancellationException("the attempt was given up before its action began");
            }
            try {
                return action.get();
            } finally {
                call.traces.close(scopes);
                closed();
            }
        }

        /** Null if the attempt has been given up. */
        private @Nullable List<Scope> open() {
            lock.lock();
            try {
                List<AttemptTrace> started = start();
                if (outcome != null) {
                    return null;
                }
                open = true;
                return call.traces.each(started, AttemptTrace::open);
            } finally {
                lock.unlock();
            }
        }

        private void closed() {
            lock.lock();
            try {
                open = false;
                if (outcome != null) {
                    tell(outcome);
                }
            } finally {
                lock.unlock();
            }
        }

        private void end(Outcome ended, @Nullable Throwable thrown) {
            lock.lock();
            try {
                outcome = ended;
                error = thrown;
                if (open) {
                    left = true;
                } else {
                    tell(ended);
                }
            } finally {
                lock.unlock();
            }
        }

        private void tell(Outcome ended) {
            List<AttemptTrace> started = attempts;
            if (started != null) {
                attempts = List.of();
                call.traces.tell(started, trace -> trace.ended(ended, left, error));
            }
        }
    }
}
