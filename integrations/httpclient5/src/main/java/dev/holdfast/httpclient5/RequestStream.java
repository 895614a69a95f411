/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.io.IOException;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.RequestNotExecutedException;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.command.RequestExecutionCommand;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http2.H2Error;
import org.apache.hc.core5.http2.H2StreamResetException;
import org.jspecify.annotations.Nullable;

/** One request of the HTTP/2 client as a stream: its number, whether it was cancelled, and whether the client is done with it. */
final class RequestStream extends ExchangeWrapper {
    /** What it tells, on any thread. */
    interface Connection {
        /** The stream was begun, and the client has marked it as cancelled. */
        void cancelled(RequestStream stream);

        /** See {@link #isOver}. May be told more than once, and of a stream that was not begun. */
        void over(RequestStream stream);

        /** Whether the server has surely not done the request of this stream, and will not. */
        boolean refuses(RequestStream stream);
    }

    private final Connection connection;
    private final Cancelling cancelling = new Cancelling();
    private volatile int id;
    private volatile boolean over;
    private volatile boolean answered;

    private RequestStream(AsyncClientExchangeHandler exchange, Connection connection) {
        super(exchange, AttemptBinding.NONE); // the one inside knows its attempt
        this.connection = connection;
    }

    /** The stream of a request. It is cancelled at once if its user has cancelled the request. */
    static RequestStream of(RequestExecutionCommand request, Connection connection) {
        RequestStream stream = new RequestStream(request.getExchangeHandler(), connection);
        CancellableDependency user = request.getCancellableDependency();
        if (user != null) {
            user.setDependency(stream.cancelling);
        }
        return stream;
    }

    /** The same request with this stream. */
    RequestExecutionCommand command(RequestExecutionCommand request) {
        return new RequestExecutionCommand(this, request.getPushHandlerFactory(), cancelling, request.getContext());
    }

    void begun(int number) {
        id = number;
    }

    int id() {
        return id;
    }

    boolean isCancelled() {
        return cancelling.isCancelled();
    }

    /** Whether the client has forgotten the stream, or will do so with the next event. */
    boolean isOver() {
        return over;
    }

    /** Between the user's wish and the client's stream, which comes later. */
    private final class Cancelling implements CancellableDependency {
        private boolean cancelled;
        private @Nullable Cancellable stream;

        @Override
        public void setDependency(Cancellable begun) {
            synchronized (this) {
                stream = begun;
                if (!cancelled) {
                    return;
                }
            }
            cancel(begun);
        }

        @Override
        public boolean cancel() {
            Cancellable begun;
            synchronized (this) {
                if (cancelled) {
                    return false;
                }
                cancelled = true;
                begun = stream;
            }
            if (begun != null) {
                cancel(begun);
            }
            return true;
        }

        private void cancel(Cancellable begun) {
            // First the mark: without it, the client would take the empty frame for one of the response.
            begun.cancel();
            connection.cancelled(RequestStream.this);
        }

        @Override
        public synchronized boolean isCancelled() {
            return cancelled;
        }
    }

    // ---- the exchange

    @Override
    public void releaseResources() {
        end();
        super.releaseResources();
    }

    /** So the server has begun with the request, whatever it says later. */
    @Override
    public void consumeResponse(HttpResponse response, @Nullable EntityDetails body, HttpContext context)
            throws HttpException, IOException {
        answered = true;
        super.consumeResponse(response, body, context);
    }

    @Override
    public void failed(Exception cause) {
        end();
        super.failed(!answered && (connection.refuses(this) || isRefusal(cause)) ? refused(cause) : cause);
    }

    /** With this code, a server says that it has not begun with the request (RFC 9113, section 8.7). */
    private static boolean isRefusal(Exception cause) {
        return cause instanceof H2StreamResetException reset && reset.getCode() == H2Error.REFUSED_STREAM.getCode();
    }

    /** The cause in words: streams that the server has taken may fail with the same object, and say of it that they were sent. */
    private static Exception refused(Exception cause) {
        return new RequestNotExecutedException("The server has refused the request before it began with it: " + cause);
    }

    private void end() {
        over = true;
        connection.over(this);
    }
}
