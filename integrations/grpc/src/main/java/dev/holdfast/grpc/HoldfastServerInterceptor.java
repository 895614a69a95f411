/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.CallRejectedException;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.internal.engine.Bound;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Binds the deadline and the attempt with which a call came in, while its handler runs: pipelines that the handler calls have no more
 * time than that, and do not retry inside a retry of the caller. Without time left, the call ends with DEADLINE_EXCEEDED, and its
 * handler does not run.
 *
 * <p>The deadline is the one of {@link Context}, which gRPC makes of {@code grpc-timeout}; the attempt is {@code
 * holdfast-attempt}, the priority {@code holdfast-priority}. The sender decides all three. So the time is bounded, as {@link
 * CallHeaders} says. The context itself stays as it is.
 *
 * <p>Bound during {@code startCall} and each method of the call's listener. For other threads there is {@link
 * dev.holdfast.Deadline#propagating}. Safe for any number of threads.
 *
 * <p>If the client sends a stream, {@link CallHeaders.Builder#maxTimeout} counts from each method of the listener on. The attempt
 * holds until the first message has been handled, and in {@code onHalfClose} of a client-streaming method.
 */
public final class HoldfastServerInterceptor implements ServerInterceptor {
    private final CallHeaders headers;
    private final Keys keys;

    private HoldfastServerInterceptor(CallHeaders headers) {
        this.headers = headers;
        keys = new Keys(headers);
    }

    /** With the bounds and names of {@link CallHeaders#ofDefaults}: a time of more than one day counts as one day. */
    public static HoldfastServerInterceptor ofDefaults() {
        return of(CallHeaders.ofDefaults());
    }

    /**
     * With these bounds and names: {@code of(CallHeaders.of(h -> h.maxTimeout(Duration.ofSeconds(30))))}.
     *
     * @throws IllegalArgumentException if gRPC refuses a name: it allows letters, digits and {@code -_.}, and no {@code -bin} at the
     *     end
     */
    public static HoldfastServerInterceptor of(CallHeaders headers) {
        return new HoldfastServerInterceptor(Objects.requireNonNull(headers, "headers"));
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata received, ServerCallHandler<Q, R> next) {
        Inbound inbound;
        try {
            inbound = Inbound.of(
                    headers, texts(received), call.getMethodDescriptor().getType());
        } catch (CallRejectedException noTimeLeft) {
            call.close(
                    Status.DEADLINE_EXCEEDED
                            .withDescription(noTimeLeft.getMessage())
                            .withCause(noTimeLeft),
                    new Metadata());
            return new ServerCall.Listener<>() {};
        }
        Bound bound = inbound.atFirst();
        if (bound == null) {
            return next.startCall(call, received);
        }
        Bound before = Bound.current();
        Bound.set(bound);
        try {
            return new Listening<>(next.startCall(call, received), inbound);
        } finally {
            Bound.restore(before);
        }
    }

    /** A copy: the metadata is the handler's, which may change it while the call lasts. */
    private Map<String, String> texts(Metadata received) {
        Map<String, String> texts = new HashMap<>();
        for (String name : headers.names()) {
            Metadata.Key<String> key = keys.of(name);
            String text = key == null ? null : received.get(key);
            if (text != null) {
                texts.put(name, text);
            }
        }
        return texts;
    }

    /** Hears of the call with what is bound. */
    private static final class Listening<Q> extends ServerCall.Listener<Q> {
        private final ServerCall.Listener<Q> inside;
        private final Inbound inbound;

        Listening(ServerCall.Listener<Q> inside, Inbound inbound) {
            this.inside = inside;
            this.inbound = inbound;
        }

        private void run(Runnable task) {
            run(false, task);
        }

        private void run(boolean atHalfClose, Runnable task) {
            Bound before = Bound.current();
            Bound.set(inbound.now(atHalfClose));
            try {
                task.run();
            } finally {
                Bound.restore(before);
            }
        }

        @Override
        public void onMessage(Q message) {
            run(() -> inside.onMessage(message));
            inbound.messageHandled();
        }

        @Override
        public void onHalfClose() {
            run(true, inside::onHalfClose);
        }

        @Override
        public void onCancel() {
            run(inside::onCancel);
        }

        @Override
        public void onComplete() {
            run(inside::onComplete);
        }

        @Override
        public void onReady() {
            run(inside::onReady);
        }
    }
}
