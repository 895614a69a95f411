/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.HoldsNothing;
import dev.holdfast.internal.NotAnswered;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Walks a call down through the policies, and up again with its outcome. Knows no threads and no futures: when the call
 * must wait or the action must run, it returns, and the driver calls it again.
 */
final class Walk {
    /** Nobody means so many. */
    private static final int MOST_RETRIES_AT_ONCE = 1_000_000;

    private final Plan plan;
    private final Observers observers;
    final PolicyHooks hooks;
    private final Rejections rejections;
    private final Endings endings;
    private final ChildCalls children;

    // All threads write and read both without synchronization: a straight way has no state, so two of them do no harm.
    private int callsUntilStraight;
    private @Nullable StraightWay straight;

    Walk(
            Plan plan,
            Observers observers,
            PolicyHooks hooks,
            Rejections rejections,
            Endings endings,
            int straightAfter,
            ChildCalls children) {
        this.plan = plan;
        this.observers = observers;
        this.hooks = hooks;
        this.rejections = rejections;
        this.endings = endings;
        callsUntilStraight = straightAfter;
        this.children = children;
    }

    // ---- the walk

    /** Takes the call as far as it goes without waiting. */
    Step advance(CallState call) {
        // Small, so that the compiler inlines it. Calls that do not go straight continue elsewhere.
        Step next = call.down ? straightDown(call) : straightUp(call);
        while (next == Step.GO_DOWN || next == Step.GO_UP) {
            next = next == Step.GO_DOWN ? walkDown(call) : walkUp(call);
        }
        return next;
    }

    /** What the driver has to do; or where to go on by layers. */
    private Step straightDown(CallState call) {
        boolean begins = call.cursor == 0 && call.suspendedAt == CallState.NOT_SUSPENDED;
        StraightWay way = begins ? straightWay() : null;
        if (way == null) {
            return Step.GO_DOWN;
        }
        int decision;
        try {
            decision = way.enter(call);
        } catch (Throwable thrown) {
            return enterThrew(call, thrown);
        }
        if (decision == 0 && call.forks == null) {
            call.cursor = plan.layers;
            return Step.ACT;
        }
        return obeyEnter(call, decision);
    }

    private Step straightUp(CallState call) {
        StraightWay way = straight;
        if (way == null || !goesStraightUp(call)) {
            return Step.GO_UP;
        }
        int decision = settleStraight(call, way);
        if (decision != 0) {
            return obey(call, decision);
        }
        call.leaveScopes(0);
        return Step.DONE;
    }

    private Step walkDown(CallState call) {
        for (int i = plan.nextEnter(call.cursor); i < plan.layers; i = plan.nextEnter(call.cursor)) {
            call.cursor = i;
            int decision;
            try {
                decision = plan.policy(i).enter(call);
            } catch (Throwable thrown) {
                return enterThrew(call, thrown);
            }
            Step next = obeyEnter(call, decision);
            if (next != Step.GO_DOWN) {
                return next;
            }
        }
        call.cursor = plan.layers;
        return call.suspendedAt != CallState.NOT_SUSPENDED && !stillAdmitted(call) ? Step.GO_UP : Step.ACT;
    }

    private Step enterThrew(CallState call, Throwable thrown) {
        call.forks = null;
        call.expired = false;
        if (thrown instanceof InterruptedException) {
            endings.giveUp(call, CallWord.BY_INTERRUPT);
            if (call.async) {
                // The flag is the thread's, which does not wait for the end of the call.
                Thread.currentThread().interrupt();
            }
        } else {
            call.error(thrown, Outcome.IGNORED);
        }
        abandon(call);
        return Step.GO_UP;
    }

