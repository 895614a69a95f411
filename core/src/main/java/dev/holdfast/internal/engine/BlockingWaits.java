/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import org.jspecify.annotations.Nullable;

/** How the thread of a blocking call waits: parked, until what it waits for has come, its limit is over or it is interrupted. */
final class BlockingWaits {
    private static final int NOT_OVER = 0;

    private final Engine engine;
    private final Walk walk;
    private final TimeSource time;
    private final Watchdog watchdog;

    BlockingWaits(Engine engine, Watchdog watchdog) {
        this.engine = engine;
        walk = engine.walk;
        time = engine.time;
        this.watchdog = watchdog;
    }

    void suspend(Ambient ambient, CallState call, Step what) {
        int reason;
        try {
            ambient.pauseWalk();
            reason = what == Step.PAUSE ? park(call, call.now() + call.waitNanos, null, false) : await(call);
        } catch (Throwable broken) {
            // The time source cannot wait. The layers are still left one by one.
            ambient.resumeWalk();
            walk.resumed(call, CallWord.BY_REFUSAL, what);
            call.brokenBy(broken);
            return;
        }
        ambient.resumeWalk();
        walk.resumed(call, reason, what);
    }

    private int await(CallState call) {
        Completion completion = call.awaited();
        Thread waiting = Thread.currentThread();
        Completion.Waiter waiter = () -> time.unpark(waiting);
        if (!completion.register(waiter)) {
            return CallWord.BY_COMPLETION;
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
            return parkFor(call, completion);
        }
        boolean limited = remaining <= maxNanos;
        int reason = park(call, call.now() + wait, completion, call.awaitsAnswer());
        return reason == CallWord.BY_TIMER && limited ? CallWord.BY_LIMIT : reason;
    }

    private int parkFor(CallState call, Completion completion) {
        // A park may return without a reason, or for an interrupt that another park has seen. So it stands in a loop.
        for (; ; ) {
            int reason = over(call, completion);
            if (reason != NOT_OVER) {
                return reason;
            }
            time.park(this, Long.MAX_VALUE);
        }
    }

    private int park(CallState call, long end, @Nullable Completion completion, boolean forAnswer) {
        long until = end;
        boolean parked = false;
        boolean graced = !forAnswer;
        for (; ; ) {
            int reason = over(call, completion);
            if (reason != NOT_OVER) {
                return reason;
            }
            long now = time.nanos();
            long left = until - now;
            if (left <= 0) {
                // If the process stood still, who brings the answer runs no sooner than this thread.
                long grace = parked && !graced && call.isTimeOverAt(now) ? watchdog.graceNanos(-left) : 0;
                if (grace == 0) {
                    return CallWord.BY_TIMER;
                }
                graced = true;
                until += grace - left;
                left = grace;
            }
            time.park(this, left);
            parked = true;
        }
    }

    /** Why the wait is over although its time is not; else {@link #NOT_OVER}. */
    private static int over(CallState call, @Nullable Completion completion) {
        if (Thread.interrupted()) {
            return CallWord.BY_INTERRUPT;
        }
        if (completion != null && completion.isDone()) {
            return CallWord.BY_COMPLETION;
        }
        if (call.cancelPending()) {
            return CallWord.BY_CANCEL;
        }
        return call.isOvertaken() ? CallWord.BY_RACE : NOT_OVER;
    }

    void awaitStage(Ambient ambient, CallState call) {
        StageResult result = new StageResult();
        try {
            ambient.pauseWalk();
            Answering.appliedStage(call).whenComplete(result::complete);
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
            reason = CallWord.BY_REFUSAL;
            broken = cannotWait;
        }
        boolean came = reason == CallWord.BY_COMPLETION;
        if (!came) {
            result.giveUp(call);
        }
        ambient.resumeWalk();
        if (broken != null) {
            walk.stageEnded(call, CallWord.BY_COMPLETION, null, broken);
        } else {
            walk.stageEnded(call, reason, came ? result.value : null, came ? result.error : null);
        }
    }

    private final class StageResult {
        final Completion come = new Completion();
        volatile @Nullable Object value;
        volatile @Nullable Throwable error;

        private @Nullable OperationSpec givenUpBy;
        private CallContext.@Nullable Snapshot context;
        private @Nullable Inside inside;
        private boolean completed;

        /** A stage of the user's may call back twice. What it brought first counts. */
        void complete(@Nullable Object newValue, @Nullable Throwable newError) {
            OperationSpec loser;
            synchronized (this) {
                if (completed) {
                    return;
                }
                value = newValue;
                error = newError;
                completed = true;
                loser = givenUpBy;
            }
            if (loser != null) {
                Carrier.within(context, () -> engine.discard(loser, inside, newValue));
            }
            come.complete();
        }

        void giveUp(CallState call) {
            boolean late;
            synchronized (this) {
                context = call.context();
                inside = call.inside;
                givenUpBy = call.spec.operation();
                late = completed;
            }
            if (late) {
                call.discard(value);
            }
        }
    }
}
