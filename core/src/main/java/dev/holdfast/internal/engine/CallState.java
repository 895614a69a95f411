/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Classifier;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A call: whose it is, what runs for it, and which drivers, watchdogs and races have to do with it. Touched by one thread at a
 * time, except for the word and what is published through it.
 */
final class CallState extends CallAlarms {
    /** The pass has not waited anywhere. */
    static final int NOT_SUSPENDED = -1;

    // ---- the call; set by begin
    final boolean async;
    /** How the action takes its argument: a constant of {@link Engine}. */
    int mode;

    /** What is to be run. Of a blocking call kept only if it may be run in the background too. */
    @Nullable
    Object action;

    @Nullable
    Object argument;

    // ---- where it stands
    boolean down;
    boolean retrying;
    boolean settling;
    /** The layer of the cursor has a place for this call where it waits, which that layer takes back if the wait is given up. */
    boolean waits;

    boolean expired;
    boolean writtenOff;
    /** A function of the user's answers in the place of an attempt just now. */
    boolean answering;
    /** The innermost layer at which this pass was suspended. */
    int suspendedAt;

    private static final int SAMPLE_SHIFT = Long.SIZE - 4;

    // ---- drivers
    // Published by the word when an attempt opens; read by others after they have claimed it.
    @Nullable
    RunningAttempt attempt;

    @Nullable
    Caller caller;

    volatile TimeSource.@Nullable Timer limitTimer;
    volatile TimeSource.@Nullable Timer alarmTimer;

    private long drawn;

    /** Whether it is a thread's own, which serves one call after the other. */
    final boolean own;

    /** Its entry in the watchdog's queue. A thread's own object may stay there between calls. */
    WatchQueue.@Nullable Entry entry;

    @Nullable
    CallFuture<?> future;

    /** Of an asynchronous call, whose object is its own. */
    private @Nullable Unclaimed unclaimed;

    @Nullable
    Suspension suspension;

    @Nullable
    List<Work> unfinished;

    boolean refused;

    /** Published by the landing: the leases that go on while a struck action holds the thread. */
    private @Nullable Overstay overstay;

    CallState(int layers, boolean async, @Nullable Caller owner) {
        super(layers);
        this.async = async;
        own = owner != null;
        caller = owner;
    }

