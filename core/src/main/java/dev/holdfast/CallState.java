/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Fault;
import dev.holdfast.spi.Refusal;
import dev.holdfast.spi.TimeSource;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything that is known of one call, and the word by which its suspensions are resumed exactly once. Touched by one
 * thread at a time, except for the word and what is published through it.
 */
final class CallState extends CallPadding {
    // What the interpreter is told by a decision. PROCEED and KEEP are 0.
    static final int PAUSE = 1;
    static final int AWAIT = 2;
    static final int OUT = 3;
    static final int RETRY = 4;
    static final int FUNCTION = 5;
    static final int STAGE = 6;

    // How the action takes its argument.
    static final int SUPPLIER = 0;
    static final int ATTEMPT = 1;
    static final int KEYED = 2;

    /** The pass has not waited anywhere. */
    static final int NOT_SUSPENDED = -1;
    /** No limit has struck. */
    static final int NOT_GIVEN_UP = Integer.MAX_VALUE;
    /** What is longer is no limit; instants further apart could not be compared. */
    static final long LONGEST_LIMIT = Long.MAX_VALUE / 4;
    /** Most dependencies that are well answer within this. */
    private static final long LONG_NANOS = 1_000_000_000;
    /** Layers that a thread's own call object has room for at first. */
    private static final int USUAL_LAYERS = 8;
    /** The owner of the call's own and of inherited limits. */
    static final int CALLER = -1;

    // ---- the call; set by begin
    Interpreter interpreter;
    final boolean async;
    Call<?> spec;
    int mode;

    /** What is to be run. Of a blocking call kept only if it may be run in the background too. */
    @Nullable
    Object action;

    @Nullable
    Object argument;

    int base;
    long startNanos;
    int outerAttempt;

    /** The calls around this one that want to know what goes on inside. */
    @Nullable
    Around around;

    /** What calls inside this one have come to; null if there were none, or it does not matter. */
    @Nullable
    Inside inside;

    /** What was left for the caller itself when the call began. Not set by a call object that is used again. */
    long inheritedNanos = Long.MAX_VALUE;

    /** What the caller had on its thread; null until somebody needs it. */
    CallContext.@Nullable Snapshot context;

    /** Whether it has no caller: a fork, or an attempt beside another one. */
    boolean background;

    private boolean callerLimited;
    private long callerLimitAt;

    // ---- where it stands
    int cursor;
    boolean down;
    boolean retrying;
    boolean settling;
    boolean expired;
    boolean writtenOff;
    boolean wasInterrupted;
    /** A function of the user's answers in the place of an attempt just now. */
    boolean answering;

    int giveUpAt;
    /** Whose limit ended the attempt; {@link #NOT_GIVEN_UP} if none did. */
    int endedBy;
    /** Whether the attempt that a limit ended had run so long that this says something of the dependency. */
    long outlived;
    /** The innermost layer at which this pass was suspended. */
    int suspendedAt;

    long now;
    boolean limited;
    long limitAt;
    int limitOwner;
    long scopes;
    long startedLayers;
    long startedBefore;
    boolean passStarted;
    int attempts;
    long attemptStart;
    long actionNanos;
    long heldRetry;

    /** Why a retry kept the outcome of the last pass. */
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

    long retryAfter;
    Source source;
    long ageNanos;

    // ---- what a decision carries
    long waitNanos;

    @Nullable
    Completion awaited;

    @Nullable
    Function<? super @Nullable Throwable, ?> function;

    @Nullable
    List<Fork> forks;

    /** What plays the next attempt. */
    @Nullable
    Fault fault;

    // ---- memory of the layers
    private long[] slots;
    private @Nullable Object[] objects;
    private long[] limits;
    private long usedSlots;

    @Nullable
    Kept @Nullable [] kept;

    /** Made when a layer first asks; then kept. */
    @Nullable
    Alarms alarms;

    // ---- drivers
    // Published by the word when an attempt opens; read by others after they have claimed it.
    @Nullable
    Attempt attempt;

