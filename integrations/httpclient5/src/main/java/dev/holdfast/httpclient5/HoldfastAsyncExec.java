/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.HttpCalls;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.http.HttpOperation;
import dev.holdfast.http.HttpOptions;
import dev.holdfast.http.Kept;
import dev.holdfast.http.Pipelines;
import dev.holdfast.internal.context.Carried;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecChainHandler;
import org.apache.hc.client5.http.impl.async.H2AsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.support.BasicRequestBuilder;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Puts pipelines around the requests of Apache's asynchronous client, as {@link HoldfastExec} does for the classic one. Holds no
 * thread while it waits for the server.
 *
 * <pre>{@code
 * PipelinePerAuthority shops = PipelinePerAuthority.standard("shops"); // close it when the service stops
 * CloseableHttpAsyncClient client =
 *         HoldfastAsyncExec.of(shops).addTo(HttpAsyncClients.custom()).build();
 * }</pre>
 *
 * <p>Each request is a call of the pipeline of its authority ({@link HttpCalls}), and its response means what {@link
 * HttpClassifier} says. Redirects are followed within an attempt. Each attempt has a connection of its own. The caller's {@code
 * HttpClientContext} shows the last one that was answered. A body belongs to its attempt if it is small ({@link #readBodiesUpTo}).
 * The caller's consumer sees one response, that of the call: nothing of an attempt that failed, and no 1xx. It may be told on a
 * thread of the pipeline's executor. If a larger body breaks, the consumer fails, and nothing is repeated.
 *
 * <p>A request is sent again only if its producer is repeatable. All attempts have the same producer, so they send it one after the
 * other: a hedge waits until the first attempt has sent the body. A server may answer before it has read all of it. Such an answer
 * counts at once, and after a 2xx the server still gets the rest.
 *
 * <p>What the policies say becomes an {@link IOException}: a rejection one whose cause is the {@link CallRejectedException}, a timeout
 * a {@link SocketTimeoutException} whose cause is the {@link CallTimeoutException}. A future that is cancelled cancels the exchange, and
 * is no failure of the dependency.
 *
 * <p>The client repeats requests by itself. {@link #addTo} switches that off. Where the handler was added in another way, it logs a
 * warning, once, when a request was repeated within an attempt.
 *
 * <p>Safe for any number of threads.
 */
public final class HoldfastAsyncExec implements AsyncExecChainHandler {
    private static final String WIRE_LOG = "org.apache.hc.client5.http.wire";

    private static final Messages<AsyncRequest, AsyncAnswer> MESSAGES = new Messages<>(
            AsyncAnswer.class, AsyncRequest::canBeSentAgain, AsyncAnswer::cameByRedirect, AsyncAnswer::discard);

    private final HttpCalls<AsyncRequest, AsyncAnswer> calls;
    private final @Nullable CallHeaders headers;
    private final int mostRead;
    /** Whether all requests to a server share a connection. */
    private final boolean streams;

    private final OwnRetries ownRetries = new OwnRetries(HoldfastAsyncExec.class);

    private HoldfastAsyncExec(
            HttpCalls<AsyncRequest, AsyncAnswer> calls, @Nullable CallHeaders headers, int mostRead, boolean streams) {
        this.calls = calls;
        this.headers = headers;
        this.mostRead = mostRead;
        this.streams = streams;
    }

    /** With these pipelines. */
    public static HoldfastAsyncExec of(Pipelines pipelines) {
        return of(pipelines, options -> {});
    }

    /** As {@link #of(Pipelines)}, with options. */
    public static HoldfastAsyncExec of(Pipelines pipelines, Consumer<? super HttpOptions<HttpRequest>> configure) {
        HttpOptions<HttpRequest> options = new HttpOptions<>();
        configure.accept(options);
        return new HoldfastAsyncExec(
                new HttpCalls<>(MESSAGES, pipelines, options),
                options.headers().orElse(null),
                HttpCalls.READ_BODIES_UP_TO,
                false);
    }

    /**
     * The same with another bound for bodies, as in {@link HoldfastExec#readBodiesUpTo}.
     *
     * @param bytes after decompression, 0 to 67,108,864; default 262,144; 0: none is read
     * @throws dev.holdfast.spi.InvalidSettingsException if it is out of range
     */
    public HoldfastAsyncExec readBodiesUpTo(int bytes) {
        HttpCalls.checkReadBodiesUpTo("HoldfastAsyncExec", bytes);
        return new HoldfastAsyncExec(calls, headers, bytes, streams);
    }

    /**
     * Adds it to a client, as the outermost handler, and switches the client's own retries off. Returns the builder. Not for a
     * connection manager with {@code setMessageMultiplexing(true)}: an attempt that is given up closes its connection, and would end
     * the requests that share it.
     *
     * <p>Over HTTP/2, a server may leave out a request when it goes away, and the client would wait for it. So this sets the builder's
     * {@code setIoSessionDecorator}, and a decorator of your own is not used: one that is set afterwards takes the place of this
     * one, and then such a request ends with a timeout, and a POST that the server refuses is not repeated. If the client's wire
     * log {@code org.apache.hc.client5.http.wire} is at debug by now, the decorator that writes it stays instead.
     */
    public HttpAsyncClientBuilder addTo(HttpAsyncClientBuilder client) {
        // Both cannot be: the decorator that writes this log is not public.
        if (!LoggerFactory.getLogger(WIRE_LOG).isDebugEnabled()) {
            client.setIoSessionDecorator(ResettingSession::ofAnyVersion);
        }
        return client.disableAutomaticRetries().addExecInterceptorFirst(HoldfastExec.NAME, this);
    }

    /**
     * As {@link #addTo(HttpAsyncClientBuilder)}, for a client of HTTP/2 alone. Its attempts are streams of one connection for each
     * server: one that is cancelled or times out resets its stream, and the connection is used on. The client would reset it only with
     * the next frame of the server's. So this sets the builder's {@code setIoSessionDecorator}, and a decorator of your own is not used:
     * one that is set afterwards takes the place of this one, and then a server that never answers uses up the streams of the
     * connection.
     */
    public H2AsyncClientBuilder addTo(H2AsyncClientBuilder client) {
        return client.disableAutomaticRetries()
                .setIoSessionDecorator(ResettingSession::ofHttp2)
                .addExecInterceptorFirst(HoldfastExec.NAME, new HoldfastAsyncExec(calls, headers, mostRead, true));
    }

    @Override
    public void execute(
            HttpRequest request,
            @Nullable AsyncEntityProducer body,
            AsyncExecChain.Scope scope,
            AsyncExecChain chain,
            AsyncExecCallback caller) {
        new Sending(AsyncRequest.of(request, body, scope), scope, chain, caller).begin();
    }

    private void notice(AsyncExchange<?> exchange) {
        if (exchange.wasRepeated()) {
            ownRetries.noticed();
        }
    }

    /** One request of the client's: what its user can cancel. */
    private final class Sending implements Cancellable {
        private final AsyncRequest request;
        private final AsyncExecChain.Scope scope;
        private final AsyncExecChain chain;
        private final AsyncExecCallback caller;
        private final BodyInTurn.Turns turns = new BodyInTurn.Turns();
        private final List<AsyncExchange<?>> exchanges = new CopyOnWriteArrayList<>();
        private volatile boolean cancelled;
        private volatile @Nullable CompletableFuture<?> call;

        Sending(AsyncRequest request, AsyncExecChain.Scope scope, AsyncExecChain chain, AsyncExecCallback caller) {
            this.request = request;
            this.scope = scope;
            this.chain = chain;
            this.caller = caller;
        }

        void begin() {
            scope.cancellableDependency.setDependency(this);
            try {
                boolean direct = Messages.isDirect(request, scope.route);
                HttpOperation<AsyncRequest, AsyncAnswer> operation =
                        direct ? calls.operation(request) : calls.operation(request, Messages.server(scope.route));
                CachedCall<AsyncAnswer> cached = direct && request.body() == null ? operation.cached(request) : null;
                if (cached == null) {
                    begun(
                            operation.call(request).callAsync(attempt -> exchange(attempt, new Reading())),
                            AsyncAnswer::of);
                } else {
                    begun(
                            cached.call().replyAsync(attempt -> exchange(attempt, new Keeping(request, cached))),
                            reply -> AsyncAnswer.of(cached, reply));
                }
            } catch (Throwable e) {
                // A malformed address. A callback hears of every problem, since its caller hears of nothing else.
                caller.failed(Errors.toCaller(e, false));
            }
        }

        private <T> void begun(CompletableFuture<T> now, Function<? super T, AsyncAnswer> answer) {
            call = now;
            if (cancelled) {
                now.cancel(true);
            }
            Deadline.Binding here = Deadline.Binding.current();
            // As the caller of this call would, whichever thread it is.
            var unused = now.whenComplete((value, error) -> Carried.inherit(here, () -> {
                tell(value, answer, error);
                return true;
            }));
        }

        private <T> void tell(T value, Function<? super T, AsyncAnswer> answer, @Nullable Throwable error) {
            try {
                if (error == null) {
                    answer.apply(value).deliver(caller);
                } else {
                    calls.ended(request, error);
                    caller.failed(Errors.toCaller(error, cancelled));
                }
            } catch (Throwable e) {
                caller.failed(Errors.toCaller(e, false));
            }
        }

        private <T> AsyncExchange<T> exchange(Attempt attempt, AsyncExchange.Reading<T> reading) {
            HttpRequest copy = copy();
            AsyncEntityProducer body = request.body();
            AsyncExchange<T> exchange = new AsyncExchange<>(
                    copy,
                    body == null ? null : new BodyInTurn(body, turns),
                    AttemptContext.of(attempt, scope.clientContext),
                    scope,
                    reading,
                    headers,
                    streams);
            if (!attempt.isRefresh()) {
                exchanges.add(exchange);
            }
            var unused = exchange.whenComplete((value, error) -> notice(exchange));
            return exchange.start(BasicRequestBuilder.copy(copy).build(), chain);
        }

        /** The client's handlers change it. To be made on the thread that runs the attempt. */
        private HttpRequest copy() {
            HttpRequest copy = BasicRequestBuilder.copy(request).build();
            if (headers != null) {
                headers.write((name, value) -> Messages.set(copy, name, value));
            }
            return copy;
        }

        /** Afterwards, too: then it ends a body that is still read. */
        @Override
        public boolean cancel() {
            cancelled = true;
            CompletableFuture<?> now = call;
            if (now != null) {
                now.cancel(true);
            }
            exchanges.forEach(AsyncExchange::abort);
            return true;
        }

        /** For the one caller. */
        private final class Reading implements AsyncExchange.Reading<AsyncAnswer> {
            @Override
            public int most(
                    HttpResponse response,
                    @Nullable EntityDetails body,
                    HttpClientContext context,
                    @Nullable HttpRequest answered) {
                Redirects.answered(calls, request, response.getCode(), context, answered);
                return body != null && Bodies.isSmall(body, mostRead) ? mostRead : -1;
            }

            @Override
            public AsyncAnswer made(AsyncAnswer answer) {
                return answer;
            }

            @Override
            public void failed(HttpClientContext context, boolean redirected) {
                calls.unanswered(request);
                Redirects.failed(calls, request, context, redirected);
            }
        }
    }

    /** For others, too, if they may get it. */
    private final class Keeping implements AsyncExchange.Reading<Kept<AsyncAnswer>> {
        private final AsyncRequest request;
        private final CachedCall<AsyncAnswer> cached;
        private @Nullable HttpRequest sent;
        private boolean mayKeep;

        Keeping(AsyncRequest request, CachedCall<AsyncAnswer> cached) {
            this.request = request;
            this.cached = cached;
        }

        @Override
        public int most(
                HttpResponse response,
                @Nullable EntityDetails body,
                HttpClientContext context,
                @Nullable HttpRequest answered) {
            sent = answered;
            if (answered != null) {
                calls.answered(request, response.getCode());
            }
            mayKeep = Copies.mayKeep(
                    cached, response.getCode(), Copies.headers(response, body), context, answered, mostRead);
            if (mayKeep) {
                return Math.max(mostRead, cached.maxKept());
            }
            return body != null && Bodies.isSmall(body, mostRead) ? mostRead : -1;
        }

        @Override
        public Kept<AsyncAnswer> made(AsyncAnswer answer) {
            HttpRequest ofTarget = sent;
            if (ofTarget == null) {
                return cached.ofAnother(answer);
            }
            byte[] body = answer.body();
            if (!mayKeep || body == null || body.length > cached.maxKept()) {
                return cached.forOne(answer, name -> Messages.all(ofTarget, name));
            }
            return cached.kept(answer.copy(Map.of()), Copies.headers(answer), body);
        }
    }
}
