/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.AlreadySent;
import dev.holdfast.http.BodyLength;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.hc.client5.http.EndpointInfo;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.AsyncExecRuntime;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.Method;
import org.apache.hc.core5.http.RequestNotExecutedException;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http2.H2Error;
import org.apache.hc.core5.http2.H2StreamResetException;
import org.apache.hc.core5.util.TimeValue;
import org.jspecify.annotations.Nullable;

/** What sends the requests of one asynchronous attempt. Sees whether one was sent: the client asks for it once it has a connection. */
final class AsyncRuntime implements AsyncExecRuntime {
    private final AsyncExecRuntime runtime;
    private final boolean shared;
    private final @Nullable CallHeaders headers;
    private final AttemptBinding attempt = AttemptBinding.ofThisThread();
    private volatile boolean sent;
    private volatile @Nullable HttpRequest answered;
    private volatile boolean redirected;
    /** Whether there was a redirect before. */
    private volatile boolean follows;

    /** Guarded by this. */
    private boolean connecting;

    private boolean toDiscard;

    /**
     * What {@code runtime} does, on a connection that has streams of other requests, too, or not. To be made on the thread that begins
     * the attempt.
     *
     * @param headers those of the call; null: none
     */
    AsyncRuntime(AsyncExecRuntime runtime, boolean shared, @Nullable CallHeaders headers) {
        this.runtime = runtime;
        this.shared = shared;
        this.headers = headers;
    }

    /**
     * Whether a request was begun on a connection: this one, or where it was redirected. Not if the server has surely left it out,
     * as the client says.
     */
    boolean hasSent() {
        return sent;
    }

    /** The request that got the last answer, as it was sent. Null if a proxy refused the tunnel, or if a handler answered by itself. */
    @Nullable
    HttpRequest answered() {
        return answered;
    }

    /** Whether the last answer to a request was a redirect. */
    boolean wasRedirected() {
        return redirected;
    }

    @Override
    public Cancellable execute(String id, AsyncClientExchangeHandler exchange, HttpClientContext context) {
        answered = null;
        return runtime.execute(id, new Noting(exchange), context);
    }

    private final class Noting extends ExchangeWrapper {
        /** Such as what was redirected to here. */
        private final boolean sentBefore = sent;

        private @Nullable HttpRequest request;
        private @Nullable BodyLength length;

        Noting(AsyncClientExchangeHandler exchange) {
            super(exchange, attempt);
        }

        @Override
        public void produceRequest(RequestChannel channel, HttpContext context) throws HttpException, IOException {
            super.produceRequest(
                    (now, body, of) -> {
                        // A tunnel is no request of the user's.
                        if (!Method.CONNECT.isSame(now.getMethod())) {
                            sent = true;
                            request = now;
                            if (follows) {
                                Messages.complete(now, headers);
                            }
                        }
                        channel.sendRequest(now, body, of);
                    },
                    context);
        }

        @Override
        public void consumeResponse(HttpResponse response, @Nullable EntityDetails body, HttpContext context)
                throws HttpException, IOException {
            answered = request;
            redirected = request != null && response.getCode() / 100 == 3;
            follows |= redirected;
            length = Bodies.length(request, response);
            if (body == null) {
                endOfBody();
            }
            super.consumeResponse(response, body, context);
        }

        @Override
        public void consume(ByteBuffer bytes) throws IOException {
            if (length != null) {
                length.add(bytes.remaining());
            }
            super.consume(bytes);
        }

        @Override
        public void streamEnd(@Nullable List<? extends Header> trailers) throws HttpException, IOException {
            endOfBody();
            super.streamEnd(trailers);
        }

        private void endOfBody() throws IOException {
            if (length == null) {
                return;
            }
            try {
                length.end();
            } catch (ProtocolException broken) {
                // This exception ends the stream alone.
                throw new H2StreamResetException(H2Error.PROTOCOL_ERROR, broken.getMessage());
            }
        }

