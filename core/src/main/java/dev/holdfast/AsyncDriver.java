/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Fault;
import dev.holdfast.spi.TimeSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Runs calls without holding a thread: where a policy says pause or await, a continuation is left and the thread returns. */
final class AsyncDriver {
    /** Continuations on one stack before they go through the executor. */
    private static final int DEEPEST = 16;

    private final Pipeline pipeline;
    private final Interpreter interpreter;
    private final TimeSource time;
    private final Watchdog watchdog;

    AsyncDriver(Pipeline pipeline, Interpreter interpreter, Watchdog watchdog) {
        this.pipeline = pipeline;
        this.interpreter = interpreter;
        this.time = interpreter.time;
        this.watchdog = watchdog;
    }

    <R extends @Nullable Object> CompletableFuture<R> call(
            Call<?> spec, Object action, int mode, @Nullable Object argument, boolean asReply) {
        CallState call = new CallState(interpreter.layers, true, null);
        CallFuture<R> future = new CallFuture<>(this, call, asReply);
        call.begin(interpreter, spec, mode);
        call.work(action, argument);
        call.inherit(Ambient.get());
        call.future = future;
        if (pipeline.isClosed()) {
            interpreter.refuse(call);
        }
        proceed(call);
        return future;
    }

    /** Goes on until the call is done or must wait. */
    void proceed(CallState call) {
        for (; ; ) {
            int what = interpreter.advance(call);
            if (what == Interpreter.DONE) {
                done(call);
                return;
            }
            if (what == Interpreter.ACT) {
                watchdog.approach(call);
                if (!interpreter.starting(call)) {
                    continue;
                }
            }
            // From here on any thread may go on with it.
            call.context();
            long number = call.openSuspension();
            if (number < 0) {
                cancelled(call, what);
                continue;
            }
            Suspension suspension = new Suspension(this, call, what, number);
            call.suspension = suspension;
            suspend(call, suspension);
            if (call.park(number)) {
                return;
            }
            resumed(call, suspension, call.claimReason());
        }
    }

    private void cancelled(CallState call, int what) {
        if (what == Interpreter.ACT) {
            interpreter.notStarted(call, CallState.BY_CANCEL);
        } else if (what == Interpreter.STAGE) {
            interpreter.stageEnded(call, CallState.BY_CANCEL, null, null);
        } else {
            interpreter.resumed(call, CallState.BY_CANCEL, what);
        }
    }

    private void suspend(CallState call, Suspension suspension) {
        try {
            switch (suspension.what) {
                case Interpreter.PAUSE:
                    suspension.timer = time.schedule(call.waitNanos, suspension);
                    break;
                case Interpreter.AWAIT:
                    await(call, suspension);
                    break;
                case Interpreter.ACT:
                    act(call, suspension);
                    break;
                default:
                    startStage(call, suspension);
            }
        } catch (Throwable noTimer) {
            call.claim(suspension.number, CallState.BY_REFUSAL);
        }
    }

    private void await(CallState call, Suspension suspension) {
        Completion completion = Interpreter.awaited(call);
        suspension.completion = completion;
        long remaining = call.remaining();
        long wait = Math.min(remaining, call.waitNanos);
        if (wait != Long.MAX_VALUE) {
            suspension.timerReason = remaining <= call.waitNanos ? CallState.BY_LIMIT : CallState.BY_TIMER;
            suspension.timer = time.schedule(wait, suspension);
        }
        if (!completion.register(suspension)) {
            call.claim(suspension.number, CallState.BY_COMPLETION);
        }
    }

    private void startStage(CallState call, Suspension suspension) {
        long remaining = call.remaining();
        if (remaining != Long.MAX_VALUE) {
            suspension.timerReason = CallState.BY_LIMIT;
            suspension.timer = time.schedule(remaining, suspension);
        }
        try {
            Interpreter.appliedStage(call).whenComplete(suspension);
        } catch (Throwable thrown) {
            suspension.accept(null, thrown);
        }
    }

