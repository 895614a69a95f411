/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.HttpCalls;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.http.HttpOptions;
import dev.holdfast.http.PipelinePerAuthority;
import dev.holdfast.http.Pipelines;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import okhttp3.Call;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * Makes OkHttp's calls with pipelines around them, for every place that takes a {@link Call.Factory}: Retrofit, Apollo, event
 * sources.
 *
 * <pre>{@code
 * PipelinePerAuthority shops = PipelinePerAuthority.standard("shops"); // close it when the service stops
 * Call.Factory calls = HoldfastCallFactory.around(new OkHttpClient(), shops);
 * }</pre>
 *
 * <p>Each request is a call of the pipeline of its authority ({@link HttpCalls}), and its response means what {@link
 * HttpClassifier} says. Each attempt is a call of the client, with its interceptors, its redirects and its events. Connections and
 * dispatcher are those of the client given.
 *
 * <p>A body belongs to its attempt if it is small ({@link #readBodiesUpTo}): then a connection that breaks in it, or a server that
 * stops sending, is an attempt that failed. The rest of a larger body is the caller's own affair.
 *
 * <p>What the policies say becomes an {@link IOException}, as callers of OkHttp expect: a rejection one whose cause is the {@link
 * CallRejectedException}, a timeout a {@link SocketTimeoutException} whose cause is the {@link CallTimeoutException}, or the rejection
 * if there was no time left to begin. If the thread was interrupted, it is an {@link InterruptedIOException}; the thread's
 * interrupt flag is set then.
 *
 * <p>{@link OkHttpClient#callTimeoutMillis callTimeout} and {@link Call#timeout} hold for the whole call: all attempts, all waits,
 * and the body. {@link Call#cancel} ends each of these. A cancelled call is no failure of the dependency. A callback runs on the
 * executor of the dispatcher.
 *
 * <p>OkHttp repeats requests by itself, POST too, whatever the policies say. So here it does not: {@link
 * OkHttpClient#retryOnConnectionFailure} is off, and a 503 with {@code Retry-After: 0} is repeated by the pipeline alone. All
 * addresses of a host are still tried, if {@link OkHttpClient#fastFallback} is on, which is the default.
 *
 * <p>A request with {@code Cache-Control: only-if-cached} is a call of the client alone, without a pipeline: it may not use the network.
 *
 * <p>The client and the pipelines stay their owner's to close. Safe for any number of threads.
 */
public final class HoldfastCallFactory implements Call.Factory {
    private final OkHttpClient plain;
    private final OkHttpClient client;
    private final HttpCalls<Request, Response> calls;
    private final @Nullable CallHeaders headers;
    private final int timeoutMillis;
    private final long mostRead;

    private HoldfastCallFactory(
            OkHttpClient plain,
            OkHttpClient client,
            HttpCalls<Request, Response> calls,
            @Nullable CallHeaders headers,
            int timeoutMillis,
            long mostRead) {
        this.plain = plain;
        this.client = client;
        this.calls = calls;
        this.headers = headers;
        this.timeoutMillis = timeoutMillis;
        this.mostRead = mostRead;
    }

    /**
     * Puts these pipelines around a client: {@link PipelinePerAuthority} or {@link Pipelines#one}.
     *
     * @throws IllegalStateException if the OkHttp on the class path is older than 5
     */
    public static HoldfastCallFactory around(OkHttpClient client, Pipelines pipelines) {
        return around(client, pipelines, options -> {});
    }

    /** As {@link #around(OkHttpClient, Pipelines)}, with options. */
    public static HoldfastCallFactory around(
            OkHttpClient client, Pipelines pipelines, Consumer<? super HttpOptions<Request>> configure) {
        Objects.requireNonNull(client, "client");
        checkVersion(Call.class);
        HttpOptions<Request> options = new HttpOptions<>();
        configure.accept(options);
        OkHttpClient.Builder inside = client.newBuilder()
                .retryOnConnectionFailure(false)
                .callTimeout(Duration.ZERO) // of a call with all its attempts
                .addInterceptor(Exchange::showRetryAfter);
        inside.interceptors().add(0, Exchange::bind);
        // Around the user's own, which see what came from the network.
        inside.networkInterceptors().add(0, Exchange::noteSent);
        inside.addNetworkInterceptor(Exchange::readAnswer);
        return new HoldfastCallFactory(
                client,
                inside.build(),
                new HttpCalls<>(new OkMessages(), pipelines, options),
                options.headers().orElse(null),
                client.callTimeoutMillis(),
                HttpCalls.READ_BODIES_UP_TO);
    }

    /** Else the first call ends with a {@code NoSuchMethodError}: an older OkHttp has other artifact names, so both may be there. */
    static void checkVersion(Class<?> call) {
        if (Arrays.stream(call.getMethods())
                .noneMatch(method -> method.getName().equals("tag"))) {
            throw new IllegalStateException(
                    "holdfast-okhttp needs OkHttp 5, but an older one is on the class path, such as"
                            + " that of Retrofit: exclude com.squareup.okhttp3:okhttp there, and add com.squareup.okhttp3:okhttp-jvm");
        }
    }

    /**
     * The same with another bound for bodies. A body is read within the attempt if its length is known and at most this, or if its
     * length is not known and its type is none that is sent bit by bit: {@code text/event-stream}, {@code application/x-ndjson},
     * {@code application/grpc}, {@code multipart}, audio, video. Of one whose length is not known, at most this is read, and the
     * caller reads on from there. A body costs so much memory until it is read or closed. Use 0 for an API that keeps a response open
     * under another type; then a stale cache keeps nothing.
     *
     * @param bytes after decompression, 0 to 67,108,864; default 262,144; 0: none is read
     * @throws dev.holdfast.spi.InvalidSettingsException if it is out of range
     */
    public HoldfastCallFactory readBodiesUpTo(long bytes) {
        HttpCalls.checkReadBodiesUpTo("call factory", bytes);
        return new HoldfastCallFactory(plain, client, calls, headers, timeoutMillis, bytes);
    }

    /** A request that may not use the network, {@code only-if-cached}, is no call of the dependency: the client alone answers it. */
    @Override
    public Call newCall(Request request) {
        return Objects.requireNonNull(request, "request").cacheControl().onlyIfCached()
                ? plain.newCall(request)
                : new HoldfastCall(this, request);
    }

    // ---- for its calls

    HttpCalls<Request, Response> calls() {
        return calls;
    }

    /** The request of one attempt, not sent yet. */
    Exchange exchange(Request request) {
        Request sent = request;
        if (headers != null) {
            Request.Builder copy = request.newBuilder();
            headers.write(copy::header);
            sent = copy.build();
        }
        return new Exchange(client.newCall(sent), mostRead, calls);
    }

    /** 0: none. */
    int timeoutMillis() {
        return timeoutMillis;
    }

    /** Where callbacks run. */
    Executor executor() {
        return client.dispatcher().executorService();
    }

    @Override
    public String toString() {
        return "HoldfastCallFactory[" + client + "]";
    }
}
