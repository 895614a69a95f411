/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A call on its way through a pipeline, as the policy of one layer sees it.
 *
 * <p>Valid only inside the policy's method that receives it, and on that thread, because the object is reused for other
 * calls. A policy keeps its memory of a call in the layer's {@link #slot(long) slot} and {@link #object(Object) object},
 * which belong to this call and layer alone. Only the interpreter implements this class.
 *
 * <p>The methods that return an {@code int} make a decision. A policy returns it at once and asks nothing afterwards. A decision
 * that {@code enter}, {@code stillAdmits} or {@code attemptStarts} does not return ends the call with an
 * {@link IllegalStateException} before its attempt. In other methods it may change the outcome unseen.
 */
public abstract class Passage {

    /** A value of {@link #retryAfter}: this call must not be tried again. Negative, like every value that is not a time. */
    public static final long NEVER = Verdict.NEVER;

    /** A value of {@link #retryAfter}: the dependency said a time that cannot be read. */
    public static final long UNREADABLE = Verdict.UNREADABLE;

    /** The greatest {@link #rank}: such an attempt comes behind all others. */
    public static final int LAST_RANK = 3;

    /** For the interpreter. */
    protected Passage() {}

    // ---- facts about the call

    /**
     * The time in nanoseconds of the pipeline's source: when the pass started, a suspension ended or the attempt ended, or
     * when this was first asked since then. All layers see the same time until the next of these events.
     */
    public abstract long now();

    /** A random number from 0 to below 1, of the pipeline's {@link TimeSource#random source of time}. */
    public abstract double random();

    /** Nanoseconds until the nearest limit around this layer; {@link Long#MAX_VALUE} without one; may be negative. */
    public abstract long remaining();

    /** The owner of the {@link #remaining} limit: the name of a policy, or {@code call} for the call's own and inherited ones. */
    public abstract String limitedBy();

    /** How many attempts this call has started. */
    public abstract int attempts();

    /** The number of the outer pipeline's attempt that this call runs in; 0 if none is known. */
    public abstract int outerAttempt();

    /**
     * Whether the next attempt repeats one: of this call, or of an outer pipeline or the service that called, inside whose retry
     * it runs.
     */
    public final boolean repeats() {
        return attempts() > 0 || outerAttempt() > 1;
    }

    /** The name of the pipeline. */
    public abstract String pipeline();

    /** The name of the operation, if the call belongs to one. */
    public abstract @Nullable String operation();

    /** The key of the call, with operation and partition; null for a call without key. */
    public abstract @Nullable CallKey key();

    /** Whether the work may be done twice without harm. */
    public abstract boolean idempotent();

    /** Whether the request can be sent only once, so that not even a pushback may be followed by a retry. Then not idempotent. */
    public abstract boolean sentOnce();

    /**
     * How many calls an attempt of this call counts as where calls are counted in a time: 1 to 1,000,000; 1 if the user said
     * nothing. The same in all attempts, hedges and background work of the call.
     */
    public abstract int weight();

    /**
     * Whether a policy may have this call wait. A hedge does not wait: where a policy wants it to, it is not made. For a policy that
     * cannot give back what it would have to take before it knows the wait.
     */
    public abstract boolean mayWait();

    /**
     * How soon this attempt's turn is when permits are short, 0 before 3: the call's {@linkplain dev.holdfast.Call.Priority
     * priority} (0 critical, 1 default, 2 sheddable), one later if it is a retry, or part of one of an outer pipeline or of the
     * service that called. {@link #LAST_RANK} for what runs beside the call: a refresh, a hedge.
     */
    public abstract int rank();

    /**
     * Whether the dependency may have begun the work, judged by the outcome of the last try: it was not rejected locally, not
     * pushed back (unless it is {@link #sentOnce}), and not left without a connection. If the call is not idempotent, also whether
     * a call of a pipeline inside one of its attempts may have begun work, or is still under way. An idempotent call does not know
     * of its inner calls. If it has a key, also an attempt before the last one counts, and a hedge.
     */
    public abstract boolean mayHaveBegun();

    /**
     * Whether the answer is not the dependency's of now: a call of a pipeline inside an attempt of this one was answered with
     * an old value or by a fallback. Known only for a call with a key for which a layer held something.
     */
    public abstract boolean holdsOldAnswers();

