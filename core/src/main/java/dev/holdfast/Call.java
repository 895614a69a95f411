/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.NoValue;
import dev.holdfast.internal.engine.Bound;
import dev.holdfast.internal.engine.CallSpec;
import dev.holdfast.internal.engine.Engine;
import dev.holdfast.internal.engine.OperationSpec;
import dev.holdfast.internal.engine.OwnFallback;
import dev.holdfast.spi.CallKey;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One call about to be made, with its options. Immutable: each option gives a new one.
 *
 * @param <T> the type of the answer
 */
public final class Call<T extends @Nullable Object> {
    private static final Duration LONGEST = Duration.ofDays(365);

    /**
     * How important a call is. When permits of a bulkhead or turns of a throttle are short, the less important calls go without.
     *
     * <p>It is handed down: all calls inside an attempt of a call, or inside {@link #around}, have its priority, and {@link
     * dev.holdfast.headers.CallHeaders} carries it to other services. As with a deadline, what is inside can only lower it: a call
     * that says {@link #CRITICAL} inside a sheddable one is sheddable.
     */
    public enum Priority {
        /** Goes before the others: a user waits, and without the answer there is nothing to show. */
        CRITICAL(0),
        /** Where nobody said anything. */
        DEFAULT(1),
        /** Goes without first: a batch, a prefetch, a recommendation. */
        SHEDDABLE(2);

        private static final Priority[] OF_RANK = values();

        /** As in {@link dev.holdfast.spi.Passage#rank}. */
        final int rank;

        Priority(int rank) {
            this.rank = rank;
        }

        /** The priority of what the current thread works for; {@link #DEFAULT} if nobody said anything. */
        public static Priority current() {
            int said = Bound.priority();
            return said == Bound.UNSAID ? DEFAULT : OF_RANK[said];
        }

        /** Runs an action whose calls have this priority, or the one that holds already if that is lower. */
        public <T extends @Nullable Object, E extends Exception> T around(CheckedSupplier<T, E> action) throws E {
            return Bound.within(rank, Objects.requireNonNull(action, "action"));
        }

        /** As {@link #around(CheckedSupplier)}, for an action without a value. */
        public <E extends Exception> void around(CheckedRunnable<E> action) throws E {
            around(NoValue.of(action));
        }
    }

    private final Operation<T> operation;
    /** Also of a call that has no key yet. */
    private final @Nullable Object partition;

    final CallSpec spec;

    /** Whether its action may run after it. */
    private final boolean refreshable;

    Call(Operation<T> operation, @Nullable Object partition, CallSpec spec) {
        this(operation, partition, spec, false);
    }

    private Call(Operation<T> operation, @Nullable Object partition, CallSpec spec, boolean refreshable) {
        this.operation = operation;
        this.partition = partition;
        this.spec = spec;
        this.refreshable = refreshable;
    }

    /**
     * For this key. Concurrent calls for one key may share an answer, and a cache may answer them from memory. Everything that the
     * answer depends on belongs in the key or the {@linkplain #partition partition}, above all the user.
     */
    public Call<T> key(Object value) {
        Objects.requireNonNull(value, "key");
        return with(value, partition, spec);
    }

    /** Without its key: caches do not use it. */
    public Call<T> unkeyed() {
        return with(null, partition, spec);
    }

    /** For this tenant or user. Calls of different partitions never share an answer. */
    public Call<T> partition(Object value) {
        Objects.requireNonNull(value, "partition");
        return with(given(), value, spec);
    }

    /**
     * Within this time, including all attempts and waits. A shorter limit of the pipeline or of the request holds, too.
     *
     * @param limit at most 365 days. With zero or less, the call is rejected with {@link Reason#DEADLINE_EXCEEDED}. With a few
     *     microseconds, an attempt may still begin: the clock is read when the call starts, and often not again before the attempt.
     */
    public Call<T> deadline(Duration limit) {
        return with(
                given(),
                partition,
                specWith(limitNanos("deadline", limit), spec.idempotent(), spec.sentOnce(), spec.fallback()));
    }

    /**
     * Whether the work of this call may be done twice without harm; default: as the operation says. If not, it is retried only if
     * the work was surely not done, and caches do not use it, even with a key.
     */
    public Call<T> idempotent(boolean value) {
        return with(given(), partition, specWith(spec.deadlineNanos(), value, false, spec.fallback()));
    }

    /**
     * For a request whose body cannot be sent a second time, such as a stream. The call is not {@linkplain #idempotent idempotent},
     * and is not retried after a pushback either. It is retried only if no try can have sent anything: it was rejected locally, or
     * no connection was made. {@link Refusal#SENT_ONCE} says so.
     */
    public Call<T> sentOnce() {
        return with(given(), partition, specWith(spec.deadlineNanos(), false, true, spec.fallback()));
    }

