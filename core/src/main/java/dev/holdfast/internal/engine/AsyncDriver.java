/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.Once;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Runs calls without holding a thread. For a pause or an await it leaves a continuation, and the thread returns. */
public final class AsyncDriver implements Driver {
    /** Continuations on one stack before they go through the executor. */
    private static final int DEEPEST = 16;

    private final Engine engine;
    private final Walk walk;
    private final Endings endings;
    private final TimeSource time;
    private final Watchdog watchdog;
    private final AsyncAttempts attempts;

    AsyncDriver(Engine engine, Watchdog watchdog) {
        this.engine = engine;
        this.walk = engine.walk;
        this.endings = engine.endings;
        this.time = engine.time;
        this.watchdog = watchdog;
        attempts = new AsyncAttempts(engine, watchdog);
        new Cancelling(this, null).run(); // loads it, while there is room
    }

    /** Starts it; every problem is reported in the future. */
    public <R extends @Nullable Object> CompletableFuture<R> call(
            CallSpec spec, Object action, int mode, @Nullable Object argument, boolean asReply) {
        StackRoom.ensure();
        CallState call = new CallState(engine.plan.layers, true, null);
        call.begin(engine, spec, mode, asReply);
        call.work(action, argument);
        CallFuture<R> future = new CallFuture<>(call, asReply, call.unclaimed());
        call.inherit(Ambient.get());
        if (engine.traces != null) {
            call.trace = engine.traces.begin(call);
        }
        call.future = future;
        if (engine.isClosed()) {
            endings.refuse(call);
        }
        proceed(Ambient.get(), call);
        return future;
    }

    private void proceed(Ambient ambient, CallState call) {
        boolean before = ambient.enterWalk();
        try {
            try {
                for (Step what = walk.advance(call); what != Step.DONE; what = walk.advance(call)) {
                    Suspension suspension = what != Step.ACT || endings.starting(call) ? opened(call, what) : null;
                    if (suspension != null) {
                        suspend(call, suspension);
                        if (call.park(suspension.number)) {
                            return;
                        }
                        resumed(call, suspension);
                    }
                }
            } catch (Throwable broken) {
                endWith(broken, call);
                return;
            }
            done(call);
        } finally {
            ambient.leaveWalk(before);
        }
    }

    /** What the call waits in from now on; null if it does not wait, and this thread goes on. */
    private @Nullable Suspension opened(CallState call, Step what) {
        Suspension suspension;
        try {
            // From here on any thread may go on with it.
            call.context();
            suspension = new Suspension(this, call, what);
        } catch (OutOfMemoryError none) {
            // A policy may have a place in a queue for it.
            doesNotWait(call, what, CallWord.BY_REFUSAL);
            return null;
        }
        suspension.number = call.openSuspension();
        if (suspension.number < 0) {
            doesNotWait(call, what, CallWord.BY_CANCEL);
            return null;
        }
        call.suspension = suspension;
        return suspension;
    }

    private void doesNotWait(CallState call, Step what, int reason) {
        if (what == Step.ACT) {
            endings.notStarted(call, reason);
        } else if (what == Step.STAGE) {
            walk.stageEnded(call, reason, null, null);
        } else {
            walk.resumed(call, reason, what);
        }
    }

    private void suspend(CallState call, Suspension suspension) {
        if (call.opensOvertaken(suspension.number)) {
            call.claim(suspension.number, CallWord.BY_RACE);
            return;
        }
        try {
            switch (suspension.what) {
                case PAUSE:
                    suspension.timer = timer(call, call.waitNanos, suspension);
                    break;
                case AWAIT:
                    await(call, suspension);
                    break;
                case ACT:
                    attempts.start(call, suspension);
                    break;
                default:
                    startStage(call, suspension);
            }
        } catch (Throwable noTimer) {
            call.claim(suspension.number, CallWord.BY_REFUSAL);
        }
    }

    /** Counts from the call's own time, as its limits do: a thread that stands still before it comes here delays nothing. */
    private TimeSource.Timer timer(CallState call, long wait, Suspension suspension) {
        long from = call.now(); // first: it may be read only now
        long spent = Math.max(0, time.nanos() - from);
        suspension.timerAt = from + Math.max(wait, spent);
        return time.schedule(wait - Math.min(wait, spent), suspension);
    }

    private void await(CallState call, Suspension suspension) {
        Completion completion = call.awaited();
        suspension.completion = completion;
        long remaining = call.remaining();
        long wait = Math.min(remaining, call.waitNanos);
        if (wait != Long.MAX_VALUE) {
            suspension.awaitsAnswer();
            if (remaining <= call.waitNanos) {
                suspension.limited();
            }
            suspension.timer = timer(call, wait, suspension);
        }
        if (!completion.register(suspension)) {
            call.claim(suspension.number, CallWord.BY_COMPLETION);
        }
    }

