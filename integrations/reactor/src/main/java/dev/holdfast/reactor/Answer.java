/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.Reply;
import dev.holdfast.internal.Discards;
import dev.holdfast.internal.context.Carried;
import dev.holdfast.internal.engine.Bound;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * One subscriber and its call: the action of that call, and the subscription by which the subscriber gets the answer. The action is
 * no lambda: a cache takes all lambdas of one place for the same source.
 */
final class Answer<T> implements Subscription, Function<Attempt, CompletionStage<T>> {
    /** In place of a demand: it goes to the source directly. */
    private static final long PASSES = Long.MIN_VALUE;

    final CoreSubscriber<? super T> actual;
    private final Function<? super Attempt, ? extends Publisher<? extends T>> source;
    private final boolean many;

    private final AtomicLong requested = new AtomicLong();
    /** How often there was something to deliver. The first thread delivers, also for those that come meanwhile. */
    private final AtomicInteger deliveries = new AtomicInteger();

    /** Those that may be what the subscriber gets. Guarded by itself. */
    private final List<SourceAttempt<T>> attempts = new ArrayList<>(1);

    /** What held where the call began. Written before it begins. */
    private @Nullable Bound callers;

    private volatile @Nullable CompletableFuture<Reply<T>> call;
    private volatile boolean cancelled;
    private volatile boolean decided;

    // Written before `decided`, and afterwards by the thread that delivers.
    private @Nullable T value;
    private @Nullable Throwable error;
    private boolean over;

    /** The attempt whose first element is the value, and whose others follow; null if nothing follows. Written before `decided`. */
    private @Nullable SourceAttempt<T> winner;

    Answer(
            CoreSubscriber<? super T> actual,
            Function<? super Attempt, ? extends Publisher<? extends T>> source,
            boolean many) {
        this.actual = actual;
        this.source = source;
        this.many = many;
    }

    void begin(Call<T> of) {
        actual.onSubscribe(this);
        if (cancelled) {
            return;
        }
        Call<T> own = of.discard(this::lost);
        CompletableFuture<Reply<T>> begun =
                Carried.inherit(actual.currentContext().getOrDefault(Carried.KEY, null), () -> {
                    callers = Bound.current();
                    return own.replyAsync(this);
                });
        call = begun;
        if (cancelled) {
            begun.cancel(true);
            // Not before: the call would take it for a failure. Where the call is over, work for a cache may wait for
            // it.
            others().forEach(attempt -> attempt.cancel(true));
        }
        var unused = begun.whenComplete(this::decide);
    }

    // ---- attempts

    @Override
    public CompletionStage<T> apply(Attempt attempt) {
        // The source of a Flux goes on after the call.
        return many ? Bound.until(() -> decided, callers, () -> subscribed(attempt)) : subscribed(attempt);
    }

    private SourceAttempt<T> subscribed(Attempt attempt) {
        Publisher<? extends T> publisher =
                Objects.requireNonNull(source.apply(attempt), "the source of an attempt is null");
        SourceAttempt<T> begun =
                new SourceAttempt<>(this, attempt, many, ReactiveCall.capture(actual.currentContext()));
        boolean isForCache = attempt.isRefresh(); // it goes on without this subscriber, who has an answer
        if (!isForCache) {
            synchronized (attempts) {
                attempts.removeIf(SourceAttempt::isOver);
                attempts.add(begun);
            }
        }
        if (isForCache || !cancelled) {
            (many ? Flux.from(publisher) : publisher).subscribe(begun);
        }
        return begun;
    }

    /** The first element of an attempt that was given up before. */
    void late(SourceAttempt<T> attempt, T nobodys) {
        if (many) {
            synchronized (attempts) {
                // Before the others: the one that goes on may have begun with the same object.
                attempts.remove(attempt);
                attempts.add(0, attempt);
            }
        }
        attempt.discard(nobodys);
    }

    /** Called for a value that is discarded. */
    private void lost(T nobodys) {
        SourceAttempt<T> loser = many ? taken(nobodys, true) : null;
        if (loser != null) {
            loser.unsubscribe();
        }
        Operators.onDiscard(nobodys, actual.currentContext());
    }

