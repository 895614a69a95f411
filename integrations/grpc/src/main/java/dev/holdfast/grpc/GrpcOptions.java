/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Verdict;
import dev.holdfast.headers.CallHeaders;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What a {@link HoldfastClientInterceptor} may be told. Not changed once the interceptor is made. */
public final class GrpcOptions {
    /** The deadline goes down as {@code grpc-timeout}, which gRPC writes by itself. */
    private static final CallHeaders USUAL_HEADERS =
            CallHeaders.of(h -> h.grpcTimeout(null).timeoutMillis(null));

    Predicate<? super MethodDescriptor<?, ?>> idempotent = method -> false;
    Predicate<? super MethodDescriptor<?, ?>> streams = method -> true;
    final Map<Status.Code, Verdict> verdicts = new EnumMap<>(Status.Code.class);
    Executor executor = new CompletableFuture<Void>().defaultExecutor();

    @Nullable
    CallHeaders headers = USUAL_HEADERS;

    @Nullable
    Keys keys = new Keys(USUAL_HEADERS);

    GrpcOptions() {}

    GrpcOptions(GrpcOptions other) {
        idempotent = other.idempotent;
        streams = other.streams;
        verdicts.putAll(other.verdicts);
        executor = other.executor;
        headers = other.headers;
        keys = other.keys;
    }

    /**
     * Which methods may be done twice although their descriptor does not say so. Default: none but those that are {@link
     * MethodDescriptor#isIdempotent} or {@link MethodDescriptor#isSafe}, by the {@code idempotency_level} of the proto file. For a
     * single call there is {@link HoldfastClientInterceptor#IDEMPOTENT}. Must be quick.
     */
    public GrpcOptions idempotent(Predicate<? super MethodDescriptor<?, ?>> which) {
        idempotent = Objects.requireNonNull(which, "idempotent");
        return this;
    }

    /** Which methods with streams get the pipeline, too; default: all. Methods without streams always do. Must be quick. */
    public GrpcOptions streams(Predicate<? super MethodDescriptor<?, ?>> which) {
        streams = Objects.requireNonNull(which, "streams");
        return this;
    }

    /** What this code means, in place of what {@link GrpcClassifier} says of it. */
    public GrpcOptions verdict(Status.Code code, Verdict verdict) {
        verdicts.put(Objects.requireNonNull(code, "code"), Objects.requireNonNull(verdict, "verdict"));
        return this;
    }

    /**
     * The metadata that carries what gRPC does not: default {@code holdfast-attempt} and {@code holdfast-priority}; null: none.
     * {@code grpc-timeout} is gRPC's own and is not written by these. Unless null, a caller's own {@code holdfast-timeout-ms} is
     * removed. For a method with streams no time is written: it may last longer than its attempt.
     *
     * @throws IllegalArgumentException if gRPC refuses a name: it allows letters, digits and {@code -_.}, and no {@code -bin} at the
     *     end
     */
    public GrpcOptions headers(@Nullable CallHeaders value) {
        keys = value == null ? null : new Keys(value);
        headers = value;
        return this;
    }

    /**
     * Where a listener hears of an end that comes from no stream (a rejection, a timeout, a cancellation), if the call's options have
     * no executor. Whatever executor they have, it also ends the unary calls whose time is over before they were half-closed. What
     * it refuses runs where it was refused. Default: the common pool; on one or two processors a new thread for each.
     */
    public GrpcOptions executor(Executor value) {
        executor = Objects.requireNonNull(value, "executor");
        return this;
    }
}
