/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A call: whose it is, what runs for it, and which drivers, watchdogs and races have to do with it. Touched by one thread at a
 * time, except for the word and what is published through it.
 */
final class CallState extends CallDecisions implements Passage.Beside {
    /** The pass has not waited anywhere. */
    static final int NOT_SUSPENDED = -1;
    /** Layers that a thread's own call object has room for at first. */
    private static final int USUAL_LAYERS = 8;

    // ---- the call; set by begin
    final boolean async;
    /** How the action takes its argument: a constant of {@link Engine}. */
    int mode;

    int outerAttempt;
    /** What the surroundings say: the rank of a {@link dev.holdfast.Call.Priority}, or {@link Bound#UNSAID}. */
    int outerPriority = Bound.UNSAID;

    /** What is to be run. Of a blocking call kept only if it may be run in the background too. */
    @Nullable
    Object action;

    @Nullable
    Object argument;

    /** The calls around this one that want to know what goes on inside. */
    @Nullable
    Around around;

    /** What the calls inside this one report; null if there were none, or it does not matter. */
    @Nullable
    Inside inside;

    /** What was left for the caller itself when the call began. Not set by a call object that is used again. */
    long inheritedNanos = Long.MAX_VALUE;
    /** Whether a waiting retry goes on even if work inside begins meanwhile. */
    boolean mayBeDoneTwice;

    private static final int NOT_TOLD = 0;
    private static final int NOT_BEGUN = 1;
    private static final int BEGUN = 2;
    /** The last answer to a policy that asked whether the work has begun. */
    private int toldOfWork;

    /** What the caller had on its thread; null until somebody needs it. */
    CallContext.@Nullable Snapshot context;

    // ---- where it stands
    boolean down;
    boolean retrying;
    boolean settling;
    boolean expired;
    boolean writtenOff;
    boolean wasInterrupted;
    /** A function of the user's answers in the place of an attempt just now. */
    boolean answering;
    /** The innermost layer at which this pass was suspended. */
    int suspendedAt;

    private static final int SAMPLE_SHIFT = Long.SIZE - 4;

    /** Made when a layer first asks; then kept. */
    @Nullable
    Alarms alarms;

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

    /** A call object for one blocking call after the other of this thread. */
    static CallState ofThread(Caller owner) {
        return new CallState(USUAL_LAYERS, false, owner);
    }

