/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.CallKey;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One call about to be made, with its options. Immutable: each option gives a new one.
 *
 * @param <T> the type of the answer
 */
public final class Call<T extends @Nullable Object> {
    private static final Duration LONGEST = Duration.ofDays(365);

    final Operation<T> operation;
    final @Nullable Object given;
    final @Nullable CallKey key;
    private final @Nullable Object partition;
    final long deadlineNanos;
    final boolean idempotent;
    /** Of a decorated function whose partition is asked for. */
    final @Nullable Asker asker;

    Call(
            Operation<T> operation,
            @Nullable Object given,
            @Nullable Object partition,
            long deadlineNanos,
            boolean idempotent) {
        this(operation, given, partition, deadlineNanos, idempotent, null);
    }

    Call(
            Operation<T> operation,
            @Nullable Object given,
            @Nullable Object partition,
            long deadlineNanos,
            boolean idempotent,
            @Nullable Asker asker) {
        this.asker = asker;
        this.operation = operation;
        this.given = given;
        this.partition = partition;
        this.key = given == null ? null : new CallKey(operation.family, partition, given);
        this.deadlineNanos = deadlineNanos;
        this.idempotent = idempotent;
        if (given != null && !idempotent) {
            operation.pipeline.keyedInVain(operation);
        }
    }

    /**
     * For this key: calls of one key at one time may share an answer, and a cache may answer them from memory. Whatever the
     * answer depends on belongs into the key or the {@linkplain #partition partition}, the user who asks above all.
     */
    public Call<T> key(Object value) {
        Objects.requireNonNull(value, "key");
        return new Call<>(operation, value, partition, deadlineNanos, idempotent);
    }

    /** For this tenant or user: keys of different partitions never meet. */
    public Call<T> partition(Object value) {
        Objects.requireNonNull(value, "partition");
        return new Call<>(operation, given, value, deadlineNanos, idempotent);
    }

    /**
     * Within this time, all attempts and waits included; a shorter limit of the pipeline or of the request holds as well.
     *
     * @param limit at most 365 days. Zero or less is a time that is over: the call is rejected with
     *     {@link Reason#DEADLINE_EXCEEDED}.
     */
    public Call<T> deadline(Duration limit) {
        return new Call<>(operation, given, partition, limitNanos("deadline", limit), idempotent);
    }

    /**
     * Whether the work of this call may be done twice without harm; default as the operation says. If not, it is retried
     * only where it was surely not done, and caches pass it by, whatever its key.
     */
    public Call<T> idempotent(boolean value) {
        return new Call<>(operation, given, partition, deadlineNanos, value);
    }

    /**
     * Runs the action on this thread, under the policies.
     *
     * @throws E what the action threw last, as it is
     * @throws CallRejectedException if the call was turned away locally
     * @throws CallTimeoutException if the last attempt did not end in time
     */
    public <E extends Exception> T call(CheckedFunction<? super Attempt, ? extends T, ? extends E> action) throws E {
        return pipelineFor(action).blocking.call(this, action, CallState.ATTEMPT, null, false);
    }

    /** As {@link #call}, and tells where the answer came from. */
    public <E extends Exception> Reply<T> reply(CheckedFunction<? super Attempt, ? extends T, ? extends E> action)
            throws E {
        return pipelineFor(action).blocking.call(this, action, CallState.ATTEMPT, null, true);
    }

    /**
     * Runs the action under the policies and returns at once. Cancelling or completing the returned future gives the call
     * up; cancelling a future derived from it does not. Every problem is reported in the future.
     */
    public CompletableFuture<T> callAsync(Function<? super Attempt, ? extends CompletionStage<? extends T>> action) {
        return pipelineFor(action).async.call(this, action, CallState.ATTEMPT, null, false);
    }

    /** As {@link #callAsync}, and tells where the answer came from. */
    public CompletableFuture<Reply<T>> replyAsync(
            Function<? super Attempt, ? extends CompletionStage<? extends T>> action) {
        return pipelineFor(action).async.call(this, action, CallState.ATTEMPT, null, true);
    }

    private Pipeline pipelineFor(Object action) {
        if (given != null) {
            operation.family.runs(action);
        }
        return operation.pipeline;
    }

    /** What a caller works out, such as what is left of a request's time, may well be over. */
    static long limitNanos(String option, Duration limit) {
        Objects.requireNonNull(limit, option);
        if (limit.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(option + " is " + limit + " but must be at most 365d");
        }
        return limit.isNegative() ? 0 : limit.toNanos();
    }
}