    /** Says that this call is about to share an answer for which {@link #holdsOldAnswers} was true. */
    public abstract void holdOldAnswers();

    /**
     * Says that this call is about to share what another one came to, for which {@link #mayHaveBegun} was true. Calls around it
     * that are not idempotent are not repeated then, as if this call had had the attempts.
     */
    public abstract void holdBegunWork();

    /** Whether the user set a classifier. Without one, every exception is a failure, also one that is the caller's own fault. */
    public abstract boolean hasClassifier();

    /**
     * What the call or its operation answers in place of a failure; null: nothing, or {@link #asyncFallback}. The policy that
     * asks must {@linkplain Policy#hears hear} {@link Policy#OWN_FALLBACK}.
     */
    public abstract @Nullable Function<? super @Nullable Throwable, ?> fallback();

    /** As {@link #fallback}, with a stage. */
    public abstract @Nullable Function<? super @Nullable Throwable, ? extends CompletionStage<?>> asyncFallback();

    /** Whether the action may run again in the background. True only for a decorated function. */
    public abstract boolean repeatable();

    /**
     * Whether this call runs inside a keyed call of the same pipeline that held such an object in this layer when this call
     * began. A wait for that outer call would never end. Works also on other threads, if the deadline is carried to them.
     */
    public abstract boolean runsInside(Predicate<Object> held);

    // ---- the layer's own memory, empty when the layer is entered

    /** The number that {@link #slot(long)} last got in this entry; 0 at first. */
    public abstract long slot();

    /** Remembers a number for this entry. */
    public abstract void slot(long value);

    /** The object that {@link #object(Object)} last got in this entry; null at first. */
    public abstract @Nullable Object object();

    /** Remembers an object for this entry. */
    public abstract void object(@Nullable Object value);

    // ---- the outcome, as it stands on the way up

    /** The outcome of the call so far. */
    public abstract Outcome outcome();

    /** The value, if there is one; also one that counts as a failure. */
    public abstract @Nullable Object value();

    /** The error, if there is one; a {@link dev.holdfast.CallRejectedException} after a rejection. */
    public abstract @Nullable Throwable error();

    /**
     * Whether the error does not come from the dependency, because it is of code here: a policy, a fallback or a classifier has
     * thrown it, or a policy {@linkplain #fail fails} the call with it. The outcome is {@link Outcome#IGNORED} then, as after an
     * answer that the classifier ignores; after a fallback it is mostly {@linkplain #answerFrom what it was before}.
     */
    public abstract boolean failedHere();

    /**
     * Nanoseconds after which another try may be worth it, as the dependency's pushback or a rejection says; -1 if not known,
     * {@link #NEVER} if the dependency wants no other try, {@link #UNREADABLE}. Also after a success, if the classifier {@linkplain
     * Verdict#withRetryAfter says so}.
     */
    public abstract long retryAfter();

    /** Whether an attempt ran inside this entry of this layer. If not, the dependency was not asked. */
    public abstract boolean started();

    /**
     * On the way up and in {@link Policy#ended}: whether a limit from outside this layer (an outer policy's, the call's own
     * deadline, an inherited one) ended the attempt so early that the end says nothing about the dependency. False for an
     * attempt that ran 25 % longer than 95 % of the recent answers in all pipelines of this policy. If twenty attempts in a
     * row got no answer, false also for one that ran longer than half of them. While no answer is known, false for one that
     * had at least half of the time that a policy allows, or a second.
     */
    public abstract boolean cutShort();

    /**
     * On the way up: whether the end concerns this caller alone: its own or an inherited deadline, a cancellation or an
     * interrupt. False in background work, which has no caller.
     */
    public abstract boolean personal();

    /** On the way up: why a retry further in did not try again; null if there is no retry, or nothing to try again. */
    public abstract @Nullable Refusal refusal();

    /**
     * How long the last attempt's action ran, in nanoseconds; waits not included. 0 if nothing in the pipeline {@linkplain
     * Policy#timing asks}.
     */
    public abstract long actionNanos();

    /**
     * The same, of the attempt that has brought the value. It is shorter where a hedge has overtaken the call's own attempt: that
     * one is the last attempt, and ran for as long as the call waited.
     */
    public abstract long valueNanos();

