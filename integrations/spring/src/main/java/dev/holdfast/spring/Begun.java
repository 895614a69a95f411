/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import java.io.ByteArrayOutputStream;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.web.reactive.function.client.ClientResponse;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * A response of WebClient, of whose body this much was read within the attempt. What was read is copied, so that a body of which
 * nobody wants to know holds no buffer of a pool. The rest comes by the same subscription, once the caller asks for it.
 */
final class Begun {
    private final ClientResponse response;
    private final @Nullable Prefix prefix;

    private final byte @Nullable [] whole;

    private boolean redirected;

    private Begun(ClientResponse response, @Nullable Prefix prefix, byte @Nullable [] whole) {
        this.response = response;
        this.prefix = prefix;
        this.whole = whole;
    }

    /** Without a connection: nobody is told when its body is given up. */
    static Begun copied(ClientResponse copy) {
        return new Begun(copy, null, null);
    }

    /**
     * With an unread body.
     *
     * @param giveUp the exchange, when the body is cancelled: Jetty's client ends one by its own subscription alone, and without
     *     that a connection whose body is read in part is never free again
     */
    static Begun unread(ClientResponse response, Runnable giveUp) {
        return copied(response.mutate().body(body -> body.doOnCancel(giveUp)).build());
    }

    /**
     * Reads what the bound allows.
     *
     * @param giveUp as for {@link #unread}
     * @return what is cancelled to give it up
     */
    static Subscription read(
            ClientResponse response,
            int most,
            ContextView context,
            Consumer<Begun> begun,
            Consumer<Throwable> failed,
            Runnable giveUp) {
        Prefix prefix = new Prefix(response, most, context, begun, failed);
        response.bodyToFlux(DataBuffer.class).doOnCancel(giveUp).subscribe(prefix);
        return prefix;
    }

    ClientResponse response() {
        return response;
    }

    /** The body, if all of it was read. */
    byte @Nullable [] whole() {
        return whole;
    }

    /** To be set before the attempt ends with it. */
    void cameByRedirect(boolean came) {
        redirected = came;
    }

    boolean cameByRedirect() {
        return redirected;
    }

    /** Gives up a response that nobody gets, without the rest of its body. */
    void discard() {
        if (prefix != null) {
            prefix.cancel();
        } else {
            response.bodyToFlux(DataBuffer.class).subscribe(new Unwanted());
        }
    }

    /** Cancels a body before it begins. */
    private static final class Unwanted implements CoreSubscriber<DataBuffer> {
        @Override
        public void onSubscribe(Subscription subscription) {
            subscription.cancel();
        }

        @Override
        public void onNext(DataBuffer buffer) {
            DataBufferUtils.release(buffer);
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onComplete() {}
    }

    /** The subscription to a body: first for the attempt, then for the caller. */
    private static final class Prefix extends Flux<DataBuffer> implements CoreSubscriber<DataBuffer>, Subscription {
        private final ClientResponse response;
        private final int most;
        private final Context context;
        private final Consumer<Begun> begun;
        private final Consumer<Throwable> failed;
        private final ByteArrayOutputStream read = new ByteArrayOutputStream();

        /** Deferred: it may be cancelled before there is one. */
        private final Operators.DeferredSubscription upstream = new Operators.DeferredSubscription();

        /** Who reads the rest; null before. Nothing was asked for, so nothing but the end can come before. */
        private @Nullable CoreSubscriber<? super DataBuffer> reader;

        /** Whether it was given up: nothing comes any more, so nobody may wait for it. Guarded by this. */
        private boolean givenUp;

        /** How it ended, if that came before the reader. Guarded by this, as the reader. */
        private @Nullable Consumer<CoreSubscriber<?>> end;

        private volatile boolean handedOver;

        Prefix(
                ClientResponse response,
                int most,
                ContextView context,
                Consumer<Begun> begun,
                Consumer<Throwable> failed) {
            this.response = response;
            this.most = most;
            this.context = Context.of(context);
            this.begun = begun;
            this.failed = failed;
        }

        private void handOver(@Nullable Flux<DataBuffer> rest) {
            byte[] bytes = read.toByteArray();
            Flux<DataBuffer> first = bytes.length == 0
                    ? Flux.empty()
                    : Flux.defer(() -> Flux.just(DefaultDataBufferFactory.sharedInstance.wrap(bytes)));
            ClientResponse again = response.mutate()
                    // A caller that leaves during the first bytes never subscribes to the rest.
                    .body(unused ->
                            rest == null ? first : first.concatWith(rest).doOnCancel(this::cancel))
                    .build();
            begun.accept(new Begun(again, this, rest == null ? bytes : null));
        }

        // ---- from the client

        @Override
        public Context currentContext() {
            CoreSubscriber<?> now = handedOver ? reader() : null;
            return now == null ? context : now.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            upstream.set(subscription);
            upstream.request(1);
        }

        @Override
        public void onNext(DataBuffer buffer) {
            if (handedOver) {
                Objects.requireNonNull(reader()).onNext(buffer);
                return;
            }
            byte[] bytes = new byte[buffer.readableByteCount()];
            buffer.read(bytes);
            DataBufferUtils.release(buffer);
            read.writeBytes(bytes);
            if (read.size() <= most) {
                upstream.request(1);
            } else {
                handedOver = true;
                handOver(this);
            }
        }

        @Override
        public void onError(Throwable error) {
            if (!handedOver) {
                failed.accept(error);
            } else {
                ended(actual -> actual.onError(error));
            }
        }

        @Override
        public void onComplete() {
            if (!handedOver) {
                handOver(null);
            } else {
                ended(CoreSubscriber::onComplete);
            }
        }

        private void ended(Consumer<CoreSubscriber<?>> how) {
            CoreSubscriber<?> now;
            synchronized (this) {
                end = how;
                now = reader;
            }
            if (now != null) {
                how.accept(now);
            }
        }

        private synchronized @Nullable CoreSubscriber<? super DataBuffer> reader() {
            return reader;
        }

        // ---- for the caller

        @Override
        public void subscribe(CoreSubscriber<? super DataBuffer> actual) {
            Consumer<CoreSubscriber<?>> ended;
            boolean second;
            synchronized (this) {
                second = reader != null || givenUp;
                ended = end;
                reader = second ? reader : actual;
            }
            if (second) {
                Operators.error(actual, new IllegalStateException("the rest of a body can be read once"));
            } else if (ended != null) {
                actual.onSubscribe(Operators.emptySubscription());
                ended.accept(actual);
            } else {
                actual.onSubscribe(this);
            }
        }

        @Override
        public void request(long count) {
            upstream.request(count);
        }

        @Override
        public void cancel() {
            synchronized (this) {
                givenUp = true;
            }
            upstream.cancel();
        }
    }
}
