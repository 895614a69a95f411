/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import dev.holdfast.Deadline;
import dev.holdfast.http.AlreadySent;
import dev.holdfast.http.BodyLength;
import dev.holdfast.http.HttpCalls;
import dev.holdfast.internal.InterruptibleExchange;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.nio.channels.ClosedByInterruptException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.EventListener;
import okhttp3.Interceptor;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.Buffer;
import okio.ForwardingSource;
import okio.Okio;
import okio.Source;
import org.jspecify.annotations.Nullable;

/**
 * The request of one attempt: a call of the client, which sends it, follows its redirects, and reads its body if that is small.
 * OkHttp's reads take no notice of interrupts.
 */
final class Exchange extends InterruptibleExchange {
    private static final String RETRY_AFTER = "Retry-After";
    private static final int UPGRADED = 101;
    private static final int UNAVAILABLE = 503;

    /** Inside which a thread of the dispatcher's is now. */
    private static final ThreadLocal<@Nullable Exchange> INSIDE = new ThreadLocal<>();

    private static final EventListener ANSWERS = new EventListener() {
        @Override
        public void canceled(Call call) {
            Exchange exchange = call.tag(Exchange.class);
            if (exchange != null) {
                exchange.cancelInner();
            }
        }

        /** After the answer to an {@code Expect: 100-continue}. */
        @Override
        public void requestBodyStart(Call call) {
            answered(call, false);
        }

        @Override
        public void responseHeadersStart(Call call) {
            answered(call, true);
            waits(call);
        }

        /** Before this a cookie jar, an authenticator or the search for an address may have used a channel. */
        @Override
        public void connectStart(Call call, InetSocketAddress address, Proxy proxy) {
            waits(call);
        }

        /** What writes a body may read it of a file. After an {@code Expect: 100-continue} the client tells of no wait. */
        @Override
        public void requestBodyEnd(Call call, long bytes) {
            waits(call);
        }

        private void waits(Call call) {
            Exchange exchange = call.tag(Exchange.class);
            if (exchange != null) {
                exchange.waits();
            }
        }

        private void answered(Call call, boolean is) {
            Exchange exchange = call.tag(Exchange.class);
            if (exchange != null) {
                exchange.answered = is;
            }
        }
    };

    private final Call call;
    private final long mostRead;
    private final HttpCalls<Request, Response> calls;
    private volatile boolean sent;

    /** What holds in the attempt, where a thread of the dispatcher executes it. Written before that begins. */
    private Deadline.@Nullable Binding handedOver;

    /** What its interceptors have begun and not ended, on the thread of the dispatcher's; null: nothing. Guarded by this. */
    private @Nullable Call inner;

    /** Guarded by this. */
    private boolean over;

    /** Whether OkHttp has begun to read an answer: what it throws then, it says of that. */
    private volatile boolean answered;
    /** Its lines, where they are hidden from OkHttp. */
    private volatile List<String> retryAfter = List.of();

    /** Whether the body of the last answer has ended without a byte, and is called compressed. */
    private volatile boolean cameEmpty;

    Exchange(Call call, long mostRead, HttpCalls<Request, Response> calls) {
        this.call = call;
        this.mostRead = mostRead;
        this.calls = calls;
        call.tag(Exchange.class, () -> this);
        call.addEventListener(ANSWERS);
    }

    Call call() {
        return call;
    }

    @Override
    protected void implCloseChannel() {
        call.cancel();
    }

    // ---- both ways

    /** What an attempt does with a response: it belongs to the attempt. */
    interface Reading<T> {
        T read(Exchange exchange, Response response) throws IOException;
    }

    /** On this thread. */
    <T> T execute(Reading<T> reading) throws IOException {
        Response response = null;
        beginsHere();
        try {
            response = call.execute();
            waits();
            return reading.read(this, response);
        } catch (Throwable e) {
            if (e instanceof IOException io && isCancelled(io)) {
                throw cancelled();
            }
            if (sent) {
                unanswered();
                AlreadySent.mark(e);
            }
            throw e;
        } finally {
            ended(response);
        }
    }

    private void ended(@Nullable Response response) throws ClosedByInterruptException {
        try {
            endsHere();
        } catch (ClosedByInterruptException e) {
            if (response != null) {
                response.close();
            }
            throw e;
        }
    }