    /**
     * How many usual calls this one counts as in a throttle of the pipeline. Example: an export that costs the dependency as much as
     * ten reads takes ten of the throttle's turns. Each attempt takes as many, hedges and retries too. A call that is heavier than
     * the throttle's burst is rejected at once ({@link Reason#THROTTLED}), because it could never start.
     *
     * <p>Without a throttle, the weight changes nothing. Calls that share an answer weigh as the one of them that runs.
     *
     * @param value 1 to 1,000,000; default: as the operation says, which is 1 if it says nothing
     * @throws IllegalArgumentException if the value is out of range
     */
    public Call<T> weight(int value) {
        OperationSpec of = spec.operation();
        return of(new OperationSpec(
                of.name(), of.meaning(), of.discard(), Operation.checkedWeight(value), of.priority()));
    }

    /**
     * How important this call is, unless what is around it is less important; default: as the operation says, or as what is around
     * it.
     *
     * @see Priority
     */
    public Call<T> priority(Priority value) {
        int rank = Objects.requireNonNull(value, "priority").rank;
        OperationSpec of = spec.operation();
        return of(new OperationSpec(of.name(), of.meaning(), of.discard(), of.weight(), rank));
    }

    /**
     * Says that the action may run again after the call has ended, on another thread, as a {@linkplain Operation#decorate decorated
     * function} may: to refresh what a cache keeps. So it must not hold anything of a single request. Without this, a call in the
     * time of {@code stale-while-revalidate} waits for the dependency.
     */
    public Call<T> refreshable() {
        return new Call<>(operation, partition, spec, true);
    }

    /**
     * Called with a value of this call that nobody gets, before {@linkplain Operation.Options#discard the operation's} and under the
     * same conditions. May be called on any thread, also after the call has ended.
     */
    @SuppressWarnings("unchecked") // values of this call are of its type
    public Call<T> discard(Consumer<? super T> value) {
        Consumer<Object> own = (Consumer<Object>) Objects.requireNonNull(value, "discard");
        OperationSpec of = spec.operation();
        Consumer<Object> all = of.discard() == null ? own : own.andThen(of.discard());
        return of(new OperationSpec(of.name(), of.meaning(), all, of.weight(), of.priority()));
    }

    /** As a call of this operation. */
    private Call<T> of(OperationSpec changed) {
        return with(
                given(),
                partition,
                new CallSpec(
                        changed,
                        spec.key(),
                        spec.deadlineNanos(),
                        spec.idempotent(),
                        spec.sentOnce(),
                        spec.fallback(),
                        null));
    }

    /**
     * Answers this call if it fails, in place of the operation's and the pipeline's fallback.
     *
     * @param function from the error (null if the failure was a value) to the answer; must be quick. If it throws, the call ends
     *     with that exception
     * @throws IllegalStateException if the pipeline has no {@link dev.holdfast.fallback.FallbackPolicy}
     */
    public Call<T> fallback(Function<? super @Nullable Throwable, ? extends T> function) {
        return answered(new OwnFallback(Objects.requireNonNull(function, "fallback"), null));
    }

    /**
     * As {@link #fallback}, for a function that returns a stage. When the call's time is over, only a stage that
     * is complete at once answers.
     *
     * @throws IllegalStateException if the pipeline has no {@link dev.holdfast.fallback.FallbackPolicy}
     */
    public Call<T> fallbackAsync(
            Function<? super @Nullable Throwable, ? extends CompletionStage<? extends T>> function) {
        return answered(new OwnFallback(null, Objects.requireNonNull(function, "fallbackAsync")));
    }

    private Call<T> answered(OwnFallback fallback) {
        operation.pipeline.mustHaveFallback("a call of operation '" + operation.name() + "'");
        return with(given(), partition, specWith(spec.deadlineNanos(), spec.idempotent(), spec.sentOnce(), fallback));
    }

    /**
     * Runs the action on this thread, under the policies.
     *
     * @throws E what the action threw last, as it is
     * @throws CallRejectedException if the call was rejected locally
     * @throws CallTimeoutException if the last attempt did not end in time
     */
    public <E extends Exception> T call(CheckedFunction<? super Attempt, ? extends T, ? extends E> action) throws E {
        Engine engine = engineFor(Objects.requireNonNull(action, "action"));
        return engine.blocking.call(spec, runnable(action), mode(), null, false);
    }

    /**
     * As {@link #call}, for an action that throws {@link InterruptedException} beside another checked exception, as
     * {@code java.net.http} does. So the caller need not declare {@code throws Exception}.
     *
     * @throws E what the action threw last, as it is
     * @throws InterruptedException if the action threw it; the interrupt flag is set then. A thread that is interrupted while the
     *     call waits gets a {@link CallRejectedException} ({@link Reason#INTERRUPTED}), as with {@link #call}
     */
    public <E extends Exception> T callInterruptibly(
            CheckedFunction.Interruptible<? super Attempt, ? extends T, ? extends E> action)
            throws E, InterruptedException {
        Engine engine = engineFor(Objects.requireNonNull(action, "action"));
        CheckedFunction<Attempt, T, Exception> any = action::apply;
        return engine.blocking.call(spec, runnable(any), mode(), null, false);
    }

