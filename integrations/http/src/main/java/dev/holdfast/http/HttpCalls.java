/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import java.net.URI;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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
    private static final Pattern WRITTEN = Pattern.compile("(?:[^@]*@)?([^:@\\[\\]]+)(?::([0-9]{1,5}))?");

    private final HttpMessages<Q, R> messages;
    private final Pipelines pipelines;
    private final HttpOptions<? super Q> options;
    private final PerPipeline<Operations> idempotent = new PerPipeline<>(pipeline -> new Operations(pipeline, true));
    private final PerPipeline<Operations> others = new PerPipeline<>(pipeline -> new Operations(pipeline, false));

    /** Of these pipelines, for this client's messages. */
    public HttpCalls(HttpMessages<Q, R> messages, Pipelines pipelines, HttpOptions<? super Q> options) {
        this.messages = Objects.requireNonNull(messages, "messages");
        this.pipelines = Objects.requireNonNull(pipelines, "pipelines");
        this.options = copied(options);
    }

    private static <T> HttpOptions<T> copied(HttpOptions<T> options) {
        return new HttpOptions<>(options);
    }

    /** The operations of one pipeline by their names, of requests that may be done twice or of the others. */
    private final class Operations extends PerPipeline.Named<Operation<R>> {
        private final Pipeline pipeline;
        private final boolean areIdempotent;

        Operations(Pipeline pipeline, boolean areIdempotent) {
            this.pipeline = pipeline;
            this.areIdempotent = areIdempotent;
        }

        @Override
        Operation<R> make(String name) {
            return pipeline.operation(
                    name,
                    o -> o.idempotent(areIdempotent)
                            .classifier(new HttpClassifier(messages, pipeline::classifier))
                            .discard(messages::close));
        }
    }

    /**
     * The pipeline of this request.
     *
     * @throws IllegalArgumentException if the address of the request has no scheme or no host
     */
    public Pipeline pipeline(Q request) {
        return pipelines.of(authority(messages.uri(request)));
    }

    /** The name of the operation of this request. */
    String name(Q request) {
        return options.nameOf(request, messages.method(request));
    }

    /**
     * The call for this request.
     *
     * @throws IllegalArgumentException if the address of the request has no scheme or no host
     */
    public Call<R> call(Q request) {
        Call<R> call = (isIdempotent(request) ? idempotent : others)
                .of(pipeline(request))
                .of(name(request))
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
        int port = uri.getPort();
        String written = uri.getRawAuthority();
        if (host == null && written != null) {
            // A name that is none of DNS, such as stock_service.
            Matcher parts = WRITTEN.matcher(written);
            if (parts.matches()) {
                host = parts.group(1);
                port = parts.group(2) == null ? -1 : Integer.parseInt(parts.group(2));
            }
        }
        if (scheme == null || host == null) {
            throw new IllegalArgumentException(
                    "the address of the request is '" + uri + "' but must have a scheme and a host");
        }
        if (port < 0) {
            port = scheme.equalsIgnoreCase("https") ? 443 : 80;
        }
        return lower(scheme) + "://" + lower(host) + ":" + port;
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
