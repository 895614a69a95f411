/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.Causes;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.Refusal;
import dev.holdfast.spi.TimeSource;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Walks a call down through the policies, and up again with its outcome. Knows no threads and no futures: when the call
 * must wait or the action must run, it returns, and the driver calls it again.
 */
final class Interpreter {
    // What the driver has to do next.
    static final int DONE = 0;
    static final int PAUSE = 1;
    static final int AWAIT = 2;
    static final int ACT = 3;
    static final int STAGE = 4;

    // Between the two walks.
    private static final int GO_UP = -1;
    private static final int GO_DOWN = -2;

    private static final Logger LOG = System.getLogger("dev.holdfast");

    final Pipeline pipeline;
    final String name;
    final TimeSource time;
    final @Nullable Events events;
    final @Nullable Carrier carrier;
    final int layers;
    /** Where attempts run, if not on the thread of their caller. */
    final @Nullable Executor dedicated;
    /** Whether a layer hedges: then another thread may have to run what a call runs. */
    final boolean hedges;
    /** Comes when the pipeline is closed. */
    final Completion closing = new Completion();

    private final Policy[] policies;
    private final int[] nextEnter;
    private final long onSuccess;
    private final long onFailure;
    private final long onEnd;
    private final long onAdmission;
    private final long onAttempt;
    private final BooleanSupplier closed;
    private final BackgroundStarter background;
    private final Set<String> logged = ConcurrentHashMap.newKeySet();
    /** What each policy knows of how long answers take. */
    private final AnswerTimes[] answerTimes;

    // All are written and read by all threads without care: the straight way has no state, and two of them do no harm.
    private long answerNotedAt;
    private boolean answerNoted;
    private int callsUntilStraight;
    private @Nullable StraightWay straight;

    /** How a fork is started; given by the pipeline, since only drivers know threads. */
    @FunctionalInterface
    interface BackgroundStarter {
        void start(CallState parent, CallState.Fork fork);
    }

    Interpreter(
            Pipeline pipeline,
            List<Policy> outermostFirst,
            TimeSource time,
            @Nullable Events events,
            @Nullable Executor dedicated,
            int straightAfter,
            BooleanSupplier closed,
            BackgroundStarter background) {
        this.pipeline = pipeline;
        this.name = pipeline.name();
        this.time = time;
        this.events = events;
        this.carrier = pipeline.carrier;
        this.dedicated = dedicated;
        callsUntilStraight = straightAfter;
        this.closed = closed;
        this.background = background;
        policies = outermostFirst.toArray(new Policy[0]);
        layers = policies.length;
        answerTimes = new AnswerTimes[layers];
        for (int i = 0; i < layers; i++) {
            answerTimes[i] = AnswerTimes.of(policies[i]);
        }
        nextEnter = new int[layers + 1];
        nextEnter[layers] = layers;
        for (int i = layers - 1; i >= 0; i--) {
            nextEnter[i] = hears(i, Policy.ENTER) ? i : nextEnter[i + 1];
        }
        onSuccess = mask(Policy.SUCCESS);
        onFailure = mask(Policy.FAILURE);
        onEnd = mask(Policy.ENDED);
        onAdmission = mask(Policy.STILL_ADMITS);
        onAttempt = mask(Policy.ATTEMPTS);
        long hedging = mask(Policy.HEDGE);
        hedges = hedging != 0;
        if (Long.bitCount(hedging) > 1) {
            throw new IllegalArgumentException("pipeline '" + name + "' has " + Long.bitCount(hedging)
                    + " policies that hedge, but at most 1 can");
        }
        if (hedging < 0) {
            throw new IllegalArgumentException(
                    "pipeline '" + name + "' hedges in its 64th policy, but at most the 63rd can");
        }
        if (Long.bitCount(mask(Policy.OVERDUE)) > Alarms.MOST) {
            throw new IllegalArgumentException("pipeline '" + name + "' has "
                    + Long.bitCount(mask(Policy.OVERDUE)) + " policies that watch running calls, but at most "
                    + Alarms.MOST + " can");
        }
    }

