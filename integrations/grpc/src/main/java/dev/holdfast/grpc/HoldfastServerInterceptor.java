/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Deadline.Binding;
import dev.holdfast.headers.CallHeaders;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

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
 */
public final class HoldfastServerInterceptor implements ServerInterceptor {
    private static final long MOST_DIGITS = 99_999_999;

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
        Binding bound;
        try {
            // The context's deadline is an instant, made before a wait in an executor's queue. So that wait is taken
            // off
            // the texts alone: the first one that receives takes it.
            bound = headers.<@Nullable Binding, RuntimeException>receive(
                    name -> text(received, name),
                    () -> headers.<@Nullable Binding, RuntimeException>receive(
                            HoldfastServerInterceptor::left, Binding::current));
        } catch (CallRejectedException noTimeLeft) {
            call.close(
                    Status.DEADLINE_EXCEEDED
                            .withDescription(noTimeLeft.getMessage())
                            .withCause(noTimeLeft),
                    new Metadata());
            return new ServerCall.Listener<>() {};
        }
        if (bound == null) {
            return next.startCall(call, received);
        }
        Binding before = Binding.current();
        Binding.set(bound);
        try {
            return new Bound<>(next.startCall(call, received), bound);
        } finally {
            Binding.restore(before);
        }
    }

    private @Nullable String text(Metadata received, String name) {
        Metadata.Key<String> key = keys.of(name);
        return key == null ? null : received.get(key);
    }

    /** Of the context's deadline. */
    private static @Nullable String left(String name) {
        Deadline deadline =
                name.equalsIgnoreCase(Keys.GRPC_TIMEOUT) ? Context.current().getDeadline() : null;
        return deadline == null ? null : text(deadline.timeRemaining(TimeUnit.NANOSECONDS));
    }

    private static String text(long nanos) {
        if (nanos <= MOST_DIGITS) {
            return Math.max(0, nanos) + "n";
        }
        long micros = nanos / 1_000;
        return micros <= MOST_DIGITS ? micros + "u" : Math.min(MOST_DIGITS, micros / 1_000_000) + "S";
    }

    /** Hears of the call with what is bound. */
    private static final class Bound<Q> extends ServerCall.Listener<Q> {
        private final ServerCall.Listener<Q> inside;
        private final Binding bound;

        Bound(ServerCall.Listener<Q> inside, Binding bound) {
            this.inside = inside;
            this.bound = bound;
        }

        private void run(Runnable task) {
            Binding before = Binding.current();
            Binding.set(bound);
            try {
                task.run();
            } finally {
                Binding.restore(before);
            }
        }

        @Override
        public void onMessage(Q message) {
            run(() -> inside.onMessage(message));
        }

        @Override
        public void onHalfClose() {
            run(inside::onHalfClose);
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