    /** On a thread of the dispatcher's. */
    <T> CompletableFuture<T> enqueue(Reading<T> reading) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        handedOver = Deadline.Binding.current();
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                Throwable thrown = thrownByInterceptor(e);
                fail(thrown != null ? thrown : isCancelled(e) ? cancelled() : e);
            }

            @Override
            public void onResponse(Call answered, Response response) {
                try {
                    // What hangs on the answer is no part of the attempt.
                    T read = within(() -> reading.read(Exchange.this, response));
                    if (!answer.complete(read)) {
                        response.close();
                    }
                } catch (IOException e) {
                    onFailure(answered, e);
                } catch (Throwable e) {
                    fail(e);
                }
            }

            private void fail(Throwable e) {
                unanswered();
                answer.completeExceptionally(sent ? AlreadySent.marked(e) : e);
            }
        });
        return answer;
    }

    interface Step<T> {
        T run() throws IOException;
    }

    /** On this thread, with what holds in the attempt. */
    private <T> T within(Step<T> step) throws IOException {
        Deadline.Binding attempt = handedOver;
        if (attempt == null) {
            return step.run();
        }
        Deadline.Binding before = Deadline.Binding.current();
        Exchange outer = INSIDE.get();
        Deadline.Binding.set(attempt);
        INSIDE.set(this);
        try {
            return step.run();
        } finally {
            Deadline.Binding.restore(before);
            INSIDE.set(outer);
        }
    }

    /**
     * Runs a call which this thread waits for. An attempt around it that is given up cancels it: with {@link #execute}, an interrupt
     * does, and no thread of the dispatcher's gets one.
     */
    static <T> T inside(Call call, Step<T> step) throws IOException {
        Exchange outer = INSIDE.get();
        if (outer == null) {
            return step.run();
        }
        Call before = outer.setInner(call);
        try {
            return step.run();
        } finally {
            outer.setInner(before);
        }
    }

    /** Returns what was there before: a call around this one, on the same thread. */
    private @Nullable Call setInner(@Nullable Call begun) {
        Call before;
        synchronized (this) {
            before = inner;
            inner = begun;
        }
        if (call.isCanceled()) {
            cancelInner();
        }
        return before;
    }

    private void cancelInner() {
        Call begun;
        synchronized (this) {
            begun = inner;
        }
        if (begun != null) {
            begun.cancel();
        }
    }

    /** Also before it is cancelled: the dispatcher's thread tells that only later. */
    synchronized void unanswered() {
        if (sent && !over) {
            calls.unanswered(call.request());
        }
    }

    /** The same, of a request on the way of redirects. */
    private synchronized void unanswered(Request request) {
        if (!over) {
            calls.unanswered(request.method(), request.url().uri());
        }
    }

    /** After the call has ended, and noted that: what is asked for from then on is not in doubt because this exchange ends late. */
    synchronized void over() {
        over = true;
    }

    // ---- what went wrong

    /** Given up, by the pipeline or by its user, and not because a time was over. */
    private boolean isCancelled(IOException e) {
        return call.isCanceled() && !(e instanceof InterruptedIOException);
    }

    /** What is no IOException, a dispatcher's thread tells as a cancellation "due to" it: its cause, before 5.5 suppressed. */
    private static @Nullable Throwable thrownByInterceptor(IOException e) {
        Throwable[] with = e.getSuppressed();
        Throwable thrown = e.getCause() == null && with.length > 0 ? with[0] : e.getCause();
        return ("canceled due to " + thrown).equals(e.getMessage()) ? thrown : null;
    }

    /** No error of the network, also not as a cause: the dependency is not to blame. */
    private static CancellationException cancelled() {
        return new CancellationException("the exchange was cancelled");
    }

    // ---- the body

    /** Reads a small body into the buffer of its source, from where its reader gets it. */
    Response read(Response response) throws IOException {
        ResponseBody body = response.body();
        if (!mayRead(response) || isDuplex()) {
            return response;
        }
        long length = body.contentLength();
        if (length < 0 ? HttpCalls.isStream(response.header("Content-Type")) : length > mostRead) {
            return response;
        }
        try {
            // One byte more than there is: the end has to be seen.
            request(body, (length < 0 ? mostRead : length) + 1);
            return response;
        } catch (Throwable e) {
            response.close();
            if (e instanceof RuntimeException) {
                AlreadySent.markUnreadable(e);
            }
            throw e;
        }
    }

    /**
     * Whether the body has so many bytes. An empty one that is called compressed has not, and is whole all the same: a caller who reads
     * it gets what OkHttp throws then.
     */
    boolean request(ResponseBody body, long bytes) throws IOException {
        try {
            return body.source().request(bytes);
        } catch (EOFException e) {
            if (cameEmpty) {
                return false;
            }
            throw e;
        }
    }

    /** Whether OkHttp, which decodes it, would throw at this body, of which no byte came. */
    boolean cameEmpty(Response response) {
        return cameEmpty && !isEncoded(response);
    }

    boolean mayRead(Response response) {
        return readsBodies() && response.code() != UPGRADED && !hasNoBody(response);
    }

    /** Whatever its headers say of one (RFC 9112 §6.3). OkHttp would wait for it. An empty one of its own cache it would decode. */
    private static boolean hasNoBody(Response response) {
        return switch (response.code()) {
            case HttpURLConnection.HTTP_NOT_MODIFIED -> true;
            case HttpURLConnection.HTTP_NO_CONTENT -> response.header("Transfer-Encoding") != null;
            default -> isKeptEmpty(response);
        };
    }

    private static boolean isKeptEmpty(Response response) {
        Response ofNetwork = response.networkResponse();
        boolean isKept = ofNetwork == null || ofNetwork.code() == HttpURLConnection.HTTP_NOT_MODIFIED;
        Response kept = isKept ? response.cacheResponse() : null;
        return kept != null && "0".equals(kept.header("Content-Length")) && isEncoded(kept) && !isEncoded(response);
    }

    private static boolean isEncoded(Response response) {
        return response.header("Content-Encoding") != null;
    }

    boolean readsBodies() {
        return mostRead > 0;
    }

    /** Its answer comes while its body is written. */
    private boolean isDuplex() {
        RequestBody body = call.request().body();
        return body != null && body.isDuplex();
    }

    // ---- as interceptors

    /** Around the user's own: they are part of the attempt, on whichever thread they run. */
    static Response bind(Interceptor.Chain chain) throws IOException {
        Exchange exchange = chain.call().tag(Exchange.class);
        return exchange == null
                ? chain.proceed(chain.request())
                : exchange.within(() -> chain.proceed(chain.request()));
    }

    /**
     * Each request on the way of redirects. Of a 503, OkHttp does not see a number of seconds: by itself it would repeat the request if
     * that is 0, and throw if it is too large for an {@code int}.
     */
    static Response noteSent(Interceptor.Chain chain) throws IOException {
        Exchange exchange = chain.call().tag(Exchange.class);
        if (exchange == null) {
            return chain.proceed(chain.request());
        }
        exchange.sent = true;
        Response response;
        try {
            response = chain.proceed(chain.request());
        } catch (Throwable e) {
            exchange.unanswered(chain.request());
            throw e;
        }
        exchange.answered(chain.request(), response.code());
        String seconds = response.code() == UNAVAILABLE ? response.header(RETRY_AFTER) : null;
        boolean hidden = seconds != null && seconds.matches("[0-9]+");
        exchange.retryAfter = hidden ? response.headers(RETRY_AFTER) : List.of();
        return hidden ? response.newBuilder().removeHeader(RETRY_AFTER).build() : response;
    }

    /**
     * Inside the user's own interceptors, and before anything is decoded: what is thrown here, with no body to write any more, OkHttp
     * throws by itself.
     */
    static Response readAnswer(Interceptor.Chain chain) throws IOException {
        Exchange exchange = chain.call().tag(Exchange.class);
        if (exchange == null) {
            return chain.proceed(chain.request());
        }
        exchange.answered = false;
        exchange.waits();
        try {
            return exchange.noteEmpty(withItsLength(chain.proceed(chain.request())));
        } catch (RuntimeException e) {
            if (exchange.answered) {
                AlreadySent.markUnreadable(e);
            }
            throw e;
        }
    }

    /** OkHttp sees by itself if a body of HTTP/1.1 is too short, and if one of HTTP/2 is too long. */
    private static Response withItsLength(Response response) {
        if (response.protocol() == Protocol.HTTP_1_1 || response.protocol() == Protocol.HTTP_1_0) {
            return response;
        }
        BodyLength length =
                BodyLength.of(response.request().method(), response.code(), response.headers("Content-Length"));
        if (length == null) {
            return response;
        }
        ResponseBody body = response.body();
        Source counted = new ForwardingSource(body.source()) {
            @Override
            public long read(Buffer sink, long most) throws IOException {
                long bytes = super.read(sink, most);
                if (bytes < 0) {
                    length.end();
                } else {
                    length.add(bytes);
                }
                return bytes;
            }
        };
        return response.newBuilder()
                .body(ResponseBody.create(Okio.buffer(counted), body.contentType(), body.contentLength()))
                .build();
    }

    /** Before it is decoded. */
    private Response noteEmpty(Response response) {
        cameEmpty = false;
        if (!isEncoded(response)) {
            return response;
        }
        ResponseBody body = response.body();
        Source noted = new ForwardingSource(body.source()) {
            private boolean has;

            @Override
            public long read(Buffer sink, long most) throws IOException {
                long bytes = super.read(sink, most);
                has |= bytes > 0;
                cameEmpty = bytes < 0 && !has;
                return bytes;
            }
        };
        return response.newBuilder()
                .body(ResponseBody.create(Okio.buffer(noted), body.contentType(), body.contentLength()))
                .build();
    }

    /** What a request without a change has learned, that of the caller tells: interceptors may have added a {@code no-cache}. */
    private void answered(Request request, int status) {
        String method = request.method();
        if (!method.equals("GET") && !method.equals("HEAD")) {
            calls.answered(method, request.url().uri(), status);
        }
    }

    /** The user's interceptors and the pipeline see it. */
    static Response showRetryAfter(Interceptor.Chain chain) throws IOException {
        Exchange exchange = chain.call().tag(Exchange.class);
        if (exchange != null) {
            exchange.waits(); // for a connection
        }
        Response response = chain.proceed(chain.request());
        List<String> hidden = exchange == null ? List.of() : exchange.retryAfter;
        if (hidden.isEmpty() || response.code() != UNAVAILABLE) {
            return response;
        }
        Response.Builder shown = response.newBuilder();
        hidden.forEach(line -> shown.addHeader(RETRY_AFTER, line));
        return shown.build();
    }
}