    private boolean hears(int layer, int what) {
        return (policies[layer].hears() & what) != 0;
    }

    private long mask(int what) {
        long mask = 0;
        for (int i = 0; i < layers; i++) {
            if (hears(i, what)) {
                mask |= 1L << i;
            }
        }
        return mask;
    }

    String policyName(int layer) {
        return policies[layer].name();
    }

    // ---- the walk

    /** Takes the call as far as it goes without waiting. */
    int advance(CallState call) {
        // Small, so that the compiler puts it into its caller; whatever does not go straight is gone on with elsewhere.
        int next = call.down ? straightDown(call) : straightUp(call);
        while (next < 0) {
            next = next == GO_DOWN ? walkDown(call) : walkUp(call);
        }
        return next;
    }

    /** What the driver has to do; or where to go on by layers. */
    private int straightDown(CallState call) {
        boolean begins = call.cursor == 0 && call.suspendedAt == CallState.NOT_SUSPENDED;
        StraightWay way = begins ? straightWay() : null;
        if (way == null) {
            return GO_DOWN;
        }
        int decision;
        try {
            decision = way.enter(call);
        } catch (Throwable thrown) {
            return enterThrew(call, thrown);
        }
        if (decision == 0 && call.forks == null) {
            call.cursor = layers;
            return ACT;
        }
        return obeyEnter(call, decision);
    }

    private int straightUp(CallState call) {
        StraightWay way = straight;
        if (way == null || !goesStraightUp(call)) {
            return GO_UP;
        }
        int decision = settleStraight(call, way);
        if (decision != 0) {
            return obey(call, decision);
        }
        call.leaveScopes(0);
        return DONE;
    }

    private int walkDown(CallState call) {
        for (int i = nextEnter[call.cursor]; i < layers; i = nextEnter[call.cursor]) {
            call.cursor = i;
            int decision;
            try {
                decision = policies[i].enter(call);
            } catch (Throwable thrown) {
                return enterThrew(call, thrown);
            }
            int next = obeyEnter(call, decision);
            if (next != GO_DOWN) {
                return next;
            }
        }
        call.cursor = layers;
        return call.suspendedAt != CallState.NOT_SUSPENDED && !stillAdmitted(call) ? GO_UP : ACT;
    }

    private int enterThrew(CallState call, Throwable thrown) {
        call.forks = null;
        call.error(thrown, Outcome.IGNORED);
        abandon(call);
        return GO_UP;
    }

    /** What the driver has to do; or where to go on, down from the cursor or up from it. */
    private int obeyEnter(CallState call, int decision) {
        if (call.expired) {
            call.expired = false;
        }
        if (call.forks != null) {
            startForks(call);
        }
        switch (decision) {
            case 0 -> call.cursor++;
            case CallState.PAUSE -> {
                if (call.waitNanos > 0) {
                    return !hedgeWouldWait(call) && pauseFits(call) ? PAUSE : GO_UP;
                }
                call.cursor++;
            }
            case CallState.AWAIT -> {
                if (!awaited(call).isDone()) {
                    return !hedgeWouldWait(call) && awaitFits(call) ? AWAIT : GO_UP;
                }
            }
            case CallState.OUT -> {
                return GO_UP;
            }
            default -> {
                call.error(misuse(call.cursor, "enter"), Outcome.IGNORED);
                abandon(call);
                return GO_UP;
            }
        }
        return GO_DOWN;
    }

    private boolean pauseFits(CallState call) {
        if (call.waitNanos <= call.remaining()) {
            return true;
        }
        giveUpForTime(call);
        abandon(call);
        return false;
    }

    /** A hedge takes what is free, and never stands in the way of a first attempt. */
    private boolean hedgeWouldWait(CallState call) {
        if (call.isHedge()) {
            String message = "hedge of '" + name + "' would have to wait";
            String policy = policyName(call.cursor);
            call.error(new CallRejectedException(Reason.OTHER, name, policy, message, -1, null), Outcome.REJECTED);
            abandon(call);
            return true;
        }
        return false;
    }

