/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpRequestDecorator;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** The request of one attempt of WebClient. To cancel it cancels what it has subscribed to. */
final class AsyncExchange extends CompletableFuture<Begun> implements CoreSubscriber<ClientResponse> {
    private final ContextView context;
    private final int mostRead;
    private final Operators.DeferredSubscription exchange = new Operators.DeferredSubscription();

    /** Sees a connection that fails after the client has sent: to where it was sent on. */
    private volatile boolean begun;

    private volatile @Nullable Subscription body;

    AsyncExchange(ContextView context, int mostRead) {
        this.context = context;
        this.mostRead = mostRead;
    }

    AsyncExchange start(ClientRequest request, ExchangeFunction next) {
        ClientRequest noting = ClientRequest.from(request)
                .body((message, writing) -> request.body().insert(new Noting(message), writing))
                .build();
        next.exchange(noting).subscribe(this);
        return this;
    }

    // ---- the response

    @Override
    public Context currentContext() {
        return Context.of(context);
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        exchange.set(subscription);
        exchange.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(ClientResponse response) {
        if (isDone()) {
            Begun.unread(response).discard();
        } else if (Streams.isSmall(response.headers().asHttpHeaders(), mostRead)) {
            Subscription reading = Begun.read(response, mostRead, context, this::received, this::completeExceptionally);
            body = reading;
            if (isCancelled()) {
                reading.cancel();
            }
        } else {
            received(Begun.unread(response));
        }
    }

    private void received(Begun response) {
        if (!complete(response)) {
            response.discard();
        }
    }

    @Override
    public void onError(Throwable error) {
        if (begun) {
            error.addSuppressed(new IOException("the request had been sent when this happened"));
        }
        completeExceptionally(error);
    }

    /** Nothing if there was a response, whose body may still be read. */
    @Override
    public void onComplete() {}

    @Override
    public boolean cancel(boolean mayInterrupt) {
        // First this one: what comes from now on is discarded.
        boolean cancelled = super.cancel(mayInterrupt);
        exchange.cancel();
        Subscription reading = body;
        if (cancelled && reading != null) {
            reading.cancel();
        }
        return cancelled;
    }

    // ---- the request

    /** Notes that the client asks for the body: it does so once there is a connection. */
    private final class Noting extends ClientHttpRequestDecorator {
        Noting(ClientHttpRequest message) {
            super(message);
        }

        @Override
        public Mono<Void> writeWith(Publisher<? extends DataBuffer> content) {
            return super.writeWith(
                    content instanceof Mono<? extends DataBuffer> one
                            ? one.doOnSubscribe(unused -> begun = true)
                            : noted(content));
        }

        @Override
        public Mono<Void> writeAndFlushWith(Publisher<? extends Publisher<? extends DataBuffer>> content) {
            return super.writeAndFlushWith(noted(content));
        }

        private <T> Flux<T> noted(Publisher<T> content) {
            return Flux.from(content).doOnSubscribe(unused -> begun = true);
        }

        /** Without a body, nobody tells when it is sent. */
        @Override
        public Mono<Void> setComplete() {
            begun = true;
            return super.setComplete();
        }
    }
}