    /** If the process stood still, who brings the answer runs no sooner than the timer: the wait goes on, once. */
    boolean goesOnWaiting(Suspension suspension) {
        long now = time.nanos();
        long grace = suspension.call.isTimeOverAt(now) ? watchdog.graceNanos(now - suspension.timerAt) : 0;
        // Last: what the call says of its limit holds if it still waits.
        if (grace == 0 || !suspension.call.isUnderWay(suspension.number)) {
            return false;
        }
        try {
            suspension.timer = time.schedule(grace, suspension);
            return true;
        } catch (Throwable noTimer) {
            return false;
        }
    }

    private void startStage(CallState call, Suspension suspension) {
        long remaining = call.remaining();
        boolean waits = remaining > 0;
        if (waits && remaining != Long.MAX_VALUE) {
            suspension.awaitsAnswer();
            suspension.limited();
            suspension.timer = timer(call, remaining, suspension);
        }
        try {
            Answering.appliedStage(call).whenComplete(suspension);
        } catch (Throwable thrown) {
            suspension.accept(null, thrown);
        }
        if (!waits) {
            // In vain if the stage was complete.
            call.claim(suspension.number, CallWord.BY_LIMIT);
        }
    }

    // ---- resuming. What may fail for want of memory comes before the claim: whoever claims a call must go on with it.

    /** Claims the suspension and resumes the call, at once or through the executor; false if somebody else was first. */
    boolean claim(Suspension suspension, int reason, boolean handOver) {
        CallState call = suspension.call;
        if (call.claimArming(suspension.number, reason)) {
            return true;
        }
        if (!handOver) {
            return claim(call, suspension.number, reason);
        }
        HandOver made = suspension.handOver;
        return claim(made == null ? new HandOver(call) : made, suspension.number, reason);
    }

    private boolean claim(CallState call, long number, int reason) {
        Ambient here;
        HandOver elsewhere;
        try {
            here = Ambient.get();
            elsewhere = isRoom(here) ? null : new HandOver(call);
        } catch (Throwable none) { // a class that could not be loaded is another error
            int from = call.claim(number, reason);
            if (from == CallWord.OPEN) {
                endWith(none, call);
            }
            return from != CallWord.RUNNING;
        }
        if (elsewhere != null) {
            return claim(elsewhere, number, reason);
        }
        int from = call.claim(number, reason);
        if (from == CallWord.OPEN) {
            nested(here, call);
        }
        return from != CallWord.RUNNING;
    }

    private boolean claim(HandOver elsewhere, long number, int reason) {
        int from = elsewhere.call.claim(number, reason);
        if (from == CallWord.OPEN) {
            handOver(elsewhere);
        }
        return from != CallWord.RUNNING;
    }

    void cancel(CallState call) {
        if (!StackRoom.isThere()) {
            StackRoom.onNewThread(new Cancelling(this, call));
            return;
        }
        Ambient here = Ambient.get();
        if (!isRoom(here)) {
            cancelElsewhere(call);
        } else if (call.cancel()) {
            nested(here, call);
        }
    }

    private void cancelElsewhere(CallState call) {
        HandOver elsewhere = new HandOver(call);
        if (call.cancel()) {
            handOver(elsewhere);
        }
    }

    private record Cancelling(AsyncDriver driver, @Nullable CallState call) implements Runnable {
        @Override
        public void run() {
            if (call != null) {
                driver.cancelElsewhere(call);
            }
        }
    }

    @Override
    public void strike(CallState call, long number) {
        claim(new HandOver(call), number, CallWord.BY_LIMIT);
    }

    @Override
    public void overtake(CallState call, long number) {
        claim(call, number, CallWord.BY_RACE);
    }

    /** Here, if its stage is open: before the call ends that it stands beside, it gives back what it holds. */
    @Override
    public boolean giveUp(CallState hedge) {
        cancel(hedge);
        return true;
    }

    @Override
    public void runChild(CallState child) {
        // Going down still: it has not been refused already.
        if (engine.isClosed() && child.down) {
            endings.refuse(child);
        }
        proceed(Ambient.get(), child);
    }

    /** Whether a call may go on here: not if there are too many on the stack already. */
    private static boolean isRoom(Ambient here) {
        return here.depth < DEEPEST && StackRoom.isThere();
    }

    /** On a thread of the executor. If the executor runs it on the thread that handed it in, it waits there for its turn. */
    private void handedOver(CallState call) {
        Ambient here;
        try {
            here = Ambient.get();
            Ambient ambient = here;
            here.addLater(() -> nested(ambient, call));
        } catch (Throwable none) { // as above
            endWith(none, call);
            return;
        }
        here.runLater();
    }

    /** For a call that cannot go on, such as for want of memory: it gives back what it holds, and fails. */
    private void endWith(Throwable broken, CallState call) {
        if (broken instanceof StackOverflowError) {
            try {
                StackRoom.onNewThread(new Ending(this, call, broken));
                return;
            } catch (Throwable noThread) {
                // Then here, as far as it goes.
            }
        }
        endHere(broken, call);
    }

    /** For a call that has found no room on a stack, and so would leave out layers there. */
    record Ending(AsyncDriver driver, CallState call, Throwable broken) implements Runnable {
        @Override
        public void run() {
            driver.endOnNewThread(broken, call);
        }
    }

