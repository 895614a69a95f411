/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.AlreadySent;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.HttpCalls;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.http.HttpOperation;
import dev.holdfast.http.HttpOptions;
import dev.holdfast.http.PipelinePerAuthority;
import dev.holdfast.http.Pipelines;
import dev.holdfast.internal.context.Carried;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * Puts pipelines around the requests of WebClient.
 *
 * <pre>{@code
 * PipelinePerAuthority shops = PipelinePerAuthority.standard("shops"); // close it when the service stops
 * WebClient client = WebClient.builder()
 *         .filter(HoldfastFilter.of(shops))
 *         .build();
 * }</pre>
 *
 * <p>Each subscription is a call of the pipeline of the request's authority ({@link HttpCalls}, {@link PipelinePerAuthority}), and a
 * response means what {@link HttpClassifier} says. Filters before this one see a call, those after it each attempt. Each attempt
 * sees the subscriber's {@code Context}. A body belongs to its attempt if it is small ({@link #readBodiesUpTo}).
 *
 * <p>No thread waits. If the subscriber cancels, the attempt is cancelled. A response comes on the client's thread, or on one of the
 * pipeline's executor.
 *
 * <p>What the policies say becomes a {@link WebClientRequestException}, as what the network says: of a rejection with an {@link
 * IOException} whose cause is the {@link CallRejectedException}, of a timeout with a {@link SocketTimeoutException} whose cause is the
 * {@link CallTimeoutException}.
 *
 * <p>Safe for any number of threads.
 */
public final class HoldfastFilter implements ExchangeFilterFunction {
    private final HttpCalls<ClientRequest, Begun> calls;
    private final @Nullable CallHeaders headers;
    private final int mostRead;

    private HoldfastFilter(HttpCalls<ClientRequest, Begun> calls, @Nullable CallHeaders headers, int mostRead) {
        this.calls = calls;
        this.headers = headers;
        this.mostRead = mostRead;
    }

    /** With these pipelines. */
    public static HoldfastFilter of(Pipelines pipelines) {
        return of(pipelines, options -> {});
    }

    /** As {@link #of(Pipelines)}, with options. */
    public static HoldfastFilter of(Pipelines pipelines, Consumer<? super HttpOptions<ClientRequest>> configure) {
        HttpOptions<ClientRequest> options = new HttpOptions<>();
        configure.accept(options);
        return new HoldfastFilter(
                new HttpCalls<>(new ReactiveMessages(), pipelines, options),
                options.headers().orElse(null),
                HttpCalls.READ_BODIES_UP_TO);
    }

    /**
     * The same with another bound for bodies, as in {@link HoldfastInterceptor#readBodiesUpTo}. What is read is copied into memory
     * that is nobody's to release.
     *
     * @param bytes after decompression, 0 to 67,108,864; default 262,144; 0: none is read
     * @throws dev.holdfast.spi.InvalidSettingsException if it is out of range
     */
    public HoldfastFilter readBodiesUpTo(int bytes) {
        HttpCalls.checkReadBodiesUpTo("HoldfastFilter", bytes);
        return new HoldfastFilter(calls, headers, bytes);
    }

    @Override
    public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
        return Mono.deferContextual(context -> begin(request, next, context))
                .doOnError(error -> calls.ended(request, error))
                .onErrorMap(error -> asWebClients(error, request));
    }

    private Mono<ClientResponse> begin(ClientRequest request, ExchangeFunction next, ContextView context) {
        HttpOperation<ClientRequest, Begun> operation = calls.operation(request);
        CachedCall<Begun> cached = AsyncExchange.isEmpty(request) ? operation.cached(request) : null;
        if (cached == null) {
            return Mono.fromFuture(() -> inherit(
                            context,
                            () -> operation
                                    .call(request)
                                    .callAsync(attempt -> new AsyncExchange<>(context, new Reading(request))
                                            .start(sent(request), next))))
                    .doOnDiscard(Begun.class, Begun::discard)
                    .map(Begun::response);
        }
        return Mono.fromFuture(() -> inherit(
                        context,
                        () -> cached.call()
                                .replyAsync(attempt -> new AsyncExchange<>(
                                                context, new Keeping(calls, request, cached, mostRead))
                                        .start(sent(request), next))))
                .doOnDiscard(Reply.class, reply -> Keeping.discard(reply.value()))
                .map(reply -> Keeping.response(cached, reply, request));
    }

    /** The subscriber may have its deadline and its attempt in its context alone. */
    private static <R> R inherit(ContextView context, Supplier<R> begin) {
        return Carried.inherit(context.getOrDefault(Carried.KEY, null), begin);
    }

    /** To be made on the thread that runs the attempt. */
    private ClientRequest sent(ClientRequest request) {
        ClientRequest.Builder copy = ClientRequest.from(request);
        if (headers != null) {
            copy.headers(own -> headers.write(own::set));
        }
        return copy.build();
    }

    /** For the one caller. */
    private final class Reading implements AsyncExchange.Reading<Begun> {
        private final ClientRequest request;

        Reading(ClientRequest request) {
            this.request = request;
        }

        @Override
        public int most(ClientResponse response, AsyncExchange<?> exchange) {
            calls.answered(request, response.statusCode().value());
            if (exchange.wasRedirected()) {
                calls.answered(request, Step.FOLLOWED);
            }
            return Streams.isSmall(response.headers().asHttpHeaders(), mostRead) ? mostRead : -1;
        }

        @Override
        public Begun made(Begun begun) {
            return begun;
        }

        @Override
        public void failed(Throwable error) {
            calls.unanswered(request, error);
        }
    }

    private static Throwable asWebClients(Throwable thrown, ClientRequest request) {
        Throwable error = AlreadySent.original(thrown);
        Throwable wrapped = error;
        if (error instanceof CallTimeoutException
                || (error instanceof CallRejectedException rejected && rejected.reason() == Reason.DEADLINE_EXCEEDED)) {
            wrapped = new SocketTimeoutException(error.getMessage());
            wrapped.initCause(error);
        } else if (error instanceof CallRejectedException) {
            wrapped = new IOException(error.getMessage(), error);
        }
        return wrapped instanceof IOException
                ? new WebClientRequestException(wrapped, request.method(), request.url(), request.headers())
                : error;
    }
}
