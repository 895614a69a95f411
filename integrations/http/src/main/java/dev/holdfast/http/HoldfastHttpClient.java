/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Reason;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.internal.Causes;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.net.http.HttpTimeoutException;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * An {@link HttpClient} with pipelines around it, for every place that takes one.
 *
 * <pre>{@code
 * PipelinePerAuthority shops = PipelinePerAuthority.standard("shops"); // close it when the service stops
 * HttpClient client = HoldfastHttpClient.around(HttpClient.newHttpClient(), shops);
 * }</pre>
 *
 * <p>Each request is a call of the pipeline of its authority ({@link HttpCalls}), and its response means what {@link
 * HttpClassifier} says. An attempt lasts until the body handler has its body: with {@code ofString} until the last byte, with
 * {@code ofInputStream} until the headers are there. The rest of such a body is the caller's own affair.
 *
 * <p>What the policies say becomes an {@link IOException}, as callers of a client expect: a rejection one whose cause is the {@link
 * CallRejectedException}, a timeout an {@link HttpTimeoutException} whose cause is the {@link CallTimeoutException}.
 *
 * <p>The client around which it is, and the pipelines, stay their owner's to close. Safe for any number of threads.
 */
public final class HoldfastHttpClient extends HttpClient {
    private final HttpClient client;
    private final HttpCalls<HttpRequest, HttpResponse<?>> calls;
    private final @Nullable CallHeaders headers;
    private final CachedClient caching;

    private HoldfastHttpClient(HttpClient client, Pipelines pipelines, HttpOptions<HttpRequest> options) {
        this.client = client;
        headers = options.headers().orElse(null);
        calls = new HttpCalls<>(JdkMessages.INSTANCE, pipelines, options);
        caching = new CachedClient(client, calls, this::sent);
    }

    /** Puts these pipelines around a client. */
    public static HttpClient around(HttpClient client, Pipelines pipelines) {
        return around(client, pipelines, options -> {});
    }

    /** As {@link #around(HttpClient, Pipelines)}, with options. */
    public static HttpClient around(
            HttpClient client, Pipelines pipelines, Consumer<? super HttpOptions<HttpRequest>> configure) {
        Objects.requireNonNull(client, "client");
        Objects.requireNonNull(pipelines, "pipelines");
        HttpOptions<HttpRequest> options = new HttpOptions<>();
        configure.accept(options);
        return new HoldfastHttpClient(client, pipelines, new HttpOptions<>(options));
    }

