/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Makes of each request the call of a pipeline: that of the request's authority, idempotent or not as HTTP says of its method,
 * with what its responses mean. For adapters of HTTP clients. Safe for any number of threads.
 *
 * <p>The operation of a call is the method, unless {@link HttpOptions#operation} says otherwise. {@code GET}, {@code HEAD},
 * {@code OPTIONS}, {@code TRACE}, {@code PUT} and {@code DELETE} may be done twice (RFC 9110 §9.2.2). Any other request may if it has
 * an {@code Idempotency-Key}, or {@link HttpOptions#idempotent} says so. A request whose body cannot be sent again is {@linkplain
 * Call#sentOnce sent once}.
 *
 * @param <Q> a request
 * @param <R> a response
 */
public final class HttpCalls<Q, R> {
    /** Above this many pipelines those are forgotten whose operations were made: most are gone then. */
    private static final int MOST_PIPELINES = 2_048;

    /** Names of operations are tags of meters. Above this many, all further ones are one. */
    private static final int MOST_NAMES = 100;

    private static final String OTHER = "other";

    private final HttpMessages<Q, R> messages;
    private final Pipelines pipelines;
    private final HttpOptions<? super Q> options;
    private final Map<Pipeline, Operations> operations = new ConcurrentHashMap<>();

    /** Of these pipelines, for this client's messages. */
    public HttpCalls(HttpMessages<Q, R> messages, Pipelines pipelines, HttpOptions<? super Q> options) {
        this.messages = Objects.requireNonNull(messages, "messages");
        this.pipelines = Objects.requireNonNull(pipelines, "pipelines");
        this.options = Objects.requireNonNull(options, "options");
    }

    /** The operations of one pipeline by their names, of requests that may be done twice and of those that must not. */
    private final class Operations {
        private final Pipeline pipeline;
        private final Map<String, Operation<R>> idempotent = new ConcurrentHashMap<>();
        private final Map<String, Operation<R>> others = new ConcurrentHashMap<>();

        Operations(Pipeline pipeline) {
            this.pipeline = pipeline;
        }

        Operation<R> operation(String name, boolean isIdempotent) {
            Map<String, Operation<R>> known = isIdempotent ? idempotent : others;
            Operation<R> operation = known.get(name);
            if (operation == null) {
                String bounded = known.size() < MOST_NAMES ? name : OTHER;
                operation = known.computeIfAbsent(bounded, made -> make(made, isIdempotent));
            }
            return operation;
        }

        private Operation<R> make(String name, boolean isIdempotent) {
            return pipeline.operation(
                    name,
                    o -> o.idempotent(isIdempotent)
                            .classifier(new HttpClassifier(messages, pipeline::classifier, isIdempotent))
                            .discard(messages::close));
        }
    }

    /**
     * The call for this request.
     *
     * @throws IllegalArgumentException if the address of the request has no scheme or no host
     */
    public Call<R> call(Q request) {
        Pipeline pipeline = pipelines.of(authority(messages.uri(request)));
        Operations made = operations.get(pipeline);
        if (made == null) {
            if (operations.size() >= MOST_PIPELINES) {
                operations.clear();
            }
            made = operations.computeIfAbsent(pipeline, Operations::new);
        }
        Call<R> call = made.operation(options.nameOf(request, messages.method(request)), isIdempotent(request))
                .unkeyed();
        return messages.canBeSentAgain(request) ? call : call.sentOnce();
    }

    private boolean isIdempotent(Q request) {
        return switch (messages.method(request)) {
            case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
            default -> messages.requestHeader(request, "Idempotency-Key") != null || options.isIdempotent(request);
        };
    }

    /** Scheme, host and port, the same for all ways to write them: {@code https://stock.example:443}. */
    static String authority(URI uri) {
        String scheme = uri.getScheme();
        String host = uri.getHost();
        if (scheme == null || host == null) {
            throw new IllegalArgumentException(
                    "the address of the request is '" + uri + "' but must have a scheme and a host");
        }
        int port = uri.getPort();
        if (port < 0) {
            port = scheme.equalsIgnoreCase("https") ? 443 : 80;
        }
        return lower(scheme) + "://" + lower(host) + ":" + port;
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
