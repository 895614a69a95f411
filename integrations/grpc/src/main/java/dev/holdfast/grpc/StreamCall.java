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
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A call with streams. It is one attempt, which lasts for the pipeline until the first message of the response, until the headers if the
 * caller has asked for no message by then, or until the stream's end. What the caller does before the pipeline lets it begin waits.
 */
final class StreamCall<Q, R> extends PipelinedCall<Q, R> {
    /** The value of an attempt: the response has begun. */
    static final Object BEGUN = new Object();

    private final CompletableFuture<Object> response = new CompletableFuture<>();
    private final Streams streams = new OnTransport();

    // Guarded by the lock.
    private final Queue<Consumer<ClientCall<Q, R>>> waiting = new ArrayDeque<>();
    private boolean direct;
    /** While what the caller does is kept. Then the call inside knows. */
    private boolean halfClosed;

    private boolean opened;
    private boolean closed;
    /** What was sent of the call threw: the pipeline is about to end it. */
    private boolean broken;
    /** The response has begun, and goes to the listener as it comes. */
    private boolean through;
    /** The pipeline has ended in another way. There is never both. */
    private @Nullable Response<R> end;
    /** What the pipeline has said all the same, while the response began. */
    private @Nullable Status overruled;

    private volatile @Nullable ClientCall<Q, R> inside;
    /** Whether {@link #inside} may be asked. */
    private volatile boolean started;

    StreamCall(
            HoldfastClientInterceptor interceptor, MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        super(interceptor, method, options, next, false);
    }

    @Override
    public void start(Listener<R> told, Metadata given) {
        super.start(told, given);
        begin(this::open, true);
    }

    private CompletionStage<Object> open(Attempt attempt) {
        synchronized (lock) {
            check(!opened, "a stream is one attempt");
            opened = true;
        }
        try {
            startInside(
                    options.withStreamTracerFactory(streams),
                    new Heard(listener(), attempt),
                    call -> inside = call,
                    this::letGo);
        } catch (Throwable e) {
            Response<R> given;
            synchronized (lock) {
                closed |= !started; // else it is cancelled, and its end is yet to come
                given = closed ? end : null;
                broken = true;
                through &= closed; // also if the server has answered what was sent of it
            }
            if (given != null) {
                tell(given);
            }
            throw e;
        }
        if (isGivenUp()) {
            cancelInside(Status.CANCELLED.withDescription("the call was given up"));
        }
        return response;
    }

    // ---- what the caller does

    private void letGo(ClientCall<Q, R> call) {
        started = true;
        while (true) {
            Consumer<ClientCall<Q, R>> next;
            synchronized (lock) {
                next = waiting.poll();
                if (next == null) {
                    direct = true;
                    return;
                }
            }
            act(next, call);
        }
    }

    /** After the pipeline or the context has ended the call, nothing that is done has an effect, as after the end of any call. */
    private void act(Consumer<ClientCall<Q, R>> act, ClientCall<Q, R> call) {
        try {
            act.accept(call);
        } catch (IllegalStateException cancelled) {
            if (isCancelledByCaller() || !(isGivenUp() || cancellation() != null)) {
                throw cancelled;
            }
        }
    }

    /** A mistake of the caller's is the caller's at once, as without a pipeline, and not when it is done. */
    private void send(Consumer<ClientCall<Q, R>> act, boolean last) {
        listener();
        synchronized (lock) {
            if (!direct) {
                check(!halfClosed, last ? "call already half-closed" : "call was half-closed");
                halfClosed = last;
            }
        }
        pass(act);
    }

    private void pass(Consumer<ClientCall<Q, R>> act) {
        listener();
        synchronized (lock) {
            if (!direct) {
                if (end == null) {
                    waiting.add(act);
                }
                return;
            }
        }
        act(act, Objects.requireNonNull(inside));
    }

    @Override
    public void request(int number) {
        super.request(number);
        pass(call -> call.request(number));
    }

    @Override
    public void sendMessage(Q message) {
        send(call -> call.sendMessage(message), false);
    }

    @Override
    public void halfClose() {
        send(ClientCall::halfClose, true);
    }

    @Override
    public void setMessageCompression(boolean enabled) {
        pass(call -> call.setMessageCompression(enabled));
    }

    @Override
    public boolean isReady() {
        ClientCall<Q, R> call = inside;
        return call != null && started && call.isReady();
    }

    @Override
    public Attributes getAttributes() {
        ClientCall<Q, R> call = inside;
        return call == null ? Attributes.EMPTY : call.getAttributes();
    }

