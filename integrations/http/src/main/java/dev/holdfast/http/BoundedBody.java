/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads a body into memory, up to a bound. A longer one goes on to the caller's own handler, with what was read so far.
 */
final class BoundedBody implements BodySubscriber<Object> {
    /** A whole body. */
    static final class Bytes {
        private final byte[] all;

        Bytes(byte[] all) {
            this.all = all;
        }

        byte[] all() {
            return all;
        }

        /** Reads it again, with this handler. */
        <T> CompletableFuture<T> readBy(BodyHandler<T> handler, ResponseInfo info) {
            try {
                BodySubscriber<T> subscriber = handler.apply(info);
                new Reading(all, subscriber).begin();
                return subscriber.getBody().toCompletableFuture();
            } catch (Throwable broken) {
                return CompletableFuture.failedFuture(broken);
            }
        }
    }

    /** Gives all at once, when it is asked for, and then the end. Tells nothing while it tells something: a reader may ask at any time. */
    private static final class Reading implements Flow.Subscription {
        private final byte[] bytes;
        private final BodySubscriber<?> reader;
        /** How often somebody wanted something to be told since the one began who tells. */
        private final AtomicInteger telling = new AtomicInteger();

        private volatile boolean asked;
        private volatile boolean over;

        Reading(byte[] bytes, BodySubscriber<?> reader) {
            this.bytes = bytes;
            this.reader = reader;
        }

        void begin() {
            telling.set(1);
            reader.onSubscribe(this);
            tell();
        }

        @Override
        public void request(long many) {
            if (many > 0) {
                asked = true;
            }
            if (telling.getAndIncrement() == 0) {
                tell();
            }
        }

        private void tell() {
            int seen;
            do {
                seen = telling.get();
                if (asked && !over) {
                    if (bytes.length > 0) {
                        reader.onNext(List.of(ByteBuffer.wrap(bytes).asReadOnlyBuffer()));
                    }
                    if (!over) {
                        over = true;
                        reader.onComplete();
                    }
                }
            } while (telling.addAndGet(-seen) != 0);
        }

        @Override
        public void cancel() {
            over = true;
        }
    }

    private final Supplier<? extends BodySubscriber<?>> handler;
    private final int most;
    private final CompletableFuture<Object> body = new CompletableFuture<>();
    private final List<ByteBuffer> parts = new ArrayList<>();
    private int length;
    private Flow.@Nullable Subscription source;
    private @Nullable BodySubscriber<?> rest;

    // The end needs no request, and what was read first does. Guarded by this.
    private boolean handedOn;
    private boolean ended;

    /**
     * Up to this many bytes.
     *
     * @param handler makes what reads a longer body
     */
    BoundedBody(Supplier<? extends BodySubscriber<?>> handler, int most) {
        this.handler = handler;
        this.most = most;
    }

    @Override
    public CompletionStage<Object> getBody() {
        return body;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        source = subscription;
        subscription.request(1);
    }

    @Override
    public void onNext(List<ByteBuffer> more) {
        if (rest != null) {
            rest.onNext(more);
            return;
        }
        for (ByteBuffer part : more) {
            parts.add(part.asReadOnlyBuffer());
            length += part.remaining();
        }
        Flow.Subscription from = Objects.requireNonNull(source);
        if (length <= most) {
            from.request(1);
        } else {
            handOn(from);
        }
    }

    private void handOn(Flow.Subscription from) {
        BodySubscriber<?> taken = handler.get();
        rest = taken;
        taken.getBody().whenComplete((value, error) -> {
            if (error == null) {
                body.complete(value);
            } else {
                body.completeExceptionally(error);
            }
        });
        taken.onSubscribe(new Flow.Subscription() {
            private boolean begun;

            @Override
            public void request(long many) {
                long left = many;
                if (!begun && many > 0) {
                    begun = true;
                    taken.onNext(List.copyOf(parts));
                    if (endedBefore()) {
                        taken.onComplete();
                        return;
                    }
                    left = many == Long.MAX_VALUE ? many : many - 1;
                }
                if (left > 0) {
                    from.request(left);
                }
            }

            @Override
            public void cancel() {
                from.cancel();
            }
        });
    }

    private synchronized boolean endedBefore() {
        handedOn = true;
        return ended;
    }

    private synchronized boolean endsNow() {
        ended = true;
        return handedOn;
    }

    @Override
    public void onError(Throwable error) {
        if (rest != null) {
            rest.onError(error);
        } else {
            body.completeExceptionally(error);
        }
    }

    @Override
    public void onComplete() {
        if (rest != null) {
            if (endsNow()) {
                rest.onComplete();
            }
        } else {
            ByteBuffer all = ByteBuffer.allocate(length);
            parts.forEach(all::put);
            body.complete(new Bytes(all.array()));
        }
    }
}