    /**
     * As {@link #call}, for an action without a value. Caches do not use it, even with a key. The classifier sees null. So an
     * action that gets a response, whose status may be a failure, belongs in {@link #call}, and one that returns a future in
     * {@link #callAsync}.
     *
     * @throws E what the action threw last, as it is
     */
    public <E extends Exception> void run(CheckedRunnable.WithAttempt<E> action) throws E {
        Objects.requireNonNull(action, "action");
        CheckedFunction<Attempt, @Nullable Object, E> any = attempt -> {
            action.run(attempt);
            return null;
        };
        operation.pipeline.engine.blocking.call(unkeyed().spec, any, Engine.ATTEMPT, null, false);
    }

    /** As {@link #callInterruptibly}, and says where the answer came from. */
    public <E extends Exception> Reply<T> replyInterruptibly(
            CheckedFunction.Interruptible<? super Attempt, ? extends T, ? extends E> action)
            throws E, InterruptedException {
        Engine engine = engineFor(Objects.requireNonNull(action, "action"));
        CheckedFunction<Attempt, T, Exception> any = action::apply;
        return engine.blocking.call(spec, runnable(any), mode(), null, true);
    }

    /** As {@link #call}, and says where the answer came from. */
    public <E extends Exception> Reply<T> reply(CheckedFunction<? super Attempt, ? extends T, ? extends E> action)
            throws E {
        Engine engine = engineFor(Objects.requireNonNull(action, "action"));
        return engine.blocking.call(spec, runnable(action), mode(), null, true);
    }

    /**
     * Runs the action under the policies and returns at once. If the returned future is cancelled or completed from outside, the
     * call is given up. Cancelling a future that was derived from it does not do this. Every problem is reported in the future.
     *
     * <p>Stages that depend on the future run when the call has ended and given back what it held, such as its permit; also if the
     * future is completed from outside, as by {@code orTimeout}. If a thread is at work for the call at that moment, or too much
     * is on the stack, the future is completed first, and the call ends soon. What runs while the call is given up, such as an
     * {@code onCancel} hook, finds the future open and must not wait for it.
     */
    public CompletableFuture<T> callAsync(Function<? super Attempt, ? extends CompletionStage<? extends T>> action) {
        if (action == null) {
            return noAction();
        }
        return engineFor(action).async.call(spec, runnableAsync(action), mode(), null, false);
    }

    /** As {@link #callAsync}, and says where the answer came from. */
    public CompletableFuture<Reply<T>> replyAsync(
            Function<? super Attempt, ? extends CompletionStage<? extends T>> action) {
        if (action == null) {
            return noAction();
        }
        return engineFor(action).async.call(spec, runnableAsync(action), mode(), null, true);
    }

    /** What a caller gets who gave no action. It is no attempt: nothing counts it, and nothing repeats it. */
    static <R extends @Nullable Object> CompletableFuture<R> noAction() {
        return CompletableFuture.failedFuture(new NullPointerException("action"));
    }

    private int mode() {
        return refreshable ? Engine.KEYED_ATTEMPT : Engine.ATTEMPT;
    }

    /** A function of a key may run again. This one has its key in it. */
    private Object runnable(CheckedFunction<? super Attempt, ?, ?> action) {
        if (!refreshable) {
            return action;
        }
        CheckedFunction.WithAttempt<@Nullable Object, ?, ?> again = (key, attempt) -> action.apply(attempt);
        return again;
    }

    private Object runnableAsync(Function<? super Attempt, ? extends CompletionStage<?>> action) {
        if (!refreshable) {
            return action;
        }
        BiFunction<@Nullable Object, Attempt, CompletionStage<?>> again = (key, attempt) -> action.apply(attempt);
        return again;
    }

    private CallSpec specWith(
            long deadlineNanos, boolean idempotent, boolean sentOnce, @Nullable OwnFallback fallback) {
        return new CallSpec(spec.operation(), spec.key(), deadlineNanos, idempotent, sentOnce, fallback, null);
    }

    private Call<T> with(@Nullable Object given, @Nullable Object newPartition, CallSpec as) {
        return new Call<>(operation, newPartition, operation.spec(given, newPartition, as, null), refreshable);
    }

    private @Nullable Object given() {
        CallKey key = spec.key();
        return key == null ? null : key.key();
    }

    private Engine engineFor(Object action) {
        if (spec.key() != null) {
            operation.family.runs(action);
        }
        return operation.pipeline.engine;
    }

    /** What a caller works out, such as what is left of a request's time, may well be over. */
    static long limitNanos(String option, Duration limit) {
        Objects.requireNonNull(limit, option);
        if (limit.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(option + " is " + Checks.text(limit) + " but must be at most 365d");
        }
        return limit.isNegative() ? 0 : limit.toNanos();
    }
}
