/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Attempt;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.spi.Passage.Fault;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Starts the attempts of asynchronous calls, here or on another thread, and cancels their stages. */
final class AsyncAttempts {
    private final Engine engine;
    private final Watchdog watchdog;

    AsyncAttempts(Engine engine, Watchdog watchdog) {
        this.engine = engine;
        this.watchdog = watchdog;
    }

    void start(CallState call, Suspension suspension) {
        if (call.limited || call.alarmed()) {
            call.openAlarms(suspension.number);
            if (call.isGivenUpHedge()) {
                return; // whoever gave it up resumes it
            }
            try {
                watchdog.watch(call, suspension.number);
            } catch (Throwable noTimer) {
                // The call may run without an alarm, but not without its limit.
                if (call.limited) {
                    throw noTimer;
                }
            }
        }
        suspension.ran = true;
        Lanes.Lane dedicated = engine.dedicated;
        Fault fault = call.takeFault();
        if (fault == null && dedicated != null) {
            startElsewhere(call, suspension, dedicated);
            // Only now: if there is no thread, the try is rejected and the call ends as the one before it.
            call.dropKept();
            return;
        }
        call.dropKept();
        if (fault != null) {
            startFaulty(call, suspension, fault);
            return;
        }
        Ambient ambient = Ambient.get();
        CallState before = ambient.inner();
        try {
            ambient.enter(call);
            ambient.pauseWalk();
            started(
                    suspension,
                    invoke(call, call.action, call.argument, BlockingDriver.newAttempt(call), traced(call)));
        } catch (Throwable thrown) {
            suspension.accept(null, thrown);
        } finally {
            ambient.resumeWalk();
            ambient.leave(before);
        }
    }

    private static Traces.@Nullable OfAttempt traced(CallState call) {
        return call.trace == null ? null : call.trace.attempt(call);
    }

    private static void started(Suspension suspension, @Nullable CompletionStage<?> stage) {
        suspension.stage = stage;
        if (stage == null) {
            suspension.accept(null, new NullPointerException("the action returned null and no stage"));
        } else {
            stage.whenComplete(suspension);
        }
    }

    private void startFaulty(CallState call, Suspension suspension, Fault fault) {
        Lanes.Lane dedicated = engine.dedicated;
        CheckedSupplier<?, ?> instead = fault.instead();
        Traces.OfAttempt traced = traced(call);
        if (traced != null) {
            // The attempt begins now, although its action runs later, or never.
            var unused = traced.start();
        }
        Runnable afterwards = instead == null ? elsewhere(call, suspension, traced) : () -> suspension.end(instead);
        new FaultyAttempt(engine, suspension, dedicated == null ? engine.lanes.ends : dedicated, afterwards)
                .start(fault.delayNanos());
    }

    /** The action on another thread. When that runs it, the call may already be at its next attempt. */
    private Runnable elsewhere(CallState call, Suspension suspension, Traces.@Nullable OfAttempt traced) {
        Bound bound = Bound.ofAttempt(call);
        RunningAttempt attempt = BlockingDriver.newAttempt(call);
        // Now: a call that is over lets them go.
        Object action = call.action;
        Object argument = call.argument;
        return () -> runElsewhere(call, suspension, bound, () -> invoke(call, action, argument, attempt, traced));
    }

    private void startElsewhere(CallState call, Suspension suspension, Lanes.Lane dedicated) {
        Runnable work = elsewhere(call, suspension, traced(call));
        try {
            dedicated.get().execute(work);
        } catch (Throwable refusal) {
            suspension.ran = false;
            throw refusal;
        }
    }

    private void runElsewhere(
            CallState call,
            Suspension suspension,
            Bound bound,
            CheckedSupplier<@Nullable CompletionStage<?>, RuntimeException> work) {
        // The word of the call tells it first: the rest of a call that was struck may still wait for the executor.
        if (!call.isUnderWay(suspension.number)) {
            suspension.accept(null, null);
            return;
        }
        Surroundings callers = null;
        try {
            callers = Surroundings.enter(call, Ambient.get());
            started(suspension, bound.call(work));
        } catch (Throwable thrown) {
            suspension.accept(null, thrown);
        } finally {
            Surroundings.leave(callers);
        }
        if (suspension.decidedAt() != Long.MIN_VALUE) {
            cancel(suspension);
        }
    }

    void cancel(Suspension suspension) {
        CompletionStage<?> stage = suspension.stage;
        if (stage != null) {
            try {
                stage.toCompletableFuture().cancel(true);
            } catch (Throwable thrown) {
                engine.log.once("cancelling an attempt of '" + engine.name + "' threw", thrown);
            }
        }
    }

    private static @Nullable CompletionStage<?> invoke(
            CallState call,
            @Nullable Object action,
            @Nullable Object argument,
            @Nullable RunningAttempt attempt,
            Traces.@Nullable OfAttempt traced) {
        return traced == null
                ? invoke(call, action, argument, attempt)
                : traced.within(() -> invoke(call, action, argument, attempt));
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // the mode says which kind of action it is, and there is one
    private static @Nullable CompletionStage<?> invoke(
            CallState call, @Nullable Object action, @Nullable Object argument, @Nullable RunningAttempt attempt) {
        Asker.check(call.spec.asker());
        switch (call.mode) {
            case Engine.SUPPLIER:
                return ((Supplier<? extends CompletionStage<?>>) action).get();
            case Engine.ATTEMPT:
                return ((Function<Attempt, ? extends CompletionStage<?>>) action).apply(attempt);
            case Engine.KEYED:
                return ((Function<@Nullable Object, ? extends CompletionStage<?>>) action).apply(argument);
            default:
                return ((BiFunction<@Nullable Object, Attempt, ? extends CompletionStage<?>>) action)
                        .apply(argument, attempt);
        }
    }
}
