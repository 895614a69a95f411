/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import dev.holdfast.Attempt;
import dev.holdfast.internal.Discards;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/** One attempt: subscribes to the source, and ends, as a stage, with the first element, an error or an empty end. */
final class SourceAttempt<T> extends CompletableFuture<T> implements CoreSubscriber<T> {
    @SuppressWarnings("rawtypes")
    private static final AtomicReferenceFieldUpdater<SourceAttempt, @Nullable Subscription> SUBSCRIPTION =
            AtomicReferenceFieldUpdater.newUpdater(SourceAttempt.class, Subscription.class, "subscription");

    private final Answer<T> answer;
    private final Attempt attempt;
    private final boolean many;
    private final Context context;
    private volatile @Nullable Subscription subscription;

    private volatile @Nullable T first;
    private volatile boolean ended;
    private @Nullable Throwable failure;

    SourceAttempt(Answer<T> answer, Attempt attempt, boolean many, Context context) {
        this.answer = answer;
        this.attempt = attempt;
        this.many = many;
        this.context = context;
    }

    // ---- the source's side

    @Override
    public Context currentContext() {
        return context;
    }

    @Override
    public void onSubscribe(Subscription given) {
        if (Operators.setOnce(SUBSCRIPTION, this, given)) {
            given.request(many ? 1 : Long.MAX_VALUE);
        }
    }

    @Override
    public void onNext(T element) {
        if (ended) {
            Operators.onNextDropped(element, currentContext());
        } else if (first != null) {
            answer.next(this, element);
        } else {
            first = element;
            ended = !many;
            if (!complete(element)) {
                answer.late(this, element);
            }
        }
    }

    @Override
    public void onError(Throwable thrown) {
        if (ended) {
            Operators.onErrorDropped(thrown, currentContext());
        } else {
            end(thrown);
        }
    }

    @Override
    public void onComplete() {
        if (!ended) {
            end(null);
        }
    }

    /** The source gives no more. */
    @SuppressWarnings("NullAway") // a call ends with null if there is no value
    void end(@Nullable Throwable thrown) {
        failure = thrown;
        ended = true;
        if (first != null) {
            answer.deliver();
        } else if (thrown == null) {
            complete(null);
        } else {
            completeExceptionally(thrown);
        }
    }

    // ---- the call's side

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        if (cancelled) {
            unsubscribe();
        }
        return cancelled;
    }

    /** A source that has ended of itself is not cancelled. */
    void unsubscribe() {
        if (!ended) {
            Operators.terminate(SUBSCRIPTION, this);
        }
    }

    void request(long n) {
        Subscription open = subscription;
        if (open != null) {
            open.request(n);
        }
    }

    /** As the call does with the values that it has. */
    void discard(T element) {
        if (attempt instanceof Discards discards) {
            discards.discard(element);
        }
    }

    boolean beganWith(T element) {
        return first == element;
    }

    /** Whether it can no longer be what the subscriber gets. */
    boolean isOver() {
        return isCompletedExceptionally() || (ended && !many) || subscription == Operators.cancelledSubscription();
    }

    boolean hasEnded() {
        return ended;
    }

    @Nullable
    Throwable failure() {
        return failure;
    }
}