    /** What the driver has to do; or where to go on, down from the cursor or up from it. */
    private Step obeyEnter(CallState call, int decision) {
        call.waits = false;
        if (call.expired) {
            call.expired = false;
        }
        if (call.forks != null) {
            startForks(call);
        }
        switch (decision == 0 ? 0 : call.taken(decision)) {
            case 0 -> call.cursor++;
            case Decision.PAUSE -> {
                call.waits = true;
                if (call.waitNanos > 0) {
                    return !hedgeWouldWait(call) && pauseFits(call) ? Step.PAUSE : Step.GO_UP;
                }
                // The pause is over: the policy has waited itself, and nobody knows for how long.
                call.askLater();
                if (!pauseFits(call)) {
                    return Step.GO_UP;
                }
                resumed(call, CallWord.BY_TIMER, Step.PAUSE);
                return call.down ? Step.GO_DOWN : Step.GO_UP;
            }
            case Decision.AWAIT -> {
                call.waits = true;
                if (!call.awaited().isDone()) {
                    return !hedgeWouldWait(call) && awaitFits(call) ? Step.AWAIT : Step.GO_UP;
                }
                if (call.waitNanos == 0) {
                    // The policy has waited itself, and is asked again if there is still time.
                    call.askLater();
                    return awaitFits(call) ? Step.GO_DOWN : Step.GO_UP;
                }
            }
            case Decision.OUT, Decision.REJECT -> {
                return Step.GO_UP;
            }
            default -> {
                misused(call, "enter");
                abandon(call);
                return Step.GO_UP;
            }
        }
        return Step.GO_DOWN;
    }

    private boolean pauseFits(CallState call) {
        // As for a retry: a wait that leaves no time for the attempt is useless.
        if (call.waitNanos < call.remaining() || !call.limited) {
            return true;
        }
        endings.giveUp(call, CallWord.BY_LIMIT);
        abandon(call);
        return false;
    }

    /** A hedge takes what is free, and never stands in the way of a first attempt. */
    private boolean hedgeWouldWait(CallState call) {
        if (call.isHedge()) {
            call.error(rejections.hedgeWouldWait(plan.policyName(call.cursor)), Outcome.REJECTED);
            abandon(call);
            return true;
        }
        return false;
    }

    private boolean awaitFits(CallState call) {
        if (call.cancelPending()) {
            call.readNow();
            endings.giveUp(call, call.unlessCallersTimeIsOver(CallWord.BY_CANCEL));
        } else if (call.remaining() <= 0) {
            endings.giveUp(call, CallWord.BY_LIMIT);
        } else {
            return true;
        }
        abandon(call);
        return false;
    }

    private boolean stillAdmitted(CallState call) {
        long outside = Plan.below(call.suspendedAt);
        call.suspendedAt = CallState.NOT_SUSPENDED;
        for (long asked = plan.onAdmission & plan.entered(call) & outside; asked != 0; asked &= asked - 1) {
            call.cursor = Long.numberOfTrailingZeros(asked);
            int decision;
            try {
                decision = plan.policy(call.cursor).stillAdmits(call);
            } catch (Throwable thrown) {
                call.brokenBy(thrown);
                call.cursor = plan.layers;
                return false;
            }
            if (decision != 0) {
                if (call.taken(decision) != Decision.REJECT) {
                    misused(call, "stillAdmits");
                }
                call.cursor = plan.layers;
                return false;
            }
        }
        call.cursor = plan.layers;
        return true;
    }

    /** The straight way; null until the pipeline was used so often that it pays. */
    private @Nullable StraightWay straightWay() {
        if (straight == null && callsUntilStraight >= 0 && --callsUntilStraight < 0) {
            straight = StraightWay.through(plan, this);
        }
        return straight;
    }

    /** Whether the call reached its action and left nothing that only the long way can clean up. */
    private boolean goesStraightUp(CallState call) {
        return call.cursor == plan.layers
                && call.outcome == Outcome.SUCCESS
                && call.base == 0
                && call.kept == null
                && call.unfinished == null;
    }