    @Override
    @SuppressWarnings("unchecked") // the handler's type
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        Objects.requireNonNull(handler, "handler");
        OfTheHandler ofHandler = new OfTheHandler();
        try {
            HttpOperation<HttpRequest, HttpResponse<?>> operation = calls.operation(request);
            boolean readOnce = JdkMessages.hasTarget(handler);
            CachedCall<HttpResponse<?>> cached = readOnce || hasBody(request) ? null : operation.cached(request);
            if (cached != null) {
                return Answer.forCaller(caching.send(cached, request, handler, ofHandler));
            }
            HttpResponse<?> answer = call(operation, request, readOnce).<IOException>callInterruptibly(attempt -> {
                SentRequest sent = sent(request);
                try {
                    return sent.answer(noted(client.send(sent, sent.noting(noting(request, handler)))));
                } catch (IOException | RuntimeException e) {
                    sent.mark(e);
                    ofHandler.unwrap(e, sent);
                    throw e;
                } catch (InterruptedException e) {
                    sent.giveUp(e);
                    throw e;
                }
            });
            return (HttpResponse<T>) Answer.forCaller(answer);
        } catch (InterruptedException e) {
            throw e;
        } catch (Throwable e) {
            Throwable thrown = AlreadySent.original(e);
            calls.ended(request, thrown);
            if (thrown instanceof CallRejectedException rejected && rejected.reason() == Reason.INTERRUPTED) {
                InterruptedException interrupted = new InterruptedException(rejected.getMessage());
                interrupted.initCause(rejected);
                throw interrupted;
            }
            ofHandler.wrap(thrown);
            throw Causes.<IOException>asItIs(
                    isOfThePolicies(thrown) ? asIOException((RuntimeException) thrown) : thrown);
        }
    }

    /** A handler that writes to one target reads one body: a second one, or a hedge's, would mix with the first. */
    private static Call<HttpResponse<?>> call(
            HttpOperation<HttpRequest, HttpResponse<?>> operation, HttpRequest request, boolean readOnce) {
        Call<HttpResponse<?>> call = operation.call(request);
        return readOnce ? call.sentOnce() : call;
    }

    private SentRequest sent(HttpRequest request) {
        return new SentRequest(request, headers, calls);
    }

    /** Notes what the response says of what is kept. */
    private <T> BodyHandler<T> noting(HttpRequest request, BodyHandler<T> handler) {
        return calls.heedsAnswer(request)
                ? new HandlerAround<>(handler, info -> {
                    calls.answeredPastTheCache(request, info.statusCode());
                    return handler.apply(info);
                })
                : handler;
    }

    /** The same of each request on the way, where the client has followed redirects. */
    private <T> HttpResponse<T> noted(HttpResponse<T> response) {
        Optional<HttpResponse<T>> before = response.previousResponse();
        if (before.isPresent()) {
            calls.answered(response.request().method(), response.uri(), response.statusCode());
        }
        while (before.isPresent()) {
            HttpResponse<T> step = before.get();
            calls.answered(step.request().method(), step.uri(), step.statusCode());
            before = step.previousResponse();
        }
        return response;
    }

    private <T> CompletableFuture<HttpResponse<T>> noted(CompletableFuture<HttpResponse<T>> exchange) {
        return new HandedOn<HttpResponse<T>, HttpResponse<T>>(
                exchange,
                response -> CompletableFuture.completedStage(noted(response)),
                error -> error,
                JdkMessages.INSTANCE::close);
    }

    private static boolean hasBody(HttpRequest request) {
        BodyPublisher body = SentRequest.ownBody(request);
        return body != null && body.contentLength() != 0;
    }

    private static boolean isOfThePolicies(Throwable thrown) {
        return thrown instanceof CallRejectedException || thrown instanceof CallTimeoutException;
    }

    private static IOException asIOException(RuntimeException said) {
        if (said instanceof CallTimeoutException
                || (said instanceof CallRejectedException rejected && rejected.reason() == Reason.DEADLINE_EXCEEDED)) {
            HttpTimeoutException timeout = new HttpTimeoutException(said.getMessage());
            timeout.initCause(said);
            return timeout;
        }
        return new IOException(said.getMessage(), said);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
        return sendAsync(request, handler, null);
    }

    @Override
    @SuppressWarnings("unchecked") // the handler's type
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> handler, @Nullable PushPromiseHandler<T> pushes) {
        Objects.requireNonNull(handler, "handler");
        HttpOperation<HttpRequest, HttpResponse<?>> operation = calls.operation(request);
        boolean readOnce = JdkMessages.hasTarget(handler);
        CachedCall<HttpResponse<?>> cached =
                pushes == null && !readOnce && !hasBody(request) ? operation.cached(request) : null;
        CompletableFuture<HttpResponse<T>> call = cached != null
                ? caching.sendAsync(cached, request, handler)
                : (CompletableFuture<HttpResponse<T>>) (CompletableFuture<?>) call(operation, request, readOnce)
                        .callAsync(attempt -> {
                            SentRequest sent = sent(request);
                            CompletableFuture<HttpResponse<T>> exchange =
                                    client.sendAsync(sent, sent.noting(noting(request, handler)), pushes);
                            CompletableFuture<HttpResponse<T>> marked = sent.marked(exchange);
                            return (CompletableFuture<HttpResponse<?>>) (CompletableFuture<?>)
                                    (HttpCalls.isSafe(request.method()) ? marked : noted(marked));
                        });
        return HandedOn.of(
                call,
                Answer::forCaller,
                error -> {
                    Throwable thrown = AlreadySent.original(error);
                    calls.ended(request, thrown);
                    return isOfThePolicies(thrown) ? asIOException((RuntimeException) thrown) : thrown;
                },
                JdkMessages.INSTANCE::close);
    }

    // ---- as the client

    @Override
    public Optional<CookieHandler> cookieHandler() {
        return client.cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return client.connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
        return client.followRedirects();
    }

    @Override
    public Optional<ProxySelector> proxy() {
        return client.proxy();
    }

    @Override
    public SSLContext sslContext() {
        return client.sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
        return client.sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
        return client.authenticator();
    }

    @Override
    public Version version() {
        return client.version();
    }

    @Override
    public Optional<Executor> executor() {
        return client.executor();
    }

    /** Of the client itself, without a pipeline: a WebSocket is no call that could be repeated. */
    @Override
    public WebSocket.Builder newWebSocketBuilder() {
        return client.newWebSocketBuilder();
    }

    // ---- as the client, from Java 21 on; this class is compiled for an older one, where they override nothing

    /** Does nothing: the client inside is its maker's to close. */
    public void close() {}

    /**
     * Whether the client inside has terminated.
     *
     * @throws UnsupportedOperationException before Java 21
     */
    public boolean isTerminated() {
        return ofTheClient("isTerminated", MethodType.methodType(boolean.class));
    }

    /**
     * Waits for the end of the client inside, which only its maker can bring about.
     *
     * @throws InterruptedException as the client inside
     * @throws UnsupportedOperationException before Java 21
     */
    public boolean awaitTermination(Duration duration) throws InterruptedException {
        return ofTheClient("awaitTermination", MethodType.methodType(boolean.class, Duration.class), duration);
    }

    private boolean ofTheClient(String name, MethodType type, Object... arguments) {
        try {
            return (boolean) MethodHandles.publicLookup()
                    .findVirtual(HttpClient.class, name, type)
                    .bindTo(client)
                    .invokeWithArguments(arguments);
        } catch (NoSuchMethodException | IllegalAccessException e) {
            throw new UnsupportedOperationException("an HttpClient has " + name + " from Java 21 on", e);
        } catch (Throwable e) {
            throw Causes.<RuntimeException>asItIs(e);
        }
    }

    @Override
    public String toString() {
        return "HoldfastHttpClient[" + client + "]";
    }
}
