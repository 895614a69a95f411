/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Reply;
import dev.holdfast.http.BoundedBody.Bytes;
import dev.holdfast.http.OwnBody.Broken;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;

/**
 * Requests of java.net.http that a stale cache may answer. The cache keeps bytes, and the handler of each caller reads them anew. A
 * body that is too long for it, or is for one caller alone, goes to that caller's handler as it comes.
 */
final class CachedClient {
    private final HttpClient client;
    private final HttpCalls<HttpRequest, HttpResponse<?>> calls;
    private final Function<HttpRequest, SentRequest> sending;

    /** Whether the client may add cookies or credentials to any request by itself. */
    private final boolean addsIdentity;

    CachedClient(
            HttpClient client,
            HttpCalls<HttpRequest, HttpResponse<?>> calls,
            Function<HttpRequest, SentRequest> sending) {
        this.client = client;
        this.calls = calls;
        this.sending = sending;
        addsIdentity =
                client.cookieHandler().isPresent() || client.authenticator().isPresent();
    }

    /** In the last one, it notes the exceptions of others that the client has wrapped. */
    <T> HttpResponse<T> send(
            CachedCall<HttpResponse<?>> cached, HttpRequest request, BodyHandler<T> handler, OfTheHandler wrapped)
            throws IOException, InterruptedException {
        Reply<Kept<HttpResponse<?>>> reply = reply(cached, request, handler, wrapped);
        try {
            return response(cached.keptOf(reply), reply, request, handler).get();
        } catch (ExecutionException e) {
            // As the client does with what a handler throws.
            Throwable cause = e.getCause();
            if (cause instanceof IllegalArgumentException wrong) {
                throw wrong;
            }
            throw cause instanceof IOException io ? io : new IOException(cause);
        }
    }

    private Reply<Kept<HttpResponse<?>>> reply(
            CachedCall<HttpResponse<?>> cached, HttpRequest request, BodyHandler<?> handler, OfTheHandler wrapped)
            throws IOException, InterruptedException {
        return cached.call().<IOException>replyInterruptibly(attempt -> {
            SentRequest sent = sending.apply(request);
            BodyHandler<?> own = attempt.isRefresh() ? info -> UnwantedBody.with(null) : handler;
            try {
                return kept(
                        cached,
                        request,
                        sent.answer(client.send(sent, sent.noting(info -> body(cached, request, own, info)))));
            } catch (IOException | RuntimeException e) {
                sent.mark(e);
                wrapped.unwrap(e, sent);
                throw e;
            } catch (InterruptedException e) {
                sent.giveUp(e);
                throw e;
            }
        });
    }

    <T> CompletableFuture<HttpResponse<T>> sendAsync(
            CachedCall<HttpResponse<?>> cached, HttpRequest request, BodyHandler<T> handler) {
        CompletableFuture<Reply<Kept<HttpResponse<?>>>> call = cached.call().replyAsync(attempt -> {
            SentRequest sent = sending.apply(request);
            BodyHandler<?> own = attempt.isRefresh() ? info -> UnwantedBody.with(null) : handler;
            CompletableFuture<HttpResponse<Object>> exchange =
                    client.sendAsync(sent, sent.noting(info -> body(cached, request, own, info)));
            return new HandedOn<HttpResponse<Object>, Kept<HttpResponse<?>>>(
                    sent.marked(exchange),
                    response -> CompletableFuture.completedStage(kept(cached, request, response)),
                    error -> error,
                    kept -> JdkMessages.INSTANCE.close(kept.response()));
        });
        return new HandedOn<>(
                call,
                reply -> response(cached.keptOf(reply), reply, request, handler),
                error -> error,
                JdkMessages.INSTANCE::close);
    }

    // ---- from the dependency

    /** Reads into memory what others may get, too. */
    @SuppressWarnings("unchecked") // a caller gets only what his own handler made
    private BodySubscriber<Object> body(
            CachedCall<?> cached, HttpRequest request, BodyHandler<?> handler, ResponseInfo info) {
        calls.answered(request, info.statusCode());
        return cached.mayKeep(info.statusCode(), info.headers().map(), name -> sent(request, name))
                ? new BoundedBody(() -> OwnBody.of(handler, info), cached.maxKept())
                : (BodySubscriber<Object>) (BodySubscriber<?>) OwnBody.of(handler, info);
    }

    private List<String> sent(HttpRequest request, String name) {
        List<String> own = JdkMessages.INSTANCE.requestHeaders(request, name);
        boolean mayHaveMore =
                addsIdentity && (name.equalsIgnoreCase("Cookie") || name.equalsIgnoreCase("Authorization"));
        return mayHaveMore ? List.of(String.join(",", own), "perhaps another one") : own;
    }

    private Kept<HttpResponse<?>> kept(
            CachedCall<HttpResponse<?>> cached, HttpRequest request, HttpResponse<?> response) {
        // Bytes are the whole body, so that nothing holds a connection.
        return response.body() instanceof Bytes bytes
                        && response.previousResponse().isEmpty()
                ? cached.kept(response, response.headers().map(), bytes.all())
                : cached.forOne(response, name -> sent(request, name));
    }

    // ---- to the caller

    /** Of the bytes, the caller's handler makes the body. Another response may still be an {@link Answer}. */
    @SuppressWarnings("unchecked") // what is not kept is what the caller's handler made
    private static <T> CompletableFuture<HttpResponse<T>> response(
            Kept<HttpResponse<?>> kept, Reply<?> reply, HttpRequest request, BodyHandler<T> handler) {
        HttpResponse<?> made = kept.response();
        if (made.body() instanceof Broken broken) {
            JdkMessages.INSTANCE.close(made); // the rest of its body may still come
            return CompletableFuture.failedFuture(broken.by());
        }
        if (!(made.body() instanceof Bytes bytes)) {
            return CompletableFuture.completedFuture((HttpResponse<T>) made);
        }
        HttpHeaders headers = headers(made.headers(), Kept.added(reply));
        // What came by a redirect is this caller's alone, and answers the request that the client has made of his.
        HttpRequest answered = made.previousResponse().isPresent() ? made.request() : request;
        return bytes.readBy(handler, new HeldResponse<>(answered, made, headers, bytes))
                .thenApply(body -> new HeldResponse<>(answered, made, headers, body));
    }

    private static HttpHeaders headers(HttpHeaders made, Map<String, String> added) {
        if (added.isEmpty()) {
            return made;
        }
        Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        all.putAll(made.map());
        added.forEach((name, value) -> all.put(name, List.of(value)));
        return HttpHeaders.of(all, (name, value) -> true);
    }
}
