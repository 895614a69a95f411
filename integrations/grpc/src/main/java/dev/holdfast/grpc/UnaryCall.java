/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Attempt;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.InputStream;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A call with one request and one response. It keeps the request, and begins when that is complete. */
final class UnaryCall<Q, R> extends PipelinedCall<Q, R> {
    // Written before the call begins, by its caller alone.
    private @Nullable Q message;
    private boolean halfClosed;
    private boolean compressed;
    private boolean compressionKnown;

    private volatile Attributes attributes = Attributes.EMPTY;

    UnaryCall(HoldfastClientInterceptor interceptor, MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        super(interceptor, method, options, next, interceptor.isIdempotent(method, options));
    }

    @Override
    public void start(Listener<R> told, Metadata given) {
        super.start(told, given);
        limitUntilBegun();
    }

    @Override
    public void sendMessage(Q request) {
        listener();
        check(!halfClosed, "call was half-closed");
        check(message == null, "a unary call has one message");
        message = request;
    }

    @Override
    public void setMessageCompression(boolean enabled) {
        listener();
        compressed = enabled;
        compressionKnown = true;
    }

    @Override
    public boolean isReady() {
        return !halfClosed;
    }

    @Override
    public Attributes getAttributes() {
        return attributes;
    }

    @Override
    public void halfClose() {
        listener();
        check(!halfClosed, "call already half-closed");
        halfClosed = true;
        begin(this::exchange, isMessageReadOnce());
    }

    /** As with a marshaller that hands bytes through. In a second attempt nothing would be left of it. */
    private boolean isMessageReadOnce() {
        return message instanceof InputStream;
    }

    /** Whether it may be sent twice. */
    boolean isRepeatable() {
        return idempotent && !isMessageReadOnce();
    }

    private CompletionStage<Object> exchange(Attempt attempt) {
        Exchange<Q, R> exchange = new Exchange<>(this, attempt);
        startInside(optionsOf(attempt, exchange.streams), exchange.listener, exchange::begins, this::send);
        return exchange;
    }

    private CallOptions optionsOf(Attempt attempt, Streams streams) {
        CallOptions of = options.withStreamTracerFactory(streams);
        long left = attempt.remainingNanos();
        if (left != Long.MAX_VALUE) {
            of = of.withDeadlineAfter(left, TimeUnit.NANOSECONDS);
        }
        return elsewhereAfterTheEnd(of);
    }

    private void send(ClientCall<Q, R> inside) {
        inside.request(2); // a second message would be a mistake, which gRPC's stubs notice
        if (compressionKnown) {
            inside.setMessageCompression(compressed);
        }
        if (message != null) {
            inside.sendMessage(message);
        }
        inside.halfClose();
    }

    void attributes(Attributes of) {
        attributes = of;
    }

    @Override
    void ended(Response<R> with) {
        tell(with);
    }

    @Override
    void givenUp(Status status) {
        // All attempts have ended.
    }
}
