/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.http.BoundedBody.Bytes;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.spi.Policy;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Requests of java.net.http through pipelines with a stale cache. The cache keeps bytes, and the handler of each caller reads them
 * anew. A body that is too long for it, or is for one caller alone, goes to that caller's handler as it comes.
 */
final class CachedClient {
    private static final String STALE_CACHE = "stale-cache";

    /** What the type of a body begins with that may have no end, or is read while it comes. */
    private static final List<String> STREAMS =
            List.of("text/event-stream", "application/x-ndjson", "application/grpc", "multipart/", "audio/", "video/");

    /** A caller's request, and what he makes of its body. */
    static final class Asked {
        private final HttpRequest request;
        private final BodyHandler<?> handler;

        /** The call is over: what comes now is for the cache alone, and not for the caller's handler. */
        private volatile boolean over;

        Asked(HttpRequest request, BodyHandler<?> handler) {
            this.request = request;
            this.handler = handler;
        }

        HttpRequest request() {
            return request;
        }
    }

    /** The messages of a key, which has the handler beside the request. */
    private static final class Messages implements HttpMessages<Asked, Held> {
        private static final JdkMessages JDK = JdkMessages.INSTANCE;

        @Override
        public String method(Asked asked) {
            return JDK.method(asked.request());
        }

        @Override
        public URI uri(Asked asked) {
            return JDK.uri(asked.request());
        }

        @Override
        public @Nullable String requestHeader(Asked asked, String name) {
            return JDK.requestHeader(asked.request(), name);
        }

        @Override
        public List<String> requestHeaders(Asked asked, String name) {
            return JDK.requestHeaders(asked.request(), name);
        }

        @Override
        public boolean canBeSentAgain(Asked asked) {
            return JDK.canBeSentAgain(asked.request());
        }

        @Override
        public Class<? super Held> responseType() {
            return Held.class;
        }

        @Override
        public int status(Held held) {
            return JDK.status(held.response());
        }

        @Override
        public @Nullable String header(Held held, String name) {
            return JDK.header(held.response(), name);
        }

        @Override
        public void close(Held held) {
            JDK.close(held.response());
        }
    }

    private final HttpClient client;
    private final HttpOptions<HttpRequest> options;
    private final Function<HttpRequest, SentRequest> sending;
    private final Messages messages = new Messages();
    private final HttpCaching<Asked> caching;
    private final HttpKey.Changes changes = new HttpKey.Changes();
    private final PerPipeline<Cached> known = new PerPipeline<>(Cached::new);

    /** Around this client. */
    CachedClient(HttpClient client, HttpOptions<HttpRequest> options, Function<HttpRequest, SentRequest> sending) {
        this.client = client;
        this.options = options;
        this.sending = sending;
        caching = new HttpCaching<>(
                messages,
                client.cookieHandler().isPresent() || client.authenticator().isPresent());
    }

    /** The functions of one operation. The cache may run them again in the background. */
    private record Functions(
            Operation.InterruptiblyDecorated<HttpKey<Asked>, Held, IOException> blocking,
            Operation.DecoratedAsync<HttpKey<Asked>, Held> async) {}

    /** A pipeline that may have a stale cache. */
    final class Cached extends PerPipeline.Named<Functions> {
        private final Pipeline pipeline;
        private final HttpKey.Varying varying = new HttpKey.Varying();

        Cached(Pipeline pipeline) {
            this.pipeline = pipeline;
        }

        /** Asked each time, since a reload may bring one. */
        private boolean hasCache() {
            for (Policy policy : pipeline.policies()) {
                if (ShadowPolicy.inside(policy).name().equals(STALE_CACHE)) {
                    return true;
                }
            }
            return false;
        }

        @Override
        Functions make(String name) {
            Operation<Held> operation = pipeline.operation(
                    name,
                    o -> o.type(Held.class)
                            .classifier(new HttpClassifier(messages, pipeline::classifier))
                            .discard(messages::close));
            return new Functions(
                    operation.decorateInterruptibly(CachedClient.this::load),
                    operation.decorateAsync(CachedClient.this::loadAsync));
        }

        <T> HttpResponse<T> send(String name, HttpRequest request, BodyHandler<T> handler)
                throws IOException, InterruptedException {
            Asked asked = new Asked(request, handler);
            Reply<Held> reply;
            try {
                reply = of(name).blocking().reply(key(asked));
            } finally {
                asked.over = true;
            }
            try {
                return response(reply, request, handler).get();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
            }
        }

        <T> CompletableFuture<HttpResponse<T>> sendAsync(String name, HttpRequest request, BodyHandler<T> handler) {
            Asked asked = new Asked(request, handler);
            return new HandedOn<>(
                    of(name).async().reply(key(asked)),
                    reply -> {
                        asked.over = true;
                        return response(reply, request, handler);
                    },
                    error -> {
                        asked.over = true;
                        return error;
                    });
        }