    @Nullable
    Caller caller;

    boolean interruptedOutside;

    @SuppressWarnings("unused") // through LANDED, since it is read while another thread writes it
    private boolean landed;

    volatile TimeSource.@Nullable Timer limitTimer;
    volatile TimeSource.@Nullable Timer alarmTimer;

    /** Whether it is a thread's own, which serves one call after the other. */
    final boolean own;

    /** What the watchdog's queue knows it by; a thread's own object may stay there between its calls. */
    WatchQueue.@Nullable Entry entry;

    @Nullable
    CallFuture<?> future;

    @Nullable
    Suspension suspension;

    @Nullable
    List<Work> unfinished;

    boolean refused;

    /** A background call that enter asked for. */
    record Fork(int layer, Object object, long limitNanos) {}

    /** This call, as it stands, and those around it, as far as they want to know what goes on inside. */
    @Nullable
    Around withThoseAround() {
        if (spec.idempotent && (spec.key == null || usedSlots == 0)) {
            return around;
        }
        if (inside == null) {
            inside = new Inside();
        }
        return Around.of(interpreter, objects, inside, around);
    }

    /** The outcome that a retry put aside until the next attempt has started. */
    static final class Kept {
        boolean full;
        Outcome outcome = Outcome.FAILURE;

        @Nullable
        Object value;

        boolean common;

        @Nullable
        Throwable error;

        long retryAfter;
        Source source = Source.LIVE;
        long ageNanos;
        int endedBy;
        long outlived;
        boolean passStarted;
    }

    @SuppressWarnings("NullAway.Init") // begin sets what is not set here, before anybody else sees the object
    CallState(int layers, boolean async, @Nullable Caller owner) {
        this.async = async;
        own = owner != null;
        caller = owner;
        slots = new long[layers];
        objects = new Object[layers];
        limits = new long[layers];
    }

    /** A call object for one blocking call after the other of this thread. */
    static CallState ofThread(Caller owner) {
        return new CallState(USUAL_LAYERS, false, owner);
    }

    /**
     * Starts a call. A reference is written only where it differs: a kept object is old, and a reference in an old object
     * costs the garbage collector's barrier.
     */
    void begin(Interpreter newInterpreter, Call<?> newSpec, int newMode) {
        if (interpreter != newInterpreter) {
            interpreter = newInterpreter;
            if (slots.length < newInterpreter.layers) {
                slots = new long[newInterpreter.layers];
                objects = new Object[newInterpreter.layers];
                limits = new long[newInterpreter.layers];
            }
        }
        if (spec != newSpec) {
            spec = newSpec;
        }
        mode = newMode;
        base = 0;
        cursor = 0;
        down = true;
        retrying = false;
        settling = false;
        suspendedAt = NOT_SUSPENDED;
        expired = false;
        wasInterrupted = false;
        giveUpAt = NOT_GIVEN_UP;
        endedBy = NOT_GIVEN_UP;
        scopes = 0;
        startedLayers = 0;
        passStarted = false;
        attempts = 0;
        actionNanos = 0;
        heldRetry = 0;
        if (refusal != null) {
            refusal = null;
        }
        if (alarms != null) {
            alarms.forgetAll();
        }
        if (outcome != Outcome.SUCCESS) {
            outcome = Outcome.SUCCESS;
        }
        common = false;
        retryAfter = -1;
        if (source != Source.LIVE) {
            source = Source.LIVE;
        }
        ageNanos = 0;
        now = newInterpreter.time.nanos();
        startNanos = now;
    }

    /** What is to be run, for those who run it later or again. */
    void work(Object newAction, @Nullable Object newArgument) {
        action = newAction;
        argument = newArgument;
    }

    TimeSource time() {
        return interpreter.time;
    }

