/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.AlreadySent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.ProtocolException;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.jspecify.annotations.Nullable;

/**
 * The request of one attempt of the asynchronous client, on a connection of its own, or as a stream of one that all share. Ends when
 * a small body is read, or a large one has begun, whether or not the body of the request is sent. To cancel it closes its connection,
 * or resets its stream. The client calls it from one thread at a time.
 */
final class AsyncExchange<T> extends CompletableFuture<T> implements AsyncExecCallback, AsyncDataConsumer {
    /** What an attempt does with a response: it belongs to the attempt. */
    interface Reading<T> {
        /**
         * How much of the body is read within the attempt, in bytes; less than 0: nothing.
         *
         * @param answered see {@link AsyncRuntime#answered}
         */
        int most(
                HttpResponse response,
                @Nullable EntityDetails body,
                HttpClientContext context,
                @Nullable HttpRequest answered);

        T made(AsyncAnswer answer);

        /**
         * It ends without an answer, and was sent, perhaps also to where it was redirected.
         *
         * @param redirected see {@link AsyncRuntime#wasRedirected}
         */
        default void failed(HttpClientContext context, boolean redirected) {}
    }

    private final AsyncExecChain.Scope scope;
    private final AsyncRuntime runtime;
    private final @Nullable BodyInTurn sent;
    private final Reading<T> reading;
    private final boolean shared;
    private final Steps steps = new Steps();
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private @Nullable HttpResponse response;
    private @Nullable EntityDetails details;
    private @Nullable List<? extends Header> trailers;
    private int most;
    private @Nullable StreamedBody rest;

    /** Given up because the answer is whole and the server need not have the rest of the request: no failure for the caller. */
    private boolean stopped;

    /**
     * For this request.
     *
     * @param headers those of the call, for requests that redirects make; null: none
     * @param shared whether its connection has streams of other requests, too
     */
    AsyncExchange(
            HttpRequest request,
            @Nullable BodyInTurn sent,
            HttpClientContext context,
            AsyncExecChain.Scope of,
            Reading<T> reading,
            @Nullable CallHeaders headers,
            boolean shared) {
        this.sent = sent;
        this.reading = reading;
        this.shared = shared;
        runtime = new AsyncRuntime(of.execRuntime.fork(), shared, headers);
        scope = new AsyncExecChain.Scope(
                of.exchangeId,
                of.route,
                // A redirect is made of it: with the headers of this attempt.
                request,
                steps,
                context,
                runtime,
                of.scheduler,
                new AtomicInteger(1));
    }

    AsyncExchange<T> start(HttpRequest request, AsyncExecChain chain) {
        try {
            chain.proceed(request, sent, scope, this);
        } catch (Exception e) {
            failed(e);
        } catch (Throwable e) {
            // Such as of the user's resolver of names: the connection is leased already.
            over(false);
            abort();
            throw e;
        }
        return this;
    }

    /** Whether the client has sent the request again by itself. */
    boolean wasRepeated() {
        return scope.execCount.get() > 1;
    }

    // ---- to give it up

    /** First this one: what comes from now on is nobody's. */
    @Override
    public boolean cancel(boolean mayInterrupt) {
        noteFailed();
        boolean cancelled = super.cancel(mayInterrupt);
        if (cancelled) {
            abort();
        }
        return cancelled;
    }

    /** Before it ends: who waits for that may look into the cache. */
    private void noteFailed() {
        if (runtime.hasSent() && !isDone()) {
            reading.failed(scope.clientContext, runtime.wasRedirected());
        }
    }

    /** Also a body that the caller reads. */
    void abort() {
        steps.cancel();
        // If the request is sent, an error is over for the client once it has begun: to cancel its step does nothing.
        leaveConnection();
    }

    /**
     * A shared connection is not the attempt's to give back: after a stream that failed, the client would close it, with the streams of
     * the others.
     */
    private void leaveConnection() {
        if (!shared) {
            runtime.discardEndpoint();
        }
    }

    /**
     * What the client gives to cancel. All of it, since the client may tell of a step after the next one: then the last that it tells of
     * is not the one that runs. To cancel a step that is over does nothing.
     */
    private static final class Steps implements CancellableDependency {
        private final List<Cancellable> all = new ArrayList<>();
        private boolean cancelled;

        @Override
        public void setDependency(Cancellable step) {
            synchronized (this) {
                if (!cancelled) {
                    all.add(step);
                    return;
                }
            }
            step.cancel();
        }

        @Override
        public synchronized boolean isCancelled() {
            return cancelled;
        }