    /**
     * Starts a call. A reference is written only where it differs: a kept object is old, and a reference in an old object
     * costs the garbage collector's barrier.
     */
    @SuppressWarnings("ReferenceEquality") // equal is not enough to be the one that was given
    void begin(Engine newEngine, CallSpec newSpec, int newMode, boolean newTimed) {
        if (engine != newEngine) {
            // First: if there is no memory for it, the next call finds the engine for which there is room.
            makeRoom(newEngine.plan.layers);
            forgetReusable();
            engine = newEngine;
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
        waits = false;
        suspendedAt = NOT_SUSPENDED;
        expired = false;
        wasInterrupted = false;
        forgetWhatWasTold();
        forgetScopes();
        if (alarms != null) {
            alarms.forgetAll();
        }
        forgetAttempts();
        forgetOutcome();
        askLater();
        timed = false;
        if (newTimed || newEngine.timed || (newEngine.sampled && isSample())) {
            startsTimed();
        }
    }

    /**
     * One call in sixteen of a thread, the first one included, and all calls that no thread's own object serves. Drawn, so that
     * no rhythm of a service leaves the calls of one pipeline out.
     */
    private boolean isSample() {
        long before = drawn;
        drawn = before * 6364136223846793005L + 1442695040888963407L; // Knuth's linear congruential generator
        return !own || before >>> SAMPLE_SHIFT == 0;
    }

    /** Lets go of everything but its pipeline, so that a kept object keeps nothing else alive. */
    @SuppressWarnings("NullAway") // the object is not used before the next begin
    void clear() {
        if (!remembersNothing()) {
            clearSlotsFrom(0);
        }
        if (value != null) {
            value = null;
        }
        if (error != null) {
            error = null;
        }
        forgetDecisions();
        if (kept != null) {
            kept = null;
        }
        if (history != null) {
            history.clear();
        }
        if (spec != null && spec.key() != null) { // it is null if the first call could not begin
            spec = null;
        }
        if (action != null) {
            action = null;
            argument = null;
        }
        if (attempt != null) { // one that found no thread
            attempt = null;
        }
        if (unfinished != null) {
            unfinished = null;
        }
        forgetSurroundings();
    }

    /**
     * The call is over, and its future or its hedge has what it came to. Work that was given up may hold this object for ever. If it
     * ends, it needs whose it was, and no more.
     */
    void letGo() {
        work(null, null);
        value = null;
        error = null;
        kept = null;
        future = null;
        forgetDecisions();
    }

    /** A copy of this call as one layer sees it, for work that ends later. */
    CallState detached(int layer) {
        CallState copy = new CallState(engine.plan.layers, async, null);
        copy.engine = engine;
        copy.spec = spec;
        copy.context = context;
        copy.background = background;
        copy.cursor = layer;
        copy.sameStage(this);
        copy.outcome = outcome;
        copy.error = error;
        copy.failedHere = failedHere;
        copy.source = source;
        copy.retryAfter = retryAfter;
        copy.refresh = refresh;
        copy.outerAttempt = outerAttempt;
        copy.outerPriority = outerPriority;
        copy.limitOwner = limitOwner;
        copy.attempts = attempts;
        copy.attemptStart = attemptStart;
        copy.actionNanos = actionNanos;
        copy.valueNanos = valueNanos;
        copy.endedBy = endedBy;
        copy.outlived = outlived;
        copy.startedLayers = startedLayers;
        copy.copySlot(this, layer);
        return copy;
    }

    @Override
    void discard(@Nullable Object lost) {
        engine.discard(spec.operation(), inside, lost);
    }

    /** How values of this call are discarded; null if nothing is done with them. */
    @Nullable
    Unclaimed unclaimed() {
        if (unclaimed == null && spec.operation().discard() != null) {
            beginInside(); // what calls inside share is not discarded
            unclaimed = new Unclaimed(engine, spec.operation(), inside);
        }
        return unclaimed;
    }

    /** As {@link #withThoseAround}, for work that is no attempt's, and whose answers are not the call's: nobody hears of it here. */
    @Nullable
    Around aroundNoAttempt() {
        return wantsToKnow() ? Around.of(engine, objects(), new Inside(false), around) : around;
    }

    /** What is to be run, kept for other threads and further attempts. */
    void work(@Nullable Object newAction, @Nullable Object newArgument) {
        action = newAction;
        argument = newArgument;
    }

    /** The work of an attempt goes on although its outcome has been decided. */
    void goesOn(Work work) {
        if (unfinished == null) {
            unfinished = new ArrayList<>(1);
        }
        unfinished.add(work);
    }

    Overstay overstay() {
        Overstay known = overstay;
        if (known == null) {
            known = new Overstay();
            overstay = known;
        }
        return known;
    }

    /** The action that was struck has returned, and the strike has landed. */
    void comeBack() {
        Overstay stayed = overstay;
        if (stayed != null) {
            overstay = null;
            if (stayed.comesBack()) {
                goesOn(stayed);
            }
        }
    }

    /** Whether what it waits for is an answer, which may have come unseen, and not a permit or its turn. */
    boolean awaitsAnswer() {
        return !down || engine.plan.policy(cursor).mayAnswer();
    }

    /** Whether the caller was interrupted, and its action has not noticed yet. */
    boolean isLeaving() {
        Caller blocked = async ? null : caller;
        return blocked != null && time().isInterrupted(blocked.thread);
    }

    Driver driver() {
        return async ? engine.async : engine.blocking;
    }

    @Override
    void strike(long number, int reason) {
        if (claim(number, reason) == OPEN) {
            Engine struckEngine = engine;
            RunningAttempt struck = attempt;
            boolean outside = false;
            try {
                Overstay.begin(this, reason);
            } catch (Throwable noMemory) {
                // Not even for its class. The thread of the call waits for the landing, with what it holds.
            }
            try {
                if (struck != null) {
                    struck.cancel();
                }
                Caller running = caller;
                outside = running != null && !running.interrupt(time());
            } finally {
                landed(outside);
                if (struck != null) {
                    struckEngine.runHooks(struck, null);
                }
            }
        }
    }

    // ---- the call as a policy sees it

    @Override
    public Beside beside() {
        return this;
    }

    @Override
    public String pipeline() {
        return engine.name;
    }

    @Override
    public @Nullable String operation() {
        return spec.operation().name();
    }

    @Override
    public @Nullable CallKey key() {
        return spec.key();
    }

    @Override
    public boolean idempotent() {
        return spec.idempotent();
    }

    @Override
    public boolean sentOnce() {
        return spec.sentOnce();
    }

    @Override
    public int weight() {
        return spec.operation().weight();
    }

    @Override
    public boolean mayWait() {
        return !isHedge();
    }

    @Override
    public boolean hasClassifier() {
        return spec.operation().classifier() != Classifier.DEFAULT;
    }

    @Override
    public boolean repeatable() {
        return (mode & Engine.KEYED) != 0;
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
    public void hedgeAfter(long nanos) {
        if ((engine.plan.policy(cursor).hears() & Policy.HEDGE) == 0) {
            throw notAskedFor("hedgeAfter", "HEDGE");
        }
        if (engine.carrier != null) {
            // Here, on the caller's thread: a hedge is started on the watchdog's.
            context();
        }
        beginInside(); // now there is one thread, and later there are two
        timed = true;
        alarms(engine.plan.layers).race = new Race(this, nanos);
    }

    @Override
    public String toString() {
        return "call of " + pipeline() + " at layer " + cursor;
    }
}