    /** Takes over what holds on the thread on which the call starts. */
    void inherit(Ambient ambient) {
        CallState outer = ambient.current();
        around = ambient.around();
        if (outer != null) {
            outerAttempt = ambient.attempt();
            inheritedNanos = ambient.remaining(time(), now);
        } else {
            outerAttempt = ambient.boundAttempt;
            inheritedNanos = ambient.boundRemaining(time(), now);
        }
        limitCaller(Math.min(spec.deadlineNanos, inheritedNanos));
    }

    /** Whether the caller had neither a deadline nor an attempt around it, nor a call. */
    boolean inheritsNothing() {
        return inheritedNanos == Long.MAX_VALUE && outerAttempt == 0 && around == null;
    }

    /** What the caller has on its thread; asked for there before anything of the call may run elsewhere. Null: nothing is carried. */
    CallContext.@Nullable Snapshot context() {
        if (context == null && interpreter.carrier != null) {
            context = interpreter.carrier.capture();
        }
        return context;
    }

    /** It is made for the same caller as the other one, and inside of what that holds, whatever thread it runs on. */
    void standBeside(CallState other) {
        context = other.context;
        around = other.withThoseAround();
    }

    /** As {@link #inherit}, for a call that is the outermost one of its thread. */
    void inheritNothing(Ambient ambient) {
        outerAttempt = ambient.boundAttempt;
        if (around != ambient.boundAround) {
            around = ambient.boundAround;
        }
        limitCaller(Math.min(spec.deadlineNanos, ambient.boundRemaining(time(), now)));
    }

    void limitCaller(long remaining) {
        callerLimited = remaining != Long.MAX_VALUE;
        callerLimitAt = now + remaining;
        limited = callerLimited;
        limitAt = callerLimitAt;
        limitOwner = CALLER;
    }

    /** Lets go of everything but its pipeline, so that a kept object keeps nothing else alive. */
    @SuppressWarnings("NullAway") // the object is not used before the next begin
    void clear() {
        if (usedSlots != 0) {
            clearSlotsFrom(0);
        }
        if (value != null) {
            value = null;
        }
        if (error != null) {
            error = null;
        }
        if (spec.key != null) {
            spec = null;
        }
        if (action != null) {
            action = null;
            argument = null;
        }
        if (attempt != null) { // one that found no thread
            attempt = null;
        }
        if (awaited != null) {
            awaited = null;
        }
        if (function != null) {
            function = null;
        }
        if (kept != null) {
            kept = null;
        }
        if (unfinished != null) {
            unfinished = null;
        }
        if (forks != null) {
            forks = null;
        }
        if (fault != null) {
            fault = null;
        }
        if (history != null) {
            history.clear();
        }
        if (context != null) {
            context = null;
        }
        if (around != null) {
            around = null;
        }
        if (inside != null) {
            inside = null;
        }
    }

    void clearSlotsFrom(int layer) {
        long used = usedSlots & ~Interpreter.below(layer);
        usedSlots ^= used;
        while (used != 0) {
            int i = Long.numberOfTrailingZeros(used);
            used &= used - 1;
            slots[i] = 0;
            objects[i] = null;
        }
    }

    /** Another call's view of one layer of this one, for an end of work that comes later. */
    CallState detached(int layer) {
        CallState copy = new CallState(interpreter.layers, async, null);
        copy.interpreter = interpreter;
        copy.spec = spec;
        copy.context = context;
        copy.background = background;
        copy.cursor = layer;
        copy.now = now;
        copy.outcome = outcome;
        copy.source = source;
        copy.retryAfter = retryAfter;
        copy.attempts = attempts;
        copy.endedBy = endedBy;
        copy.outlived = outlived;
        copy.startedLayers = startedLayers;
        copy.slots[layer] = slots[layer];
        copy.objects[layer] = objects[layer];
        return copy;
    }

    void preset(int layer, Object object) {
        usedSlots |= 1L << layer;
        objects[layer] = object;
    }

    // ---- limits