        @Override
        public boolean cancel() {
            synchronized (this) {
                if (cancelled) {
                    return false;
                }
                cancelled = true;
            }
            all.forEach(Cancellable::cancel);
            return true;
        }
    }

    // ---- its end, which the client's threads bring about within the attempt

    @Override
    public boolean complete(T value) {
        return AttemptBinding.outside(() -> super.complete(value));
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        return AttemptBinding.outside(() -> super.completeExceptionally(error));
    }

    // ---- the response

    @Override
    public @Nullable AsyncDataConsumer handleResponse(HttpResponse head, @Nullable EntityDetails body)
            throws IOException {
        if (rest != null) {
            throw new IOException("the client has repeated a request whose response had begun");
        }
        if (isDone()) {
            abort();
            return this;
        }
        read.reset();
        response = head;
        details = body;
        most = reading.most(head, body, scope.clientContext, runtime.answered());
        if (body == null) {
            if (isSending()) {
                begin(head, null);
                stopSending(head);
            }
            return null;
        }
        if (most < 0) {
            begin(head, body);
        }
        return this;
    }

    /** A 1xx belongs to its attempt, and may be that of one that is lost. */
    @Override
    public void handleInformationResponse(HttpResponse head) {}

    @Override
    public void updateCapacity(CapacityChannel channel) throws IOException {
        if (rest != null) {
            rest.tell(consumer -> consumer.updateCapacity(channel));
        } else {
            channel.update(Math.max(1, most + 1 - read.size()));
        }
    }

    @Override
    public void consume(ByteBuffer bytes) {
        if (rest != null) {
            rest.consume(bytes);
            return;
        }
        byte[] more = new byte[bytes.remaining()];
        bytes.get(more);
        if (isDone()) {
            return;
        }
        read.writeBytes(more);
        if (read.size() > most) {
            begin(Objects.requireNonNull(response), details);
        }
    }

    private void begin(HttpResponse head, @Nullable EntityDetails body) {
        StreamedBody begun = new StreamedBody(this::abort, read.toByteArray());
        rest = begun;
        end(AsyncAnswer.begun(head, body, begun));
    }

    private void end(AsyncAnswer answer) {
        AttemptContext.answered(scope.clientContext);
        answer.cameByRedirect(Redirects.wereFollowed(scope.clientContext));
        if (!complete(reading.made(answer))) {
            answer.discard();
        }
    }

    @Override
    public void streamEnd(@Nullable List<? extends Header> last) {
        trailers = last;
        if (rest == null && !isDone() && isSending()) {
            begin(Objects.requireNonNull(response), details);
        }
        if (rest != null) {
            rest.tell(consumer -> consumer.streamEnd(last));
            stopSending(Objects.requireNonNull(response));
        }
    }

    /** Whether the server has answered before it had the whole request. The exchange is over when the request is sent, too. */
    private boolean isSending() {
        return sent != null && !sent.isWhole();
    }

    /**
     * After a 2xx the server gets the rest, while the caller has the answer. After any other answer the client sends nothing more over
     * HTTP/1.1, and would never give the connection back.
     */
    private void stopSending(HttpResponse head) {
        if (isSending() && head.getCode() >= HttpStatus.SC_REDIRECTION) {
            stopped = true;
            abort();
        }
    }

    @Override
    public void releaseResources() {
        if (rest != null) {
            rest.tell(AsyncDataConsumer::releaseResources);
        }
    }

    @Override
    public void completed() {
        runtime.releaseEndpoint();
        over(true);
        if (rest != null) {
            rest.end(AsyncExecCallback::completed);
        } else if (response == null) {
            noteFailed();
            completeExceptionally(
                    new ProtocolException(
                            "the server wants the body once more, after a redirect or to authenticate, but it can be sent only once"));
        } else {
            end(AsyncAnswer.whole(response, details, read.toByteArray(), trailers));
        }
    }

    @Override
    public void failed(Exception cause) {
        leaveConnection();
        over(false);
        if (rest != null) {
            rest.end(stopped ? AsyncExecCallback::completed : caller -> caller.failed(Errors.toCaller(cause, false)));
        } else {
            noteFailed();
            boolean once = runtime.hasSent() || (sent != null && sent.isUsedUp());
            completeExceptionally(once ? marked(cause) : cause);
        }
    }

    private static Throwable marked(Exception cause) {
        return cause instanceof HttpException ? AlreadySent.unreadable(cause) : AlreadySent.marked(cause);
    }

    private void over(boolean answered) {
        if (sent != null) {
            sent.end(answered);
        }
    }
}
