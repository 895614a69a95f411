/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.ProtocolException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Has the caller's subscriber read a body, and can give the body up: what the subscriber has made of it may not be able to. A body of
 * another length than its {@code Content-Length} ends with an error.
 */
final class WatchedBody<T> implements BodySubscriber<T> {
    /** The JDK's that give a whole body, or one that can be closed. Another class costs {@code send} a change of threads. */
    private static final Set<Class<?>> KNOWN = Set.of(
            BodySubscribers.ofByteArray().getClass(),
            BodySubscribers.ofInputStream().getClass(),
            BodySubscribers.ofPublisher().getClass(),
            BodySubscribers.discarding().getClass());

    // The state: three flags, and how many threads tell the subscriber something now.
    private static final int BEGUN = 1;
    private static final int GIVEN_UP = 2;
    private static final int ENDED = 4;
    private static final int TELLER = 8;

    private final BodySubscriber<T> inside;
    private final @Nullable BodyLength length;
    private final AtomicInteger state = new AtomicInteger();
    private volatile Flow.@Nullable Subscription source;
    private volatile @Nullable Throwable why;

    /**
     * For this subscriber.
     *
     * @param length null: the body may have any
     */
    WatchedBody(BodySubscriber<T> inside, @Nullable BodyLength length) {
        this.inside = inside;
        this.length = length;
    }

    static boolean isNeededFor(BodySubscriber<?> subscriber) {
        return !KNOWN.contains(subscriber.getClass());
    }

    boolean hasEnded() {
        return (state.get() & ENDED) != 0;
    }

    /**
     * Cancels what is left of the body. The subscriber hears an error, since somebody may wait for the rest; but not while it is told
     * something else. Does nothing after the end.
     */
    void giveUp(Throwable because) {
        why = because;
        int before = state.getAndUpdate(now -> (now & ENDED) == 0 ? now | GIVEN_UP : now);
        if ((before & (GIVEN_UP | ENDED)) == 0) {
            Flow.Subscription from = source;
            if (from != null) {
                from.cancel();
            }
            if (before == BEGUN) {
                tellWhy();
            }
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
        if ((state.addAndGet(BEGUN + TELLER) & GIVEN_UP) != 0) {
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

    /** May come while another thing is told, here or on another thread, if the subscriber asks for it then. */
    @Override
    public void onNext(List<ByteBuffer> item) {
        int before = state.getAndUpdate(now -> (now & GIVEN_UP) == 0 ? now + TELLER : now);
        if ((before & GIVEN_UP) != 0) {
            return;
        }
        try {
            if (length != null) {
                item.forEach(part -> length.add(part.remaining()));
            }
            inside.onNext(item);
        } finally {
            told();
        }
    }

    /** The last one that told it something tells it the end, too. */
    private void told() {
        if (state.addAndGet(-TELLER) == (BEGUN | GIVEN_UP)) {
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
        if (!ends()) {
            return;
        }
        try {
            if (length != null) {
                length.end();
            }
        } catch (ProtocolException broken) {
            inside.onError(broken);
            return;
        }
        inside.onComplete();
    }

    private boolean ends() {
        source = null;
        return (state.getAndUpdate(now -> (now & GIVEN_UP) == 0 ? now | ENDED : now) & GIVEN_UP) == 0;
    }
}
