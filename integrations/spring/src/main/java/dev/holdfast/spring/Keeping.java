/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.Reply;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.HttpCalls;
import dev.holdfast.http.Kept;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpRequest;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import reactor.core.publisher.Flux;

/** Reads a response of WebClient that others may get, too. Whether it was redirected, not each client tells. */
final class Keeping implements AsyncExchange.Reading<Kept<Begun>> {
    private final HttpCalls<ClientRequest, Begun> calls;
    private final ClientRequest request;
    private final CachedCall<Begun> cached;
    private final int mostRead;
    private volatile boolean mayKeep;
    private volatile Function<String, List<String>> sent = name -> List.of();

    Keeping(HttpCalls<ClientRequest, Begun> calls, ClientRequest request, CachedCall<Begun> cached, int mostRead) {
        this.calls = calls;
        this.request = request;
        this.cached = cached;
        this.mostRead = mostRead;
    }

    @Override
    public int most(ClientResponse response, AsyncExchange<?> exchange) {
        sent = exchange::sent;
        calls.answered(request, response.statusCode().value());
        HttpHeaders headers = response.headers().asHttpHeaders();
        URI sentTo = exchange.sentTo();
        boolean mayBeRedirected =
                exchange.wasRedirected() || (!exchange.seesRedirects() && cached.isPersonal(exchange::sent));
        mayKeep = mostRead > 0
                && !mayBeRedirected
                && sentTo != null
                && cached.isTo(sentTo)
                && cached.mayKeep(response.statusCode().value(), Streams.map(headers), exchange::sent);
        if (mayKeep) {
            return Math.max(mostRead, cached.maxKept());
        }
        return Streams.isSmall(headers, mostRead) ? mostRead : -1;
    }

    @Override
    public Kept<Begun> made(Begun begun) {
        byte[] bytes = begun.whole();
        Map<String, List<String>> headers =
                Streams.map(begun.response().headers().asHttpHeaders());
        int status = begun.response().statusCode().value();
        if (!mayKeep
                || bytes == null
                || bytes.length > cached.maxKept()
                || !Streams.isWhole(request.method().name(), status, headers, bytes.length)) {
            return cached.forOne(begun, sent);
        }
        return cached.kept(Begun.copied(copy(begun.response(), Map.of()).build()), headers, bytes);
    }

    /** The response for one caller: if others may have it, too, an object of his own. */
    static ClientResponse response(CachedCall<Begun> cached, Reply<Kept<Begun>> reply, ClientRequest request) {
        Kept<Begun> kept = cached.keptOf(reply);
        byte[] bytes = kept.body();
        if (bytes == null) {
            return kept.response().response();
        }
        Flux<DataBuffer> body = bytes.length == 0
                ? Flux.empty()
                : Flux.defer(() -> Flux.just(DefaultDataBufferFactory.sharedInstance.wrap(bytes.clone())));
        return copy(kept.response().response(), Kept.added(reply))
                .request(new Own(request))
                .body(body)
                .build();
    }

    /** Without a connection, and without the request of the first caller. */
    private static ClientResponse.Builder copy(ClientResponse of, Map<String, String> added) {
        return ClientResponse.create(of.statusCode(), of.strategies())
                .headers(headers -> {
                    for (Map.Entry<String, List<String>> each :
                            Streams.map(of.headers().asHttpHeaders()).entrySet()) {
                        headers.addAll(each.getKey(), each.getValue());
                    }
                    added.forEach(headers::set);
                })
                .cookies(cookies -> cookies.addAll(of.cookies()));
    }

    /** Gives up what nobody gets. */
    static void discard(@Nullable Object value) {
        if (value instanceof Kept<?> kept && kept.body() == null && kept.response() instanceof Begun begun) {
            begun.discard();
        }
    }

    /** The request of a response, as its caller knows it. */
    private record Own(ClientRequest request) implements HttpRequest {
        @Override
        public HttpMethod getMethod() {
            return request.method();
        }

        @Override
        public URI getURI() {
            return request.url();
        }

        @Override
        public HttpHeaders getHeaders() {
            return request.headers();
        }

        @Override
        public Map<String, Object> getAttributes() {
            return request.attributes();
        }
    }
}