    /** Where the value came from. */
    public abstract Source source();

    /** Whether the policy is asked again because the longest time of an await is over. Check the awaited condition first. */
    public abstract boolean expired();

    /** In {@link Policy#ended}: whether the work has not ended, but has gone on for {@link Policy#lease}. */
    public abstract boolean writtenOff();

    // ---- requests of a policy

    /** Alarms, background calls and hedges of this layer. Valid as long as this passage. */
    public abstract Beside beside();

    /**
     * On the way in: limits the time of everything inside this layer. The interpreter removes the limit when the layer is
     * left, in any way.
     */
    public abstract void limit(long nanos);

    /**
     * On the way in: the next attempt of this pass runs with this fault. For every layer it is an attempt like any other:
     * started, limited, timed, cancelled and judged by the classifier. Forgotten if this pass has no attempt. If several layers
     * inject one, their delays add up, and of two that replace the action the innermost does.
     */
    public abstract void inject(Fault fault);

    /** On the way up: no attempt makes sense before this time has passed. A retry further out waits at least this long. */
    public abstract void holdRetry(long nanos);

    /** The longest time of {@link #holdRetry} from further in during this pass; 0 if none. */
    public abstract long heldRetry();

    /**
     * Whether the pipeline no longer has this policy: it was replaced, removed, or put into or out of shadow while this call was under
     * way, or it has another name now, such as {@code throttle} after {@code throttle-2}. Then a change of its state is not this call's
     * to tell.
     */
    public abstract boolean replaced();

    /**
     * Tells the observers that the policy's state changed. Not for a policy that was {@link #replaced}.
     *
     * @param cause why, with the numbers that it rests on: {@code 6 of 10 calls failed (60 %, limit 50 %)}
     */
    public abstract void stateChanged(String from, String to, String cause);

    /** Tells the observers that the policy changed its own limit of calls. */
    public abstract void limitChanged(int from, int to);

    /**
     * On the way up: says that other calls get the value too, now or later. Such a value is never discarded, however this
     * call ends.
     */
    public abstract void shareValue();

    // ---- decisions on the way in

    /**
     * Proceed after a pause. The layer is entered when the pause ends. If the call is given up before, it is abandoned. A pause
     * that leaves no time before the nearest limit does not begin: the call is rejected, and the layer is abandoned.
     *
     * <p>Zero or less: the policy has waited itself, because code of others gave it no choice. The call does not wait, but
     * {@link #now} is read again, and the call is rejected if its time is over or if it has been given up.
     */
    public abstract int pause(long nanos);

    /**
     * Ask again when the completion has come, or when the time is over. Also a decision on the way up.
     *
     * <p>On the way in, with a completion that has come and zero or less: the policy has waited itself, in vain. It is asked again
     * at once, but {@link #now} is read again, and the call is rejected if its time is over or if it has been given up.
     */
    public abstract int await(Completion completion, long maxNanos);

    /** Reject the call. */
    public final int reject(Reason reason, long retryAfterNanos, String message) {
        return reject(reason, retryAfterNanos, message, null);
    }

    /** Reject the call, because of an error of another library. */
    public final int reject(Reason reason, long retryAfterNanos, String message, @Nullable Throwable cause) {
        return reject(reason, retryAfterNanos, () -> message, cause);
    }

    /**
     * Reject the call. The policy must first release everything that the layer holds. With {@link Reason#INTERRUPTED} the whole call
     * is given up: it is not retried, and its end concerns no other call.
     *
     * @param retryAfterNanos when it may be worth trying again; -1 if not known; {@link #NEVER} if this call could never pass
     * @param message policy, pipeline, fact and number; made only when it is read, later and on any thread, so it must not
     *     use this passage
     * @param cause the exception that an existing {@code catch} looks for, if there is one
     */
    public abstract int reject(
            Reason reason, long retryAfterNanos, Supplier<String> message, @Nullable Throwable cause);

    // ---- decisions on the way in or up

    /** This value is the call's outcome, a success. It belongs to the policy, and is never discarded, however the call ends. */
    public abstract int answer(@Nullable Object value, Source source, long ageNanos);

    /** The same, with another outcome than a success: what the dependency answered then. */
    public abstract int answer(Outcome outcome, @Nullable Object value, Source source, long ageNanos);