    private void act(CallState call, Suspension suspension) {
        if (call.limited || call.alarmed()) {
            call.openAlarms(suspension.number);
            try {
                watchdog.watch(call, suspension.number);
            } catch (Throwable noTimer) {
                // Without an alarm the call may run all the same, without its limit it may not.
                if (call.limited) {
                    throw noTimer;
                }
            }
        }
        suspension.ran = true;
        call.dropKept();
        Executor dedicated = interpreter.dedicated;
        Fault fault = call.takeFault();
        if (fault != null) {
            startFaulty(call, suspension, fault);
            return;
        }
        if (dedicated != null) {
            startElsewhere(call, suspension, dedicated);
            return;
        }
        Ambient ambient = Ambient.get();
        CallState before = ambient.inner();
        ambient.enter(call);
        try {
            started(suspension, invoke(call, attemptFor(call)));
        } catch (Throwable thrown) {
            suspension.accept(null, thrown);
        } finally {
            ambient.leave(before);
        }
    }

    private static @Nullable Attempt attemptFor(CallState call) {
        return call.mode == CallState.ATTEMPT ? BlockingDriver.newAttempt(call) : null;
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
        Executor dedicated = interpreter.dedicated;
        CheckedSupplier<?, ?> instead = fault.instead();
        Runnable afterwards = instead == null ? elsewhere(call, suspension) : () -> suspension.end(instead);
        new FaultyAttempt(
                        interpreter, suspension, () -> dedicated == null ? pipeline.executor() : dedicated, afterwards)
                .start(fault.delayNanos());
    }

    /** The action on another thread: by the time that one looks, the call may be at its next attempt. */
    private Runnable elsewhere(CallState call, Suspension suspension) {
        TimeSource limiting = call.limited ? time : null;
        long until = call.limitAt;
        int number = Math.max(call.attempts, call.outerAttempt);
        Attempt attempt = attemptFor(call);
        return () -> runElsewhere(call, suspension, attempt, limiting, until, number);
    }

    private void startElsewhere(CallState call, Suspension suspension, Executor dedicated) {
        Runnable work = elsewhere(call, suspension);
        try {
            dedicated.execute(work);
        } catch (Throwable refusal) {
            suspension.ran = false;
            throw refusal;
        }
    }

    private void runElsewhere(
            CallState call,
            Suspension suspension,
            @Nullable Attempt attempt,
            @Nullable TimeSource limiting,
            long until,
            int number) {
        if (suspension.decidedAt() != Long.MIN_VALUE) {
            suspension.accept(null, null);
            return;
        }
        Surroundings callers = Surroundings.enter(call, Ambient.get());
        try {
            started(suspension, Deadline.bound(limiting, until, number, () -> invoke(call, attempt)));
        } catch (Throwable thrown) {
            suspension.accept(null, thrown);
        } finally {
            Surroundings.leave(callers);
        }
        if (suspension.decidedAt() != Long.MIN_VALUE) {
            cancel(suspension);
        }
    }

