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
 * <p>Valid only inside the policy's method that was given it, and on that thread: it is used again for other calls. What a
 * policy must remember of a call goes into the layer's {@link #slot(long) slot} and {@link #object(Object) object}, which
 * belong to this call and layer alone. Implemented by the interpreter only.
 *
 * <p>The methods that return an {@code int} make a decision: a policy returns it at once and asks nothing afterwards.
 */
public abstract class Passage {

    /** In {@link #retryAfter}: this call is not to be tried again. Negative, as all that is no time. */
    public static final long NEVER = Verdict.NEVER;

    /** For the interpreter. */
    protected Passage() {}

    // ---- what is known of the call

    /**
     * The time, in the nanoseconds of the pipeline's source: when the pass started, a suspension ended or the attempt ended, or
     * when this was first asked since then. The same for all layers until the next of these.
     */
    public abstract long now();

    /** A random number from 0 to below 1, of the pipeline's {@link TimeSource#random source of time}. */
    public abstract double random();

    /** Nanoseconds until the nearest limit around this layer; {@link Long#MAX_VALUE} without one; may be negative. */
    public abstract long remaining();

    /** Whose limit {@link #remaining} goes by: the name of a policy, or {@code call} for the call's own and inherited ones. */
    public abstract String limitedBy();

    /** How many attempts have been started by this call. */
    public abstract int attempts();

    /** The number of the outer pipeline's attempt inside which this call runs; 0 if there is none that is known. */
    public abstract int outerAttempt();

    /** The name of the pipeline. */
    public abstract String pipeline();

    /** The name of the operation, if the call belongs to one. */
    public abstract @Nullable String operation();

    /** The key of what is asked for, operation and partition included; null for a call without key. */
    public abstract @Nullable CallKey key();

    /** Whether the work may be done twice without harm. */
    public abstract boolean idempotent();

    /**
     * Whether the dependency may have begun with the work, by the outcome of the last try: it was not turned away locally,
     * pushed back or left without a connection. If the call is not idempotent, also whether a call of a pipeline inside one
     * of its attempts may have, or is still under way; of those of other calls nothing is known.
     */
    public abstract boolean mayHaveBegun();

    /**
     * Whether a call of a pipeline inside an attempt of this one was answered with an old value or by a fallback, so that the
     * answer is not the dependency's of now. Known of a call with a key for which a layer held something.
     */
    public abstract boolean holdsOldAnswers();

    /** The answer that this call is about to share is no other than one of which {@link #holdsOldAnswers} was true. */
    public abstract void holdOldAnswers();

    /** Whether the user said what answers mean; if not, every exception is a failure, also one that is the caller's own fault. */
    public abstract boolean hasClassifier();

    /**
     * What the call or its operation answers in place of a failure; null: nothing, or {@link #asyncFallback}. The policy that
     * asks must {@linkplain Policy#hears hear} {@link Policy#OWN_FALLBACK}.
     */
    public abstract @Nullable Function<? super @Nullable Throwable, ?> fallback();

    /** As {@link #fallback}, with a stage. */
    public abstract @Nullable Function<? super @Nullable Throwable, ? extends CompletionStage<?>> asyncFallback();

    /** Whether the action may be run again in the background: only if it is a decorated function. */
    public abstract boolean repeatable();

    /**
     * Whether this call runs inside a keyed call of the same pipeline that held such an object in this layer when the inner
     * one began: to wait for that call would be for ever. Also on other threads, as far as the deadline goes with the work.
     */
    public abstract boolean runsInside(Predicate<Object> held);

    // ---- the layer's own memory, empty when the layer is entered

    /** What {@link #slot(long)} was last given in this entry; 0 at first. */
    public abstract long slot();

    /** Remembers a number for this entry. */
    public abstract void slot(long value);

    /** What {@link #object(Object)} was last given in this entry; null at first. */
    public abstract @Nullable Object object();

    /** Remembers an object for this entry. */
    public abstract void object(@Nullable Object value);

