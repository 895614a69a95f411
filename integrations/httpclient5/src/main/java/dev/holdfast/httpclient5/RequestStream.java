/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.util.function.Consumer;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.command.RequestExecutionCommand;
import org.apache.hc.core5.reactor.Command;
import org.jspecify.annotations.Nullable;

/** One request of the HTTP/2 client as a stream: its number, whether it was cancelled, and whether the client is done with it. */
final class RequestStream extends ExchangeWrapper {
    private final Consumer<RequestStream> whenCancelled;
    private final Cancelling cancelling = new Cancelling();
    private volatile int id;
    private volatile boolean over;

    private RequestStream(AsyncClientExchangeHandler exchange, Consumer<RequestStream> whenCancelled) {
        super(exchange);
        this.whenCancelled = whenCancelled;
    }

    /**
     * The same request with a stream of it.
     *
     * @param whenCancelled is told, on any thread, of a stream that was begun and that the client has marked as cancelled
     */
    static RequestExecutionCommand commandOf(RequestExecutionCommand request, Consumer<RequestStream> whenCancelled) {
        RequestStream stream = new RequestStream(request.getExchangeHandler(), whenCancelled);
        CancellableDependency user = request.getCancellableDependency();
        if (user != null) {
            user.setDependency(stream.cancelling);
        }
        return new RequestExecutionCommand(
                stream, request.getPushHandlerFactory(), stream.cancelling, request.getContext());
    }

    /** Null: the command is no request. */
    static @Nullable RequestStream of(Command command) {
        return command instanceof RequestExecutionCommand request
                        && request.getExchangeHandler() instanceof RequestStream stream
                ? stream
                : null;
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
            whenCancelled.accept(RequestStream.this);
        }

        @Override
        public synchronized boolean isCancelled() {
            return cancelled;
        }
    }

    // ---- the exchange

    @Override
    public void releaseResources() {
        over = true;
        super.releaseResources();
    }

    @Override
    public void failed(Exception cause) {
        over = true;
        super.failed(cause);
    }
}