        /** What no code of the user's has thrown, the client says of the answer. Streams of one connection get one exception. */
        @Override
        public void failed(Exception cause) {
            Throwable own = thrown();
            if (own instanceof Exception e && !(own instanceof IOException || own instanceof HttpException)) {
                super.failed(e);
                return;
            }
            if (own instanceof Error) {
                super.failed(new ExecutionException(own));
                return;
            }
            if (cause instanceof RequestNotExecutedException && own == null) {
                sent = sentBefore;
            }
            boolean ofTheClient = cause instanceof RuntimeException && sent && !shared && own == null;
            super.failed(ofTheClient && AlreadySent.unreadable(cause) instanceof Exception e ? e : cause);
        }
    }

    // ---- the connection

    /**
     * To cancel this tells the callback at once, and lets the client go on: cancelled, it would forget a socket that is connected and
     * leave it open, such as one whose TLS handshake is under way. A shared connection is made for others, too.
     */
    @Override
    public Cancellable connectEndpoint(HttpClientContext context, FutureCallback<AsyncExecRuntime> callback) {
        if (shared) {
            return runtime.connectEndpoint(context, attempt.around(callback));
        }
        BasicFuture<AsyncExecRuntime> told = new BasicFuture<>(attempt.around(callback));
        setConnecting();
        try {
            runtime.connectEndpoint(context, new FutureCallback<>() {
                @Override
                public void completed(AsyncExecRuntime connected) {
                    if (connectEnded()) {
                        told.cancel();
                    } else {
                        told.completed(connected);
                    }
                }

                @Override
                public void failed(Exception cause) {
                    connectEnded();
                    told.failed(cause);
                }

                @Override
                public void cancelled() {
                    connectEnded();
                    told.cancel();
                }
            });
        } catch (Throwable e) {
            // Such as of the user's resolver of names.
            connectEnded();
            throw e;
        }
        return told;
    }

    private synchronized void setConnecting() {
        connecting = true;
    }

    /** Whether nobody wants the connection any more. */
    private boolean connectEnded() {
        boolean discard;
        synchronized (this) {
            connecting = false;
            discard = toDiscard;
            toDiscard = false;
        }
        if (discard) {
            runtime.discardEndpoint();
        }
        return discard;
    }

    /** Nobody can close a connection that is being made. Until it is there, it stays leased: the pool must count its socket. */
    @Override
    public void discardEndpoint() {
        synchronized (this) {
            if (connecting) {
                toDiscard = true;
                return;
            }
        }
        runtime.discardEndpoint();
    }

    // ---- as the client's

    @Override
    public boolean isEndpointAcquired() {
        return runtime.isEndpointAcquired();
    }

    @Override
    public Cancellable acquireEndpoint(
            String id,
            HttpRoute route,
            Object state,
            HttpClientContext context,
            FutureCallback<AsyncExecRuntime> callback) {
        return runtime.acquireEndpoint(id, route, state, context, attempt.around(callback));
    }

    @Override
    public void releaseEndpoint() {
        runtime.releaseEndpoint();
    }

    @Override
    public boolean isEndpointConnected() {
        return runtime.isEndpointConnected();
    }

    @Override
    public void disconnectEndpoint() {
        runtime.disconnectEndpoint();
    }

    @Override
    public void upgradeTls(HttpClientContext context) {
        runtime.upgradeTls(context);
    }

    @Override
    public void upgradeTls(HttpClientContext context, FutureCallback<AsyncExecRuntime> callback) {
        runtime.upgradeTls(context, attempt.around(callback));
    }

    @Override
    public EndpointInfo getEndpointInfo() {
        return runtime.getEndpointInfo();
    }

    @Override
    public boolean validateConnection() {
        return runtime.validateConnection();
    }

    @Override
    public void markConnectionReusable(Object state, TimeValue validity) {
        runtime.markConnectionReusable(state, validity);
    }

    @Override
    public void markConnectionNonReusable() {
        runtime.markConnectionNonReusable();
    }

    @Override
    public AsyncExecRuntime fork() {
        return runtime.fork();
    }
}
