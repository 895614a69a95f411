/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.http.AlreadySent;
import java.io.IOException;
import org.apache.hc.client5.http.EndpointInfo;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.AsyncExecRuntime;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.Method;
import org.apache.hc.core5.http.RequestNotExecutedException;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.util.TimeValue;

/** What sends the requests of one asynchronous attempt. Sees whether one was sent: the client asks for it once it has a connection. */
final class AsyncRuntime implements AsyncExecRuntime {
    private final AsyncExecRuntime runtime;
    private final boolean shared;
    private volatile boolean sent;

    /** Guarded by this. */
    private boolean connecting;

    private boolean toDiscard;

    /** What {@code runtime} does, on a connection that has streams of other requests, too, or not. */
    AsyncRuntime(AsyncExecRuntime runtime, boolean shared) {
        this.runtime = runtime;
        this.shared = shared;
    }

    /**
     * Whether a request was begun on a connection: this one, or where it was redirected. Not if the server has surely left it out, as the
     * client says.
     */
    boolean hasSent() {
        return sent;
    }

    @Override
    public Cancellable execute(String id, AsyncClientExchangeHandler exchange, HttpClientContext context) {
        return runtime.execute(id, new Noting(exchange), context);
    }

    private final class Noting extends ExchangeWrapper {
        /** Such as what was redirected to here. */
        private final boolean sentBefore = sent;

        Noting(AsyncClientExchangeHandler exchange) {
            super(exchange);
        }

        @Override
        public void produceRequest(RequestChannel channel, HttpContext context) throws HttpException, IOException {
            super.produceRequest(
                    (request, body, of) -> {
                        // A tunnel is no request of the user's.
                        sent |= !Method.CONNECT.isSame(request.getMethod());
                        channel.sendRequest(request, body, of);
                    },
                    context);
        }

        /** What no code of the user's has thrown, the client says of the answer. Streams of one connection get one exception. */
        @Override
        public void failed(Exception cause) {
            if (cause instanceof RequestNotExecutedException && !hasThrown()) {
                sent = sentBefore;
            }
            boolean ofTheClient = cause instanceof RuntimeException && sent && !shared && !hasThrown();
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
            return runtime.connectEndpoint(context, callback);
        }
        BasicFuture<AsyncExecRuntime> told = new BasicFuture<>(callback);
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
        return runtime.acquireEndpoint(id, route, state, context, callback);
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
        runtime.upgradeTls(context, callback);
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
