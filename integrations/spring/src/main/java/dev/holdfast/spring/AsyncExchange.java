/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.Deadline;
import dev.holdfast.http.AlreadySent;
import dev.holdfast.internal.context.Carried;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.http.client.reactive.ClientHttpRequestDecorator;
import org.springframework.web.reactive.function.BodyInserter;
import org.springframework.web.reactive.function.BodyInserters;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** The request of one attempt of WebClient. To cancel it cancels what it has subscribed to. */
final class AsyncExchange<T> extends CompletableFuture<T> implements CoreSubscriber<ClientResponse> {
    /** What an attempt does with a response: it belongs to the attempt. */
    interface Reading<T> {
        /** How much of the body is read within the attempt, in bytes; less than 0: nothing. */
        int most(ClientResponse response, AsyncExchange<?> exchange);

        T made(Begun begun);

        /** It ends with this error, and without an answer. */
        default void failed(Throwable error) {}
    }

    private final ContextView context;
    private final Reading<T> reading;
    private final Operators.DeferredSubscription exchange = new Operators.DeferredSubscription();

    /** Whether the client has sent: what fails to connect afterwards is another connection, such as that of a redirect. */
    private volatile boolean begun;

    /** Whether the client has all of the request: what it says from then on, it says of the network or of the answer. */
    private volatile boolean handedOver;

    /** Written and read by the exchange alone. */
    private boolean answered;

    private volatile @Nullable Subscription body;

    /** Whether the client has asked for what it sends: some do so before there is a connection, Reactor Netty then. */
    private volatile boolean asked;

    /** As the client sends it; null if a filter has put another body into it. */
    private volatile @Nullable ClientHttpRequest written;

    /** The last request that the client has asked for, until this attempt's body is in it. */
    private final AtomicReference<@Nullable ClientHttpRequest> bodiless = new AtomicReference<>();

    /** Whether a filter has sent a request with another body before the last one, perhaps. */
    private volatile boolean otherBody;

    /** Whether the client asked more than once for what it sends. */
    private volatile boolean sentAgain;

    /** The attempt of the pipeline around, if there is one: written before this one begins. */
    private @Nullable AsyncExchange<?> outer;

    /** Whether another pipeline sends the request, perhaps several times: then its attempts tell of redirects. */
    private volatile boolean sentByOthers;

    /** To be made on the thread that runs the attempt: what is subscribed on another one inherits from the context. */
    AsyncExchange(ContextView context, Reading<T> reading) {
        Deadline.Binding here = Deadline.Binding.current();
        this.context = here == null ? context : Context.of(context).put(Carried.KEY, here);
        this.reading = reading;
    }

    AsyncExchange<T> start(ClientRequest request, ExchangeFunction next) {
        if (request.body() instanceof BodyAround around) {
            outer = around.exchange();
            around.exchange().sentByOthers = true;
        }
        ClientRequest noting = ClientRequest.from(request)
                .body(new BodyAround(request.body(), this, (message, writing) -> {
                    askedFor(written != null);
                    written = message;
                    bodiless.compareAndSet(sentByClient(message), null);
                    return request.body().insert(new Noting(message), writing);
                }))
                .httpRequest(message -> {
                    askedFor(asked);
                    asked = true;
                    if (bodiless.getAndSet(sentByClient(message)) != null) {
                        otherBody = true;
                    }
                })
                .build();
        next.exchange(noting).subscribe(this);
        return this;
    }

    /** Filters inside put their own around it. */
    private static ClientHttpRequest sentByClient(ClientHttpRequest message) {
        ClientHttpRequest inside = message;
        while (inside instanceof ClientHttpRequestDecorator decorator) {
            inside = decorator.getDelegate();
        }
        return inside;
    }

    /** Of its request or its body, since a filter inside may put another one in the place of either. */
    private void askedFor(boolean again) {
        if (again && !sentByOthers) {
            redirected();
        }
    }

    private void redirected() {
        sentAgain = true;
        if (outer != null) {
            outer.redirected();
        }
    }

