/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.HttpCalls;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.http.HttpOperation;
import dev.holdfast.http.HttpOptions;
import dev.holdfast.http.Pipelines;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.function.Consumer;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecChainHandler;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Puts pipelines around the requests of Apache's classic client.
 *
 * <pre>{@code
 * PipelinePerAuthority shops = PipelinePerAuthority.standard("shops"); // close it when the service stops
 * CloseableHttpClient client =
 *         HoldfastExec.of(shops).addTo(HttpClients.custom()).build();
 * }</pre>
 *
 * <p>Each request is a call of the pipeline of its authority ({@link HttpCalls}), and its response means what {@link
 * HttpClassifier} says. Redirects are followed within an attempt. Each attempt has a connection of its own. The caller's {@code
 * HttpClientContext} shows the last one that was answered. A body belongs to its attempt if it is small ({@link #readBodiesUpTo}).
 *
 * <p>What the policies say becomes an {@link IOException}: a rejection one whose cause is the {@link CallRejectedException}, a timeout
 * a {@link SocketTimeoutException} whose cause is the {@link CallTimeoutException}. If the thread was interrupted, it is an {@link
 * InterruptedIOException}, and the thread's interrupt flag is set. A request that is cancelled ({@code HttpUriRequestBase.cancel}) is
 * no failure of the dependency.
 *
 * <p>The client repeats requests by itself, once after a second. {@link #addTo} switches that off: a retry of the policies would
 * multiply with it. Where the handler was added in another way, it logs a warning, once, when a request was repeated within an
 * attempt. Behind {@code PROTOCOL} in the client's chain it refuses its requests with an {@link IllegalStateException}.
 *
 * <p>Safe for any number of threads.
 */
public final class HoldfastExec implements ExecChainHandler {
    /** The name of the handler in the client's chain. */
    public static final String NAME = "holdfast";

    private static final Messages<ClassicHttpRequest, ClassicHttpResponse> MESSAGES = new Messages<>(
            ClassicHttpResponse.class,
            request -> request.getEntity() == null || request.getEntity().isRepeatable(),
            Redirects.Redirected.class::isInstance,
            Bodies::discard);

    private final HttpCalls<ClassicHttpRequest, ClassicHttpResponse> calls;
    private final @Nullable CallHeaders headers;
    private final int mostRead;
    private final OwnRetries ownRetries = new OwnRetries(HoldfastExec.class);

    /** Whether its place in the client's chain was looked at, at the first request. */
    private volatile boolean placed;

    private HoldfastExec(
            HttpCalls<ClassicHttpRequest, ClassicHttpResponse> calls, @Nullable CallHeaders headers, int mostRead) {
        this.calls = calls;
        this.headers = headers;
        this.mostRead = mostRead;
    }

    /** With these pipelines. */
    public static HoldfastExec of(Pipelines pipelines) {
        return of(pipelines, options -> {});
    }

    /** As {@link #of(Pipelines)}, with options. */
    public static HoldfastExec of(Pipelines pipelines, Consumer<? super HttpOptions<ClassicHttpRequest>> configure) {
        HttpOptions<ClassicHttpRequest> options = new HttpOptions<>();
        configure.accept(options);
        return new HoldfastExec(
                new HttpCalls<>(MESSAGES, pipelines, options),
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
    public HoldfastExec readBodiesUpTo(int bytes) {
        HttpCalls.checkReadBodiesUpTo("HoldfastExec", bytes);
        return new HoldfastExec(calls, headers, bytes);
    }

    /** Adds it to a client, as the outermost handler, and switches the client's own retries off. Returns the builder. */
    public HttpClientBuilder addTo(HttpClientBuilder client) {
        return client.disableAutomaticRetries().addExecInterceptorFirst(NAME, this);
    }

    @Override
    public ClassicHttpResponse execute(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        checkPlace();
        Cancellation cancellation = new Cancellation();
        if (scope.originalRequest instanceof CancellableDependency user) {
            user.setDependency(cancellation);
        }
        try {
            boolean direct = Messages.isDirect(request, scope.route);
            HttpOperation<ClassicHttpRequest, ClassicHttpResponse> operation =
                    direct ? calls.operation(request) : calls.operation(request, Messages.server(scope.route));
            CachedCall<ClassicHttpResponse> cached =
                    direct && request.getEntity() == null ? operation.cached(request) : null;
            if (cached != null) {
                // The caller may change his request after the call.
                ClassicHttpRequest asked = ClassicRequestBuilder.copy(request).build();
                return Copies.response(
                        cached,
                        cached.call()
                                .<Exception>reply(attempt -> exchange(attempt, cancellation)
                                        .execute(
                                                copy(asked),
                                                Copies.scope(attempt, scope),
                                                chain,
                                                (exchange, response, context) -> {
                                                    if (exchange.answered() != null) {
                                                        calls.answered(asked, response.getCode());
                                                    }
                                                    return Copies.kept(cached, exchange, response, context, mostRead);
                                                })));
            }
            return operation
                    .call(request)
                    .<Exception>call(attempt ->
                            read(exchange(attempt, cancellation), request, Copies.scope(attempt, scope), chain));
        } catch (Exception e) {
            calls.ended(request, e);
            Exception told = Errors.toCaller(e, cancellation.isCancelled());
            if (told instanceof HttpException http) {
                throw http;
            }
            if (told instanceof RuntimeException mistake) {
                throw mistake;
            }
            throw (IOException) told;
        } finally {
            cancellation.over();
        }
    }

    /** Nothing but the stack tells: the client hands the same objects to each handler of its chain. */
    private void checkPlace() {
        if (placed) {
            return;
        }
        boolean within = StackWalker.getInstance()
                .walk(frames -> frames.map(StackWalker.StackFrame::getClassName)
                        .takeWhile(name -> !name.endsWith(".InternalHttpClient"))
                        .anyMatch(name -> name.equals("org.apache.hc.client5.http.impl.classic.ProtocolExec")));
        if (within) {
            throw new IllegalStateException(
                    "HoldfastExec stands behind PROTOCOL in the chain of the client, where the connections of its attempts do"
                            + " not come back to the pool; add it with HoldfastExec.addTo(builder), or before PROTOCOL");
        }
        placed = true;
    }

    /** For the one caller. */
    private ClassicHttpResponse read(Exchange begun, ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        try {
            return begun.execute(copy(request), scope, chain, (exchange, response, context) -> {
                Redirects.answered(calls, request, response.getCode(), context, exchange.answered());
                Bodies.read(response, mostRead, exchange);
                return Redirects.marked(response, context);
            });
        } catch (Throwable e) {
            if (begun.hasSent()) {
                calls.unanswered(request);
                Redirects.failed(calls, request, scope.clientContext, begun.wasRedirected());
            }
            throw e;
        }
    }

    /** A refresh is not the user's to cancel. */
    private Exchange exchange(Attempt attempt, Cancellation cancellation) {
        Exchange exchange = new Exchange(ownRetries, headers);
        if (!attempt.isRefresh()) {
            cancellation.add(exchange);
        }
        attempt.onCancel(exchange::cancel);
        return exchange;
    }

    /** With the headers of the call. To be made on the thread that runs the attempt. */
    private ClassicHttpRequest copy(ClassicHttpRequest request) {
        ClassicHttpRequest copy = ClassicRequestBuilder.copy(request).build();
        if (headers != null) {
            headers.write((name, value) -> Messages.set(copy, name, value));
        }
        return copy;
    }
}