    private boolean awaitFits(CallState call) {
        if (call.cancelPending()) {
            giveUp(call, CallState.BY_CANCEL);
        } else if (call.remaining() <= 0) {
            giveUpForTime(call);
        } else {
            return true;
        }
        abandon(call);
        return false;
    }

    private boolean stillAdmitted(CallState call) {
        long outside = below(call.suspendedAt);
        call.suspendedAt = CallState.NOT_SUSPENDED;
        for (long asked = onAdmission & entered(call) & outside; asked != 0; asked &= asked - 1) {
            call.cursor = Long.numberOfTrailingZeros(asked);
            int decision;
            try {
                decision = policies[call.cursor].stillAdmits(call);
            } catch (Throwable thrown) {
                call.error(thrown, Outcome.IGNORED);
                decision = CallState.OUT;
            }
            if (decision != 0) {
                call.cursor = layers;
                return false;
            }
        }
        call.cursor = layers;
        return true;
    }

    private long entered(CallState call) {
        return below(call.cursor) & -1L << call.base;
    }

    /** The layers further out than this one, of which there may be 64. */
    static long below(int layer) {
        return layer >= Long.SIZE ? -1L : (1L << layer) - 1;
    }

    /** The way of calls that nothing holds up; null until the pipeline has been used so much that it pays. */
    private @Nullable StraightWay straightWay() {
        if (straight == null && callsUntilStraight >= 0 && --callsUntilStraight < 0) {
            straight = StraightWay.through(this, policies);
        }
        return straight;
    }