    /**
     * An attempt that began with this, which is then no longer among the others. If there are several, each will do.
     *
     * @param late whether it may be one that the call had given up
     */
    private @Nullable SourceAttempt<T> taken(T first, boolean late) {
        synchronized (attempts) {
            for (SourceAttempt<T> attempt : attempts) {
                if (attempt.beganWith(first) && (late || !attempt.isCompletedExceptionally())) {
                    attempts.remove(attempt);
                    return attempt;
                }
            }
            return null;
        }
    }

    private List<SourceAttempt<T>> others() {
        synchronized (attempts) {
            return List.copyOf(attempts);
        }
    }

    // ---- the answer

    private void decide(@Nullable Reply<T> reply, @Nullable Throwable failure) {
        T answer = reply == null ? null : reply.value();
        if (many) {
            // A fallback or a cache may answer with the very object with which an attempt began.
            boolean isOfNoAttempt = reply == null || reply.source() != Reply.Source.LIVE;
            winner = answer == null || isOfNoAttempt ? null : taken(answer, false);
            others().forEach(SourceAttempt::unsubscribe);
        }
        value = answer;
        error = failure;
        decided = true;
        deliver();
    }

    /** The next element of an attempt, after its first one. */
    void next(SourceAttempt<T> attempt, T element) {
        if (passes() && attempt == winner && !cancelled) {
            actual.onNext(element);
            return;
        }
        Operators.onDiscard(element, actual.currentContext());
        if (!cancelled) {
            attempt.unsubscribe();
            attempt.end(Exceptions.failWithOverflow("the source gave an element that nobody had requested"));
        }
    }

    /** Whether the first element is delivered, and the call no longer between source and subscriber. */
    boolean passes() {
        return requested.get() == PASSES;
    }

    /** Delivers what has come and is asked for, one thread at a time. */
    void deliver() {
        if (deliveries.getAndIncrement() == 0) {
            int seen = 1;
            while (seen != 0) {
                if (decided && !over) {
                    try {
                        deliverNow();
                    } catch (Throwable thrown) {
                        drop(thrown);
                    }
                }
                seen = deliveries.addAndGet(-seen);
            }
        }
    }

    /** The subscriber threw, which it must not. */
    private void drop(Throwable thrown) {
        over = true;
        cancel();
        discard();
        Exceptions.throwIfJvmFatal(thrown);
        Operators.onErrorDropped(thrown, actual.currentContext());
    }

    private void deliverNow() {
        if (value != null && !cancelled) {
            if (requested.get() == 0) {
                return;
            }
            deliverValue(value);
        }
        if (cancelled) {
            over = true;
            discard();
        } else if (winner == null || winner.hasEnded()) {
            over = true;
            end(winner == null ? error : winner.failure());
        }
    }

    private void deliverValue(T first) {
        value = null;
        actual.onNext(first);
        long others = requested.getAndSet(PASSES) - 1;
        if (winner != null && others > 0 && !cancelled) {
            winner.request(others == Long.MAX_VALUE - 1 ? Long.MAX_VALUE : others);
        }
    }

    private void end(@Nullable Throwable failure) {
        if (failure == null) {
            actual.onComplete();
        } else {
            actual.onError(failure);
        }
    }

    private void discard() {
        T held = value;
        value = null;
        if (held != null && call instanceof Discards discards) {
            discards.discard(held);
        }
        if (winner != null) {
            winner.unsubscribe();
        }
    }

    // ---- the subscriber

    @Override
    public void request(long n) {
        if (!Operators.validate(n)) {
            return;
        }
        for (long before = requested.get(); before != PASSES; before = requested.get()) {
            if (requested.compareAndSet(before, Operators.addCap(before, n))) {
                deliver();
                return;
            }
        }
        if (winner != null) {
            winner.request(n);
        }
    }

    @Override
    public void cancel() {
        cancelled = true;
        CompletableFuture<Reply<T>> begun = call;
        if (begun != null) {
            begun.cancel(true);
        } else {
            // The thread that subscribes is still in the source.
            others().forEach(SourceAttempt::unsubscribe);
        }
        if (decided && winner != null) {
            winner.unsubscribe();
        }
        deliver();
    }
}