    private void cancel(Suspension suspension) {
        CompletionStage<?> stage = suspension.stage;
        if (stage != null) {
            try {
                stage.toCompletableFuture().cancel(true);
            } catch (Throwable thrown) {
                Interpreter.log("cancelling an attempt of '" + interpreter.name + "' threw", thrown);
            }
        }
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // the mode says which kind of action it is, and there is one
    private static @Nullable CompletionStage<?> invoke(CallState call, @Nullable Attempt attempt) {
        switch (call.mode) {
            case CallState.SUPPLIER:
                return ((Supplier<? extends CompletionStage<?>>) call.action).get();
            case CallState.ATTEMPT:
                return ((Function<Attempt, ? extends CompletionStage<?>>) call.action).apply(attempt);
            default:
                return ((Function<@Nullable Object, ? extends CompletionStage<?>>) call.action).apply(call.argument);
        }
    }

    // ---- resuming

    /** The winner resumes the call, at once or through the executor; false: somebody else was first. */
    boolean claim(Suspension suspension, int reason, boolean handOver) {
        CallState call = suspension.call;
        int from = call.claim(suspension.number, reason);
        if (from == CallState.OPEN) {
            if (handOver) {
                handOver(call);
            } else {
                resume(call);
            }
        }
        return from != CallState.RUNNING;
    }

    void cancel(CallState call) {
        if (call.cancel()) {
            resume(call);
        }
    }

    /** The watchdog has struck; on the timer's thread, or in the middle of another call. */
    void strike(CallState call, long number) {
        if (call.claim(number, CallState.BY_LIMIT) == CallState.OPEN) {
            if (!Ambient.get().strikes) {
                handOver(call);
            } else if (!pipeline.executorIsOwn() || !isHandedOver(call)) {
                pipeline.onTimer(() -> {
                    call.refused = false;
                    handOver(call);
                });
            }
        }
    }

    /** A hedge has answered before the call's own attempt; on the thread on which it ended. */
    void overtake(CallState call, long number) {
        if (call.claim(number, CallState.BY_RACE) == CallState.OPEN) {
            resume(call);
        }
    }

    /** A hedge is of no use any more; inside a policy's method of another call. */
    void giveUp(CallState hedge) {
        if (hedge.cancel()) {
            handOver(hedge);
        }
    }

    private void resume(CallState call) {
        Ambient ambient = Ambient.get();
        if (ambient.depth >= DEEPEST) {
            handOver(call);
            return;
        }
        nested(ambient, call);
    }

    /** On a thread of the executor; or where it was handed in, if the executor does that: there it waits. */
    private void handedOver(CallState call) {
        Ambient ambient = Ambient.get();
        if (ambient.depth > 0) {
            ambient.later(() -> goOn(ambient, call));
        } else {
            nested(ambient, call);
        }
    }

    private void nested(Ambient ambient, CallState call) {
        ambient.depth++;
        try {
            goOn(ambient, call);
            if (ambient.depth == 1) {
                ambient.runLater();
            }
        } finally {
            ambient.depth--;
        }
    }

    private void handOver(CallState call) {
        if (!isHandedOver(call)) {
            goOn(Ambient.get(), call);
        }
    }

    private boolean isHandedOver(CallState call) {
        try {
            pipeline.executor().execute(() -> handedOver(call));
            return true;
        } catch (Throwable refusal) {
            call.refused = true;
            return false;
        }
    }

    /** As its caller would go on with it, whatever else this thread is in the middle of. */
    private void goOn(Ambient ambient, CallState call) {
        Surroundings callers = Surroundings.enter(call, ambient);
        try {
            Suspension suspension = call.suspension;
            if (suspension != null) {
                resumed(call, suspension, call.claimReason());
            }
            proceed(call);
        } finally {
            Surroundings.leave(callers);
        }
    }

    private void resumed(CallState call, Suspension suspension, int claimedBy) {
        call.suspension = null;
        TimeSource.Timer timer = suspension.timer;
        if (timer != null && claimedBy != suspension.timerReason) {
            timer.cancel();
        }
        if (suspension.completion != null) {
            suspension.completion.remove(suspension);
        }
        boolean refused = call.refused;
        call.refused = false;
        switch (suspension.what) {
            case Interpreter.ACT:
                attemptResumed(call, suspension, claimedBy);
                if (refused) {
                    call.giveUpAt = CallState.CALLER;
                }
                break;
            case Interpreter.STAGE:
                interpreter.stageEnded(call, claimedBy, suspension.value, suspension.error);
                break;
            default:
                boolean goes = claimedBy == CallState.BY_COMPLETION || claimedBy == CallState.BY_TIMER;
                interpreter.resumed(call, refused && goes ? CallState.BY_REFUSAL : claimedBy, suspension.what);
        }
    }

    private void attemptResumed(CallState call, Suspension suspension, int claimedBy) {
        watchdog.release(call);
        if (!suspension.ran) {
            interpreter.notStarted(call, claimedBy);
            return;
        }
        Attempt attempt = call.attempt;
        call.attempt = null;
        if (claimedBy == CallState.BY_COMPLETION) {
            if (attempt != null) {
                attempt.end();
            }
            interpreter.attemptEnded(call, suspension.value, Interpreter.unwrapped(suspension.error));
            return;
        }
        if (attempt != null) {
            attempt.cancel();
        }
        CompletionStage<?> cancelled = suspension.stage;
        cancel(suspension);
        if (attempt != null) {
            attempt.runHooks();
        }
        interpreter.attemptGivenUp(call, claimedBy, null);
        if (suspension.goesOn(call.now)) {
            call.goesOn(suspension);
            // One that came meanwhile from another thread, which did not see yet that it was too late.
            if (suspension.stage != cancelled) {
                cancel(suspension);
            }
        }
    }

    private void done(CallState call) {
        CallFuture<?> future = call.future;
        if (future == null) {
            pipeline.backgroundDone(call);
            return;
        }
        interpreter.tellSettled(call);
        future.deliver(call);
    }
}