    private void endOnNewThread(Throwable broken, CallState call) {
        Ambient ambient = Ambient.get();
        Surroundings callers = null;
        boolean before = ambient.enterWalk();
        try {
            callers = Surroundings.enter(call, ambient);
        } catch (Throwable again) {
            // The first one is told.
        }
        try {
            endHere(broken, call);
        } finally {
            ambient.leaveWalk(before);
            Surroundings.leave(callers);
        }
    }

    private void endHere(Throwable broken, CallState call) {
        try {
            breakOff(call, broken);
        } catch (Throwable again) {
            // The first one is told.
        }
        done(call);
    }

    private void breakOff(CallState call, Throwable broken) {
        Suspension waited = call.suspension;
        if (waited != null) {
            // What it waited for may be its own by now, such as a permit.
            call.refused = true;
            try {
                resumed(call, waited);
            } catch (Throwable again) {
                // The first one is told. This one has no memory either.
            }
        }
        walk.breakOff(call, broken);
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

    private void handOver(HandOver elsewhere) {
        if (!elsewhere.isTakenBy(engine.lanes.ends)) {
            elsewhere.call.refused = true;
            onSpareThread(elsewhere.ifRefused);
        }
    }

    /** The rest of a call, once. */
    class Resumption extends Once {
        final CallState call;

        Resumption(CallState call) {
            this.call = call;
        }

        @Override
        public void runOnce() {
            handedOver(call);
        }
    }

    /** What goes to the executor; made before the call is claimed for it. */
    final class HandOver extends Resumption {
        /** Made beforehand, too. This one has been given away by then. */
        private final Once ifRefused;

        HandOver(CallState call) {
            super(call);
            ifRefused = new Resumption(call);
        }
    }

    /** Runs the task here if there is no spare thread: an end in the wrong place is better than none. */
    void onSpareThread(Once task) {
        if (!task.isTakenBy(engine.lanes.spare)) {
            task.runOnce();
        }
    }

    /** Continues the call as its caller would, whatever else this thread is doing. */
    private void goOn(Ambient ambient, CallState call) {
        Surroundings callers = null;
        boolean before = ambient.enterWalk();
        try {
            try {
                callers = Surroundings.enter(call, ambient);
                resumed(call, Objects.requireNonNull(call.suspension));
            } catch (Throwable broken) {
                endWith(broken, call);
                return;
            }
            proceed(ambient, call);
        } finally {
            ambient.leaveWalk(before);
            Surroundings.leave(callers);
        }
    }

    private void resumed(CallState call, Suspension suspension) {
        int claimedBy = call.claimReason();
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
            case ACT:
                attemptResumed(call, suspension, claimedBy);
                break;
            case STAGE:
                // A result that loses the claim is discarded where it arrives, which may be now.
                boolean came = claimedBy == CallWord.BY_COMPLETION;
                walk.stageEnded(call, claimedBy, came ? suspension.value : null, came ? suspension.error : null);
                break;
            default:
                boolean goes = claimedBy == CallWord.BY_COMPLETION || claimedBy == CallWord.BY_TIMER;
                walk.resumed(call, refused && goes ? CallWord.BY_REFUSAL : claimedBy, suspension.what);
        }
        if (refused) {
            // This thread must not run another attempt, even if an outer layer would retry.
            call.giveUpAt = CallLimits.CALLER;
        }
    }

    private void attemptResumed(CallState call, Suspension suspension, int claimedBy) {
        watchdog.release(call);
        if (!suspension.ran) {
            endings.notStarted(call, claimedBy);
            return;
        }
        RunningAttempt attempt = call.attempt;
        call.attempt = null;
        if (claimedBy == CallWord.BY_COMPLETION) {
            if (attempt != null) {
                attempt.end();
            }
            Throwable error = Judge.unwrapped(suspension.error);
            if (error != null && Interruption.isItself(error)) {
                endings.attemptGivenUp(call, CallWord.BY_INTERRUPT, error);
            } else {
                endings.attemptEnded(call, suspension.value, error);
            }
            return;
        }
        if (attempt != null) {
            attempt.cancel();
            engine.runHooks(attempt, call.context);
        }
        CompletionStage<?> cancelled = suspension.stage;
        attempts.cancel(suspension);
        if (call.trace != null && !suspension.isOver()) {
            call.trace.leaves();
        }
        endings.attemptGivenUp(call, claimedBy, null);
        if (suspension.goesOn(call.now())) {
            call.goesOn(suspension);
            // Another thread has just set a stage, and has not seen that it is too late.
            if (suspension.stage != cancelled) {
                attempts.cancel(suspension);
            }
        }
    }

    private void done(CallState call) {
        CallFuture<?> future = call.future;
        if (future == null) {
            engine.children.done(call);
            return;
        }
        try {
            endings.tellSettled(call);
        } catch (Throwable noMemory) {
            // Its caller must learn of the end.
            Log.warn("the end of a call could not be told", noMemory);
        }
        future.deliver(call);
        call.letGo();
    }
}
