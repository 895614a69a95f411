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

    /**
     * Gives all at once, when it is asked for, and then the end. Tells nothing while it tells something: a reader may ask at any
     * time.
     */
    private static final class Reading implements Flow.Subscription {
        private final byte[] bytes;
        private final BodySubscriber<?> reader;
        /** How often somebody wanted something to be told since the one began who tells. */
        private final AtomicInteger telling = new AtomicInteger();

        private volatile boolean asked;
        private volatile boolean askedForNothing;
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
            } else {
                askedForNothing = true;
            }
            if (telling.getAndIncrement() == 0) {
                tell();
            }
        }

        private void tell() {
            int seen;
            do {
                seen = telling.get();
                if (asked && !over && !askedForNothing && bytes.length > 0) {
                    reader.onNext(List.of(ByteBuffer.wrap(bytes).asReadOnlyBuffer()));
                }
                if (!over && (asked || askedForNothing)) {
                    end();
                }
            } while (telling.addAndGet(-seen) != 0);
        }

        private void end() {
            over = true;
            if (askedForNothing) {
                reader.onError(new IllegalArgumentException("a reader asked for less than one part of the body"));
            } else {
                reader.onComplete();
            }
        }

        @Override
        public void cancel() {
            over = true;
        }
    }

    /**
     * The handler that reads a longer body. When it asks, it gets what was read first, and then the rest. Tells nothing else while it
     * tells that: a reader may ask at any time, and the client needs no request to tell the end.
     */
    private static final class Rest implements Flow.Subscription {
        private final BodySubscriber<?> reader;
        private final Flow.Subscription source;
        private final List<ByteBuffer> first;

        // Guarded by this.
        private boolean begun;
        private boolean telling;
        private long asked;
        private @Nullable Runnable end;

        Rest(BodySubscriber<?> reader, Flow.Subscription source, List<ByteBuffer> first) {
            this.reader = reader;
            this.source = source;
            this.first = first;
        }

        @Override
        public void request(long many) {
            boolean isFirst;
            synchronized (this) {
                if (telling && many > 0) {
                    asked = many > Long.MAX_VALUE - asked ? Long.MAX_VALUE : asked + many;
                    return;
                }
                isFirst = !begun && many > 0;
                if (isFirst) {
                    begun = true;
                    telling = true;
                    asked = many;
                }
            }
            if (isFirst) {
                tellFirst();
            } else {
                source.request(many);
            }
        }

        private void tellFirst() {
            Runnable last;
            long left;
            try {
                reader.onNext(first);
            } finally {
                synchronized (this) {
                    telling = false;
                    last = end;
                    left = asked == Long.MAX_VALUE ? asked : asked - 1;
                }
            }
            if (last != null) {
                last.run();
            } else if (left > 0) {
                source.request(left);
            }
        }

        void next(List<ByteBuffer> more) {
            reader.onNext(more);
        }

        void ended() {
            synchronized (this) {
                if (!begun || telling) {
                    end = reader::onComplete;
                    return;
                }
            }
            reader.onComplete();
        }

        /** Does not wait for a reader that has not asked yet. */
        void failed(Throwable error) {
            synchronized (this) {
                if (telling) {
                    end = () -> reader.onError(error);
                    return;
                }
                begun = true;
            }
            reader.onError(error);
        }

        @Override
        public void cancel() {
            source.cancel();
        }
    }

    private final Supplier<? extends BodySubscriber<?>> handler;
    private final int most;
    private final CompletableFuture<Object> body = new CompletableFuture<>();
    private final List<ByteBuffer> parts = new ArrayList<>();
    private int length;
    private Flow.@Nullable Subscription source;
    private @Nullable Rest rest;

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
            rest.next(more);
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
        Rest handed = new Rest(taken, from, List.copyOf(parts));
        rest = handed;
        taken.getBody().whenComplete((value, error) -> {
            if (error == null) {
                body.complete(value);
            } else {
                body.completeExceptionally(error);
            }
        });
        taken.onSubscribe(handed);
    }

    @Override
    public void onError(Throwable error) {
        if (rest != null) {
            rest.failed(error);
        } else {
            body.completeExceptionally(error);
        }
    }

    @Override
    public void onComplete() {
        if (rest != null) {
            rest.ended();
        } else {
            ByteBuffer all = ByteBuffer.allocate(length);
            parts.forEach(all::put);
            body.complete(new Bytes(all.array()));
        }
    }
}