    /**
     * Starts a call. A reference is written only where it differs: a kept object is old, and a reference in an old object
     * costs the garbage collector's barrier.
     */
    @SuppressWarnings("ReferenceEquality") // equal is not enough to be the one that was given
    void begin(Engine newEngine, CallSpec newSpec, int newMode, boolean newTimed) {
        if (engine != newEngine) {
            engine = newEngine;
            makeRoom(newEngine.plan.layers);
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
        toldOfWork = NOT_TOLD;
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
        if (spec.key() != null) {
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
        copy.source = source;
        copy.retryAfter = retryAfter;
        copy.attempts = attempts;
        copy.endedBy = endedBy;
        copy.outlived = outlived;
        copy.startedLayers = startedLayers;
        copy.copySlot(this, layer);
        return copy;
    }

    /** This call and the calls around it, as far as they must know what happens inside. */
    @Nullable
    Around withThoseAround() {
        boolean wantsToKnow = !spec.idempotent()
                || (spec.key() != null && !remembersNothing())
                || spec.operation().discard() != null;
        if (!wantsToKnow) {
            return around;
        }
        return Around.of(engine, objects(), inside(), around);
    }

    private Inside inside() {
        Inside known = inside;
        if (known == null) {
            known = new Inside(spec.operation().discard() != null);
            inside = known;
        }
        return known;
    }

    @Override
    void discard(@Nullable Object lost) {
        engine.discard(spec.operation(), inside, lost);
    }

    /** What is to be run, kept for other threads and further attempts. */
    void work(Object newAction, @Nullable Object newArgument) {
        action = newAction;
        argument = newArgument;
    }

    /** Takes over what holds on the thread on which the call starts. */
    void inherit(Ambient ambient) {
        CallState outer = ambient.current();
        around = ambient.around();
        outerAttempt = ambient.attempt();
        outerPriority = ambient.priority();
        if (outer == null) {
            inheritedNanos = remaining(ambient.bound);
        } else {
            inheritedNanos = ambient.remaining(time(), now());
            if (outerAttempt > 1 && !spec.idempotent() && outer.spec.idempotent()) {
                engine.log.once(
                        "a call of '" + engine.name + "' is not idempotent, but runs inside a second attempt of '"
                                + outer.pipeline() + "', which repeats it: say idempotent(false) there, too",
                        null);
            }
        }
        limitCaller(ambient.bound, inheritedNanos);
        tellThoseAround();
    }

    private long remaining(@Nullable Bound bound) {
        return bound == null || bound.time == null ? Long.MAX_VALUE : bound.remaining(time(), now());
    }

    private void limitCaller(@Nullable Bound bound, long inherited) {
        if (bound != null && bound.time != null && bound.time != time()) {
            engine.log.once(
                    "the deadline around a call of '" + engine.name + "' is measured by another TimeSource than the"
                            + " pipeline, and on VirtualTime it never passes: use Deadline.within(time, ...) or"
                            + " CallHeaders.of(h -> h.time(time))",
                    null);
        }
        long own = spec.deadlineNanos();
        long kept = engine.plan.reserve(inherited, fallback() != null);
        boolean ownIsNearer = own <= inherited - kept;
        limitCaller(ownIsNearer ? own : inherited - kept, ownIsNearer ? 0 : kept);
    }

    /** Whether the caller had neither a deadline nor an attempt nor a priority around it, nor a call. */
    boolean inheritsNothing() {
        return inheritedNanos == Long.MAX_VALUE && outerAttempt == 0 && outerPriority == Bound.UNSAID && around == null;
    }

    /** What the call or its surroundings say of its priority, the lower one; {@link Bound#UNSAID}. Nobody waits for a refresh. */
    int saidPriority() {
        return refresh ? Bound.SHEDDABLE : Math.max(spec.operation().priority(), outerPriority);
    }

    /** What the caller has on its thread; asked for there before anything of the call may run elsewhere. Null: nothing is carried. */
    CallContext.@Nullable Snapshot context() {
        if (context == null && engine.carrier != null) {
            context = engine.carrier.capture();
        }
        return context;
    }

    /** Takes over the context and the outer calls of another call, for which it also runs; on any thread. */
    void standBeside(CallState other) {
        context = other.context;
        around = other.withThoseAround();
    }

    private void tellThoseAround() {
        if (around != null) {
            around.starts();
        }
    }

    /** As {@link #inherit}, for a call that is the outermost one of its thread. */
    void inheritNothing(@Nullable Bound bound) {
        outerAttempt = bound == null ? 0 : bound.attempt;
        outerPriority = bound == null ? Bound.UNSAID : bound.priority;
        if (bound != null) {
            around = bound.around;
        }
        limitCaller(bound, remaining(bound));
        tellThoseAround();
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

    void openAlarms(long number) {
        if (alarms != null) {
            alarms.open(number);
        }
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

    /** Whether the caller was interrupted, and its action has not noticed yet. */
    boolean isLeaving() {
        Caller blocked = async ? null : caller;
        return blocked != null && time().isInterrupted(blocked.thread);
    }

    Driver driver() {
        return engine.driver(async);
    }

    /**
     * Running to open, with the next number, of a call that nobody can cancel: no other thread writes the word now. A hedge
     * can be given up: then it is -1.
     */
    long openAttempt() {
        if (isHedge()) {
            return openHedge();
        }
        long number = nextNumber();
        openAlarms(number);
        open(number, contested());
        return number;
    }

    /** Gives up an open blocking attempt, on another thread than its own. */
    @Override
    void strike(long number, int reason) {
        if (claim(number, reason) == OPEN) {
            Engine struckEngine = engine;
            RunningAttempt struck = attempt;
            boolean outside = false;
            Overstay.begin(this, reason);
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
    String limitOwnerName() {
        Hedge hedge = limitOwner == CALLER ? hedge() : null;
        return hedge == null ? super.limitOwnerName() : hedge.limitOwnerName();
    }

    @Override
    long limitNanos() {
        Hedge hedge = limitOwner == CALLER ? hedge() : null;
        return hedge == null ? super.limitNanos() : hedge.limitNanos();
    }

    @Override
    public String limitedBy() {
        return limitOwnerName();
    }

    @Override
    public int outerAttempt() {
        return outerAttempt;
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
    public int rank() {
        if (background) {
            return LAST_RANK;
        }
        int said = saidPriority();
        int first = said == Bound.UNSAID ? Bound.USUAL : said;
        return attempts > 0 || outerAttempt > 1 ? first + 1 : first;
    }

    @Override
    public boolean mayHaveBegun() {
        boolean begun = hasBegun();
        toldOfWork = begun ? BEGUN : NOT_BEGUN;
        return begun;
    }

    private boolean hasBegun() {
        return workInsideHasBegun() || attemptMayHaveBegun() || (spec.sentOnce() && outcome == Outcome.PUSHBACK);
    }

    boolean workInsideHasBegun() {
        return inside != null && inside.hasBegun();
    }

    /** A policy wants another attempt. It does not know of work that begins after it asked. */
    void wantsAnother() {
        mayBeDoneTwice = spec.idempotent() || (toldOfWork == NOT_TOLD ? hasBegun() : toldOfWork == BEGUN);
        toldOfWork = NOT_TOLD;
    }

    /** Work inside must not be done twice, and has begun after the policy decided to retry. */
    boolean wouldBeDoneTwice() {
        return !mayBeDoneTwice && hasBegun();
    }

    @Override
    public boolean holdsOldAnswers() {
        return inside != null && inside.isOld();
    }

    @Override
    public void holdOldAnswers() {
        inside().old();
        if (around != null) {
            around.old();
        }
    }

    @Override
    public @Nullable Function<? super @Nullable Throwable, ?> fallback() {
        OwnFallback own = spec.fallback();
        return own == null ? null : own.function();
    }

    @Override
    public @Nullable Function<? super @Nullable Throwable, ? extends CompletionStage<?>> asyncFallback() {
        OwnFallback own = spec.fallback();
        return own == null ? null : own.asyncFunction();
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
    public boolean runsInside(Predicate<Object> held) {
        return around != null && around.holds(engine, cursor, held);
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
    public void overdueAfter(long nanos) {
        if (nanos > LONGEST_LIMIT) {
            return;
        }
        timed = true;
        alarms(engine.plan.layers).ask(cursor, nanos);
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
        if (engine.carrier != null) {
            // Here, on the caller's thread: a hedge is started on the watchdog's.
            context();
        }
        timed = true;
        alarms(engine.plan.layers).race = new Race(this, nanos);
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
        alarms(engine.plan.layers).race = null;
        return race.end();
    }

    @Override
    public boolean overdue() {
        return alarms != null && alarms.told(cursor);
    }

    @Override
    public String toString() {
        return "call of " + pipeline() + " at layer " + cursor;
    }
}
