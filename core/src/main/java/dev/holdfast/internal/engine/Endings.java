/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * How attempts begin and end, and calls with them: judged by their answer, struck by a limit, or given up. Knows nothing of
 * layers that are walked through.
 */
final class Endings {
    private final String name;
    private final Plan plan;
    private final Observers observers;
    private final PolicyHooks hooks;
    private final Rejections rejections;
    private final Judge judge;
    private final Answers answers;

    Endings(String name, Plan plan, Observers observers, PolicyHooks hooks, Rejections rejections) {
        this.name = name;
        this.plan = plan;
        this.observers = observers;
        this.hooks = hooks;
        this.rejections = rejections;
        judge = new Judge(name);
        answers = new Answers(plan);
    }

    /** Before the action: false, and the call goes up, if there is no time left to start it. */
    boolean starting(CallState call) {
        if (call.limited && call.limitAt - call.now() <= 0) {
            giveUp(call, CallWord.BY_LIMIT);
            return false;
        }
        Asker asker = call.spec.asker();
        CallRejectedException refusal = asker == null ? null : asker.refusal();
        if (refusal != null) {
            call.loseValueFor(null);
            call.down = false;
            reject(call, refusal);
            return false;
        }
        if (call.attempts > 0 && !call.mayBeDoneTwice && call.workInsideHasBegun() && !call.isHedge()) {
            // Work inside began while this try waited for a permit or its turn.
            call.down = false;
            reject(call, rejections.begunMeanwhile());
            return false;
        }
        call.attempts++;
        call.startedBefore = call.startedLayers;
        call.startedLayers = -1L;
        call.passStarted = true;
        if (call.timed) {
            call.attemptStart = call.now();
        }
        if (plan.onAttempt != 0) {
            hooks.attemptStarts(call);
        }
        if (call.anyPending()) {
            endByPending(call);
            return false;
        }
        return true;
    }

    /** A policy has decided, and then returned to proceed: the action must not run as if it had decided nothing. */
    private void endByPending(CallState call) {
        takeBack(call);
        call.down = false;
        call.brokenBy(new IllegalStateException(
                plan.policyName(call.pendingOf()) + " returned no decision of its passage, though it made one"));
        call.forgetPending();
    }

    private void tellOfEnd(CallState call) {
        if (plan.onAttempt != 0) {
            hooks.attemptEnds(call);
        }
    }

    private void close(CallState call) {
        if (call.timed) {
            call.readNow();
            call.actionNanos = call.now() - call.attemptStart;
            if (call.alarms != null) {
                call.alarms.close(call.actionNanos);
            }
        } else {
            call.askLater();
            call.actionNanos = -1;
        }
        call.valueNanos = call.actionNanos;
        tellOfEnd(call);
    }

    /** The action has ended: its answer is judged once, for all policies. */
    void attemptEnded(CallState call, @Nullable Object value, @Nullable Throwable error) {
        close(call);
        call.down = false;
        if (error != null && StruckLimit.of(call, error)) {
            timedOut(call);
            tellAttempt(call);
            return;
        }
        call.value = value;
        if (error != null) {
            call.error = error;
        }
        call.outcome(judge.judge(call, value, error));
        if (call.outcome == Outcome.SUCCESS) {
            if (call.timed) {
                answers.note(call);
            }
        } else if (error != null && StruckLimit.isReachedBy(call, error)) {
            call.endedBy = call.limitOwner;
            call.outlived = answers.outlived(call);
        }
        tellAttempt(call);
    }

    /** The attempt ran, but a limit, a cancellation, an interrupt or a faster attempt decides its outcome. */
    void attemptGivenUp(CallState call, int claimedBy, @Nullable Throwable interruption) {
        close(call);
        call.down = false;
        int reason = call.unlessCallersTimeIsOver(claimedBy);
        if (reason == CallWord.BY_LIMIT) {
            timedOut(call);
        } else {
            Race race = reason == CallWord.BY_RACE ? call.race() : null;
            if (race != null) {
                race.overtook();
            }
            giveUp(call, reason);
            if (interruption != null) {
                call.error = interruption;
            }
        }
        tellAttempt(call);
    }

