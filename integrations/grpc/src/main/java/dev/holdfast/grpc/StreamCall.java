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
    /** What was sent of the call threw: the pipeline is about to end it. */
    private boolean broken;
    /** The call inside has ended: no response begins any more, whatever its transport says later. */
    private boolean insideEnded;
    /** The response has begun, and goes to the listener as it comes, until {@link #givenUp}. */
    private boolean through;
    /** Its caller, or the pipeline, has ended it. The listener hears nothing else of the call inside. */
    private boolean givenUp;

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
                    elsewhereAfterTheEnd(options.withStreamTracerFactory(streams)),
                    new Heard(listener(), attempt),
                    call -> inside = call,
                    this::letGo);
        } catch (Throwable e) {
            boolean begun;
            synchronized (lock) {
                broken = true;
                begun = through;
            }
            if (begun) {
                end(Response.of(e)); // also if all of the response has come: it is one of half a request
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
                if (!givenUp) {
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
            return givenUp;
        }
    }

    private boolean isThrough() {
        synchronized (lock) {
            return through;
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

    /** As {@link #goesThrough} at the end of the call inside: with a failure, only if the response has begun before. */
    private boolean endsThrough(boolean well) {
        synchronized (lock) {
            through |= well && isOpen();
            insideEnded = true;
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
            response.completeAsync(() -> BEGUN, Begun.THREADS);
        } catch (Throwable noThread) {
            // The listener's thread completes it.
        }
    }

    /** Under the lock. */
    private boolean isOpen() {
        return !givenUp && !broken && !insideEnded && !response.isDone();
    }

    @Override
    void ended(Response<R> with) {
        synchronized (lock) {
            if (through && with.status().isOk()) {
                return; // a fallback's, while the response began
            }
            givenUp = true;
        }
        end(with);
    }

    @Override
    void givenUp(Status status) {
        end(Response.of(status));
    }

    /** Told now or after the event that the listener hears now: the call inside may never end, whatever it is told. */
    private void end(Response<R> with) {
        synchronized (lock) {
            givenUp = true;
            waiting.clear();
        }
        tell(with);
        cancelInside(with.status());
    }

    private void cancelInside(Status status) {
        ClientCall<Q, R> call = inside;
        if (call == null || !started) {
            return;
        }
        call.cancel(
                status.getDescription() == null ? "the call was given up" : status.getDescription(), status.getCause());
        try {
            // gRPC's in-process transport ends a stream that its server has ended only after all messages.
            call.request(Integer.MAX_VALUE);
        } catch (IllegalStateException notStarted) {
            // An interceptor inside starts it later, or never.
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

        Heard(Listener<R> hears, Attempt attempt) {
            this.hears = hears;
            this.attempt = attempt;
        }

        /** Of a response that was given up its listener hears nothing. */
        private void hear(Runnable event) {
            started = true;
            if (hears()) {
                try {
                    as(event);
                } catch (Throwable e) {
                    replaced(failed(e));
                    if (isThrough()) {
                        end(Response.of(failed(e))); // the pipeline, which has ended, can no more
                    }
                    throw e;
                } finally {
                    heard();
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
            ofStream = Thread.currentThread();
            if (endsThrough(status.isOk())) {
                tell(new Response<>(null, List.of(), status, trailers));
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