    /** Whether the call came down to its action and has nothing that only the long way knows how to leave. */
    private boolean goesStraightUp(CallState call) {
        return call.cursor == layers
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

    private int walkUp(CallState call) {
        call.down = false;
        for (; ; ) {
            if (call.settling) {
                call.settling = false;
                int next = obey(call, settle(call, call.cursor));
                if (next != GO_UP) {
                    return next;
                }
                continue;
            }
            long settles = call.outcome == Outcome.SUCCESS ? onSuccess : onFailure;
            long left = (settles | onEnd) & entered(call);
            while (left != 0) {
                int i = Long.SIZE - 1 - Long.numberOfLeadingZeros(left);
                call.cursor = i;
                call.leaveScopes(i);
                int decision = (settles >>> i & 1) != 0 ? settle(call, i) : 0;
                if (decision != 0) {
                    int next = obey(call, decision);
                    if (next != GO_UP) {
                        return next;
                    }
                    // The outcome may be another one now, and be heard by others.
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
                return DONE;
            }
        }
    }

    private int settle(CallState call, int layer) {
        int decision;
        try {
            decision = policies[layer].settle(call);
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

    private int obey(CallState call, int decision) {
        switch (decision) {
            case 0, CallState.OUT -> {}
            case CallState.RETRY -> {
                if (!call.isHedge() && retryFits(call)) {
                    return beginRetry(call);
                }
                abandon(call);
            }
            case CallState.AWAIT -> {
                call.settling = true;
                if (awaited(call).isDone()) {
                    return GO_UP;
                }
                if (!call.cancelPending() && call.remaining() > 0) {
                    return AWAIT;
                }
                call.settling = false;
                abandon(call);
            }
            case CallState.FUNCTION -> answerFrom(call);
            case CallState.STAGE -> {
                if (call.outcome != Outcome.INTERRUPTED) {
                    return STAGE;
                }
                // Whoever was interrupted waits for nothing more.
                abandon(call);
            }
            default -> call.fail(misuse(call.cursor, "settle"));
        }
        leaveLayer(call);
        return GO_UP;
    }

    /** The layer has been settled for the last time. */
    void leaveLayer(CallState call) {
        if (call.kept != null) {
            call.leaveKept(call.cursor);
        }
        if ((onEnd >>> call.cursor & 1) != 0) {
            List<Work> unfinished = call.unfinished;
            if (unfinished == null || !LateEnd.defer(call, unfinished)) {
                end(call);
            }
        }
    }

    void end(CallState call) {
        Policy policy = policies[call.cursor];
        try {
            policy.ended(call);
        } catch (Throwable thrown) {
            endedThrew(policy, thrown);
        }
        if (call.writtenOff && events != null) {
            events.writtenOff(call.operation(), policy.name());
        }
    }

    void endedThrew(Policy policy, Throwable thrown) {
        logOnce("ended of " + policy.name() + " in '" + name + "' threw", thrown);
    }

    /** On the watchdog's thread. */
    void overdue(int layer, long slot, long now) {
        try {
            if (policies[layer].overdueRunsUserCode()) {
                pipeline.lanes.hooks().execute(() -> tellOverdue(layer, slot, now));
                return;
            }
        } catch (Throwable thrown) {
            logOnce("no thread for overdue of " + policyName(layer) + " in '" + name + "'", thrown);
        }
        tellOverdue(layer, slot, now);
    }

    private void tellOverdue(int layer, long slot, long now) {
        try {
            policies[layer].overdue(slot, now);
        } catch (Throwable thrown) {
            logOnce("overdue of " + policyName(layer) + " in '" + name + "' threw", thrown);
        }
    }

    /** On the watchdog's thread: after how many nanoseconds it is to be asked again; negative if it starts none. */
    long hedge(int layer, int hedges, long now) {
        try {
            return policies[layer].hedge(hedges, now);
        } catch (Throwable thrown) {
            logOnce("hedge of " + policyName(layer) + " in '" + name + "' threw", thrown);
            return Policy.NO_HEDGE;
        }
    }

    void hedgeNotMade(int layer) {
        try {
            policies[layer].hedgeNotMade(time.nanos());
        } catch (Throwable thrown) {
            logOnce("hedgeNotMade of " + policyName(layer) + " in '" + name + "' threw", thrown);
        }
    }

    long lease(int layer) {
        return policies[layer].lease();
    }

    private void abandon(CallState call) {
        call.leaveScopes(call.cursor);
        try {
            policies[call.cursor].abandon(call);
        } catch (Throwable thrown) {
            logOnce("abandon of " + policyName(call.cursor) + " in '" + name + "' threw", thrown);
        }
    }

    private void answerFrom(CallState call) {
        try {
            call.answerOwn(applied(call), Source.FALLBACK, 0);
        } catch (Throwable thrown) {
            call.fail(thrown);
        }
    }

    // ---- retries

    private boolean retryFits(CallState call) {
        if (call.cancelPending() || call.outcome == Outcome.CANCELLED || call.outcome == Outcome.INTERRUPTED) {
            return false;
        }
        if (call.giveUpAt < call.cursor || call.waitNanos > call.remaining()) {
            call.refuseRetry(Refusal.DEADLINE);
            return false;
        }
        return true;
    }

    private int beginRetry(CallState call) {
        call.keepOutcome(call.cursor);
        call.giveUpAt = CallState.NOT_GIVEN_UP;
        call.endedBy = CallState.NOT_GIVEN_UP;
        call.retrying = true;
        if (events != null) {
            events.retryScheduled(call.operation(), call.attempts, call.waitNanos);
        }
        if (call.waitNanos > 0) {
            return PAUSE;
        }
        resumed(call, CallState.BY_TIMER, PAUSE);
        return call.down ? GO_DOWN : GO_UP;
    }

    private void beginPass(CallState call) {
        int layer = call.cursor;
        call.retrying = false;
        call.down = true;
        call.passStarted = false;
        call.suspendedAt = CallState.NOT_SUSPENDED;
        call.heldRetry = 0;
        call.refusal = null;
        call.startedLayers &= below(layer + 1);
        call.clearSlotsFrom(layer + 1);
        if (call.alarms != null) {
            call.alarms.forgetFrom(layer + 1);
        }
        call.fault = null;
        call.outcome = Outcome.SUCCESS;
        call.value = null;
        call.common = false;
        call.error = null;
        call.retryAfter = -1;
        call.source = Source.LIVE;
        call.ageNanos = 0;
        if (call.unfinished != null) {
            LateEnd.detach(call.unfinished, layer);
        }
    }

    // ---- after a suspension

    /** A pause or an await is over. */
    void resumed(CallState call, int reason, int what) {
        call.now = time.nanos();
        int why = call.cancelPending() ? CallState.BY_CANCEL : reason;
        if (why == CallState.BY_COMPLETION || why == CallState.BY_TIMER) {
            if (what == AWAIT) {
                if (call.down) {
                    suspendedHere(call);
                }
                call.expired = why == CallState.BY_TIMER;
                return;
            }
            boolean waited = !call.retrying || call.waitNanos > 0;
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
        boolean keeps = outcomeKnown && why == CallState.BY_LIMIT;
        // A try that was turned away is not put aside: then what is, is the one before it, and comes back or is
        // discarded.
        boolean isKept = call.retrying && !call.wasTurnedAway();
        call.retrying = false;
        call.settling = false;
        if (keeps) {
            call.giveUpAt = Math.min(call.giveUpAt, call.limitOwner);
        } else if (!(outcomeKnown && why == CallState.BY_REFUSAL)) {
            giveUp(call, why);
        } else {
            call.giveUpAt = CallState.CALLER;
        }
        abandon(call);
        if (outcomeKnown) {
            if (isKept) {
                forgetKept(call);
            }
            leaveLayer(call);
        }
        call.down = false;
    }

    private static void suspendedHere(CallState call) {
        call.suspendedAt = Math.max(call.suspendedAt, call.cursor);
    }

    /** The outcome that stands is the kept one itself, or has replaced it: it must not come back. */
    private void forgetKept(CallState call) {
        CallState.@Nullable Kept[] kept = call.kept;
        CallState.Kept own = kept == null ? null : kept[call.cursor];
        if (own != null) {
            own.full = false;
            own.value = null;
            own.error = null;
        }
    }

    // ---- attempts

    /** Before the action: false, and the call goes up, if there is no time left to start it. */
    boolean starting(CallState call) {
        if (call.limited && call.limitAt - call.now <= 0) {
            giveUpForTime(call);
            return false;
        }
        Asker asker = call.spec.asker;
        CallRejectedException refusal = asker == null ? null : asker.refusal();
        if (refusal != null) {
            call.loseValueFor(null);
            call.down = false;
            reject(call, refusal);
            return false;
        }
        call.attempts++;
        call.startedBefore = call.startedLayers;
        call.startedLayers = -1L;
        call.passStarted = true;
        call.attemptStart = call.now;
        if (onAttempt != 0) {
            tellOfAttempt(call, true);
        }
        return true;
    }

    private void tellOfAttempt(CallState call, boolean starts) {
        int at = call.cursor;
        for (long told = onAttempt & entered(call); told != 0; told &= told - 1) {
            call.cursor = Long.numberOfTrailingZeros(told);
            try {
                if (starts) {
                    policies[call.cursor].attemptStarts(call);
                } else {
                    policies[call.cursor].attemptEnds(call);
                }
            } catch (Throwable thrown) {
                logOnce("what " + policyName(call.cursor) + " of '" + name + "' does about attempts threw", thrown);
            }
        }
        call.cursor = at;
    }

    /** The attempt is no longer open. */
    private void closed(CallState call) {
        call.now = time.nanos();
        call.actionNanos = call.now - call.attemptStart;
        if (call.alarms != null) {
            call.alarms.close(call.actionNanos);
        }
        if (onAttempt != 0) {
            tellOfAttempt(call, false);
        }
    }

    /** The action has ended: its answer is judged once, for all policies. */
    void attemptEnded(CallState call, @Nullable Object value, @Nullable Throwable error) {
        closed(call);
        call.down = false;
        if (error != null && StruckLimit.of(call, error)) {
            timedOut(call);
            tellAttempt(call);
            return;
        }
        call.value = value;
        call.error = error;
        call.retryAfter = -1;
        call.outcome = judge(call, value, error);
        if (call.outcome == Outcome.SUCCESS) {
            if (call.now - answerNotedAt >= AnswerTimes.SAMPLE_NANOS || !answerNoted) {
                noteAnswer(call);
            }
        } else if (error != null && StruckLimit.isReachedBy(call, error)) {
            call.endedBy = call.limitOwner;
            call.outlived = outlived(call);
        }
        tellAttempt(call);
    }

    private Outcome judge(CallState call, @Nullable Object value, @Nullable Throwable thrown) {
        Classifier classifier = call.spec.operation.classifier;
        if (thrown == null && classifier == Classifier.DEFAULT) {
            return Outcome.SUCCESS;
        }
        Throwable error = unwrapped(thrown);
        if (error instanceof VirtualMachineError) {
            return Outcome.IGNORED;
        }
        CallRejectedException rejection = rejectionIn(error);
        if (rejection != null) {
            call.retryAfter = rejection.retryAfterNanos();
            return Outcome.REJECTED;
        }
        try {
            Verdict verdict = classifier.classify(value, error);
            if (verdict == null) {
                throw new NullPointerException(noVerdict(call, classifier));
            }
            call.retryAfter = verdict.retryAfterNanos();
            return verdict.outcome();
        } catch (Throwable broken) {
            call.fail(broken);
            return Outcome.IGNORED;
        }
    }

    private String noVerdict(CallState call, Classifier classifier) {
        String operation = call.operation();
        return "classifier " + classifier.getClass().getName() + " of "
                + (operation == null ? "" : "operation '" + operation + "' of ")
                + "pipeline '" + name + "' returned null, but must return a Verdict";
    }

    static @Nullable Throwable unwrapped(@Nullable Throwable thrown) {
        Throwable error = thrown;
        for (int i = 0;
                i < Causes.MOST && (error instanceof CompletionException || error instanceof ExecutionException);
                i++) {
            Throwable cause = Causes.of(error);
            if (cause == null) {
                break;
            }
            error = cause;
        }
        return error;
    }

    /** The rejection of an inner pipeline, also where a client has wrapped it; null if it is none. */
    private static @Nullable CallRejectedException rejectionIn(@Nullable Throwable error) {
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (cause instanceof CallRejectedException rejection) {
                return rejection;
            }
        }
        return null;
    }

    /** The attempt was started, and its outcome is decided by something else than its end. */
    void attemptGivenUp(CallState call, int reason, @Nullable Throwable interruption) {
        closed(call);
        call.down = false;
        if (reason == CallState.BY_LIMIT) {
            timedOut(call);
        } else {
            giveUp(call, reason);
            if (interruption != null) {
                call.error = interruption;
            }
        }
        tellAttempt(call);
    }

    private void timedOut(CallState call) {
        endedByLimit(call);
        call.outlived = outlived(call);
        CallTimeoutException timeout = new CallTimeoutException(
                name, call.limitOwnerName(), call.attempts, call.actionNanos, call.struckLimit());
        call.error(timeout, Outcome.TIMEOUT);
    }

    private void endedByLimit(CallState call) {
        call.giveUpAt = Math.min(call.giveUpAt, call.limitOwner);
        call.endedBy = call.limitOwner;
    }

    /** Not for every answer: quick ones would write what all threads read. */
    private void noteAnswer(CallState call) {
        answerNotedAt = call.now;
        answerNoted = true;
        for (AnswerTimes times : answerTimes) {
            times.answered(call.actionNanos, call.now);
        }
    }

    private long outlived(CallState call) {
        long longNanos = call.longFor(call.limitOwner);
        long mask = 0;
        for (int i = 0; i < layers; i++) {
            if (answerTimes[i].areOutlivedBy(call.actionNanos, call.now, longNanos)) {
                mask |= 1L << i;
            }
        }
        return mask;
    }

    /** The action never ran after all: the call was cancelled just before, or its limit could not be watched. */
    void notStarted(CallState call, int reason) {
        if (onAttempt != 0) {
            tellOfAttempt(call, false);
        }
        call.attempts--;
        call.startedLayers = call.startedBefore;
        call.passStarted = false;
        giveUp(call, reason);
    }

    private void giveUpForTime(CallState call) {
        giveUp(call, CallState.BY_LIMIT);
    }

    /** The call ends without having reached the dependency, or because the caller wants it to. */
    private void giveUp(CallState call, int reason) {
        call.loseValueFor(null);
        call.down = false;
        switch (reason) {
            case CallState.BY_LIMIT -> {
                endedByLimit(call);
                String owner = call.limitOwnerName();
                String message = "call of '" + name + "' could not be made within the time of its " + owner;
                CallRejectedException rejection = rejection(Reason.DEADLINE_EXCEEDED, owner, message);
                rejection.limit = call.struckLimit();
                reject(call, rejection);
            }
            case CallState.BY_CANCEL -> {
                call.giveUpAt = CallState.CALLER;
                call.error(new CancellationException("the call of '" + name + "' was given up"), Outcome.CANCELLED);
            }
            case CallState.BY_RACE -> {
                // Layers further out go on with the answer of the one that was faster.
                Race race = call.race();
                call.giveUpAt = Math.min(call.giveUpAt, race == null ? CallState.CALLER : race.layer);
                call.error(
                        new CancellationException("another attempt of '" + name + "' was faster"), Outcome.CANCELLED);
            }
            case CallState.BY_INTERRUPT -> {
                call.giveUpAt = CallState.CALLER;
                call.wasInterrupted = true;
                reject(
                        call,
                        rejection(
                                Reason.INTERRUPTED,
                                "pipeline",
                                "call of '" + name + "' was interrupted while it waited"));
                call.outcome = Outcome.INTERRUPTED;
            }
            default -> {
                call.giveUpAt = CallState.CALLER;
                refuse(call);
            }
        }
    }

    /** The executor does not take the call. */
    void refuse(CallState call) {
        call.down = false;
        reject(call, refusal());
    }

    /** Why there is no thread to go on with. */
    CallRejectedException refusal() {
        return closed.getAsBoolean()
                ? rejection(Reason.CLOSED, "pipeline", "pipeline '" + name + "' is closed")
                : rejection(
                        Reason.EXECUTOR_FULL,
                        "pipeline",
                        "the executor of '" + name + "' refused to go on with the call");
    }

    private CallRejectedException rejection(Reason reason, String policy, String message) {
        return new CallRejectedException(reason, name, policy, message, -1, null);
    }

    private void reject(CallState call, CallRejectedException rejection) {
        call.error(rejection, Outcome.REJECTED);
        tellRejected(call, rejection.policy(), rejection.reason());
    }

    /** Work has ended after its outcome had been decided: nobody gets its value. */
    void lateResult(Operation<?> operation, @Nullable Object lost, long decidedAt) {
        operation.discard(lost);
        if (decidedAt != Long.MIN_VALUE && events != null) {
            long wentOn = time.nanos() - decidedAt;
            if (wentOn > LateEnd.GRACE_NANOS) {
                events.overrun(operation.name, wentOn);
            }
        }
    }

    // ---- fallback of a stage

    /** What the user's fallback stage came to; {@link CallState#BY_COMPLETION} or why it was not waited for. */
    void stageEnded(CallState call, int reason, @Nullable Object value, @Nullable Throwable error) {
        call.now = time.nanos();
        int why = call.cancelPending() ? CallState.BY_CANCEL : reason;
        if (why == CallState.BY_COMPLETION) {
            if (error == null) {
                call.answerOwn(value, Source.FALLBACK, 0);
            } else {
                Throwable cause = unwrapped(error);
                call.fail(cause == null ? error : cause);
            }
        } else {
            call.discard(value);
            if (why == CallState.BY_CANCEL || why == CallState.BY_INTERRUPT) {
                giveUp(call, why);
            }
            abandon(call);
        }
        leaveLayer(call);
    }

    /** Runs the function that a policy answers from, inside the call: under its deadline, and as none of its attempts. */
    @SuppressWarnings("NullAway") // it declares that it takes null, which the checker does not see through a wildcard
    static @Nullable Object applied(CallState call) {
        Function<? super @Nullable Throwable, ?> function = call.function;
        if (function == null) {
            throw new IllegalStateException("a policy said answerFrom without a function");
        }
        call.function = null;
        Ambient ambient = Ambient.get();
        CallState before = ambient.inner();
        ambient.enter(call);
        call.answering = true;
        boolean walked = ambient.pauseWalk();
        try {
            return function.apply(call.error);
        } finally {
            if (walked) {
                ambient.resumeWalk();
            }
            call.answering = false;
            ambient.leave(before);
        }
    }

    /** As {@link #applied}, where the function returns a stage. */
    static CompletionStage<?> appliedStage(CallState call) {
        Object stage = applied(call);
        if (stage == null) {
            throw new NullPointerException("the fallback returned null and no stage");
        }
        return (CompletionStage<?>) stage;
    }

    // ---- small things

    void startForks(CallState call) {
        List<CallState.Fork> forks = call.forks == null ? List.of() : new ArrayList<>(call.forks);
        call.forks = null;
        for (CallState.Fork fork : forks) {
            background.start(call, fork);
        }
    }

    static Completion awaited(CallState call) {
        Completion awaited = call.awaited;
        if (awaited == null) {
            throw new IllegalStateException("a policy said await without a completion");
        }
        return awaited;
    }

    /** Something that must not throw has thrown, in the middle of a walk: the layers are left all the same. */
    void breakOff(CallState call, Throwable broken) {
        call.loseValueFor(null);
        call.settling = false;
        call.retrying = false;
        call.down = false;
        call.giveUpAt = CallState.CALLER;
        call.error(broken, Outcome.IGNORED);
        for (int what = advance(call); what != DONE; what = advance(call)) {
            if (what == STAGE) {
                stageEnded(call, CallState.BY_REFUSAL, null, null);
            } else {
                resumed(call, CallState.BY_REFUSAL, what);
            }
        }
    }

    private IllegalStateException misuse(int layer, String method) {
        return new IllegalStateException(method + " of " + policyName(layer) + " returned no decision of its passage");
    }

    void tellRejected(CallState call, String policy, Reason reason) {
        if (events != null) {
            events.rejected(call.operation(), policy, reason);
        }
    }

    private void tellAttempt(CallState call) {
        if (call.around != null && call.attemptMayHaveBegun()) {
            call.around.begun();
        }
        if (call.outcome != Outcome.SUCCESS || call.attempts > 1) {
            call.rememberAttempt();
        }
        if (events != null) {
            events.attemptSettled(call.operation(), call.attempts, call.outcome, call.actionNanos);
        }
    }

    void tellSettled(CallState call) {
        if (call.around != null && call.source != Source.LIVE && call.source != Source.FRESH) {
            call.around.old();
        }
        if (call.error != null) {
            call.tellHistory();
        }
        if (events != null) {
            events.callSettled(call.operation(), call.outcome, call.source, call.attempts, call.now - call.startNanos);
        }
    }

    /** What is broken would fill the log with every call. */
    void logOnce(String what, Throwable thrown) {
        if (logged.add(what)) {
            log(what + "; told once", thrown);
        }
    }

    static void log(String what, Throwable thrown) {
        LOG.log(Level.WARNING, what, thrown);
    }
}
