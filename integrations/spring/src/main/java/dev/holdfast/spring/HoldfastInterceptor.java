/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.AlreadySent;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.HttpCalls;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.http.HttpOperation;
import dev.holdfast.http.HttpOptions;
import dev.holdfast.http.Kept;
import dev.holdfast.http.PipelinePerAuthority;
import dev.holdfast.http.Pipelines;
import dev.holdfast.internal.IoExceptions;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.support.HttpRequestWrapper;

/**
 * Puts pipelines around the requests of RestClient and RestTemplate.
 *
 * <pre>{@code
 * PipelinePerAuthority shops = PipelinePerAuthority.standard("shops"); // close it when the service stops
 * RestClient client = RestClient.builder()
 *         .requestFactory(RequestFactories.noting(new JdkClientHttpRequestFactory()))
 *         .requestInterceptor(HoldfastInterceptor.of(shops))
 *         .build();
 * }</pre>
 *
 * <p>Each request is a call of the pipeline of its authority ({@link HttpCalls}, {@link PipelinePerAuthority}), and its response means
 * what {@link HttpClassifier} says. Interceptors before this one run once for a call, those after it in each attempt. The caller gets
 * the last response as it is, and so does a status handler. A body belongs to its attempt if it is small ({@link #readBodiesUpTo}).
 *
 * <p>What the policies say becomes an {@link IOException}, of which the clients make a {@code ResourceAccessException}: a rejection one
 * whose cause is the {@link CallRejectedException}, a timeout a {@link SocketTimeoutException} whose cause is the {@link
 * CallTimeoutException}. If the thread was interrupted, it is an {@link InterruptedIOException}, and the thread's interrupt flag is
 * set.
 *
 * <p>An attempt that is given up is interrupted. Not every request factory answers to that: see {@link RequestFactories}.
 *
 * <p>Safe for any number of threads.
 */
public final class HoldfastInterceptor implements ClientHttpRequestInterceptor {
    private final HttpCalls<HttpRequest, Received> calls;
    private final @Nullable CallHeaders headers;
    private final int mostRead;

    private HoldfastInterceptor(HttpCalls<HttpRequest, Received> calls, @Nullable CallHeaders headers, int mostRead) {
        this.calls = calls;
        this.headers = headers;
        this.mostRead = mostRead;
    }

    /** With these pipelines. */
    public static HoldfastInterceptor of(Pipelines pipelines) {
        return of(pipelines, options -> {});
    }

    /** As {@link #of(Pipelines)}, with options. */
    public static HoldfastInterceptor of(Pipelines pipelines, Consumer<? super HttpOptions<HttpRequest>> configure) {
        HttpOptions<HttpRequest> options = new HttpOptions<>();
        configure.accept(options);
        return new HoldfastInterceptor(
                new HttpCalls<>(new BlockingMessages(), pipelines, options),
                options.headers().orElse(null),
                HttpCalls.READ_BODIES_UP_TO);
    }

    /**
     * The same with another bound for bodies. A body is read within the attempt if its length is known and at most this, or if its
     * length is not known and its type is none that is sent bit by bit: {@code text/event-stream}, {@code application/x-ndjson},
     * {@code application/grpc}, {@code multipart}, audio, video. Of one whose length is not known, at most this is read, and the
     * caller reads on from there. Use 0 for an API that keeps a response open under another type; then a stale cache keeps nothing.
     *
     * @param bytes after decompression, 0 to 67,108,864; default 262,144; 0: none is read
     * @throws dev.holdfast.spi.InvalidSettingsException if it is out of range
     */
    public HoldfastInterceptor readBodiesUpTo(int bytes) {
        HttpCalls.checkReadBodiesUpTo("HoldfastInterceptor", bytes);
        return new HoldfastInterceptor(calls, headers, bytes);
    }

    @Override
    public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
            throws IOException {
        Exchange outer = Exchange.of(request);
        if (outer != null) {
            outer.notSent(); // the attempts of this pipeline tell it, if there are any
        }
        ClientHttpRequestExecution rest = Chain.repeatable(execution);
        HttpOperation<HttpRequest, Received> operation = calls.operation(request);
        CachedCall<Received> cached = body.length == 0 ? operation.cached(request) : null;
        try {
            if (cached != null) {
                return Copy.response(cached, cached.call().<IOException>reply(attempt -> {
                    Exchange own = exchange(attempt);
                    Sent sent = new Sent(request, headers, own);
                    return own.execute(rest, sent, body, (exchange, received) -> {
                        calls.answered(request, received.status());
                        return kept(cached, exchange, sent, received);
                    });
                }));
            }
            return operation.call(request).<IOException>call(attempt -> {
                Exchange own = exchange(attempt);
                try {
                    return own.execute(rest, new Sent(request, headers, own), body, (exchange, received) -> {
                        exchange.answered(calls, request, received.status());
                        return received.read(mostRead);
                    });
                } catch (Throwable e) {
                    if (own.mayHaveSent()) {
                        own.failed(calls, request);
                    }
                    throw e;
                }
            });
        } catch (IOException | CallTimeoutException | CallRejectedException e) {
            calls.ended(request, e);
            Throwable thrown = AlreadySent.original(e);
            if (thrown != e && thrown instanceof RuntimeException own && !(own instanceof CallRejectedException)) {
                throw own;
            }
            throw IoExceptions.of(thrown);
        }
    }

    private static Exchange exchange(Attempt attempt) {
        Exchange exchange = new Exchange();
        attempt.onCancel(exchange::cancel);
        return exchange;
    }

    private Kept<Received> kept(CachedCall<Received> cached, Exchange exchange, HttpRequest request, Received received)
            throws IOException {
        Map<String, List<String>> all = Streams.map(exchange.sent(request));
        Function<String, List<String>> header = name -> all.getOrDefault(name, List.of());
        Map<String, List<String>> answered = Streams.map(received.getHeaders());
        boolean mayBeRedirected = exchange.wasRedirected() || (!exchange.seesRedirects() && cached.isPersonal(header));
        if (mostRead == 0
                || mayBeRedirected
                || !cached.isTo(exchange.sentTo(request))
                || !cached.mayKeep(received.status(), answered, header)) {
            return cached.forOne(received.read(mostRead), header);
        }
        byte[] body = received.readUpTo(Math.max(mostRead, cached.maxKept()));
        if (body == null
                || body.length > cached.maxKept()
                || !Streams.isWhole(request.getMethod().name(), received.status(), answered, body.length)) {
            return cached.forOne(received, header);
        }
        Kept<Received> kept = cached.kept(Copy.of(received, body), answered, body);
        received.close();
        return kept;
    }

    /** The request of one attempt, whose headers and attributes the rest of the chain may change. */
    private static final class Sent extends HttpRequestWrapper {
        private final HttpHeaders own = new HttpHeaders();
        private final Map<String, Object> attributes;

        /** To be made on the thread that runs the attempt. */
        Sent(HttpRequest request, @Nullable CallHeaders headers, Exchange exchange) {
            super(request);
            request.getHeaders().forEach(own::addAll);
            if (headers != null) {
                headers.write(own::set);
            }
            attributes = new HashMap<>(request.getAttributes());
            exchange.writeTo(attributes);
        }

        @Override
        public Map<String, Object> getAttributes() {
            return attributes;
        }

        @Override
        public HttpHeaders getHeaders() {
            return own;
        }
    }
}
