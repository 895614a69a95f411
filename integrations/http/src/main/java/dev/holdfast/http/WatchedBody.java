/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Has the caller's subscriber read a body, and can give the body up: what the subscriber has made of it may not be able to. */
final class WatchedBody<T> implements BodySubscriber<T> {
    /** The JDK's that give a whole body, or one that can be closed. Another class costs {@code send} a change of threads. */
    private static final Set<Class<?>> KNOWN = Set.of(
            BodySubscribers.ofByteArray().getClass(),
            BodySubscribers.ofInputStream().getClass(),
            BodySubscribers.ofPublisher().getClass(),
            BodySubscribers.discarding().getClass());

    private static final int NEW = 0;
    private static final int SILENT = 1;
    private static final int TELLING = 2;
    private static final int GIVEN_UP = 3;
    private static final int ENDED = 4;

    private final BodySubscriber<T> inside;
    private final AtomicInteger state = new AtomicInteger();
    private volatile Flow.@Nullable Subscription source;
    private volatile @Nullable Throwable why;

    WatchedBody(BodySubscriber<T> inside) {
        this.inside = inside;
    }

    static boolean isNeededFor(BodySubscriber<?> subscriber) {
        return !KNOWN.contains(subscriber.getClass());
    }

    boolean hasEnded() {
        return state.get() == ENDED;
    }

    /**
     * Cancels what is left of the body. The subscriber hears an error, since somebody may wait for the rest; but not while it is told
     * something else. Does nothing after the end.
     */
    void giveUp(Throwable because) {
        why = because;
        int before = state.getAndUpdate(now -> now == ENDED ? ENDED : GIVEN_UP);
        Flow.Subscription from = source;
        if (before != ENDED && from != null) {
            from.cancel();
        }
        if (before == SILENT) {
            tellWhy();
        }
    }

    private void tellWhy() {
        try {
            inside.onError(why);
        } catch (Throwable broken) {
            // Nobody gets what this subscriber makes.
        }
    }

    @Override
    public CompletionStage<T> getBody() {
        return inside.getBody();
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        source = subscription;
        if (!state.compareAndSet(NEW, TELLING)) {
            subscription.cancel();
        }
        try {
            inside.onSubscribe(subscription);
        } catch (Throwable thrown) {
            subscription.cancel(); // the client would leave the connection open
            throw thrown;
        } finally {
            told();
        }
    }

    /** May come while another thing is told, if the subscriber asks for it then. */
    @Override
    public void onNext(List<ByteBuffer> item) {
        boolean isOutermost = state.compareAndSet(SILENT, TELLING);
        if (!isOutermost && state.get() != TELLING) {
            return;
        }
        try {
            inside.onNext(item);
        } finally {
            if (isOutermost) {
                told();
            }
        }
    }

    private void told() {
        if (!state.compareAndSet(TELLING, SILENT) && state.get() == GIVEN_UP) {
            tellWhy();
        }
    }

    @Override
    public void onError(Throwable error) {
        if (ends()) {
            inside.onError(error);
        }
    }

    @Override
    public void onComplete() {
        if (ends()) {
            inside.onComplete();
        }
    }

    private boolean ends() {
        source = null;
        return state.getAndUpdate(now -> now == GIVEN_UP ? GIVEN_UP : ENDED) != GIVEN_UP;
    }
}