    /** A body that notes when it is written. A filter inside asks whether there is one, and for which attempt. */
    private record BodyAround(
            BodyInserter<?, ? super ClientHttpRequest> inside,
            AsyncExchange<?> exchange,
            BodyInserter<Object, ClientHttpRequest> noting)
            implements BodyInserter<Object, ClientHttpRequest> {
        @Override
        public Mono<Void> insert(ClientHttpRequest message, BodyInserter.Context writing) {
            return noting.insert(message, writing);
        }
    }

    /** Whether the request has no body, also if another pipeline sends it. */
    static boolean isEmpty(ClientRequest request) {
        BodyInserter<?, ? super ClientHttpRequest> body = request.body();
        while (body instanceof BodyAround around) {
            body = around.inside();
        }
        return body == BodyInserters.empty();
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
        answered = true;
        if (isDone()) {
            Begun.unread(response, exchange::cancel).discard();
            return;
        }
        int most = reading.most(response, this);
        if (most < 0) {
            received(Begun.unread(response, exchange::cancel));
            return;
        }
        Subscription rest = Begun.read(response, most, context, this::received, this::unreadable, exchange::cancel);
        body = rest;
        if (isCancelled()) {
            rest.cancel();
        }
    }

    private void received(Begun response) {
        response.cameByRedirect(wasRedirected());
        if (!complete(reading.made(response))) {
            response.discard();
        }
    }

    /** Whether the client asks anew for what it sends where a redirect leads. */
    boolean seesRedirects() {
        ClientHttpRequest message = written;
        return message != null
                && message.<Object>getNativeRequest().getClass().getName().startsWith("reactor.netty.");
    }

    /** As far as anybody knows. */
    boolean wasRedirected() {
        return sentAgain;
    }

    /** Where it was sent; null if nobody has seen it. */
    @Nullable
    URI sentTo() {
        ClientHttpRequest message = written;
        return message == null ? null : message.getURI();
    }

    /** All values of a header, with what filters have added. A request that nobody has seen may be anybody's. */
    List<String> sent(String header) {
        ClientHttpRequest message = written;
        List<String> values = message == null ? List.of() : Streams.all(message.getHeaders(), header);
        boolean cookies = header.equalsIgnoreCase("Cookie")
                && (message == null || !message.getCookies().isEmpty());
        return cookies ? List.of(String.join(",", values), "cookies") : values;
    }

    @Override
    public void onError(Throwable error) {
        if (handedOver && error instanceof WebClientRequestException) {
            unreadable(error);
        } else {
            completeExceptionally(mayHaveSent() ? AlreadySent.marked(error) : error);
        }
    }

    /** Of another body than its own, nobody tells when it is sent. */
    private boolean mayHaveSent() {
        return begun || otherBody || bodiless.get() != null;
    }

    private void unreadable(Throwable error) {
        completeExceptionally(AlreadySent.unreadable(error));
    }

    /** If there was a response, its body may still be read. Without one, this is the error that WebClient itself would make. */
    @Override
    public void onComplete() {
        if (!answered) {
            completeExceptionally(
                    new IllegalStateException("The underlying HTTP client completed without emitting a response."));
        }
    }

    /** Tells the reading of the error before this future ends: whoever waits for the future may look into the cache. */
    @Override
    public boolean completeExceptionally(Throwable error) {
        if (!isDone()) {
            reading.failed(error);
        }
        return super.completeExceptionally(error);
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
        if (!isDone()) {
            reading.failed(new CancellationException());
        }
        // First this one: what comes from now on is discarded.
        boolean cancelled = super.cancel(mayInterrupt);
        exchange.cancel();
        Subscription rest = body;
        if (cancelled && rest != null) {
            rest.cancel();
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
                            ? one.doOnSubscribe(unused -> begun = true).doOnSuccess(unused -> handedOver = true)
                            : noted(content));
        }

        @Override
        public Mono<Void> writeAndFlushWith(Publisher<? extends Publisher<? extends DataBuffer>> content) {
            return super.writeAndFlushWith(noted(content));
        }

        private <B> Flux<B> noted(Publisher<B> content) {
            return Flux.from(content).doOnSubscribe(unused -> begun = true).doOnComplete(() -> handedOver = true);
        }

        /** Without a body, nobody tells when it is sent. */
        @Override
        public Mono<Void> setComplete() {
            begun = true;
            return super.setComplete().doOnSuccess(unused -> handedOver = true);
        }
    }
}
