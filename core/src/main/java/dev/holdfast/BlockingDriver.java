/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.Causes;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Fault;
import dev.holdfast.spi.TimeSource;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Runs calls on the thread of their caller, which parks when a policy says pause or await. */
final class BlockingDriver {
    private static final int SPINS = 100;
    private static final long LANDING_NANOS = 50_000;
    private static final long NOT_WATCHED = 0;

    private final Pipeline pipeline;
    private final Interpreter interpreter;
    private final TimeSource time;
    private final Watchdog watchdog;

    BlockingDriver(Pipeline pipeline, Interpreter interpreter, Watchdog watchdog) {
        this.pipeline = pipeline;
        this.interpreter = interpreter;
        this.time = interpreter.time;
        this.watchdog = watchdog;
    }

    @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"
    }) // the value is what the action of this call returned
    <R extends @Nullable Object> R call(
            Call<?> spec, Object action, int mode, @Nullable Object argument, boolean asReply) {
        StackRoom.ensure();
        Ambient ambient = Ambient.get();
        CallState own = ambient.enterOwn();
        CallState call = own == null ? new CallState(interpreter.layers, false, null) : own;
        CallState before = ambient.inner();
        boolean walking = ambient.enterWalk();
        try {
            call.begin(interpreter, spec, mode);
            if (own == null) {
                call.inherit(ambient);
                ambient.enter(call);
            } else {
                call.inheritNothing(ambient);
            }
            if (mode == CallState.KEYED || interpreter.hedges) {
                call.work(action, argument);
            }
            run(ambient, call, action, argument);
            interpreter.tellSettled(call);
            if (call.wasInterrupted) {
                Thread.currentThread().interrupt();
            }
            Throwable error = call.error;
            if (error != null) {
                throw BlockingDriver.<RuntimeException>asItIs(error);
            }
            Object value = call.value;
            return (R) (asReply ? new Reply<>(value, call) : value);
        } finally {
            if (own != null) {
                ambient.leaveOwn();
                call.clear();
            } else {
                ambient.leave(before);
            }
            ambient.leaveWalk(walking);
        }
    }

    /** A call of the pipeline's own, on a thread of the executor. */
    void runInBackground(CallState call) {
        Ambient ambient = Ambient.get();
        CallState before = ambient.inner();
        ambient.enter(call);
        boolean walking = ambient.enterWalk();
        try {
            run(ambient, call, Objects.requireNonNull(call.action), call.argument);
        } finally {
            ambient.leave(before);
            ambient.leaveWalk(walking);
        }
    }

    // One method, since each frame stands in every stack trace of the user's.
    private void run(Ambient ambient, CallState call, Object action, @Nullable Object argument) {
        if (pipeline.isClosed()) {
            interpreter.refuse(call);
        }
        try {
            for (; ; ) {
                switch (interpreter.advance(call)) {
                    case Interpreter.DONE:
                        return;
                    case Interpreter.ACT:
                        if (interpreter.starting(call)) {
                            if (interpreter.dedicated == null && call.fault == null) {
                                Attempt attempt = call.mode == CallState.ATTEMPT ? newAttempt(call) : null;
                                act(ambient, call, call.mode, action, attempt, argument);
                            } else {
                                actOtherwise(ambient, call, action, argument);
                            }
                        }
                        break;
                    case Interpreter.PAUSE:
                        suspend(ambient, call, Interpreter.PAUSE);
                        break;
                    case Interpreter.AWAIT:
                        suspend(ambient, call, Interpreter.AWAIT);
                        break;
                    default:
                        awaitStage(ambient, call);
                }
            }
        } catch (Throwable broken) {
            breakOff(call, broken);
        }
    }

    private void breakOff(CallState call, Throwable broken) {
        long number = call.numberUnderWay();
        if (number >= 0) {
            if (call.claim(number, CallState.BY_REFUSAL) == CallState.RUNNING) {
                awaitLanding(call);
            }
            watchdog.release(call);
            endAttempt(call);
        }
        interpreter.breakOff(call, broken);
    }

    /** Before the limit is watched: one that strikes at once must find the attempt that it is to cancel. */
    static Attempt newAttempt(CallState call) {
        // Hooks of an asynchronous attempt are run with what its call carries already.
        Carrier carrier = call.async ? null : call.interpreter.carrier;
        Attempt attempt = new Attempt(call.time(), call.attempts, call.limited, call.limitAt, carrier);
        call.attempt = attempt;
        return attempt;
    }

    @SuppressWarnings("unchecked") // the mode says which kind of action it is
    private void act(
            Ambient ambient,
            CallState call,
            int mode,
            Object action,
            @Nullable Attempt attempt,
            @Nullable Object argument) {
        long number = NOT_WATCHED;
        if (call.limited || call.alarmed()) {
            number = watch(call);
            if (number < 0) {
                return;
            }
        }
        if (call.kept != null) {
            call.dropKept();
        }
        ambient.pauseWalk();
        Object value = null;
        Throwable error = null;
        try {
            // Not in a method of its own: a frame less in every stack trace of the user's.
            switch (mode) {
                case CallState.SUPPLIER:
                    value = ((CheckedSupplier<?, ?>) action).get();
                    break;
                case CallState.ATTEMPT:
                    value = ((CheckedFunction<@Nullable Attempt, ?, ?>) action).apply(attempt);
                    break;
                default:
                    value = ((CheckedFunction<@Nullable Object, ?, ?>) action).apply(argument);
            }
        } catch (Throwable thrown) {
            error = thrown;
        }
        ambient.resumeWalk();
        if (number != NOT_WATCHED && !ended(call, number)) {
            struck(call, value);
            return;
        }
        endAttempt(call);
        if (error != null && isInterruption(error)) {
            interpreter.attemptGivenUp(call, CallState.BY_INTERRUPT, error);
        } else {
            interpreter.attemptEnded(call, value, error);
        }
    }

    /** With a fault that a policy has injected, or on a thread of its own, or both. */
    private void actOtherwise(Ambient ambient, CallState call, Object action, @Nullable Object argument) {
        Attempt attempt = call.mode == CallState.ATTEMPT ? newAttempt(call) : null;
        CheckedSupplier<?, ?> work = bound(call.mode, action, attempt, argument);
        Fault fault = call.takeFault();
        if (fault != null) {
            work = new FaultyAction(interpreter, fault, work);
        }
        if (interpreter.dedicated == null) {
            act(ambient, call, CallState.SUPPLIER, work, null, null);
        } else {
            actElsewhere(ambient, call, interpreter.dedicated, work);
        }
    }

    /** On a thread of its own; what this one runs is to wait for it. */
    private void actElsewhere(Ambient ambient, CallState call, Executor dedicated, CheckedSupplier<?, ?> action) {
        OtherThread work = new OtherThread(call, action);
        try {
            dedicated.execute(work);
        } catch (Throwable refusal) {
            interpreter.notStarted(call, CallState.BY_REFUSAL);
            return;
        }
        act(ambient, call, CallState.SUPPLIER, work, null, null);
        work.unlessWaitedFor();
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // the mode says which kind of action it is
    private static CheckedSupplier<?, ?> bound(
            int mode, Object action, @Nullable Attempt attempt, @Nullable Object argument) {
        return switch (mode) {
            case CallState.SUPPLIER -> (CheckedSupplier<?, ?>) action;
            case CallState.ATTEMPT -> () -> ((CheckedFunction<@Nullable Attempt, ?, ?>) action).apply(attempt);
            default -> () -> ((CheckedFunction<@Nullable Object, ?, ?>) action).apply(argument);
        };
    }

    private static void endAttempt(CallState call) {
        Attempt attempt = call.attempt;
        if (attempt != null) {
            attempt.end();
            call.attempt = null;
        }
    }

    /** The number under which the attempt is watched; -1 if it cannot be, and the call goes up. */
    private long watch(CallState call) {
        call.expectLanding();
        if (!call.own) {
            call.caller = Ambient.get().caller;
        }
        long number = call.openAttempt();
        if (number < 0) {
            interpreter.notStarted(call, CallState.BY_CANCEL);
            return -1;
        }
        try {
            watchdog.watch(call, number);
            return number;
        } catch (Throwable noTimer) {
            if (!call.limited) {
                // Only an alarm could not be set: nobody is told if it runs too long, but it may run.
                return number;
            }
            watchdog.release(call);
            if (call.claim(number, CallState.BY_REFUSAL) == CallState.RUNNING) {
                awaitLanding(call);
            }
            interpreter.notStarted(call, CallState.BY_REFUSAL);
            return -1;
        }
    }

    /** Whether the attempt ended by itself, and not by its limit or by another attempt: the claim alone decides. */
    private boolean ended(CallState call, long number) {
        if (!call.contested()) {
            call.closeAttempt(number);
            watchdog.release(call);
            return true;
        }
        boolean struck = call.claim(number, CallState.BY_COMPLETION) == CallState.RUNNING;
        watchdog.release(call);
        if (struck) {
            awaitLanding(call);
        }
        return !struck;
    }

    /**
     * Whether the action ended because its thread was interrupted. Clients wrap that in exceptions of theirs, and set the
     * flag again.
     */
    private static boolean isInterruption(Throwable error) {
        return error instanceof InterruptedException
                || (Thread.currentThread().isInterrupted() && isCausedByInterrupt(error));
    }

    private static boolean isCausedByInterrupt(Throwable error) {
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (cause instanceof InterruptedException
                    || cause instanceof ClosedByInterruptException
                    || (cause instanceof InterruptedIOException && !(cause instanceof SocketTimeoutException))) {
                return true;
            }
        }
        return false;
    }

    private void struck(CallState call, @Nullable Object value) {
        endAttempt(call);
        int reason = call.claimReason();
        long decidedAt = decidedAt(call, reason);
        interpreter.attemptGivenUp(call, reason, null);
        call.discard(value);
        if (interpreter.events != null && call.now - decidedAt > LateEnd.GRACE_NANOS) {
            interpreter.events.overrun(call.operation(), call.now - decidedAt);
        }
    }

    private static long decidedAt(CallState call, int reason) {
        if (reason == CallState.BY_LIMIT) {
            return call.limitAt;
        }
        Race race = call.race();
        Hedge hedge = call.hedge();
        return race != null ? race.decidedAt() : hedge != null ? hedge.decidedAt() : call.now;
    }

    /** The watchdog has claimed: its interrupt must have landed before the flag is cleared, or it would hit a stranger. */
    private static void awaitLanding(CallState call) {
        int interrupts = 0;
        for (int spins = 0; !call.hasLanded(); spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                // Off the processor, which the other thread may have lost to this one when it woke it; a thread that
                // keeps its flag cannot park.
                interrupts += interrupted();
                LockSupport.parkNanos(call, LANDING_NANOS);
            }
        }
        interrupts += interrupted();
        Objects.requireNonNull(call.caller).ended(interrupts, call.interruptedOutside);
    }

    /** Clears the flag: 1 if it was set. */
    private static int interrupted() {
        return Thread.interrupted() ? 1 : 0;
    }

    // ---- waits

    private void suspend(Ambient ambient, CallState call, int what) {
        ambient.pauseWalk();
        int reason;
        try {
            reason = what == Interpreter.PAUSE ? park(call.now + call.waitNanos, null) : await(call);
        } catch (Throwable broken) {
            // A source of time that cannot wait: the layers are still left one by one.
            ambient.resumeWalk();
            interpreter.resumed(call, CallState.BY_REFUSAL, what);
            call.fail(broken);
            return;
        }
        ambient.resumeWalk();
        interpreter.resumed(call, reason, what);
    }

    private int await(CallState call) {
        Completion completion = Interpreter.awaited(call);
        Thread waiting = Thread.currentThread();
        Completion.Waiter waiter = () -> time.unpark(waiting);
        if (!completion.register(waiter)) {
            return CallState.BY_COMPLETION;
        }
        try {
            return parkUntilLimit(call, call.waitNanos, completion);
        } finally {
            completion.remove(waiter);
        }
    }

    private int parkUntilLimit(CallState call, long maxNanos, Completion completion) {
        long remaining = call.remaining();
        long wait = Math.min(remaining, maxNanos);
        if (wait == Long.MAX_VALUE) {
            return parkFor(completion);
        }
        int reason = park(call.now + wait, completion);
        return reason == CallState.BY_TIMER && remaining <= maxNanos ? CallState.BY_LIMIT : reason;
    }

    private int parkFor(Completion completion) {
        // A park returns for no reason, and after an interrupt that another park has seen: it is looped always.
        for (; ; ) {
            if (Thread.interrupted()) {
                return CallState.BY_INTERRUPT;
            }
            if (completion.isDone()) {
                return CallState.BY_COMPLETION;
            }
            time.park(this, Long.MAX_VALUE);
        }
    }

    private int park(long until, @Nullable Completion completion) {
        for (; ; ) {
            if (Thread.interrupted()) {
                return CallState.BY_INTERRUPT;
            }
            if (completion != null && completion.isDone()) {
                return CallState.BY_COMPLETION;
            }
            long left = until - time.nanos();
            if (left <= 0) {
                return CallState.BY_TIMER;
            }
            time.park(this, left);
        }
    }

    private void awaitStage(Ambient ambient, CallState call) {
        ambient.pauseWalk();
        StageResult result = new StageResult();
        try {
            Interpreter.appliedStage(call).whenComplete(result::complete);
        } catch (Throwable thrown) {
            result.complete(null, thrown);
        }
        call.awaited = result.come;
        call.waitNanos = Long.MAX_VALUE;
        int reason;
        Throwable broken = null;
        try {
            reason = await(call);
        } catch (Throwable cannotWait) {
            // As in every wait: the layers are left all the same.
            reason = CallState.BY_REFUSAL;
            broken = cannotWait;
        }
        boolean came = reason == CallState.BY_COMPLETION;
        if (!came) {
            result.giveUp(call);
        }
        ambient.resumeWalk();
        if (broken != null) {
            interpreter.stageEnded(call, CallState.BY_COMPLETION, null, broken);
        } else {
            interpreter.stageEnded(call, reason, came ? result.value : null, came ? result.error : null);
        }
    }

    private static final class StageResult {
        final Completion come = new Completion();
        volatile @Nullable Object value;
        volatile @Nullable Throwable error;

        private @Nullable Operation<?> givenUpBy;
        private CallContext.@Nullable Snapshot context;
        private boolean completed;

        void complete(@Nullable Object newValue, @Nullable Throwable newError) {
            Operation<?> loser;
            synchronized (this) {
                value = newValue;
                error = newError;
                completed = true;
                loser = givenUpBy;
            }
            if (loser != null) {
                Carrier.within(context, () -> loser.discard(newValue));
            }
            come.complete();
        }

        void giveUp(CallState call) {
            boolean late;
            synchronized (this) {
                context = call.context();
                givenUpBy = call.spec.operation;
                late = completed;
            }
            if (late) {
                call.discard(value);
            }
        }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"
    }) // the caller's exception, checked or not, leaves as it is
    static <E extends Throwable> E asItIs(Throwable error) throws E {
        throw (E) error;
    }
}