    /** May be a little early: an inner call with the same limit ends sooner, so that it can still answer. */
    private void timedOut(CallState call) {
        endedByLimit(call);
        CallTimeoutException timeout = new CallTimeoutException(
                name,
                call.limitedBy(),
                call.attempts,
                call.actionNanos,
                call.limitNanos(),
                new AttemptEnds(call.struckLimit(true)));
        call.error(timeout, Outcome.TIMEOUT);
    }

    void endedByLimit(CallState call) {
        call.endedByLimit();
        call.outlived = answers.outlived(call);
    }

    /** The call's own attempt has failed, and a limit has ended another one beside it, which ran for this long. */
    void timedOutBeside(CallState call, long ranNanos) {
        call.loseValueFor(null);
        call.actionNanos = ranNanos;
        call.valueNanos = ranNanos;
        timedOut(call);
    }

    /** The action never ran after all: the call was cancelled just before, or its limit could not be watched. */
    void notStarted(CallState call, int reason) {
        takeBack(call);
        giveUp(call, call.unlessCallersTimeIsOver(reason));
        if (call.trace != null) {
            call.trace.attemptNotMade(call);
        }
    }

    private void takeBack(CallState call) {
        tellOfEnd(call);
        call.attempts--;
        call.startedLayers = call.startedBefore;
        call.passStarted = false;
        call.readNow();
    }

    /** Ends the call for this reason, before its attempt or in place of its result. */
    void giveUp(CallState call, int reason) {
        call.loseValueFor(null);
        call.down = false;
        switch (reason) {
            case CallWord.BY_LIMIT -> {
                call.endedByLimit();
                reject(call, rejections.noTime(call));
            }
            case CallWord.BY_CANCEL -> {
                call.giveUpAt = CallLimits.CALLER;
                call.error(new CancellationException("the call of '" + name + "' was given up"), Outcome.CANCELLED);
            }
            case CallWord.BY_RACE -> {
                // Outer layers continue with the answer of the faster attempt.
                Race race = call.race();
                call.giveUpAt = Math.min(call.giveUpAt, race == null ? CallLimits.CALLER : race.layer);
                call.error(
                        new CancellationException("another attempt of '" + name + "' was faster"), Outcome.CANCELLED);
            }
            case CallWord.BY_INTERRUPT -> {
                reject(call, rejections.interrupted());
                call.interrupted();
            }
            default -> {
                call.giveUpAt = CallLimits.CALLER;
                refuse(call);
            }
        }
    }

    void refuse(CallState call) {
        call.down = false;
        reject(call, rejections.noThread());
    }

    private void reject(CallState call, CallRejectedException rejection) {
        call.error(rejection, Outcome.REJECTED);
        call.tellRejection(rejection.policy(), rejection.reason());
    }

    // ---- who is told

    private void tellAttempt(CallState call) {
        if (call.around != null && call.attemptMayHaveBegun()) {
            call.around.begun();
        }
        if (call.outcome != Outcome.SUCCESS || call.attempts > 1) {
            call.remember(call.attempts, call.outcome, call.actionNanos, call.hasBegunKeyedWork());
        }
        if (observers.anyOfCalls()) {
            observers.attemptSettled(call.operation(), call.attempts, call.outcome, call.actionNanos);
        }
        if (call.trace != null) {
            call.trace.attemptEnded(call);
        }
    }

    void tellSettled(CallState call) {
        if (call.around != null) {
            tellThoseAround(call, call.around);
        }
        if (call.error != null) {
            call.tellHistory(call.error);
        }
        if (observers.anyOfCalls()) {
            observers.callSettled(
                    call.operation(), call.outcome, call.source, call.attempts, call.now() - call.startNanos);
        }
        traceEnds(call);
    }

    static void traceEnds(CallState call) {
        Traces.OfCall trace = call.trace;
        if (trace != null) {
            call.trace = null;
            trace.ended(call);
        }
    }

    private static void tellThoseAround(CallState call, Around around) {
        if (call.source != Source.LIVE && call.source != Source.FRESH) {
            around.old();
        }
        if (call.common && call.value != null) {
            around.shares(call.value);
        }
        around.ends();
    }
}
