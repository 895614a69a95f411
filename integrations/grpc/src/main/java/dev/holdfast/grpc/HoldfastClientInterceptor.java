/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.engine.Bound;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Puts pipelines around the calls of a channel, for stubs of each kind: blocking, with a future, with an observer.
 *
 * <pre>{@code
 * PipelinePerService shops = PipelinePerService.standard("shops"); // close it when the service stops
 * ManagedChannel channel = Grpc.newChannelBuilder("stock.example:443", TlsChannelCredentials.create())
 *         .intercept(HoldfastClientInterceptor.of(shops))
 *         .build();
 * }</pre>
 *
 * <p>A unary call is a call of its pipeline's asynchronous side, and blocks no thread. Each attempt is a call of the channel with
 * headers of its own. It has the time that is left for the attempt as its deadline, so that {@code grpc-timeout} hands it down. The
 * response of the attempt that won alone goes to the listener, on the executor of the call's options. A call with streams is one
 * attempt that is never repeated, and lasts for the pipeline until its first response message, or its headers if the caller has
 * asked for no message by then ({@code docs/grpc.md}).
 *
 * <p>The deadline of the call's options and of {@link io.grpc.Context} shorten the call's. A unary call begins when it is half closed;
 * these deadlines end it before that, too.
 *
 * <p>What the policies say becomes a status, as callers of gRPC expect: a rejection UNAVAILABLE whose cause is the {@link
 * CallRejectedException}, a timeout DEADLINE_EXCEEDED whose cause is the {@link CallTimeoutException}. What a status means to the
 * policies says {@link GrpcClassifier}.
 *
 * <p>The pipelines stay their owner's to close. Safe for any number of threads.
 */
public final class HoldfastClientInterceptor implements ClientInterceptor {
    /**
     * Says of one call whether it may be done twice, whatever its method is: {@code
     * stub.withOption(HoldfastClientInterceptor.IDEMPOTENT, true)}.
     */
    public static final CallOptions.Key<Boolean> IDEMPOTENT = CallOptions.Key.create("holdfast-idempotent");

    static final SafeLog LOG = SafeLog.of(HoldfastClientInterceptor.class.getName());

    private final GrpcPipelines pipelines;
    private final GrpcOptions options;
    private final Calls calls;
    private final AtomicBoolean warned = new AtomicBoolean();

    private HoldfastClientInterceptor(GrpcPipelines pipelines, GrpcOptions options) {
        this.pipelines = pipelines;
        this.options = options;
        calls = new Calls(options);
    }

    /** With these pipelines: {@link PipelinePerService} or {@link GrpcPipelines#one}. */
    public static HoldfastClientInterceptor of(GrpcPipelines pipelines) {
        return of(pipelines, options -> {});
    }

    /** As {@link #of(GrpcPipelines)}, with options. */
    public static HoldfastClientInterceptor of(GrpcPipelines pipelines, Consumer<? super GrpcOptions> configure) {
        Objects.requireNonNull(pipelines, "pipelines");
        GrpcOptions own = new GrpcOptions();
        configure.accept(own);
        return new HoldfastClientInterceptor(pipelines, new GrpcOptions(own));
    }

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions with, Channel next) {
        if (method.getType() == MethodType.UNARY) {
            return new UnaryCall<>(this, method, with, next);
        }
        return options.streams.test(method) ? new StreamCall<>(this, method, with, next) : next.newCall(method, with);
    }

    // ---- for its calls

    Call<@Nullable Object> call(String authority, MethodDescriptor<?, ?> method, boolean idempotent) {
        Pipeline pipeline = pipelines.of(authority, method);
        if (pipeline == null) {
            throw new IllegalStateException("the GrpcPipelines " + pipelines + " gave no pipeline for "
                    + method.getFullMethodName() + " of " + authority);
        }
        return calls.of(pipeline, method, idempotent);
    }

    boolean isIdempotent(MethodDescriptor<?, ?> method, CallOptions with) {
        Boolean ofCall = with.getOption(IDEMPOTENT);
        return ofCall != null ? ofCall : method.isIdempotent() || method.isSafe() || options.idempotent.test(method);
    }

    /** Of one attempt, on the thread that makes it. */
    Metadata headers(Metadata given, MethodDescriptor<?, ?> method) {
        Metadata copy = new Metadata();
        copy.merge(given);
        CallHeaders written = options.headers;
        Keys keys = options.keys;
        if (written != null && keys != null) {
            // A handler may send on what it has received. That time has gone by in part.
            keys.times().forEach(copy::discardAll);
            Runnable writes = () -> write(written, keys, copy);
            if (method.getType() == MethodType.UNARY) {
                writes.run();
            } else {
                Bound.unlimited(writes); // the attempt's time ends with the first message
            }
        }
        return copy;
    }

    private static void write(CallHeaders written, Keys keys, Metadata to) {
        written.write((name, value) -> {
            Metadata.Key<String> key = keys.of(name);
            if (key != null) {
                to.discardAll(key);
                to.put(key, value);
            }
        });
    }

    Executor executor() {
        return options.executor;
    }

    void warnOfRetries() {
        if (warned.compareAndSet(false, true)) {
            LOG.warn(
                    "gRPC retries or hedges calls by its service config, too, so that attempts multiply: take retryPolicy and"
                            + " hedgingPolicy out of it",
                    null);
        }
    }
}
