/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Attempt;
import dev.holdfast.CheckedFunction;
import dev.holdfast.CheckedFunction.WithAttempt;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.spi.Passage.Fault;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Runs calls on the thread of their caller, which parks when a policy says pause or await. */
public final class BlockingDriver implements Driver {
    private static final int SPINS = 100;
    private static final long LANDING_NANOS = 50_000;
    private static final long NOT_WATCHED = 0;

    private final Engine engine;
    private final Walk walk;
    private final Endings endings;
    private final Watchdog watchdog;
    private final BlockingWaits waits;

    BlockingDriver(Engine engine, Watchdog watchdog) {
        this.engine = engine;
        this.walk = engine.walk;
        this.endings = engine.endings;
        this.watchdog = watchdog;
        waits = new BlockingWaits(engine, watchdog);
    }

    @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"
    }) // the value is what the action of this call returned
    public <R extends @Nullable Object> R call(
            CallSpec spec, Object action, int mode, @Nullable Object argument, boolean asReply) {
        StackRoom.ensure();
        Ambient ambient = Ambient.get();
        CallState own = ambient.enterOwn();
        CallState call = own == null ? new CallState(engine.plan.layers, false, null) : own;
        CallState before = ambient.inner();
        boolean walking = ambient.enterWalk();
        try {
            call.begin(engine, spec, mode, asReply);
            if (own == null) {
                call.inherit(ambient);
                ambient.enter(call);
            } else {
                call.inheritBound(ambient.bound());
            }
            if (engine.traces != null) {
                call.trace = engine.traces.begin(call);
            }
            if ((mode & Engine.KEYED) != 0 || engine.plan.hedges) {
                call.work(action, argument);
            }
            run(ambient, call, action, argument);
            endings.tellSettled(call);
            if (call.wasInterrupted) {
                Thread.currentThread().interrupt();
            }
            Throwable error = call.error;
            if (error != null) {
                throw BlockingDriver.<RuntimeException>asItIs(error);
            }
            Object value = call.value;
            return (R) (asReply ? call.reply(value) : value);
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

    @Override
    public void runChild(CallState child) {
        Ambient ambient = Ambient.get();
        CallState before = ambient.inner();
        child.caller = ambient.caller;
        ambient.enter(child);
        boolean walking = ambient.enterWalk();
        try {
            run(ambient, child, Objects.requireNonNull(child.action), child.argument);
        } finally {
            ambient.leave(before);
            ambient.leaveWalk(walking);
            engine.children.done(child);
            if (child.wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void strike(CallState call, long number) {
        call.strike(number, CallWord.BY_LIMIT);
    }

    @Override
    public void overtake(CallState call, long number) {
        call.strike(number, CallWord.BY_RACE);
        wake(call);
    }

    @Override
    public boolean giveUp(CallState hedge) {
        boolean begun = hedge.giveUp();
        wake(hedge);
        return begun;
    }

    /** Its attempt may be over, and its thread may wait for something on its way: {@link BlockingWaits} looks again. */
    private void wake(CallState call) {
        Caller waiting = call.caller;
        if (waiting != null) {
            engine.time.unpark(waiting.thread);
        }
    }

    // One method, since each frame stands in every stack trace of the user's.
    private void run(Ambient ambient, CallState call, Object action, @Nullable Object argument) {
        if (engine.isClosed()) {
            endings.refuse(call);
        }
        try {
            for (; ; ) {
                switch (walk.advance(call)) {
                    case DONE:
                        return;
                    case ACT:
                        if (endings.starting(call)) {
                            if (engine.plain && call.fault == null) {
                                RunningAttempt attempt = newAttempt(call);
                                act(ambient, call, call.mode, action, attempt, argument);
                            } else {
                                actOtherwise(ambient, call, action, argument);
                            }
                        }
                        break;
                    case PAUSE:
                        waits.suspend(ambient, call, Step.PAUSE);
                        break;
                    case AWAIT:
                        waits.suspend(ambient, call, Step.AWAIT);
                        break;
                    default:
                        waits.awaitStage(ambient, call);
                }
            }
        } catch (Throwable broken) {
            ambient.resumeWalk();
            breakOff(call, broken);
        }
    }

    private void breakOff(CallState call, Throwable broken) {
        try {
            breakOffAttempt(call);
        } catch (Throwable again) {
            // The first one is told.
        }
        walk.breakOff(call, broken);
    }

    private void breakOffAttempt(CallState call) {
        long number = call.numberUnderWay();
        if (number >= 0) {
            if (call.claim(number, CallWord.BY_REFUSAL) == CallWord.RUNNING) {
                awaitLanding(call);
            }
            watchdog.release(call);
            endAttempt(call);
        }
        call.comeBack();
    }

    /**
     * The attempt as the action sees it; null if the action does not take it. Made before the limit is watched: a limit that
     * strikes at once must find the attempt to cancel.
     */
    static @Nullable RunningAttempt newAttempt(CallState call) {
        if ((call.mode & Engine.ATTEMPT) == 0) {
            return null;
        }
        // Hooks of an asynchronous attempt are run with what its call carries already.
        Carrier carrier = call.async ? null : call.engine.carrier;
        RunningAttempt attempt =
                new RunningAttempt(call.time(), call.attempts, call.limited, call.limitAt, carrier, call.refresh);
        if (call.async) {
            attempt.unclaimed = call.unclaimed();
        }
        call.attempt = attempt;
        return attempt;
    }

    @SuppressWarnings("unchecked") // the mode says which kind of action it is
    private void act(
            Ambient ambient,
            CallState call,
            int mode,
            Object action,
            @Nullable RunningAttempt attempt,
            @Nullable Object argument) {
        // Before the attempt is watched: this may run what waits for the thread, which is not to be interrupted for
        // this call.
        boolean delayed = ambient.pauseWalk();
        long number = NOT_WATCHED;
        if (call.limited || call.alarmed()) {
            if (delayed) {
                call.readNow();
            }
            number = watch(ambient, call);
            if (number < 0) {
                return;
            }
        }
        Object value = null;
        Throwable error = null;
        try {
            // Here, since this may throw: an attempt that is watched must be claimed.
            if (call.kept != null) {
                call.dropKept();
            }
            // Not in a method of its own: a frame less in every stack trace of the user's.
            switch (mode) {
                case Engine.SUPPLIER:
                    value = ((CheckedSupplier<?, ?>) action).get();
                    break;
                case Engine.ATTEMPT:
                    value = ((CheckedFunction<@Nullable Attempt, ?, ?>) action).apply(attempt);
                    break;
                case Engine.KEYED:
                    value = ((CheckedFunction<@Nullable Object, ?, ?>) action).apply(argument);
                    break;
                default:
                    value = ((WithAttempt<@Nullable Object, ?, ?>) action)
                            .apply(argument, Objects.requireNonNull(attempt));
            }
        } catch (Throwable thrown) {
            error = thrown;
        }
        ambient.resumeWalk();
        if (number != NOT_WATCHED && !claimEnd(call, number)) {
            struck(call, value);
            return;
        }
        endAttempt(call);
        if (error != null && Interruption.is(error)) {
            if (action instanceof OtherThread work && work.neverBegan()) {
                endings.notStarted(call, CallWord.BY_INTERRUPT);
                return;
            }
            endings.attemptGivenUp(call, CallWord.BY_INTERRUPT, error);
        } else {
            endings.attemptEnded(call, value, error);
        }
    }

    /** With a fault that a policy has injected, followed by tracers, on a thread of its own, or all of these. */
    private void actOtherwise(Ambient ambient, CallState call, Object action, @Nullable Object argument) {
        RunningAttempt attempt = newAttempt(call);
        CheckedSupplier<?, ?> work = bound(call.mode, action, attempt, argument);
        Fault fault = call.takeFault();
        if (fault != null) {
            work = new FaultyAction(engine, fault, work);
        }
        if (call.trace != null) {
            Traces.OfAttempt traced = call.trace.attempt(call);
            CheckedSupplier<?, ?> followed = work;
            work = () -> traced.within(followed);
        }
        if (engine.dedicated == null) {
            act(ambient, call, Engine.SUPPLIER, work, null, null);
        } else {
            actElsewhere(ambient, call, engine.dedicated, work);
        }
    }

    /** Runs the action on another thread, for which this one waits. */
    private void actElsewhere(Ambient ambient, CallState call, Lanes.Lane dedicated, CheckedSupplier<?, ?> action) {
        if (call.isOvertaken()) {
            endings.notStarted(call, CallWord.BY_RACE);
            return;
        }
        OtherThread work = new OtherThread(call, action);
        try {
            dedicated.get().execute(work);
        } catch (Throwable refusal) {
            endings.notStarted(call, CallWord.BY_REFUSAL);
            return;
        }
        act(ambient, call, Engine.SUPPLIER, work, null, null);
        work.unlessWaitedFor();
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // the mode says which kind of action it is
    private static CheckedSupplier<?, ?> bound(
            int mode, Object action, @Nullable RunningAttempt attempt, @Nullable Object argument) {
        return switch (mode) {
            case Engine.SUPPLIER -> (CheckedSupplier<?, ?>) action;
            case Engine.ATTEMPT -> () -> ((CheckedFunction<@Nullable Attempt, ?, ?>) action).apply(attempt);
            case Engine.KEYED -> () -> ((CheckedFunction<@Nullable Object, ?, ?>) action).apply(argument);
            default ->
                () -> ((WithAttempt<@Nullable Object, ?, ?>) action).apply(argument, Objects.requireNonNull(attempt));
        };
    }

    private static void endAttempt(CallState call) {
        RunningAttempt attempt = call.attempt;
        if (attempt != null) {
            attempt.end();
            call.attempt = null;
        }
    }

    /** The number under which the attempt is watched; -1 if it cannot be, and the call goes up. */
    private long watch(Ambient ambient, CallState call) {
        call.expectLanding();
        if (!call.own) {
            call.caller = ambient.caller;
        }
        long number = call.openAttempt();
        if (number < 0) {
            return notStarted(ambient, call, CallWord.BY_CANCEL);
        }
        if (call.isOvertaken()) {
            close(call, number, CallWord.BY_RACE);
            return notStarted(ambient, call, CallWord.BY_RACE);
        }
        try {
            watchdog.watch(call, number);
            return number;
        } catch (Throwable noTimer) {
            if (!call.limited) {
                // Only an alarm could not be set. The attempt may run, and nobody is told if it takes too long.
                return number;
            }
            watchdog.release(call);
            close(call, number, CallWord.BY_REFUSAL);
            return notStarted(ambient, call, CallWord.BY_REFUSAL);
        }
    }

    /** Closes an attempt that is not to run, and which another thread may have struck meanwhile. */
    private static void close(CallState call, long number, int reason) {
        if (call.claim(number, reason) == CallWord.RUNNING) {
            awaitLanding(call);
        }
        call.comeBack();
    }

    /** The walk goes on, and up. Returns -1. */
    private long notStarted(Ambient ambient, CallState call, int reason) {
        ambient.resumeWalk();
        endings.notStarted(call, reason);
        return -1;
    }

    /** Claims the end of the attempt. If a limit or another attempt was first, waits for its interrupt and returns false. */
    private boolean claimEnd(CallState call, long number) {
        if (!call.contested()) {
            call.closeAttempt(number);
            watchdog.release(call);
            return true;
        }
        boolean struck = call.claim(number, CallWord.BY_COMPLETION) == CallWord.RUNNING;
        watchdog.release(call);
        if (struck) {
            awaitLanding(call);
        }
        return !struck;
    }

    private void struck(CallState call, @Nullable Object value) {
        endAttempt(call);
        call.comeBack();
        int reason = call.claimReason();
        long decidedAt = decidedAt(call, reason);
        endings.attemptGivenUp(call, reason, null);
        call.discard(value);
        engine.tellOverrun(call.operation(), call.now() - decidedAt);
    }

    private static long decidedAt(CallState call, int reason) {
        if (reason == CallWord.BY_LIMIT) {
            return call.limitAt;
        }
        Race race = call.race();
        Hedge hedge = call.hedge();
        return race != null ? race.decidedAt() : hedge != null ? hedge.race.decidedAt() : call.now();
    }

    /** Another thread claimed the attempt. Its interrupt must arrive before the flag is cleared, or it hits later work. */
    private static void awaitLanding(CallState call) {
        int interrupts = 0;
        for (int spins = 0; !call.hasLanded(); spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                // Parks: the other thread may need this processor. A thread whose flag is set cannot park: clears it.
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

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"
    }) // the caller's exception, checked or not, leaves as it is
    static <E extends Throwable> E asItIs(Throwable error) throws E {
        throw (E) error;
    }
}
