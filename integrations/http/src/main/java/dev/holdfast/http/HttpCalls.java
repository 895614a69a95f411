/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.engine.NotDone;
import java.net.URI;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

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
    /** Up to how many bytes of a body adapters read into memory, unless they are told otherwise. */
    public static final int READ_BODIES_UP_TO = 256 << 10;

    private static final int MOST_READ = 64 << 20;

    private static final Pattern WRITTEN = Pattern.compile("(?:[^@]*@)?([^:@\\[\\]]+)(?::([0-9]{1,5}))?");

    private final HttpMessages<Q, R> messages;
    private final Pipelines pipelines;
    private final HttpOptions<? super Q> options;
    private final HttpKey.Changes changes = new HttpKey.Changes();
    private final PerPipeline<Operations> operations = new PerPipeline<>(Operations::new);

    /** Types of bodies that may go on for ever. */
    private static final Pattern STREAMS =
            Pattern.compile("text/event-stream\\b.*|application/(x-ndjson|jsonl|json-seq|stream\\+json|grpc)\\b.*"
                    + "|(multipart|audio|video)/.*");

    /** Of these pipelines, for this client's messages. */
    public HttpCalls(HttpMessages<Q, R> messages, Pipelines pipelines, HttpOptions<? super Q> options) {
        this.messages = Objects.requireNonNull(messages, "messages");
        this.pipelines = Objects.requireNonNull(pipelines, "pipelines");
        this.options = copied(options);
    }

    private static <T> HttpOptions<T> copied(HttpOptions<T> options) {
        return new HttpOptions<>(options);
    }

    /** The operations of one pipeline by their names: of requests that may be done twice, and of the others. */
    private final class Operations {
        private final PerPipeline.Named<HttpOperation<Q, R>> idempotent;
        private final PerPipeline.Named<HttpOperation<Q, R>> others;

        Operations(Pipeline pipeline) {
            PerPipeline.Names names = new PerPipeline.Names();
            idempotent = new PerPipeline.Named<>(names, name -> made(pipeline, name, true));
            others = new PerPipeline.Named<>(names, name -> made(pipeline, name, false));
        }

        private HttpOperation<Q, R> made(Pipeline pipeline, String name, boolean areIdempotent) {
            return new HttpOperation<>(messages, options, changes, pipeline, name, areIdempotent);
        }
    }

    /**
     * The pipeline of this request.
     *
     * @throws IllegalArgumentException if the address of the request has no scheme or no host
     */
    public Pipeline pipeline(Q request) {
        return pipeline(messages.authority(request));
    }

    /** A function may return null for an authority that it does not know. */
    private Pipeline pipeline(String authority) {
        Pipeline pipeline = pipelines.of(authority);
        if (pipeline == null) {
            throw new IllegalStateException("the Pipelines " + pipelines + " gave no pipeline for " + authority);
        }
        return pipeline;
    }

    /**
     * What this request is to its pipeline.
     *
     * @throws IllegalArgumentException if the address of the request has no scheme or no host
     */
    public HttpOperation<Q, R> operation(Q request) {
        return operation(request, messages.authority(request));
    }

    /**
     * The same, of a request that goes to another server than its address names: to one that plays the host of the address.
     *
     * @param server whose pipeline it is
     * @throws IllegalArgumentException if the server has no scheme or no host
     */
    public HttpOperation<Q, R> operation(Q request, URI server) {
        return operation(request, authority(server));
    }

    private HttpOperation<Q, R> operation(Q request, String authority) {
        Operations ofPipeline = operations.of(pipeline(authority));
        return (isIdempotent(request) ? ofPipeline.idempotent : ofPipeline.others)
                .of(options.nameOf(request, messages.method(request)));
    }

    /**
     * The call for this request.
     *
     * @throws IllegalArgumentException if the address of the request has no scheme or no host
     */
    public Call<R> call(Q request) {
        return operation(request).call(request);
    }

    /**
     * Notes that a request was answered: one that has changed what its address stands for removes what a stale cache kept for it (RFC
     * 9111 §4.4), and so does one that has gone by the cache, and has learned that this is gone or old. After one that may have changed
     * it, such as with a 500, what was kept is not fresh any more. An adapter calls it as soon as a response has a status.
     */
    public void answered(Q request, int status) {
        answered(request, status, false);
    }

    /** The same, of a request that was sent without the cache although HTTP would allow it. */
    void answeredPastTheCache(Q request, int status) {
        answered(request, status, true);
    }

    private void answered(Q request, int status, boolean past) {
        if (!changes.isUsed()) {
            return;
        }
        String method = messages.method(request);
        if (!isSafe(method)) {
            written(messages.uri(request), status);
        } else if (HttpCaching.outdates(messages, request, status, past)) {
            changes.changed(messages.uri(request));
        } else if (method.equals("HEAD") && HttpCaching.isGone(status)) {
            // The cache keeps this answer for HEAD, and knows nothing yet of what it has for GET.
            changes.changed("GET", messages.uri(request));
        }
    }

    /** Notes the answer to a request that the client itself has made of one, such as where a redirect leads. */
    public void answered(String method, URI address, int status) {
        if (changes.isUsed() && !isSafe(method)) {
            written(address, status);
        }
    }

    private void written(URI address, int status) {
        if (status < HttpCaching.BAD_REQUEST || HttpCaching.isGone(status)) {
            changes.changed(address);
        } else if (HttpCaching.mayHaveChanged(status)) {
            changes.mayHaveChanged(address);
        }
    }

    /**
     * Notes that an attempt ended without an answer. If its request was sent, it may have changed what its address stands for: what a
     * stale cache kept for it is not fresh any more. An adapter calls it before the attempt ends.
     */
    public void unanswered(Q request) {
        if (changes.isUsed()) {
            unanswered(messages.method(request), messages.uri(request));
        }
    }

    /**
     * The same, of an attempt that ended with this error. If the error says that no connection was made, such as one that was refused,
     * nothing was sent. What is thrown after the request was sent has gone through {@link AlreadySent}, which says so.
     */
    public void unanswered(Q request, Throwable error) {
        if (!NotDone.surely(error)) {
            unanswered(request);
        }
    }

    /**
     * Notes that the call of a request has ended with this error. An adapter calls it before its caller learns of it: an attempt that a
     * limit has ended, or a cancellation, may hear of that only later.
     */
    public void ended(Q request, Throwable error) {
        Throwable cause = error.getCause();
        Throwable thrown = error instanceof CompletionException && cause != null ? cause : error;
        if (thrown instanceof CallTimeoutException
                || thrown instanceof CancellationException
                || (thrown instanceof CallRejectedException rejected
                        && !rejected.history().isEmpty())) {
            unanswered(request);
        }
    }

    /** As {@link #unanswered(Object)}, of a request that the client itself has made of one, such as where a redirect leads. */
    public void unanswered(String method, URI address) {
        if (changes.isUsed() && !isSafe(method)) {
            changes.mayHaveChanged(address);
        }
    }

    /** Whether {@link #answered} has to do with this request. */
    boolean heedsAnswer(Q request) {
        return changes.isUsed() || !isSafe(messages.method(request));
    }

    static boolean isSafe(String method) {
        return switch (method) {
            case "GET", "HEAD", "OPTIONS", "TRACE" -> true;
            default -> false;
        };
    }

    /**
     * Whether a body of this type may be sent bit by bit, without an end: {@code text/event-stream}, {@code application/x-ndjson} and
     * other types of lines, {@code application/grpc}, {@code multipart}, audio, video. An adapter does not read it into memory.
     *
     * @param contentType null: the response does not say it
     */
    public static boolean isStream(@Nullable String contentType) {
        return contentType != null
                && STREAMS.matcher(lower(contentType.strip())).matches();
    }

    /**
     * Checks what an adapter is told in place of {@link #READ_BODIES_UP_TO}.
     *
     * @param adapter how messages call it
     * @param bytes 0 to 67,108,864
     * @throws dev.holdfast.spi.InvalidSettingsException if it is out of range
     */
    public static void checkReadBodiesUpTo(String adapter, long bytes) {
        new Checks(adapter).range("readBodiesUpTo", bytes, 0, MOST_READ).done();
    }

    private boolean isIdempotent(Q request) {
        return switch (messages.method(request)) {
            case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
            default -> hasKey(request) || options.isIdempotent(request);
        };
    }

    /** A blank one tells no request from another. */
    private boolean hasKey(Q request) {
        String key = messages.requestHeader(request, "Idempotency-Key");
        return key != null && !key.isBlank();
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