    private int settleStraight(CallState call, StraightWay way) {
        try {
            return way.settle(call);
        } catch (Throwable thrown) {
            call.forks = null;
            return call.fail(thrown);
        }
    }

    private Step walkUp(CallState call) {
        call.down = false;
        for (; ; ) {
            if (call.settling) {
                call.settling = false;
                Step next = obey(call, settle(call, call.cursor));
                if (next != Step.GO_UP) {
                    return next;
                }
                continue;
            }
            long settles = call.outcome == Outcome.SUCCESS ? plan.onSuccess : plan.onFailure;
            long left = (settles | plan.onEnd) & plan.entered(call);
            while (left != 0) {
                int i = Long.SIZE - 1 - Long.numberOfLeadingZeros(left);
                call.cursor = i;
                call.leaveScopes(i);
                int decision = (settles >>> i & 1) != 0 ? settle(call, i) : 0;
                if (decision != 0) {
                    Step next = obey(call, decision);
                    if (next != Step.GO_UP) {
                        return next;
                    }
                    // The outcome may have changed, and other layers may hear it.
                    break;
                }
                leaveLayer(call);
                left ^= 1L << i;
            }
            if (left == 0) {
                call.leaveScopes(call.base);
                if (call.kept != null) {
                    call.dropKept();
                }
                return Step.DONE;
            }
        }
    }

    private int settle(CallState call, int layer) {
        int decision;
        try {
            decision = plan.policy(layer).settle(call);
        } catch (Throwable thrown) {
            call.forks = null;
            decision = call.fail(thrown);
        }
        if (call.expired) {
            call.expired = false;
        }
        if (call.forks != null) {
            startForks(call);
        }
        return decision;
    }

    private Step obey(CallState call, int decision) {
        call.waits = false;
        switch (decision == 0 ? 0 : call.taken(decision)) {
            case 0, Decision.OUT -> {}
            case Decision.RETRY -> {
                call.waits = true;
                if (!call.isHedge() && retryFits(call) && isToEnd(call)) {
                    return beginRetry(call);
                }
                abandon(call);
            }
            case Decision.AWAIT -> {
                call.settling = true;
                call.waits = true;
                if (call.awaited().isDone()) {
                    return Step.GO_UP;
                }
                if (!isGivenUp(call) && call.remaining() > 0) {
                    return Step.AWAIT;
                }
                call.settling = false;
                abandon(call);
            }
            case Decision.FUNCTION -> answerFrom(call);
            case Decision.STAGE -> {
                if (call.outcome != Outcome.INTERRUPTED) {
                    call.waits = true;
                    return Step.STAGE;
                }
                // An interrupted call waits for nothing more.
                abandon(call);
            }
            default -> misused(call, "settle");
        }
        leaveLayer(call);
        return Step.GO_UP;
    }

    /** The layer has been settled for the last time. */
    void leaveLayer(CallState call) {
        if (call.kept != null) {
            call.leaveKept();
        }
        if ((plan.onEnd >>> call.cursor & 1) != 0) {
            List<Work> unfinished = call.unfinished;
            if (unfinished == null || !LateEnd.defer(call, unfinished)) {
                end(call);
            }
        }
    }

    void end(CallState call) {
        hooks.ended(call);
        if (call.writtenOff && !(plan.policy(call.cursor) instanceof HoldsNothing)) {
            observers.writtenOff(call.operation(), plan.policyName(call.cursor));
        }
    }

    private void answerFrom(CallState call) {
        try {
            call.answerOwn(Answering.applied(call), Source.FALLBACK, 0);
        } catch (Throwable thrown) {
            fallbackThrew(call, thrown);
        }
    }

    /** If it has no answer for this error or value, the call keeps that. */
    private static void fallbackThrew(CallState call, Throwable thrown) {
        if (!(thrown instanceof NotAnswered)) {
            call.leftWithout(thrown);
        }
    }