    // ---- the outcome, as it stands on the way up

    /** How the call stands. */
    public abstract Outcome outcome();

    /** The value, if there is one; also one that counts as a failure. */
    public abstract @Nullable Object value();

    /** The error, if there is one; a {@link dev.holdfast.CallRejectedException} after a rejection. */
    public abstract @Nullable Throwable error();

    /**
     * When another try may be worth it, as told by the dependency's pushback or by a rejection; -1 if not known, {@link #NEVER}
     * if the dependency wants no other try.
     */
    public abstract long retryAfter();

    /** Whether an attempt ran inside this entry of this layer. If not, the dependency was not asked. */
    public abstract boolean started();

    /**
     * On the way up and in {@link Policy#ended}: whether a limit from outside this layer (an outer policy's, the call's own
     * deadline, an inherited one) ended the attempt so early that this says nothing of the dependency. False for an attempt
     * that ran longer, by a quarter, than nineteen of twenty recent answers took in all pipelines of this policy; and, where
     * twenty attempts one after the other got no answer, for one that ran longer than half of them. Where no answer is known
     * yet, false for one that had at least half of the time that a policy allows, or a second.
     */
    public abstract boolean cutShort();

    /**
     * On the way up: whether the end says something of this caller alone: its own or an inherited deadline, a cancellation,
     * an interrupt. False in background work, which has no caller.
     */
    public abstract boolean personal();

    /** On the way up: why a retry further in did not try again; null if there is none, or nothing to try again. */
    public abstract @Nullable Refusal refusal();

    /**
     * How long the last attempt's action ran, in nanoseconds; waits not included. 0 if nothing in the pipeline {@linkplain
     * Policy#timing asks}.
     */
    public abstract long actionNanos();

    /** Where the value came from. */
    public abstract Source source();

    /** Asked again because the longest time of an await is over. Look at what was awaited before you look at this. */
    public abstract boolean expired();

    /** In {@link Policy#ended}: the work has not ended, but has gone on for {@link Policy#lease}. */
    public abstract boolean writtenOff();

    // ---- what a policy asks for

    /** Alarms, background calls and hedges of this layer. Valid as long as this passage. */
    public abstract Beside beside();

    /**
     * On the way in: everything inside this layer must end within this time. The interpreter takes the limit away when the
     * layer is left, in whatever way.
     */
    public abstract void limit(long nanos);

    /**
     * On the way in: the next attempt of this pass is played by this fault. To every layer it is an attempt like any other:
     * started, limited, timed, cancelled and judged by the classifier. Forgotten if there is none before the next pass.
     */
    public abstract void inject(Fault fault);

    /** On the way up: no attempt makes sense before this time has passed. A retry further out waits at least so long. */
    public abstract void holdRetry(long nanos);

    /** The largest {@link #holdRetry} said further in during this pass; 0 if none. */
    public abstract long heldRetry();

    /** Tells the observer that the policy's state changed. */
    public abstract void stateChanged(String from, String to);

    /**
     * On the way up: the value is handed to other calls too, or kept for them. It is this call's alone no longer, and is never
     * discarded, whatever becomes of the call.
     */
    public abstract void shareValue();

    // ---- decisions on the way in

    /** Proceed after a pause. Its end is the layer's entry; if the call is given up before, the layer is abandoned. */
    public abstract int pause(long nanos);

    /** Ask me again when this has come, or when the time is over. Also a decision on the way up. */
    public abstract int await(Completion completion, long maxNanos);

    /** Turn the call away. */
    public final int reject(Reason reason, long retryAfterNanos, String message) {
        return reject(reason, retryAfterNanos, message, null);
    }

    /** Turn the call away, because of an error of another library. */
    public final int reject(Reason reason, long retryAfterNanos, String message, @Nullable Throwable cause) {
        return reject(reason, retryAfterNanos, () -> message, cause);
    }

