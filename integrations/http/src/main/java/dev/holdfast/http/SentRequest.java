/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Deadline;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.internal.Causes;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * A request as one attempt sends it: with the headers of its call. It knows whether it had been sent when something failed to
 * connect later, such as a redirect, or what the caller's handler does with the answer: then its work may be done.
 */
final class SentRequest extends HttpRequest {
    /** A longer time is no limit. */
    private static final Duration LONGEST = Duration.ofDays(365);

    /** By name, since it is no public class. */
    private static final String OF_REDIRECTS = "jdk.internal.net.http.RedirectFilter";

    private static final StackTraceElement[] NO_FRAMES = {};

    private final HttpRequest original;
    private final HttpHeaders headers;
    private final HttpCalls<HttpRequest, ?> calls;
    private final Deadline.@Nullable Binding attempt = Deadline.Binding.current();
    private volatile boolean begun;

    /** Whether the answer has a length that is no number: then the client throws what a caller's mistake is to it. */
    private volatile boolean unreadable;

    private volatile @Nullable WatchedBody<?> body;
    /** Why nobody gets the response; null: somebody may. */
    private volatile @Nullable Throwable over;

    /**
     * To be made on the thread that runs the attempt.
     *
     * @param calls hear of it when nobody gets a response to it
     */
    SentRequest(HttpRequest original, @Nullable CallHeaders ofCall, HttpCalls<HttpRequest, ?> calls) {
        this.original = original;
        this.calls = calls;
        headers = ofCall == null ? original.headers() : headers(original, ofCall);
    }

    /** The time of the request itself limits the attempt, too. */
    private static HttpHeaders headers(HttpRequest request, CallHeaders ofCall) {
        Optional<Duration> own = request.timeout();
        return own.isEmpty() || own.get().compareTo(LONGEST) > 0
                ? withThoseOfTheCall(request.headers(), ofCall)
                : Deadline.within(own.get(), () -> withThoseOfTheCall(request.headers(), ofCall));
    }

    private static HttpHeaders withThoseOfTheCall(HttpHeaders own, CallHeaders ofCall) {
        SentHeaders all = new SentHeaders(own);
        ofCall.write(all::set);
        return all.headers();
    }

    /** The handler of the body, which is asked when an answer is there: so the request had been sent. */
    <T> BodyHandler<T> noting(BodyHandler<T> handler) {
        return new HandlerAround<>(handler, info -> {
            begun = true;
            unreadable = !isReadable(info.headers());
            BodySubscriber<T> subscriber;
            try {
                subscriber = Objects.requireNonNull(applied(handler, info), "the body handler returned null");
            } catch (Throwable thrown) {
                // Thrown to the client, it would leave the connection open, in nobody's hands.
                return UnwantedBody.failed(thrown);
            }
            if (!WatchedBody.isNeededFor(subscriber)) {
                return subscriber;
            }
            WatchedBody<T> watched = new WatchedBody<>(subscriber, length(info));
            body = watched;
            Throwable because = over;
            if (because != null) {
                watched.giveUp(because);
            }
            return watched;
        });
    }

    /** Within the attempt: the client asks it on a thread of its own. */
    private <T> @Nullable BodySubscriber<T> applied(BodyHandler<T> handler, ResponseInfo info) {
        Deadline.Binding before = Deadline.Binding.current();
        Deadline.Binding.set(attempt);
        try {
            return handler.apply(info);
        } finally {
            Deadline.Binding.restore(before);
        }
    }

    private @Nullable BodyLength length(ResponseInfo info) {
        return info.version() == HttpClient.Version.HTTP_1_1
                ? null
                : BodyLength.of(method(), info.statusCode(), info.headers().allValues("Content-Length"));
    }

    /** The response to it, for {@link JdkMessages#close}. */
    <T> HttpResponse<T> answer(HttpResponse<T> response) {
        WatchedBody<?> reading = body;
        return reading == null || reading.hasEnded() ? response : new Answer<>(response, reading);
    }

    private static boolean isReadable(HttpHeaders answered) {
        try {
            var unused = answered.firstValueAsLong("Content-Length");
            return true;
        } catch (NumberFormatException malformed) {
            return false;
        }
    }

    /** What goes wrong with it, marked if it was sent. Nobody gets its body. */
    void mark(Throwable error) throws IOException {
        giveUp(error);
        if (isUnreadable(error)) {
            AlreadySent.markUnreadable(error);
        } else if (begun) {
            AlreadySent.mark(error);
        }
    }

    /** The same, where the error comes in a future. */
    <T> CompletableFuture<HttpResponse<T>> marked(CompletableFuture<HttpResponse<T>> exchange) {
        return HandedOn.of(
                exchange,
                this::answer,
                error -> {
                    giveUp(error);
                    return isUnreadable(error)
                            ? AlreadySent.unreadable(error)
                            : begun ? AlreadySent.marked(error) : error;
                },
                response -> JdkMessages.INSTANCE.close(answer(response)));
    }

    /**
     * Whether the client says it of an answer that it cannot read. To a redirect whose address is none, older clients than that of JDK
     * 25 throw what they throw at a caller's mistake, and no handler has seen the answer: only the place tells where it comes from.
     */
    private boolean isUnreadable(Throwable error) {
        if (unreadable) {
            return true;
        }
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            for (StackTraceElement frame : cause instanceof RuntimeException ? cause.getStackTrace() : NO_FRAMES) {
                if (frame.getClassName().equals(OF_REDIRECTS)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Nobody gets its response, also if it comes only now. */
    void giveUp(Throwable error) {
        if (begun || original.bodyPublisher().isEmpty()) {
            calls.unanswered(original); // without a body, nobody has told whether this is the error of a redirect
        } else {
            calls.unanswered(original, error);
        }
        over = error;
        WatchedBody<?> reading = body;
        if (reading != null) {
            reading.giveUp(error);
        }
    }

    @Override
    public Optional<BodyPublisher> bodyPublisher() {
        Optional<BodyPublisher> own = original.bodyPublisher();
        return own.isEmpty() ? own : Optional.of(new Watched(own.get()));
    }

    @Override
    public HttpHeaders headers() {
        return headers;
    }

    @Override
    public String method() {
        return original.method();
    }

    @Override
    public Optional<Duration> timeout() {
        return original.timeout();
    }

    @Override
    public boolean expectContinue() {
        return original.expectContinue();
    }

    @Override
    public URI uri() {
        return original.uri();
    }

    @Override
    public Optional<HttpClient.Version> version() {
        return original.version();
    }

    /** The caller's own body of a request, also of one that another pipeline sends; null if there is none. To ask it notes nothing. */
    static @Nullable BodyPublisher ownBody(HttpRequest request) {
        BodyPublisher own = request.bodyPublisher().orElse(null);
        while (own instanceof Watched watched) {
            own = watched.inside;
        }
        return own;
    }

    /** Notes that the client asks for the length or the bytes: it does so once there is a connection. */
    private final class Watched implements BodyPublisher {
        private final BodyPublisher inside;

        Watched(BodyPublisher inside) {
            this.inside = inside;
        }

        @Override
        public long contentLength() {
            begun = true;
            return inside.contentLength();
        }

        @Override
        public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
            begun = true;
            inside.subscribe(subscriber);
        }
    }
}
