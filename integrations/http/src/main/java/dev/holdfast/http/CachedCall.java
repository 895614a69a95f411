/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.Reply;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.spi.TimeSource;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * One request that a stale cache may answer: what may be kept of its response, and for how long (RFC 9111, RFC 5861). For adapters
 * of HTTP clients, which use it so:
 *
 * <pre>{@code
 * Reply<Kept<Response>> reply = cached.call().reply(attempt -> {
 *     Response response = send(request);                        // nothing of the caller's if attempt.isRefresh()
 *     calls.answered(request, response.status());
 *     if (!cached.mayKeep(response.status(), response.headers(), sent)) {
 *         return cached.forOne(response, sent);
 *     }
 *     byte[] body = read(response, cached.maxKept());           // null if it is longer
 *     return body == null ? cached.forOne(response, sent) : cached.kept(response, response.headers(), body);
 * });
 * Kept<Response> kept = cached.keptOf(reply);
 * return kept.body() == null ? kept.response() : newResponse(kept.response(), kept.body(), Kept.added(reply));
 * }</pre>
 *
 * <p>Headers are maps that do not heed the case of a name. Safe for any number of threads.
 *
 * @param <R> a response
 */
public final class CachedCall<R> {
    private final ToIntFunction<? super R> status;
    private final Call<Kept<R>> call;
    private final HttpKey key;
    private final int maxKept;

    CachedCall(ToIntFunction<? super R> status, Call<Kept<R>> call, HttpKey key, int maxKept) {
        this.status = status;
        this.call = call;
        this.key = key;
        this.maxKept = maxKept;
    }

    /** The call. Its action may also run after it, on another thread: then {@link Attempt#isRefresh} is true. */
    public Call<Kept<R>> call() {
        return call;
    }

    /**
     * Whether others may get this response, too, so that its body is to be read into memory if it is not longer than {@link #maxKept}.
     * If it came by a redirect, do not ask, and take {@link #forOne}: each response on the way may be for one caller alone.
     *
     * @param status of the response
     * @param headers of the response
     * @param sent all values of a header of the request as it was sent, with what the client itself has added; the name in any case
     */
    public boolean mayKeep(int status, Map<String, List<String>> headers, Function<String, List<String>> sent) {
        List<String> type = HttpCaching.all(headers, "Content-Type");
        return !isTooLong(headers)
                && (type.isEmpty() || !HttpCalls.isStream(type.get(0)))
                && HttpCaching.isForAll(key, status, headers, sent);
    }

    /**
     * Whether a request went to the address for which this call was made. If an interceptor below the adapter has changed scheme, host,
     * port, path or query, the response is {@link #forOne}.
     *
     * @param address of the request as it was sent
     */
    public boolean isTo(URI address) {
        return key.isOf(address);
    }

    private boolean isTooLong(Map<String, List<String>> headers) {
        List<String> length = HttpCaching.all(headers, "Content-Length");
        try {
            // A response to HEAD has the length of another one's body.
            return !length.isEmpty()
                    && !key.isHead()
                    && Long.parseLong(length.get(0).strip()) > maxKept;
        } catch (NumberFormatException malformed) {
            return false;
        }
    }

    /**
     * Whether the request said for whom it is, by {@code Authorization}, {@code Cookie} or an API key, and it has no partition. An
     * adapter that cannot see redirects keeps no response to such a request.
     */
    public boolean isPersonal(Function<String, List<String>> sent) {
        return key.partition() == null && HttpCaching.isPersonal(sent);
    }

    /** The longest body that is kept, in bytes. */
    public int maxKept() {
        return maxKept;
    }

    /**
     * A response that {@link #mayKeep may be kept}, with its whole body, which has come to its end now. If what it tells of may have
     * changed meanwhile, it is {@linkplain Kept#isInDoubt in doubt}.
     *
     * @param response holds no connection, and nothing else that must be closed
     */
    public Kept<R> kept(R response, Map<String, List<String>> headers, byte[] body) {
        Instant now = Instant.ofEpochMilli(TimeSource.system().millis());
        Freshness freshness = HttpCaching.freshness(key, headers, size(headers) + body.length, now);
        return new Kept<>(response, body, freshness, HttpCaching.apparentAge(headers, now), key);
    }

    /**
     * A response for this caller alone, with its body still to be read. Callers that wait for it send requests of their own. What is
     * kept goes, unless the request {@linkplain #isPersonal said for whom it is} and the response is no error: then it says nothing of
     * what others get.
     *
     * @param sent as in {@link #mayKeep}
     */
    public Kept<R> forOne(R response, Function<String, List<String>> sent) {
        return status.applyAsInt(response) < HttpCaching.BAD_REQUEST && isPersonal(sent)
                ? ofAnother(response)
                : new Kept<>(response, null, Freshness.usual().notShared(), Duration.ZERO, null);
    }

    /**
     * A response for this caller alone that the address of the request has not given, such as that of a proxy which refuses a tunnel.
     * Whatever it says, what is kept stays.
     */
    public Kept<R> ofAnother(R response) {
        return new Kept<>(response, null, Freshness.usual().ofAnother(), Duration.ZERO, null);
    }

    /** What the call has ended with: also if a fallback of the pipeline has answered with a response. */
    @SuppressWarnings("unchecked") // a fallback that returns something else is a mistake anywhere
    public Kept<R> keptOf(Reply<Kept<R>> reply) {
        Object value = ((Reply<?>) reply).value();
        return value instanceof Kept<?> ? (Kept<R>) value : ofAnother((R) value);
    }

    /** In memory, about. */
    private static long size(Map<String, List<String>> headers) {
        long size = 0;
        for (Map.Entry<String, List<String>> header : headers.entrySet()) {
            size += 100 + header.getKey().length();
            for (String value : header.getValue()) {
                size += 50 + value.length();
            }
        }
        return size;
    }
}
