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
    record Asked(HttpRequest request, BodyHandler<?> handler) {}

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
    private final HttpCaching<Asked> caching = new HttpCaching<>(messages);
    private final PerPipeline<Cached> known = new PerPipeline<>(Cached::new);

    /** Around this client. */
    CachedClient(HttpClient client, HttpOptions<HttpRequest> options, Function<HttpRequest, SentRequest> sending) {
        this.client = client;
        this.options = options;
        this.sending = sending;
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
                            .classifier(new HttpClassifier(messages, pipeline::classifier, true))
                            .discard(messages::close));
            return new Functions(
                    operation.decorateInterruptibly(CachedClient.this::load),
                    operation.decorateAsync(CachedClient.this::loadAsync));
        }

        <T> HttpResponse<T> send(String name, HttpRequest request, BodyHandler<T> handler)
                throws IOException, InterruptedException {
            return response(of(name).blocking().reply(key(request, handler)), handler);
        }

        <T> CompletableFuture<HttpResponse<T>> sendAsync(String name, HttpRequest request, BodyHandler<T> handler) {
            return new HandedOn<>(
                    of(name).async().reply(key(request, handler)),
                    reply -> responseAsync(reply, handler),
                    error -> error);
        }

        private HttpKey<Asked> key(HttpRequest request, BodyHandler<?> handler) {
            return new HttpKey<>(messages, new Asked(request, handler), options.partitionOf(request), varying);
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

    // ---- from the dependency

    private Held load(HttpKey<Asked> key) throws IOException, InterruptedException {
        SentRequest sent = sending.apply(key.request().request());
        try {
            return held(key, client.send(sent, info -> body(key, info)));
        } catch (IOException e) {
            throw sent.marked(e);
        }
    }

    private CompletableFuture<Held> loadAsync(HttpKey<Asked> key) {
        SentRequest sent = sending.apply(key.request().request());
        CompletableFuture<HttpResponse<Object>> exchange = client.sendAsync(sent, info -> body(key, info));
        return new HandedOn<>(
                sent.marked(exchange),
                response -> CompletableFuture.completedStage(held(key, response)),
                error -> error);
    }

    /** Reads into memory what others may get, too. */
    @SuppressWarnings("unchecked") // a caller gets only what his own handler made
    private BodySubscriber<Object> body(HttpKey<Asked> key, ResponseInfo info) {
        BodyHandler<?> handler = key.request().handler();
        long length = info.headers().firstValueAsLong("Content-Length").orElse(0);
        boolean forOneAlone =
                length > options.maxKept() || isStream(info) || !caching.isForAll(key, info.headers()::allValues);
        return forOneAlone
                ? (BodySubscriber<Object>) handler.apply(info)
                : new BoundedBody(handler, info, options.maxKept());
    }

    private static boolean isStream(ResponseInfo info) {
        String type = info.headers().firstValue("Content-Type").orElse("").toLowerCase(Locale.ROOT);
        return STREAMS.stream().anyMatch(type::startsWith);
    }

    private Held held(HttpKey<Asked> key, HttpResponse<?> response) {
        Freshness freshness = response.body() instanceof Bytes bytes
                ? caching.freshness(key, response.headers()::allValues, bytes.length())
                : Freshness.usual().notShared();
        return new Held(response, freshness);
    }

    // ---- to the caller

    private static <T> HttpResponse<T> response(Reply<Held> reply, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        try {
            return responseAsync(reply, handler).get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        }
    }

    @SuppressWarnings("unchecked") // what is not whole was made by this caller's handler
    private static <T> CompletableFuture<HttpResponse<T>> responseAsync(Reply<Held> reply, BodyHandler<T> handler) {
        Held held = reply.value();
        if (!held.isWhole()) {
            return CompletableFuture.completedFuture((HttpResponse<T>) held.response());
        }
        HttpHeaders headers = headers(reply, held.response().headers());
        Bytes bytes = (Bytes) held.response().body();
        return bytes.readBy(handler, new HeldResponse<>(held.response(), headers, bytes))
                .thenApply(body -> new HeldResponse<>(held.response(), headers, body));
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