    /** Layers from this one inward have been left: their limits no longer hold. */
    void leaveScopes(int layer) {
        if (scopes >>> layer != 0) {
            scopes &= (1L << layer) - 1;
            limited = callerLimited;
            limitAt = callerLimitAt;
            limitOwner = CALLER;
            for (long left = scopes; left != 0; left &= left - 1) {
                nearer(Long.numberOfTrailingZeros(left));
            }
        }
    }

    private void nearer(int layer) {
        if (!limited || limits[layer] - limitAt < 0) {
            limited = true;
            limitAt = limits[layer];
            limitOwner = layer;
        }
    }

    /** What is long for an attempt that this layer's limit ended, while nobody knows how long answers take. */
    long longFor(int owner) {
        return owner == CALLER ? LONG_NANOS : Math.min(LONG_NANOS, (limits[owner] - startNanos) / 2);
    }

    @Nullable
    StruckLimit struckLimit() {
        return limitOwner == CALLER ? new StruckLimit(time(), limitAt) : null;
    }

    String limitOwnerName() {
        return limitOwner == CALLER ? "call" : interpreter.policyName(limitOwner);
    }

    // ---- outcomes

    void value(@Nullable Object newValue, Outcome newOutcome) {
        value = newValue;
        common = false;
        error = null;
        outcome = newOutcome;
        retryAfter = -1;
    }