    /** The call's outcome is that of another call of the same key. Its value belongs to several calls, and is never discarded. */
    public abstract int share(Outcome outcome, @Nullable Object value, @Nullable Throwable error, Source source);

    /** This error is the call's outcome. It does not come from the dependency and is {@link Outcome#IGNORED}. */
    public abstract int fail(Throwable error);

    // ---- decisions on the way up

    /**
     * The call's outcome is the function's value. The interpreter calls it, with null if there is no error. If it throws, this is the
     * call's error, and the outcome stays what it was; {@link Outcome#IGNORED} in place of a success, and after a {@link
     * VirtualMachineError} or a {@code ThreadDeath}.
     */
    public abstract int answerFrom(Function<? super @Nullable Throwable, ?> function);

    /**
     * The call's outcome is the end of the stage that the function returns. It is waited for as long as there is time: if none
     * {@linkplain #remaining remains}, a stage that is complete at once is the outcome; with any other one the call keeps its outcome.
     */
    public abstract int answerFromStage(Function<? super @Nullable Throwable, ? extends CompletionStage<?>> function);

    /** Enter everything inside this layer again after this wait. Refused, and the outcome kept, if there is too little time. */
    public abstract int retry(long waitNanos);

    /** Keep the outcome although the policy retries such outcomes, and tell the observer why. */
    public abstract int refuseRetry(Refusal why);

    /**
     * A simulated fault of one attempt, before its action or in its place: the dependency is slow, fails, answers nonsense or
     * hangs. Injected by {@link Passage#inject}. Immutable.
     *
     * @param delayNanos how long the attempt waits first; {@link Long#MAX_VALUE}: until its limit, its caller or the end of
     *     the pipeline ends it
     * @param instead runs then; null: the action runs. Must not block. Its value or exception ends the attempt
     */
    public record Fault(long delayNanos, @Nullable CheckedSupplier<?, ?> instead) {

        /** The action runs after this time. */
        public static Fault delay(long nanos) {
            return new Fault(nanos, null);
        }

        /** The attempt ends at once with what this returns or throws, and the action is not run. */
        public static Fault instead(CheckedSupplier<?, ?> instead) {
            return new Fault(0, instead);
        }

        /** The attempt does not end by itself, and the action is not run. */
        public static Fault hang() {
            return new Fault(Long.MAX_VALUE, null);
        }
    }

    /** Alarms, background calls and hedges beside the call's own attempt: for policies that watch, refresh or hedge. */
    public interface Beside {
        /** On the way up: whether {@link Policy#overdue} has been called for this entry, or is being called now. */
        boolean overdue();

        /**
         * On the way in: asks for {@link Policy#overdue} if an attempt inside this layer runs longer than this from its
         * start.
         *
         * @param nanos more than zero
         * @throws IllegalStateException if the policy does not {@linkplain Policy#hears hear} it
         */
        void overdueAfter(long nanos);

        /**
         * On the way in or up: starts a background call of the same action. It enters just inside this layer once the policy
         * has decided. This layer counts as entered for it, with {@code object} as its object, and is settled with its
         * outcome. Only for a {@linkplain Passage#repeatable repeatable} call.
         *
         * @param limitNanos the longest time of the background call; {@link Long#MAX_VALUE}: no limit of its own
         */
        void fork(Object object, long limitNanos);

        /**
         * On the way in: asks for {@link Policy#hedge} if an attempt inside this layer runs longer than this from its start.
         * A hedge is an attempt of this call. It enters the layers inside this one for itself, waits neither in a queue nor
         * for a permit, and is not retried. The first success, or fault of the caller, is the answer. The policy must
         * call {@link #endHedges} when it is settled or abandoned.
         *
         * @param nanos more than zero
         * @throws IllegalStateException if the policy does not {@linkplain Policy#hears hear} it
         */
        void hedgeAfter(long nanos);

        /**
         * On the way up: the completion to await before this layer can be settled, because the call's own attempt has failed
         * and a hedge still runs; null if there is none.
         */
        @Nullable
        Completion hedgesUnderWay();

        /**
         * On the way up, or when the layer is abandoned: gives up the hedges that still run. A decision: the outcome becomes
         * that of a hedge, or stays as it is.
         */
        int endHedges();
    }
}
