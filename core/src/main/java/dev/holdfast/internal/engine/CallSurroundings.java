/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.Passage;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What holds around a call: its caller's limits, attempt and priority, the calls around it, and what the calls inside it report. */
abstract class CallSurroundings extends CallDecisions implements Passage.Beside {
    private static final int NOT_TOLD = 0;
    private static final int NOT_BEGUN = 1;
    private static final int BEGUN = 2;

    int outerAttempt;
    /** What the surroundings say: the rank of a {@link dev.holdfast.Call.Priority}, or {@link Bound#UNSAID}. */
    int outerPriority = Bound.UNSAID;

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

    /** The last answer to a policy that asked whether the work has begun. */
    private int toldOfWork;

    /** What the caller had on its thread; null until somebody needs it. */
    CallContext.@Nullable Snapshot context;

    CallSurroundings(int layers) {
        super(layers);
    }

    void forgetWhatWasTold() {
        toldOfWork = NOT_TOLD;
    }

    void forgetSurroundings() {
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

    // ---- from the caller

    /** Takes over what holds on the thread on which the call starts. */
    void inherit(Ambient ambient) {
        CallState outer = ambient.current();
        around = ambient.around();
        outerAttempt = ambient.attempt();
        outerPriority = ambient.priority();
        if (outer == null) {
            inheritedNanos = remaining(ambient.bound());
        } else {
            inheritedNanos = ambient.remaining(time(), now());
            if (outerAttempt > 1 && !spec.idempotent() && !spec.sentOnce() && outer.spec.idempotent()) {
                engine.log.once(
                        "a call of '" + engine.name + "' is not idempotent, but runs inside a second attempt of '"
                                + outer.pipeline() + "', which repeats it: say idempotent(false) there, too",
                        null);
            }
        }
        limitCaller(ambient.bound(), inheritedNanos);
        tellThoseAround();
    }

    private long remaining(@Nullable Bound bound) {
        return bound == null || bound.time == null ? Long.MAX_VALUE : bound.remaining(time(), now());
    }

    private void limitCaller(@Nullable Bound bound, long inherited) {
        if (bound != null && bound.time != null && bound.time != time()) {
            engine.log.once(
                    "the deadline around a call of '" + engine.name + "' is measured by another TimeSource than the"
                            + " pipeline, and on VirtualTime it hardly passes: use Deadline.within(time, ...) or"
                            + " CallHeaders.of(h -> h.time(time))",
                    null);
        }
        long own = spec.deadlineNanos();
        long kept = engine.plan.reserve(inherited, spec.fallback() != null);
        boolean ownIsNearer = own <= inherited - kept;
        limitCaller(ownIsNearer ? own : inherited - kept, ownIsNearer ? 0 : kept, !ownIsNearer);
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
    void inheritBound(@Nullable Bound bound) {
        outerAttempt = bound == null ? 0 : bound.attempt;
        outerPriority = bound == null ? Bound.UNSAID : bound.priority;
        if (bound != null) {
            around = bound.around;
        }
        limitCaller(bound, remaining(bound));
        tellThoseAround();
    }

    // ---- calls around and inside

    /** This call and the calls around it, as far as they must know what happens inside. */
    @Nullable
    Around withThoseAround() {
        return wantsToKnow() ? Around.of(engine, objects(), inside(), around) : around;
    }

    boolean wantsToKnow() {
        return !spec.idempotent()
                || (spec.key() != null && !remembersNothing())
                || spec.operation().discard() != null;
    }

    /** Makes what the calls inside report to, where several threads may begin such calls. */
    void beginInside() {
        if (!spec.idempotent() || spec.key() != null || spec.operation().discard() != null) {
            var unused = inside();
        }
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
    public boolean runsInside(Predicate<Object> held) {
        return around != null && around.holds(engine, cursor, held);
    }

    // ---- what a policy asks

    @Override
    public int outerAttempt() {
        return outerAttempt;
    }

    @Override
    public int rank() {
        if (background) {
            return LAST_RANK;
        }
        int said = saidPriority();
        int first = said == Bound.UNSAID ? Bound.USUAL : said;
        return repeats() ? first + 1 : first;
    }

    @Override
    public boolean mayHaveBegun() {
        boolean begun = hasBegun();
        toldOfWork = begun ? BEGUN : NOT_BEGUN;
        return begun;
    }

    private boolean hasBegun() {
        return attemptMayHaveBegun()
                || workInsideHasBegun()
                || (spec.sentOnce() && outcome == Outcome.PUSHBACK)
                || (spec.idempotent() && history != null && history.hasBegun());
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
    public void holdBegunWork() {
        if (around != null) {
            around.begun();
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
}