    /**
     * Turn the call away. The layer has taken back whatever it holds before it says so.
     *
     * @param retryAfterNanos when it may be worth trying again; -1 if not known
     * @param message policy, pipeline, fact and number; asked for only if somebody reads it, later and on any thread, so
     *     that it must not go back to this passage
     * @param cause what an existing {@code catch} looks for, where there is such a thing
     */
    public abstract int reject(
            Reason reason, long retryAfterNanos, Supplier<String> message, @Nullable Throwable cause);

    // ---- decisions on the way in or up

    /** This value is the call's outcome, a success. It stays the policy's: it is never discarded, whatever becomes of the call. */
    public abstract int answer(@Nullable Object value, Source source, long ageNanos);

    /** The call's outcome is as another call of the same key got it. Its value is no call's alone, and is never discarded. */
    public abstract int share(Outcome outcome, @Nullable Object value, @Nullable Throwable error, Source source);

    /** This error is the call's outcome. It does not come from the dependency and is {@link Outcome#IGNORED}. */
    public abstract int fail(Throwable error);

    // ---- decisions on the way up

    /** What this function returns or throws is the call's outcome. The interpreter calls it, with null if there is no error. */
    public abstract int answerFrom(Function<? super @Nullable Throwable, ?> function);

    /** What the stage that this function returns completes with is the call's outcome. */
    public abstract int answerFromStage(Function<? super @Nullable Throwable, ? extends CompletionStage<?>> function);

    /** Enter everything inside this layer again after this wait. Refused, and the outcome kept, where time does not allow it. */
    public abstract int retry(long waitNanos);

    /** Keep the outcome although it is one that is retried, and tell the observer why. */
    public abstract int refuseRetry(Refusal why);

    /**
     * What is played before the action of one attempt, or in its place: a dependency that is slow, fails, answers nonsense or
     * hangs. Injected by {@link Passage#inject}. Immutable.
     *
     * @param delayNanos how long the attempt waits first; {@link Long#MAX_VALUE}: until its limit, its caller or the end of the
     *     pipeline ends it
     * @param instead what is run then; null: the action. Must not block: what it returns or throws is how the attempt ends
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

    /** What runs beside the call or is asked of its attempt while it runs: for policies that watch, refresh or hedge. */
    public interface Beside {
        /** On the way up: {@link Policy#overdue} has been called for this entry, or is being called at this moment. */
        boolean overdue();

        /**
         * On the way in: {@link Policy#overdue} is to be called if an attempt inside this layer runs longer than this, counted
         * from its start. The policy must {@linkplain Policy#hears hear} it.
         *
         * @param nanos more than zero
         */
        void overdueAfter(long nanos);

        /**
         * On the way in or up: starts a call of its own, of the same action, that enters just inside this layer once the policy
         * has decided. This layer counts as entered for it, with {@code object} in its slot, and is settled with its outcome. Only
         * for a {@linkplain Passage#repeatable repeatable} call.
         *
         * @param limitNanos the time it may take; {@link Long#MAX_VALUE}: no limit of its own
         */
        void fork(Object object, long limitNanos);

        /**
         * On the way in: {@link Policy#hedge} is to be asked if an attempt inside this layer runs longer than this, counted from
         * its start. An attempt that it starts is one of this call: it enters just inside this layer, for itself; it does not
         * wait, neither in a queue nor for a permit, and is not retried. The first success, or fault of the caller's, is the
         * answer. The policy must {@linkplain Policy#hears hear} it, and say {@link #endHedges} when it is settled or abandoned.
         *
         * @param nanos more than zero
         */
        void hedgeAfter(long nanos);

        /**
         * On the way up: what is to be awaited before this layer can be settled, since the call's own attempt has failed and
         * another one still runs; null if there is no such thing.
         */
        @Nullable
        Completion hedgesUnderWay();

        /**
         * On the way up, or when the layer is abandoned: gives up what still runs beside the call's own attempt. A decision: the
         * outcome is that of another attempt, or is left as it is.
         */
        int endHedges();
    }
}