    void error(Throwable newError, Outcome newOutcome) {
        value = null;
        common = false;
        error = newError;
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

    void discard(@Nullable Object lost) {
        spec.operation.discard(lost);
    }

    // ---- the retry's memory

    /** The last try was turned away before its attempt began: the dependency knows nothing of it. */
    boolean wasTurnedAway() {
        return outcome == Outcome.REJECTED && !passStarted;
    }

    /** Before another pass. A try that was turned away leaves what an earlier, real one has come to. */
    void keepOutcome(int layer) {
        if (wasTurnedAway()) {
            return;
        }
        if (kept == null || kept.length < interpreter.layers) {
            kept = new Kept[interpreter.layers];
        }
        Kept old = kept[layer];
        if (old == null) {
            old = new Kept();
            kept[layer] = old;
        } else if (old.full) {
            discardKept(old);
        }
        old.full = true;
        old.outcome = outcome;
        old.value = value;
        old.common = common;
        old.error = error;
        old.retryAfter = retryAfter;
        old.source = source;
        old.ageNanos = ageNanos;
        old.endedBy = endedBy;
        old.outlived = outlived;
        old.passStarted = passStarted;
    }

    /** After the last pass of a retry: a call whose last try was turned away ends as its last real try did. */
    void leaveKept(int layer) {
        Kept old = kept == null ? null : kept[layer];
        if (old == null || !old.full) {
            return;
        }
        if (wasTurnedAway()) {
            outcome = old.outcome;
            value = old.value;
            common = old.common;
            error = old.error;
            retryAfter = old.retryAfter;
            source = old.source;
            ageNanos = old.ageNanos;
            endedBy = old.endedBy;
            outlived = old.outlived;
            // For the retries around this one.
            passStarted = old.passStarted;
            old.value = null;
            refused(Refusal.REJECTED);
        } else {
            discardKept(old);
        }
        old.full = false;
        old.error = null;
    }

    /** What retries put aside can no longer come back: the next attempt runs, or the call is done. */
    void dropKept() {
        if (kept == null) {
            return;
        }
        for (Kept old : kept) {
            if (old != null && old.full) {
                discardKept(old);
                old.full = false;
                old.error = null;
            }
        }
    }

    void rememberAttempt() {
        remember(attempts, outcome, actionNanos);
    }

    void remember(int attempt, Outcome ended, long nanos) {
        History known = history;
        if (known == null) {
            known = new History();
            history = known;
        }
        known.add(attempt, ended, nanos);
    }

    private void refused(Refusal why) {
        if (history != null && !history.isEmpty()) {
            history.refused(why);
        }
    }

    /** How the attempts ended; null if the first one succeeded, or there was none. */
    @Nullable
    List<AttemptEnd> failures() {
        return history == null || history.isEmpty() ? null : history.list();
    }

    /** What the pipeline itself throws tells how it came to that; the user's own exceptions are left alone. */
    void tellHistory() {
        List<AttemptEnd> attemptEnds = failures();
        if (attemptEnds != null && error instanceof CallTimeoutException timeout) {
            timeout.tell(interpreter.pipeline, attemptEnds);
        } else if (attemptEnds != null && error instanceof CallRejectedException rejection) {
            rejection.tell(interpreter.pipeline, attemptEnds);
        }
    }

    private void discardKept(Kept old) {
        Object lost = old.value;
        old.value = null;
        if (lost != value && !old.common) {
            discard(lost);
        }
    }

    // ---- the word: number, claim reason, cancel-pending bit, state

    static final int BY_COMPLETION = 1;
    static final int BY_TIMER = 2;
    static final int BY_LIMIT = 3;
    static final int BY_CANCEL = 4;
    static final int BY_INTERRUPT = 5;
    static final int BY_REFUSAL = 6;
    static final int BY_RACE = 7;

    static final int RUNNING = 0;
    static final int ARMING = 1;
    static final int OPEN = 2;
    private static final int STATE_MASK = 3;
    private static final long CANCEL_PENDING = 4;
    private static final int REASON_SHIFT = 3;
    private static final long REASON_MASK = 7L << REASON_SHIFT;
    private static final int NUMBER_SHIFT = 6;
    private static final VarHandle WORD;
    private static final VarHandle LANDED;

    static {
        try {
            WORD = MethodHandles.lookup().findVarHandle(CallState.class, "word", long.class);
            LANDED = MethodHandles.lookup().findVarHandle(CallState.class, "landed", boolean.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    @SuppressWarnings("unused") // through WORD; the number goes on when the object is used again, so that none repeats
    private volatile long word;

    /**
     * Running to open, with the next number, of a call that nobody can cancel: no other thread writes the word now. A hedge
     * can be given up: then it is -1.
     */
    long openAttempt() {
        if (isHedge()) {
            return openHedge();
        }
        long number = (word >>> NUMBER_SHIFT) + 1;
        openAlarms(number);
        long open = number << NUMBER_SHIFT | OPEN;
        if (contested()) {
            // A full fence: the watchdog that lets go of an idle object must see this, or be seen to have let go.
            word = open;
        } else {
            // Only an alarm waits for it: before the watchdog lets go it looks once more, much later.
            WORD.setRelease(this, open);
        }
        return number;
    }

    /** Open to running, of an attempt without a limit: nobody else claims it. */
    void closeAttempt(long number) {
        WORD.setRelease(this, claimed(number, BY_COMPLETION));
    }

    boolean alarmed() {
        return alarms != null && alarms.any();
    }

    /** Whether somebody else may claim an open attempt of this call. */
    boolean contested() {
        return limited || (alarms != null && alarms.contested());
    }

    /** Running to open, of a hedge, which is given up by another thread at any time; -1 if it has been. */
    private long openHedge() {
        long number = openSuspension();
        if (number >= 0) {
            // Before it is open: whoever gives it up from open finds that it has begun.
            openAlarms(number);
        }
        return number >= 0 && park(number) ? number : -1;
    }

    /**
     * As {@link #cancel}, of a call that blocks: its thread is interrupted if its action runs. False if the action was about
     * to be run, and is not.
     */
    boolean giveUp() {
        for (; ; ) {
            long seen = word;
            int state = (int) (seen & STATE_MASK);
            if (state == RUNNING) {
                if ((seen & CANCEL_PENDING) != 0 || WORD.compareAndSet(this, seen, seen | CANCEL_PENDING)) {
                    return true;
                }
            } else if (state == OPEN) {
                strike(seen >>> NUMBER_SHIFT, BY_CANCEL);
            } else if (WORD.compareAndSet(this, seen, claimed(seen >>> NUMBER_SHIFT, BY_CANCEL))) {
                // From arming alone: one that has opened meanwhile is to be interrupted.
                return false;
            }
        }
    }

    void openAlarms(long number) {
        if (alarms != null) {
            alarms.open(number);
        }
    }

    /** Running to arming, with the next number; -1 if a cancellation is pending. */
    long openSuspension() {
        for (; ; ) {
            long seen = word;
            if ((seen & CANCEL_PENDING) != 0) {
                return -1;
            }
            long number = (seen >>> NUMBER_SHIFT) + 1;
            if (WORD.compareAndSet(this, seen, number << NUMBER_SHIFT | ARMING)) {
                return number;
            }
        }
    }

    /** Arming to open; false if somebody has claimed meanwhile: then the opener goes on itself. */
    boolean park(long number) {
        return WORD.compareAndSet(this, number << NUMBER_SHIFT | ARMING, number << NUMBER_SHIFT | OPEN);
    }

    /** The one compare-and-set: the state it was claimed from, or {@link #RUNNING} if the claim was lost. */
    int claim(long number, int reason) {
        for (; ; ) {
            long seen = word;
            int state = (int) (seen & STATE_MASK);
            if (seen >>> NUMBER_SHIFT != number || state == RUNNING) {
                return RUNNING;
            }
            if (WORD.compareAndSet(this, seen, claimed(number, reason))) {
                return state;
            }
        }
    }

    private static long claimed(long number, int reason) {
        return number << NUMBER_SHIFT | (long) reason << REASON_SHIFT | RUNNING;
    }

    /** The work of an attempt goes on although its outcome has been decided. */
    void goesOn(Work work) {
        if (unfinished == null) {
            unfinished = new ArrayList<>(1);
        }
        unfinished.add(work);
    }

    /** Why the last suspension was claimed. */
    int claimReason() {
        return (int) ((word & REASON_MASK) >>> REASON_SHIFT);
    }

    /** The number of the suspension that is under way; -1 if none is. */
    long numberUnderWay() {
        long seen = word;
        return (seen & STATE_MASK) == RUNNING ? -1 : seen >>> NUMBER_SHIFT;
    }

    /** Whether the attempt of this number has not ended. */
    boolean isUnderWay(long number) {
        long seen = word;
        return seen >>> NUMBER_SHIFT == number && (seen & STATE_MASK) != RUNNING;
    }

    /** Whether the caller has been interrupted, and its action has not come to feel it yet. */
    boolean isLeaving() {
        Caller blocked = async ? null : caller;
        return blocked != null && time().isInterrupted(blocked.thread);
    }

    boolean cancelPending() {
        return (word & CANCEL_PENDING) != 0;
    }

    /** Leaves a note if the call is running, else claims its suspension; true if it was claimed from open. */
    boolean cancel() {
        for (; ; ) {
            long seen = word;
            if ((seen & STATE_MASK) == RUNNING) {
                if ((seen & CANCEL_PENDING) != 0 || WORD.compareAndSet(this, seen, seen | CANCEL_PENDING)) {
                    return false;
                }
            } else {
                int from = claim(seen >>> NUMBER_SHIFT, BY_CANCEL);
                if (from != RUNNING) {
                    return from == OPEN;
                }
            }
        }
    }

    /** The limit of this attempt has struck; on the timer's thread. */
    void strike(long number) {
        if (async) {
            interpreter.pipeline.async.strike(this, number);
        } else {
            strike(number, BY_LIMIT);
        }
    }

    /** An open attempt that blocks is given up; on another thread than its own. */
    void strike(long number, int reason) {
        if (claim(number, reason) == OPEN) {
            Pipeline struckPipeline = interpreter.pipeline;
            Attempt struck = attempt;
            boolean outside = false;
            try {
                if (struck != null) {
                    struck.cancel();
                }
                Caller running = caller;
                outside = running != null && !running.interrupt(time());
            } finally {
                interruptedOutside = outside;
                // From here on the thread goes on, even if it could not be interrupted, and the object may serve
                // another call. Publishes what was written above.
                LANDED.setRelease(this, true);
                if (struck != null) {
                    struckPipeline.runHooks(struck, null);
                }
            }
        }
    }

    void expectLanding() {
        landed = false;
        interruptedOutside = false;
    }

    boolean hasLanded() {
        return (boolean) LANDED.getAcquire(this);
    }

    // ---- the call as a policy sees it

    @Override
    public long now() {
        return now;
    }

    @Override
    public long remaining() {
        return limited ? limitAt - now : Long.MAX_VALUE;
    }

    @Override
    public String limitedBy() {
        return limitOwnerName();
    }

    @Override
    public int attempts() {
        return attempts;
    }

    @Override
    public int outerAttempt() {
        return outerAttempt;
    }

    @Override
    public String pipeline() {
        return interpreter.name;
    }

    @Override
    public @Nullable String operation() {
        return spec.operation.name;
    }

    @Override
    public @Nullable CallKey key() {
        return spec.key;
    }

    @Override
    public boolean idempotent() {
        return spec.idempotent;
    }

    @Override
    public boolean mayHaveBegun() {
        return (inside != null && inside.hasBegun()) || attemptMayHaveBegun();
    }

    boolean attemptMayHaveBegun() {
        return outcome != Outcome.PUSHBACK && !NotDone.surely(error);
    }

    @Override
    public boolean holdsOldAnswers() {
        return inside != null && inside.isOld();
    }

    @Override
    public boolean hasClassifier() {
        return spec.operation.classifier != Classifier.DEFAULT;
    }

    @Override
    public boolean repeatable() {
        return mode == KEYED;
    }

    @Override
    public boolean runsInside(Predicate<Object> held) {
        return around != null && around.holds(interpreter, cursor, held);
    }

    @Override
    public long slot() {
        return slots[cursor];
    }

    /** For the watchdog, while the attempt runs. */
    long slotOf(int layer) {
        return slots[layer];
    }

    @Override
    public void slot(long newValue) {
        usedSlots |= 1L << cursor;
        slots[cursor] = newValue;
    }

    @Override
    public @Nullable Object object() {
        return objects[cursor];
    }

    @Override
    public void object(@Nullable Object newValue) {
        usedSlots |= 1L << cursor;
        objects[cursor] = newValue;
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
        return actionNanos;
    }

    @Override
    public Source source() {
        return source;
    }

    @Override
    public boolean expired() {
        return expired;
    }

    @Override
    public boolean writtenOff() {
        return writtenOff;
    }

    @Override
    public void limit(long nanos) {
        if (nanos > LONGEST_LIMIT) {
            return;
        }
        scopes |= 1L << cursor;
        limits[cursor] = now + nanos;
        nearer(cursor);
    }

    @Override
    public void overdueAfter(long nanos) {
        if (nanos > LONGEST_LIMIT) {
            return;
        }
        alarms(interpreter.layers).ask(cursor, nanos);
    }

    Alarms alarms(int layers) {
        Alarms known = alarms;
        if (known == null || !known.fits(layers)) {
            known = new Alarms(Math.max(USUAL_LAYERS, layers));
            alarms = known;
        }
        return known;
    }

    /** The race of the layer that hedges, inside of which the call is; null if there is none. */
    @Nullable
    Race race() {
        return alarms == null ? null : alarms.race;
    }

    /** What it is as an attempt beside another call's; null if it is a call of its own. */
    @Nullable
    Hedge hedge() {
        return alarms == null ? null : alarms.hedge;
    }

    boolean isHedge() {
        return hedge() != null;
    }

    @Override
    public void hedgeAfter(long nanos) {
        if (interpreter.carrier != null) {
            // Here, on the caller's thread: a hedge is started on the watchdog's.
            context();
        }
        alarms(interpreter.layers).race = new Race(this, nanos);
    }

    @Override
    public @Nullable Completion hedgesUnderWay() {
        Race race = race();
        return race == null ? null : race.underWay();
    }

    @Override
    public int endHedges() {
        Race race = race();
        if (race == null) {
            return 0;
        }
        alarms(interpreter.layers).race = null;
        return race.end();
    }

    @Override
    public boolean overdue() {
        return alarms != null && alarms.told(cursor);
    }

    @Override
    public void fork(Object object, long limitNanos) {
        if (!repeatable()) {
            throw new IllegalStateException("only a decorated function can be run in the background");
        }
        if (forks == null) {
            forks = new ArrayList<>(1);
        }
        forks.add(new Fork(cursor, object, limitNanos));
    }

    @Override
    public void inject(Fault newFault) {
        // No delay and nothing in place of the action is no fault, and must not take the action from its thread.
        fault = newFault.delayNanos() <= 0 && newFault.instead() == null ? null : newFault;
    }

    @Nullable
    Fault takeFault() {
        Fault taken = fault;
        fault = null;
        return taken;
    }

    @Override
    public void holdRetry(long nanos) {
        heldRetry = Math.max(heldRetry, nanos);
    }

    @Override
    public long heldRetry() {
        return heldRetry;
    }

    @Override
    public void stateChanged(String from, String to) {
        Events events = interpreter.events;
        if (events != null) {
            events.stateChanged(interpreter.policyName(cursor), from, to);
        }
    }

    // ---- decisions

    @Override
    public int pause(long nanos) {
        waitNanos = nanos;
        return PAUSE;
    }

    @Override
    public int await(Completion completion, long maxNanos) {
        awaited = completion;
        waitNanos = maxNanos;
        return AWAIT;
    }

    @Override
    public int reject(Reason reason, long retryAfterNanos, Supplier<String> message, @Nullable Throwable cause) {
        String policy = interpreter.policyName(cursor);
        loseValueFor(null);
        error(
                new CallRejectedException(reason, interpreter.name, policy, message, retryAfterNanos, cause),
                Outcome.REJECTED);
        interpreter.tellRejected(this, policy, reason);
        return OUT;
    }

    @Override
    public int answer(@Nullable Object newValue, Source newSource, long newAgeNanos) {
        answerOwn(newValue, newSource, newAgeNanos);
        common = true;
        return OUT;
    }

    /** As {@link #answer}, with a value that was made for this call. */
    void answerOwn(@Nullable Object newValue, Source newSource, long newAgeNanos) {
        loseValueFor(newValue);
        value(newValue, Outcome.SUCCESS);
        source = newSource;
        ageNanos = newAgeNanos;
    }

    @Override
    public int share(Outcome newOutcome, @Nullable Object newValue, @Nullable Throwable newError, Source newSource) {
        loseValueFor(newValue);
        value(newValue, newOutcome);
        common = true;
        error = newError;
        source = newSource;
        ageNanos = 0;
        return OUT;
    }

    @Override
    public void shareValue() {
        common = true;
    }

    @Override
    public int fail(Throwable newError) {
        loseValueFor(null);
        error(newError, Outcome.IGNORED);
        return OUT;
    }

    @Override
    public int answerFrom(Function<? super @Nullable Throwable, ?> newFunction) {
        function = newFunction;
        return FUNCTION;
    }

    @Override
    public int answerFromStage(Function<? super @Nullable Throwable, ? extends CompletionStage<?>> newFunction) {
        function = newFunction;
        return STAGE;
    }

    @Override
    public int retry(long nanos) {
        waitNanos = Math.max(0, nanos);
        return RETRY;
    }

    @Override
    public int refuseRetry(Refusal why) {
        refusal = why;
        Events events = interpreter.events;
        if (events != null) {
            events.retryRefused(spec.operation.name, attempts, why);
        }
        refused(why);
        return 0;
    }

    @Override
    public String toString() {
        return "call of " + pipeline() + " at layer " + cursor + Arrays.toString(slots);
    }
}