    // ---- the end

    private boolean isGivenUp() {
        synchronized (lock) {
            return end != null;
        }
    }

    /** The response has begun, unless the pipeline has given it up. */
    private boolean goesThrough() {
        synchronized (lock) {
            through |= isOpen();
            if (!through) {
                return false;
            }
        }
        response.complete(BEGUN);
        return true;
    }

    /** As {@link #goesThrough}, on a thread of the transport: the listener's may be long in coming, as that of a blocking stub. */
    private void goesThroughOnTransport() {
        synchronized (lock) {
            if (through || !isOpen()) {
                return;
            }
            through = true;
        }
        try {
            // Observers hear of it.
            response.completeAsync(() -> BEGUN, interceptor.executor());
        } catch (Throwable refused) {
            // The listener's thread completes it.
        }
    }

    /** Under the lock. */
    private boolean isOpen() {
        return end == null && !broken && !response.isDone();
    }

    @Override
    void ended(Response<R> with) {
        boolean now;
        synchronized (lock) {
            if (through) {
                overruled = with.status();
            } else {
                end = with;
                waiting.clear();
            }
            now = !through && (!opened || closed);
        }
        if (now) {
            tell(with);
        } else if (!with.status().isOk() || isGivenUp()) {
            // Its end comes in the order of what its listener has heard so far.
            cancelInside(with.status());
        }
    }

    /** What its caller or the pipeline has said, where the transport only knows that it was cancelled. */
    private Status cancelledWith(Status status) {
        Status byCaller = cancellation();
        if (byCaller != null) {
            return byCaller;
        }
        synchronized (lock) {
            return overruled == null ? status : overruled;
        }
    }

    @Override
    void cancelInside(Status status) {
        ClientCall<Q, R> call = inside;
        if (call != null && started) {
            call.cancel(
                    status.getDescription() == null ? "the call was given up" : status.getDescription(),
                    status.getCause());
            if (isGivenUp()) {
                // gRPC's in-process transport ends a stream that its server has ended only after all messages.
                call.request(Integer.MAX_VALUE);
            }
        }
    }

    /** What the transport hears. */
    private final class OnTransport extends Streams {
        OnTransport() {
            super(interceptor);
        }

        @Override
        void headersCame() {
            if (asksNothing()) {
                goesThroughOnTransport();
            }
        }

        @Override
        void messageCame() {
            goesThroughOnTransport();
        }

        @Override
        void endedWell() {
            goesThroughOnTransport();
        }
    }

    private final class Heard extends ClientCall.Listener<R> {
        private final Listener<R> hears;
        private final Attempt attempt;
        private @Nullable Metadata received;
        private boolean threw;

        Heard(Listener<R> hears, Attempt attempt) {
            this.hears = hears;
            this.attempt = attempt;
        }

        /** Of a response that the pipeline has given up its listener hears nothing. */
        private void hear(Runnable event) {
            started = true;
            if (!isGivenUp()) {
                try {
                    as(event);
                } catch (Throwable broken) {
                    threw = true;
                    throw broken;
                }
            }
        }

        @Override
        public void onReady() {
            hear(hears::onReady);
        }

        @Override
        public void onHeaders(Metadata headers) {
            received = headers;
            hear(() -> {
                headersTold();
                hears.onHeaders(headers);
            });
            if (asksNothing()) {
                // The first message waits for its caller, whose time is not the dependency's.
                var unused = goesThrough();
            }
        }

        @Override
        public void onMessage(R message) {
            if (goesThrough()) {
                hear(() -> hears.onMessage(message));
            }
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            started = true;
            Response<R> given;
            boolean passes;
            synchronized (lock) {
                closed = true;
                given = end;
                passes = through;
            }
            ofStream = Thread.currentThread();
            if (given != null) {
                tell(threw ? new Response<>(null, List.of(), status, trailers) : given);
            } else if ((passes || status.isOk()) && goesThrough()) {
                over();
                Status told = status.getCode() == Status.Code.CANCELLED ? cancelledWith(status) : status;
                as(() -> hears.onClose(told, trailers));
            } else if (!status.isOk() && !isOfLimit(status, attempt)) {
                // Its listener has heard the headers. The classifier asks whether there were any.
                Response<R> heard = new Response<>(received, List.of(), status, trailers);
                response.completeExceptionally(Failed.of(heard, streams, false).sent());
            }
            // Else the pipeline is about to end, and to tell.
            ofStream = null;
        }
    }
}