    private void abandon(CallState call) {
        call.waits = false;
        call.leaveScopes(call.cursor);
        hooks.abandon(call);
        // It may have answered. That is done already, and there is nothing to obey.
        call.taken(Decision.OUT);
    }

    /** Nobody waits for it any more. A lost hedge that is cancelled in its wait has no cancellation pending. */
    private static boolean isGivenUp(CallState call) {
        return call.cancelPending() || call.outcome == Outcome.CANCELLED || call.outcome == Outcome.INTERRUPTED;
    }

    // ---- retries

    private boolean retryFits(CallState call) {
        if (isGivenUp(call) && !call.isCallersTimeOver()) {
            return false;
        }
        // A wait that leaves no time for the attempt is useless.
        if (call.giveUpAt < call.cursor || call.waitNanos >= call.remaining()) {
            call.refuseRetry(Refusal.DEADLINE);
            return false;
        }
        return true;
    }

    /** A policy that always says retry(0) would hold the thread for ever. */
    private boolean isToEnd(CallState call) {
        call.retriesAtOnce = call.waitNanos > 0 ? 0 : call.retriesAtOnce + 1;
        if (call.retriesAtOnce <= MOST_RETRIES_AT_ONCE) {
            return true;
        }
        call.brokenBy(new IllegalStateException(plan.policyName(call.cursor) + " asked for "
                + Checks.number(MOST_RETRIES_AT_ONCE) + " retries in a row without a wait"));
        return false;
    }

    private Step beginRetry(CallState call) {
        call.rememberFirstSuccess();
        call.keepOutcome();
        call.giveUpAt = CallOutcome.NOT_GIVEN_UP;
        call.endedBy = CallOutcome.NOT_GIVEN_UP;
        call.retrying = true;
        call.wantsAnother();
        observers.retryScheduled(call.operation(), call.attempts, call.waitNanos);
        if (call.waitNanos > 0) {
            return Step.PAUSE;
        }
        resumed(call, CallWord.BY_TIMER, Step.PAUSE);
        return call.down ? Step.GO_DOWN : Step.GO_UP;
    }

    private void beginPass(CallState call) {
        call.forgetPending();
        int layer = call.cursor;
        call.retrying = false;
        // The clock has been read after the wait.
        call.timed = true;
        call.down = true;
        call.suspendedAt = CallState.NOT_SUSPENDED;
        call.startedLayers &= Plan.below(layer + 1);
        call.clearSlotsFrom(layer + 1);
        if (call.alarms != null) {
            call.alarms.forgetFrom(layer + 1);
        }
        call.fault = null;
        call.forgetOutcome();
        if (call.unfinished != null) {
            LateEnd.detach(call.unfinished, layer);
        }
    }

    // ---- after a suspension

    void resumed(CallState call, int reason, Step what) {
        int why = whyResumed(call, reason);
        if (goesOn(why) && call.isOvertaken()) {
            why = CallWord.BY_RACE;
        }
        if (goesOn(why)) {
            if (what == Step.AWAIT) {
                if (call.down) {
                    suspendedHere(call);
                }
                call.expired = why == CallWord.BY_TIMER;
                return;
            }
            boolean waited = !call.retrying || call.waitNanos > 0;
            if (call.retrying && call.wouldBeDoneTwice()) {
                refuseAfterAll(call);
                return;
            }
            call.waits = false;
            if (call.retrying) {
                beginPass(call);
            }
            if (waited) {
                suspendedHere(call);
            }
            call.cursor++;
            return;
        }
        boolean outcomeKnown = !call.down;
        // A try that was rejected before its attempt is never put aside. What is in `kept` is the attempt before it.
        boolean isKept = call.retrying && !call.wasTurnedAway();
        call.retrying = false;
        call.settling = false;
        if (outcomeKnown && why == CallWord.BY_LIMIT) {
            call.giveUpAt = Math.min(call.giveUpAt, call.limitOwner);
        } else if (outcomeKnown && why == CallWord.BY_REFUSAL) {
            call.giveUpAt = CallLimits.CALLER;
        } else {
            endings.giveUp(call, why);
        }
        abandon(call);
        if (outcomeKnown) {
            if (isKept) {
                call.forgetKept();
            }
            leaveLayer(call);
        }
        call.down = false;
    }

