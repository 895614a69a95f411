/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.headers.CallHeaders;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter of an HTTP client may be told. Not changed once the adapter is made.
 *
 * @param <Q> a request
 */
public final class HttpOptions<Q> {
    private static final int MOST_KEPT = 1 << 30;

    private Predicate<? super Q> idempotent = request -> false;
    private @Nullable Function<? super Q, String> operation;
    /** gRPC has a header of its own, which nobody but gRPC knows. */
    private static final CallHeaders OF_HTTP = CallHeaders.of(headers -> headers.grpcTimeout(null));

    private @Nullable CallHeaders headers = OF_HTTP;

    private Function<? super Q, ? extends @Nullable Object> partition = request -> null;
    private int maxKept = 256 * 1024;

    /** The defaults. */
    public HttpOptions() {}

    HttpOptions(HttpOptions<Q> other) {
        idempotent = other.idempotent;
        operation = other.operation;
        headers = other.headers;
        partition = other.partition;
        maxKept = other.maxKept;
    }

    /**
     * Which requests may be done twice although their method does not say so: POST and PATCH. Default: none but those with an
     * {@code Idempotency-Key}. Must be quick.
     */
    public HttpOptions<Q> idempotent(Predicate<? super Q> which) {
        idempotent = Objects.requireNonNull(which, "idempotent");
        return this;
    }

    /**
     * The name of the operation of a request, which is a tag of meters; default: the method. Use the route, {@code GET /stock/{sku}},
     * and not the address: of more than 100 names, the others are called {@code other}. Must be quick.
     */
    public HttpOptions<Q> operation(Function<? super Q, String> name) {
        operation = Objects.requireNonNull(name, "operation");
        return this;
    }

    /** The headers that carry deadline and attempt to the other service; default those of {@link
     * CallHeaders} without {@code grpc-timeout}; null: none. */
    public HttpOptions<Q> headers(@Nullable CallHeaders value) {
        headers = value;
        return this;
    }

    /** As in {@link #headers(CallHeaders)}; empty: none. For adapters. */
    public Optional<CallHeaders> headers() {
        return Optional.ofNullable(headers);
    }

    /**
     * For whom a request is, such as its user or tenant, where the pipeline has a stale cache: only requests with an equal
     * partition share responses, and then private ones too. Default null: for all, and what is private is not kept. Must be quick.
     */
    public HttpOptions<Q> partition(Function<? super Q, ? extends @Nullable Object> function) {
        partition = Objects.requireNonNull(function, "partition");
        return this;
    }

    /**
     * The longest body that a stale cache keeps, in bytes: 0 to 1 GiB; default 256 KiB. Bodies up to this length are read into
     * memory where the pipeline has a stale cache; 0: none, and no request uses the cache.
     *
     * @throws IllegalArgumentException if it is out of range
     */
    public HttpOptions<Q> maxKept(int bytes) {
        if (bytes < 0 || bytes > MOST_KEPT) {
            throw new IllegalArgumentException("maxKept is " + bytes + " but must be from 0 to " + MOST_KEPT);
        }
        maxKept = bytes;
        return this;
    }

    int maxKept() {
        return maxKept;
    }

    @Nullable
    Object partitionOf(Q request) {
        return partition.apply(request);
    }

    boolean isIdempotent(Q request) {
        return idempotent.test(request);
    }

    String nameOf(Q request, String method) {
        if (operation == null) {
            return method;
        }
        try {
            return Objects.requireNonNull(operation.apply(request), "operation's name");
        } catch (RuntimeException broken) {
            throw new IllegalStateException(
                    "the function of the option 'operation' failed for " + method + " " + request, broken);
        }
    }
}
