/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import dev.holdfast.Reply;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.Kept;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.Buffer;
import okio.BufferedSource;
import okio.Okio;
import okio.Source;
import org.jspecify.annotations.Nullable;

/** Responses that a stale cache keeps: without a connection, without a call, and without what the first caller's request said. */
final class Copies {
    private static final Set<String> OF_THE_CACHE = Set.of("If-None-Match", "If-Modified-Since");

    private Copies() {}

    /** Reads what others may get, too. Any other response is the caller's own. */
    static Kept<Response> kept(CachedCall<Response> cached, Exchange exchange, Response response) throws IOException {
        Map<String, List<String>> headers = response.headers().toMultimap();
        boolean mayKeep = exchange.mayRead(response)
                && response.priorResponse() == null
                && cached.isTo(sent(response).url().uri())
                && cached.mayKeep(response.code(), headers, name -> sent(response, name));
        if (!mayKeep) {
            return cached.forOne(exchange.read(response), name -> sent(response, name));
        }
        try {
            BufferedSource source = response.body().source();
            if (exchange.request(response.body(), cached.maxKept() + 1L) || exchange.cameEmpty(response)) {
                return cached.forOne(exchange.read(response), name -> sent(response, name));
            }
            byte[] body = source.readByteArray();
            response.close();
            age(headers, response);
            return cached.kept(copy(response, exchange.call().request(), body).build(), headers, body);
        } catch (Throwable e) {
            response.close();
            throw e;
        }
    }

    /** With what interceptors, cookie jar and authenticator have made of it. */
    private static Request sent(Response response) {
        Response ofNetwork = response.networkResponse();
        return (ofNetwork == null ? response : ofNetwork).request();
    }

    /**
     * Without the condition with which OkHttp's own cache asks whether its response is still good: whatever the service says, OkHttp
     * makes the whole response of it. Where a caller or an interceptor asks so, that cache has no part in it.
     */
    private static List<String> sent(Response response, String name) {
        return response.cacheResponse() != null && OF_THE_CACHE.contains(name)
                ? List.of()
                : sent(response).headers(name);
    }

    /** OkHttp's own cache does not say how old its responses have become, since they were asked for (RFC 9111 §4.2.3). */
    private static void age(Map<String, List<String>> headers, Response response) {
        if (response.networkResponse() == null) {
            long before = Duration.ofMillis(System.currentTimeMillis() - response.sentRequestAtMillis())
                    .toSeconds();
            List<String> onArrival = headers.getOrDefault("Age", List.of("0"));
            headers.put(
                    "Age",
                    onArrival.stream()
                            .flatMap(line -> Arrays.stream(line.split(",", -1)))
                            .map(age -> older(age.strip(), Math.max(0, before)))
                            .toList());
        }
    }

    /** What is malformed stays so: nobody knows that age. */
    private static String older(String age, long seconds) {
        return age.matches("[0-9]{1,9}") ? Long.toString(Long.parseLong(age) + seconds) : age;
    }

    /** The response for one caller: if others may have it, too, an object of his own. */
    static Response response(CachedCall<Response> cached, Reply<Kept<Response>> reply, Request request) {
        Kept<Response> kept = cached.keptOf(reply);
        byte[] body = kept.body();
        if (body == null) {
            return kept.response();
        }
        Response.Builder made = copy(kept.response(), request, body);
        Kept.added(reply).forEach(made::header);
        return made.build();
    }

    private static Response.Builder copy(Response of, Request request, byte[] body) {
        return new Response.Builder()
                .request(request)
                .protocol(of.protocol())
                .code(of.code())
                .message(of.message())
                .handshake(of.handshake())
                .headers(of.headers())
                .sentRequestAtMillis(of.sentRequestAtMillis())
                .receivedResponseAtMillis(of.receivedResponseAtMillis())
                .body(body(body, of.body().contentType()));
    }

    /** As one of the network: a bare buffer can be read after its end and after {@code close}, and then is empty. */
    private static ResponseBody body(byte[] bytes, @Nullable MediaType type) {
        Source source = new Buffer().write(bytes);
        return ResponseBody.create(Okio.buffer(source), type, bytes.length);
    }
}