    private static int whyResumed(CallState call, int reason) {
        call.readNow();
        return call.unlessCallersTimeIsOver(call.cancelPending() ? CallWord.BY_CANCEL : reason);
    }

    private static boolean goesOn(int reason) {
        return reason == CallWord.BY_COMPLETION || reason == CallWord.BY_TIMER;
    }

    /** Refuses the retry: work inside the attempt has begun on another thread since the policy decided to retry. */
    private void refuseAfterAll(CallState call) {
        boolean isKept = !call.wasTurnedAway();
        call.retrying = false;
        call.refuseRetry(call.sentOnce() ? Refusal.SENT_ONCE : Refusal.NOT_IDEMPOTENT);
        abandon(call);
        if (isKept) {
            call.forgetKept();
        }
        leaveLayer(call);
        call.down = false;
    }

    private static void suspendedHere(CallState call) {
        call.suspendedAt = Math.max(call.suspendedAt, call.cursor);
    }

    // ---- fallback of a stage

    /** The user's fallback stage has ended, or is not waited for: then the reason is not {@link CallState#BY_COMPLETION}. */
    void stageEnded(CallState call, int reason, @Nullable Object value, @Nullable Throwable error) {
        int why = whyResumed(call, reason);
        if (why == CallWord.BY_COMPLETION) {
            call.waits = false;
            if (error == null) {
                call.answerOwn(value, Source.FALLBACK, 0);
            } else {
                Throwable cause = Judge.unwrapped(error);
                fallbackThrew(call, cause == null ? error : cause);
            }
        } else {
            call.discard(value);
            if (why == CallWord.BY_CANCEL || why == CallWord.BY_INTERRUPT || why == CallWord.BY_RACE) {
                endings.giveUp(call, why);
            }
            abandon(call);
        }
        leaveLayer(call);
    }

    // ---- small things

    private void misused(CallState call, String method) {
        call.brokenBy(new IllegalStateException(
                method + " of " + plan.policyName(call.cursor) + " returned no decision of its passage"));
    }

    void startForks(CallState call) {
        List<CallDecisions.Fork> forks = call.forks;
        call.forks = null;
        for (int i = 0; forks != null && i < forks.size(); i++) {
            try {
                children.start(call, forks.get(i));
            } catch (Throwable noMemory) {
                // The layer must be entered or left all the same.
                Log.warn("a call in the background could not start", noMemory);
            }
        }
    }

    /** Something that must not throw has thrown, in the middle of a walk. The layers are still left one by one. */
    void breakOff(CallState call, Throwable broken) {
        // While there is no memory, this may throw as well. Each time it has left one layer more.
        for (int times = plan.layers; times > 0; times--) {
            try {
                brokenOff(call, broken);
                return;
            } catch (Throwable again) {
                // The first one is told.
            }
        }
        brokenOff(call, broken);
    }

    private void brokenOff(CallState call, Throwable broken) {
        call.settling = false;
        call.retrying = false;
        call.giveUpAt = CallLimits.CALLER;
        if (call.waits) {
            boolean entered = !call.down;
            call.down = false;
            abandon(call);
            if (entered) {
                leaveLayer(call);
            }
        }
        call.down = false;
        call.loseValueFor(null);
        call.error(broken, Outcome.IGNORED);
        for (Step what = advance(call); what != Step.DONE; what = advance(call)) {
            if (what == Step.STAGE) {
                stageEnded(call, CallWord.BY_REFUSAL, null, null);
            } else {
                resumed(call, CallWord.BY_REFUSAL, what);
            }
        }
    }
}
