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
        new Cancelling(this, null).run(); // loads it, while there is room
    }

    <R extends @Nullable Object> CompletableFuture<R> call(
            Call<?> spec, Object action, int mode, @Nullable Object argument, boolean asReply) {
        StackRoom.ensure();
        CallState call = new CallState(interpreter.layers, true, null);
        CallFuture<R> future = new CallFuture<>(call, asReply);
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
        Ambient ambient = Ambient.get();
        boolean before = ambient.enterWalk();
        try {
            try {
                for (int what = interpreter.advance(call); what != Interpreter.DONE; what = interpreter.advance(call)) {
                    if (what == Interpreter.ACT && !interpreter.starting(call)) {
                        continue;
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
            } catch (Throwable broken) {
                interpreter.breakOff(call, broken);
            }
            done(call);
        } finally {
            ambient.leaveWalk(before);
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
        Executor dedicated = interpreter.dedicated;
        Fault fault = call.takeFault();
        if (fault == null && dedicated != null) {
            startElsewhere(call, suspension, dedicated);
            // Not before: a try for which there is no thread is turned away, and the call ends as the one before it.
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
        ambient.enter(call);
        ambient.pauseWalk();
        try {
            started(suspension, invoke(call, attemptFor(call)));
        } catch (Throwable thrown) {
            suspension.accept(null, thrown);
        } finally {
            ambient.resumeWalk();
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
                        interpreter,
                        suspension,
                        () -> dedicated == null ? pipeline.lanes.ends() : dedicated,
                        afterwards)
                .start(fault.delayNanos());
    }

    /** The action on another thread: by the time that one looks, the call may be at its next attempt. */
    private Runnable elsewhere(CallState call, Suspension suspension) {
        TimeSource limiting = call.limited ? time : null;
        long until = call.limitAt;
        int number = Math.max(call.attempts, call.outerAttempt);
        Around around = call.withThoseAround();
        Attempt attempt = attemptFor(call);
        return () -> runElsewhere(call, suspension, attempt, limiting, until, number, around);
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
            int number,
            @Nullable Around around) {
        if (suspension.decidedAt() != Long.MIN_VALUE) {
            suspension.accept(null, null);
            return;
        }
        Surroundings callers = Surroundings.enter(call, Ambient.get());
        try {
            started(suspension, Deadline.bound(limiting, until, number, around, () -> invoke(call, attempt)));
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
                interpreter.logOnce("cancelling an attempt of '" + interpreter.name + "' threw", thrown);
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
        if (!StackRoom.isThere()) {
            StackRoom.onNewThread(new Cancelling(this, call));
        } else if (call.cancel()) {
            resume(call);
        }
    }

    private record Cancelling(AsyncDriver driver, @Nullable CallState call) implements Runnable {
        @Override
        public void run() {
            if (call != null && call.cancel()) {
                driver.handOver(call);
            }
        }
    }

    /** The watchdog has struck; on the timer's thread. */
    void strike(CallState call, long number) {
        if (call.claim(number, CallState.BY_LIMIT) == CallState.OPEN) {
            handOver(call);
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
        if (ambient.depth >= DEEPEST || !StackRoom.isThere()) {
            handOver(call);
        } else {
            nested(ambient, call);
        }
    }

    /** On a thread of the executor; or where it was handed in, if the executor does that: there it waits. */
    private void handedOver(CallState call) {
        Ambient ambient = Ambient.get();
        ambient.runOrLater(() -> nested(ambient, call));
    }

    private void nested(Ambient ambient, CallState call) {
        ambient.depth++;
        try {
            goOn(ambient, call);
        } finally {
            ambient.depth--;
            ambient.runLater();
        }
    }

    private void handOver(CallState call) {
        if (!isHandedOver(call)) {
            call.refused = true;
            onSpareThread(() -> handedOver(call));
        }
    }

    private boolean isHandedOver(CallState call) {
        try {
            pipeline.lanes.ends().execute(() -> handedOver(call));
            return true;
        } catch (Throwable refusal) {
            return false;
        }
    }

    /** Or here, if there is none: an end in the wrong place is better than none. */
    void onSpareThread(Runnable task) {
        try {
            pipeline.lanes.spare().execute(task);
        } catch (Throwable refusal) {
            task.run();
        }
    }

    /** As its caller would go on with it, whatever else this thread is in the middle of. */
    private void goOn(Ambient ambient, CallState call) {
        Surroundings callers = Surroundings.enter(call, ambient);
        boolean before = ambient.enterWalk();
        try {
            resume(call, call.suspension);
            proceed(call);
        } finally {
            ambient.leaveWalk(before);
            Surroundings.leave(callers);
        }
    }

    private void resume(CallState call, @Nullable Suspension suspension) {
        if (suspension != null) {
            try {
                resumed(call, suspension, call.claimReason());
            } catch (Throwable broken) {
                interpreter.breakOff(call, broken);
            }
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
                break;
            case Interpreter.STAGE:
                // What comes after somebody else's claim is discarded where it comes, and may come at this moment.
                boolean came = claimedBy == CallState.BY_COMPLETION;
                interpreter.stageEnded(call, claimedBy, came ? suspension.value : null, came ? suspension.error : null);
                break;
            default:
                boolean goes = claimedBy == CallState.BY_COMPLETION || claimedBy == CallState.BY_TIMER;
                interpreter.resumed(call, refused && goes ? CallState.BY_REFUSAL : claimedBy, suspension.what);
        }
        if (refused) {
            // This thread is not for another attempt, whoever may still retry.
            call.giveUpAt = CallState.CALLER;
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
            Throwable error = Interpreter.unwrapped(suspension.error);
            if (error instanceof InterruptedException) {
                interpreter.attemptGivenUp(call, CallState.BY_INTERRUPT, error);
            } else {
                interpreter.attemptEnded(call, suspension.value, error);
            }
            return;
        }
        if (attempt != null) {
            attempt.cancel();
            pipeline.runHooks(attempt, call.context);
        }
        CompletionStage<?> cancelled = suspension.stage;
        cancel(suspension);
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
