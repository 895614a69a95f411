/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Attempt;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One attempt of a unary call: a call of the channel, and its response. To cancel it resets the stream. */
final class Exchange<Q, R> extends CompletableFuture<Object> {
    final Streams streams;
    final Heard listener = new Heard();
    private final UnaryCall<Q, R> of;
    private final Attempt attempt;
    private volatile @Nullable ClientCall<Q, R> inside;

    /** Written by the stream's thread, before this ends. */
    private @Nullable Metadata headers;

    private final List<R> messages = new ArrayList<>(1);
    private @Nullable Response<R> response;

    Exchange(UnaryCall<Q, R> of, Attempt attempt) {
        this.of = of;
        this.attempt = attempt;
        streams = new Streams(of.interceptor);
    }

    void begins(ClientCall<Q, R> call) {
        inside = call;
    }

    /** Once it has ended by itself, and its answer is the call's. */
    Response<R> response() {
        of.attributes(Objects.requireNonNull(inside).getAttributes());
        return Objects.requireNonNull(response);
    }

    /** The message of an answer; null if there is not just one. */
    @Nullable
    R message() {
        return messages.size() == 1 ? messages.get(0) : null;
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
        boolean cancelled = super.cancel(mayInterrupt);
        ClientCall<Q, R> call = inside;
        if (cancelled && call != null) {
            call.cancel("the attempt was given up", null);
        }
        return cancelled;
    }

    final class Heard extends ClientCall.Listener<R> {
        @Override
        public void onHeaders(Metadata received) {
            headers = received;
        }

        @Override
        public void onMessage(R message) {
            messages.add(message);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            if (of.isOfLimit(status, attempt)) {
                return;
            }
            Response<R> heard = new Response<>(headers, messages, status, trailers);
            response = heard;
            of.ofStream = Thread.currentThread();
            try {
                if (status.isOk()) {
                    complete(Exchange.this);
                } else {
                    completeExceptionally(Failed.of(heard, streams, of.isRepeatable()));
                }
            } finally {
                of.ofStream = null;
            }
        }
    }
}
