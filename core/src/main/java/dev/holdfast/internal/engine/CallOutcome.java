/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Refusal;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A call's attempts, its present outcome, and outcomes that retries have put aside. Knows the engine and the operation of the
 * call.
 */
abstract class CallOutcome extends CallLimits {
    /** No limit has struck. */
    static final int NOT_GIVEN_UP = Integer.MAX_VALUE;

    Engine engine;
    CallSpec spec;

    /** What follows it; null if nothing does. */
    Traces.@Nullable OfCall trace;

    /** Whether it has no caller: a fork, or an attempt beside another one. */
    boolean background;

    /** Whether it is a fork, or an attempt beside one of a fork. */
    boolean refresh;

    // ---- the attempts
    int attempts;
    long attemptStart;
    /** Less than 0: not {@link #timed}. */
    long actionNanos;
    /** As {@link #actionNanos}, of the attempt that has brought the value. */
    long valueNanos;
    /** Layers inside which an attempt has run, a bit for each. */
    long startedLayers;
    /** As {@link #startedLayers}, before the last attempt. */
    long startedBefore;

    boolean passStarted;

    /** Layers inside this one do not retry. It is the layer whose limit struck, or from which the call was given up. */
    int giveUpAt;
    /** The thread of a blocking call gets its flag back when the call has ended. */
    boolean wasInterrupted;
    /** Whose limit ended the attempt; {@link #NOT_GIVEN_UP} if none did. */
    int endedBy;
    /** A bit for each layer: the attempt that a limit ended ran long enough to count against the dependency. */
    long outlived;

    long heldRetry;

    @Nullable
    Refusal refusal;

    @Nullable
    History history;

    // ---- the outcome
    Outcome outcome;

    @Nullable
    Object value;

    /** Whether the value belongs to others too, or to a policy: then this call may not discard it. */
    boolean common;

    @Nullable
    Throwable error;

    /** Whether the error is of code here: a policy has thrown it or failed with it. */
    boolean failedHere;

    long retryAfter;
    Source source;
    long ageNanos;

    @Nullable
    Kept @Nullable [] kept;

    @SuppressWarnings("NullAway.Init") // begin sets what is not set here, before anybody else sees the object
    CallOutcome(int layers) {
        super(layers);
    }

    void forgetAttempts() {
        attempts = 0;
        actionNanos = 0;
        valueNanos = 0;
        startedLayers = 0;
        giveUpAt = NOT_GIVEN_UP;
        endedBy = NOT_GIVEN_UP;
    }

    /** A call or a pass begins that has come to nothing yet. */
    void forgetOutcome() {
        outcome(Outcome.SUCCESS);
        if (value != null) {
            value = null;
        }
        if (error != null) {
            error = null;
        }
        if (refusal != null) {
            refusal = null;
        }
        if (source != Source.LIVE) {
            source = Source.LIVE;
        }
        failedHere = false;
        common = false;
        retryAfter = -1;
        ageNanos = 0;
        heldRetry = 0;
        passStarted = false;
    }

    @Override
    TimeSource time() {
        return engine.time;
    }

    /** By this an outer call finds its own limit in the error; null if a layer of this call owns the limit. */
    @Nullable
    StruckLimit struckLimit(boolean early) {
        if (limitOwner != CALLER) {
            return null;
        }
        long at = early && limitAt - now() > 0 ? now() : limitAt;
        return new StruckLimit(time(), at, limitAt - at + reserve());
    }

    /** Its nearest limit has ended it: layers inside the owner of that limit do not retry. */
    void endedByLimit() {
        giveUpAt = Math.min(giveUpAt, limitOwner);
        endedBy = limitOwner;
    }

    /**
     * Why an attempt or a wait has ended. The limit of an outer call is this call's limit, too, and may strike there first: then this
     * call is interrupted or cancelled, and its limit is the reason all the same.
     */
    int unlessCallersTimeIsOver(int reason) {
        if ((reason != BY_CANCEL && reason != BY_INTERRUPT) || !isCallersTimeOver()) {
            return reason;
        }
        // Whoever has interrupted means the action around this call, too.
        wasInterrupted |= reason == BY_INTERRUPT;
        return BY_LIMIT;
    }

    /** The length of the nearest limit; -1 if unknown. */
    long limitNanos() {
        if (limitOwner == CALLER) {
            return limitAt - startNanos;
        }
        long longest = engine.plan.policy(limitOwner).longest();
        return longest == Long.MAX_VALUE ? -1 : longest;
    }

    @Override
    public String limitedBy() {
        return limitOwner == CALLER ? "call" : engine.plan.policyName(limitOwner);
    }

    // ---- the outcome

    /** Written only where it differs; see {@link CallState#begin}. */
    void outcome(Outcome newOutcome) {
        if (outcome != newOutcome) {
            outcome = newOutcome;
        }
    }

    void value(@Nullable Object newValue, Outcome newOutcome) {
        value = newValue;
        common = false;
        error = null;
        failedHere = false;
        outcome = newOutcome;
        retryAfter = -1;
    }

    void error(Throwable newError, Outcome newOutcome) {
        value = null;
        common = false;
        error = newError;
        // What the dependency's answer means, the classifier alone says.
        failedHere = newOutcome == Outcome.IGNORED;
        outcome = newOutcome;
        retryAfter = newError instanceof CallRejectedException rejection ? rejection.retryAfterNanos() : -1;
        source = Source.LIVE;
        ageNanos = 0;
    }

