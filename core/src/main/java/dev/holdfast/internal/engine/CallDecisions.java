/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.ChangesAlone;
import dev.holdfast.internal.Fatal;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the policies of a call decide, and what goes with a decision until the walk or the driver has obeyed. */
abstract class CallDecisions extends CallOutcome implements ChangesAlone.Told {
    long waitNanos;

    /** What policies have decided and nobody has obeyed, a bit for each decision. Small, as every call has it. */
    private short pending;

    /** The layer that has made the first of these. */
    private byte pendingOf;

    /** How often a policy has asked for a retry without a wait, since there was one. */
    int retriesAtOnce;

    @Nullable
    Completion awaited;

    @Nullable
    Function<? super @Nullable Throwable, ?> function;

    @Nullable
    List<Fork> forks;

    /** What plays the next attempt. */
    @Nullable
    Fault fault;

    /** A call without a caller that a policy asked for. */
    record Fork(int layer, Object object, long limitNanos) {}

    CallDecisions(int layers) {
        super(layers);
    }

    void forgetDecisions() {
        if (pending != 0) {
            pending = 0;
        }
        if (retriesAtOnce != 0) {
            retriesAtOnce = 0;
        }
        if (awaited != null) {
            awaited = null;
        }
        if (function != null) {
            function = null;
        }
        if (forks != null) {
            forks = null;
        }
        if (fault != null) {
            fault = null;
        }
    }

    private int made(int decision) {
        if (pending == 0) {
            pendingOf = (byte) cursor;
        }
        pending |= (short) (1 << decision);
        return decision;
    }

    /** Takes what a policy has returned: {@link Decision#UNKNOWN} if it has not made this decision through its passage. */
    int taken(int decision) {
        if ((pending >>> decision & 1) == 0) {
            return Decision.UNKNOWN;
        }
        if (pendingOf == cursor) {
            // Else it stays, beside the one that a policy further out has not returned.
            pending &= (short) ~(1 << decision);
        }
        return decision;
    }

    boolean anyPending() {
        return pending != 0;
    }

    int pendingOf() {
        return pendingOf;
    }

    void forgetPending() {
        pending = 0;
    }

    Completion awaited() {
        Completion come = awaited;
        if (come == null) {
            throw new IllegalStateException("a policy said await without a completion");
        }
        return come;
    }

    @Nullable
    Fault takeFault() {
        Fault taken = fault;
        fault = null;
        return taken;
    }

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
        if (newFault.delayNanos() > 0 || newFault.instead() != null) {
            fault = fault == null ? newFault : both(fault, newFault);
        }
    }

    private static Fault both(Fault outer, Fault inner) {
        long delay = Math.max(0, outer.delayNanos()) + Math.max(0, inner.delayNanos());
        return new Fault(
                delay < 0 ? Long.MAX_VALUE : delay, inner.instead() == null ? outer.instead() : inner.instead());
    }

    @Override
    public boolean replaced() {
        return engine.hasLost(cursor);
    }

    @Override
    public void stateChanged(String from, String to, String cause) {
        noteChange(from, to, cause);
        tellChanges();
    }

    @Override
    public void noteChange(String from, String to, String cause) {
        engine.noteChange(engine.plan.policyName(cursor), from, to, cause);
    }

    @Override
    public void tellChanges() {
        engine.tellChanges();
    }

    @Override
    public void limitChanged(int from, int to) {
        engine.observers.limitChanged(engine.plan.policyName(cursor), from, to);
    }

    @Override
    public int pause(long nanos) {
        waitNanos = Math.max(0, nanos);
        return made(Decision.PAUSE);
    }

    @Override
    public int await(Completion completion, long maxNanos) {
        awaited = Objects.requireNonNull(completion, "completion");
        waitNanos = Math.max(0, maxNanos);
        return made(Decision.AWAIT);
    }

    @Override
    public int reject(Reason reason, long retryAfterNanos, Supplier<String> message, @Nullable Throwable cause) {
        Objects.requireNonNull(reason, "reason");
        Objects.requireNonNull(message, "message");
        String policy = engine.plan.policyName(cursor);
        loseValueFor(null);
        List<Attempt.End> history = attempts == 0 ? List.of() : new AttemptEnds(null);
        error(
                new CallRejectedException(reason, engine.name, policy, message, retryAfterNanos, cause, history),
                Outcome.REJECTED);
        if (reason == Reason.INTERRUPTED) {
            interrupted();
        }
        tellRejection(policy, reason);
        return made(Decision.REJECT);
    }

    /** Not of a hedge that did not begin: nobody asked for it, and it is no try. Its call's trace shows it all the same. */
    void tellRejection(String policy, Reason reason) {
        if (mayWait() || started()) {
            engine.observers.rejected(operation(), policy, reason);
        }
        if (trace != null) {
            trace.rejected(policy, reason);
        }
    }

    @Override
    public int answer(@Nullable Object newValue, Source newSource, long newAgeNanos) {
        Objects.requireNonNull(newSource, "source");
        answerOwn(newValue, newSource, newAgeNanos);
        common = true;
        return made(Decision.OUT);
    }

    @Override
    public int answer(Outcome newOutcome, @Nullable Object newValue, Source newSource, long newAgeNanos) {
        Objects.requireNonNull(newOutcome, "outcome");
        int decision = answer(newValue, newSource, newAgeNanos);
        outcome = newOutcome;
        return decision;
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
        Objects.requireNonNull(newOutcome, "outcome");
        Objects.requireNonNull(newSource, "source");
        loseValueFor(newValue);
        value(newValue, newOutcome);
        common = true;
        error = newError;
        source = newSource;
        ageNanos = 0;
        return made(Decision.OUT);
    }

    @Override
    public void shareValue() {
        common = true;
    }

    @Override
    public int fail(Throwable newError) {
        Objects.requireNonNull(newError, "error");
        brokenBy(newError);
        return made(Decision.OUT);
    }

    /** Code here has thrown this. */
    void brokenBy(Throwable newError) {
        loseValueFor(null);
        error(newError, Outcome.IGNORED);
    }

    /** The fallback has no answer, but this error. The dependency has failed all the same, and monitoring must see that. */
    void leftWithout(Throwable newError) {
        Outcome before = outcome;
        brokenBy(newError);
        if (before != Outcome.SUCCESS && !Fatal.is(newError)) {
            outcome(before);
        }
    }

    @Override
    public int answerFrom(Function<? super @Nullable Throwable, ?> newFunction) {
        function = newFunction;
        return made(Decision.FUNCTION);
    }

    @Override
    public int answerFromStage(Function<? super @Nullable Throwable, ? extends CompletionStage<?>> newFunction) {
        function = newFunction;
        return made(Decision.STAGE);
    }

    @Override
    public int retry(long nanos) {
        // Less than what remains without a limit.
        waitNanos = Math.max(0, Math.min(nanos, Long.MAX_VALUE - 1));
        return made(Decision.RETRY);
    }

    @Override
    public int refuseRetry(Refusal why) {
        refusal = why;
        engine.observers.retryRefused(spec.operation().name(), attempts, why);
        refused(why);
        return 0;
    }
}