        private HttpKey<Asked> key(Asked asked) {
            return new HttpKey<>(messages, asked, options.partitionOf(asked.request()), varying, changes);
        }
    }

    /** Where this request may be answered from a stale cache of this pipeline; null if it may not. */
    @Nullable
    Cached cached(Pipeline pipeline, HttpRequest request, BodyHandler<?> handler) {
        Cached cached = known.of(pipeline);
        return options.maxKept() > 0 && cached.hasCache() && caching.mayAsk(new Asked(request, handler))
                ? cached
                : null;
    }

    /** Notes that a request has changed what its address stands for, if its response says so. */
    <T> BodyHandler<T> noting(HttpRequest request, BodyHandler<T> handler) {
        return switch (request.method()) {
            case "GET", "HEAD", "OPTIONS", "TRACE" -> handler;
            default ->
                info -> {
                    if (info.statusCode() < 400) {
                        changes.changed(request.uri());
                    }
                    return handler.apply(info);
                };
        };
    }

    // ---- from the dependency

    private Held load(HttpKey<Asked> key) throws IOException, InterruptedException {
        SentRequest sent = sending.apply(key.request().request());
        try {
            return held(key, client.send(sent, sent.noting(info -> body(key, info))));
        } catch (IOException | RuntimeException e) {
            sent.mark(e);
            throw e;
        }
    }

    private CompletableFuture<Held> loadAsync(HttpKey<Asked> key) {
        SentRequest sent = sending.apply(key.request().request());
        CompletableFuture<HttpResponse<Object>> exchange = client.sendAsync(sent, sent.noting(info -> body(key, info)));
        return new HandedOn<>(
                sent.marked(exchange),
                response -> CompletableFuture.completedStage(held(key, response)),
                error -> error);
    }

    /** Reads into memory what others may get, too. */
    @SuppressWarnings("unchecked") // a caller gets only what his own handler made
    private BodySubscriber<Object> body(HttpKey<Asked> key, ResponseInfo info) {
        Asked asked = key.request();
        long length = info.headers().firstValueAsLong("Content-Length").orElse(0);
        boolean forOneAlone =
                length > options.maxKept() || isStream(info) || !caching.isForAll(key, info.headers()::allValues);
        if (!forOneAlone) {
            return new BoundedBody(() -> handler(asked).apply(info), options.maxKept());
        }
        return (BodySubscriber<Object>) handler(asked).apply(info);
    }

    private static BodyHandler<?> handler(Asked asked) {
        return asked.over ? info -> new UnwantedBody() : asked.handler;
    }

    private static boolean isStream(ResponseInfo info) {
        String type = info.headers().firstValue("Content-Type").orElse("").toLowerCase(Locale.ROOT);
        return STREAMS.stream().anyMatch(type::startsWith);
    }

    private Held held(HttpKey<Asked> key, HttpResponse<?> response) {
        // By a redirect, the answer is that of several responses, of which each may be for one caller alone.
        boolean mayBeKept =
                response.body() instanceof Bytes && response.previousResponse().isEmpty();
        return new Held(
                response,
                mayBeKept
                        ? caching.freshness(key, response.headers()::allValues, size(response))
                        : Freshness.usual().notShared());
    }

    /** In memory, about. */
    private static long size(HttpResponse<?> response) {
        long size = ((Bytes) response.body()).length();
        for (Map.Entry<String, List<String>> header : response.headers().map().entrySet()) {
            size += 100 + header.getKey().length();
            for (String value : header.getValue()) {
                size += 50 + value.length();
            }
        }
        return size;
    }

    // ---- to the caller

    @SuppressWarnings("unchecked") // what is not whole was made by this caller's handler
    private static <T> CompletableFuture<HttpResponse<T>> response(
            Reply<Held> reply, HttpRequest request, BodyHandler<T> handler) {
        Held held = reply.value();
        if (!held.isWhole()) {
            return CompletableFuture.completedFuture((HttpResponse<T>) held.response());
        }
        HttpResponse<?> made = held.response();
        HttpHeaders headers = headers(reply, made.headers());
        Bytes bytes = (Bytes) made.body();
        return bytes.readBy(handler, new HeldResponse<>(request, made, headers, bytes))
                .thenApply(body -> new HeldResponse<>(request, made, headers, body));
    }

    /** A response that is not new says so. */
    private static HttpHeaders headers(Reply<Held> reply, HttpHeaders made) {
        if (reply.source() == Source.LIVE) {
            return made;
        }
        Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        all.putAll(made.map());
        all.put("Age", List.of(Long.toString(reply.age().toSeconds())));
        all.put("Holdfast-Source", List.of(reply.source().name().toLowerCase(Locale.ROOT)));
        return HttpHeaders.of(all, (name, value) -> true);
    }
}