    /** A value that a policy or the pipeline replaces is lost, and may have to be closed. One that others have too is not. */
    void loseValueFor(@Nullable Object replacement) {
        Object lost = value;
        if (lost != null && lost != replacement && !common) {
            discard(lost);
        }
    }

    abstract void discard(@Nullable Object lost);

    // ---- the retry's memory

    /** The last try was rejected before its attempt began, so the dependency knows nothing of it. */
    boolean wasTurnedAway() {
        return outcome == Outcome.REJECTED && !passStarted;
    }

    /** Before another pass. After a rejected try, the outcome of the real attempt before it stays kept. */
    void keepOutcome() {
        if (wasTurnedAway()) {
            return;
        }
        if (kept == null) {
            kept = new Kept[engine.plan.layers];
        }
        Kept old = kept[cursor];
        if (old == null) {
            old = new Kept();
            kept[cursor] = old;
        } else if (old.full) {
            discardKept(old);
        }
        old.take(this);
    }

    /** After the last pass of a retry: if the last try was rejected, the call ends as its last real attempt did. */
    void leaveKept() {
        Kept old = kept == null ? null : kept[cursor];
        if (old == null || !old.full) {
            return;
        }
        if (wasTurnedAway()) {
            old.giveBack(this);
            refused(Refusal.REJECTED);
        } else {
            discardKept(old);
        }
    }

    /** Empties the kept slot, so that it is not restored: its outcome stands, or was replaced. */
    void forgetKept() {
        Kept own = kept == null ? null : kept[cursor];
        if (own != null) {
            own.forget();
        }
    }

    /** What retries put aside can no longer come back: the next attempt runs, or the call is done. */
    void dropKept() {
        if (kept == null) {
            return;
        }
        for (Kept old : kept) {
            if (old != null && old.full) {
                discardKept(old);
            }
        }
    }

    private void discardKept(Kept old) {
        Object lost = old.common ? null : old.value;
        old.forget();
        if (lost != value) {
            discard(lost);
        }
    }

    // ---- the history

    /** A first attempt that succeeds is not remembered as long as it is the only one. Now there is another one. */
    void rememberFirstSuccess() {
        if (attempts == 1 && (history == null || history.isEmpty())) {
            remember(1, Outcome.SUCCESS, actionNanos, true);
        }
    }

    void remember(int attempt, Outcome ended, long nanos, boolean mayHaveBegun) {
        History known = history;
        if (known == null) {
            known = new History();
            history = known;
        }
        known.add(attempt, ended, nanos, mayHaveBegun);
    }

    void refused(Refusal why) {
        if (history != null && !history.isEmpty()) {
            history.refused(why);
        }
    }

    /** How the attempts ended; null if the first one succeeded, or there was none. */
    @Nullable
    List<Attempt.End> failures() {
        return history == null || history.isEmpty() ? null : history.list();
    }

    /** What the pipeline itself throws tells how it came to that; the user's own exceptions are left alone. */
    void tellHistory(Throwable ended) {
        List<Attempt.End> attemptEnds = failures();
        if (attemptEnds != null) {
            error = AttemptEnds.told(ended, engine.name, attemptEnds);
        }
    }

    Reply<@Nullable Object> reply(@Nullable Object answer) {
        List<Attempt.End> ends = failures();
        if (ends == null) {
            ends = attempts == 0
                    ? List.of()
                    : List.of(new Attempt.End(
                            attempts, Outcome.SUCCESS, Optional.of(Duration.ofNanos(actionNanos)), Optional.empty()));
        }
        return new Reply<>(answer, source, Duration.ofNanos(ageNanos), attempts, ends);
    }

    // ---- as a policy sees it

    @Override
    public int attempts() {
        return attempts;
    }

    /** For the calls that share what this one comes to; the others do not ask. An attempt that was given up is not looked at. */
    boolean hasBegunKeyedWork() {
        return spec.key() != null
                && (outcome == Outcome.TIMEOUT || outcome == Outcome.CANCELLED || attemptMayHaveBegun());
    }

    boolean attemptMayHaveBegun() {
        return outcome != Outcome.PUSHBACK && !NotDone.surely(error);
    }

    @Override
    public Outcome outcome() {
        return outcome;
    }

    @Override
    public @Nullable Object value() {
        return value;
    }

    @Override
    public @Nullable Throwable error() {
        return error;
    }

    @Override
    public boolean failedHere() {
        return failedHere;
    }

    @Override
    public long retryAfter() {
        return retryAfter;
    }

    @Override
    public boolean started() {
        return (startedLayers >>> cursor & 1) != 0;
    }

    @Override
    public boolean cutShort() {
        return (outcome == Outcome.TIMEOUT || outcome == Outcome.FAILURE)
                && endedBy < cursor
                && (outlived >>> cursor & 1) == 0;
    }

    /** The call waits for nothing more, and its end concerns no other call. */
    void interrupted() {
        giveUpAt = CallLimits.CALLER;
        wasInterrupted = true;
        outcome = Outcome.INTERRUPTED;
    }

    @Override
    public boolean personal() {
        return !background && (endedBy == CALLER || outcome == Outcome.CANCELLED || outcome == Outcome.INTERRUPTED);
    }

    @Override
    public @Nullable Refusal refusal() {
        return refusal;
    }

    @Override
    public long actionNanos() {
        return Math.max(0, actionNanos);
    }

    @Override
    public long valueNanos() {
        return Math.max(0, valueNanos);
    }

    @Override
    public Source source() {
        return source;
    }

    @Override
    public void holdRetry(long nanos) {
        heldRetry = Math.max(heldRetry, nanos);
    }

    @Override
    public long heldRetry() {
        return heldRetry;
    }
}
