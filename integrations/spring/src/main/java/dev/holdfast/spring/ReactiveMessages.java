/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.http.HttpMessages;
import java.net.URI;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.reactive.function.client.ClientRequest;

/** The messages of WebClient. */
final class ReactiveMessages implements HttpMessages<ClientRequest, Begun> {
    @Override
    public String method(ClientRequest request) {
        return request.method().name();
    }

    @Override
    public URI uri(ClientRequest request) {
        return request.url();
    }

    @Override
    public @Nullable String requestHeader(ClientRequest request, String name) {
        return CallAttributes.standFor(name, request.attributes())
                ? "attribute"
                : request.headers().getFirst(name);
    }

    @Override
    public List<String> requestHeaders(ClientRequest request, String name) {
        List<String> all = Streams.all(request.headers(), name);
        boolean cookies = name.equalsIgnoreCase("Cookie") && !request.cookies().isEmpty();
        return cookies && all.isEmpty() ? List.of(request.cookies().toString()) : all;
    }

    @Override
    public boolean canBeSentAgain(ClientRequest request) {
        return !CallAttributes.isSentOnce(request.attributes());
    }

    @Override
    public Class<? super Begun> responseType() {
        return Begun.class;
    }

    @Override
    public int status(Begun begun) {
        return begun.response().statusCode().value();
    }

    @Override
    public List<String> responseHeaders(Begun begun, String name) {
        return Streams.all(begun.response().headers().asHttpHeaders(), name);
    }

    @Override
    public boolean cameByRedirect(Begun begun) {
        return begun.cameByRedirect();
    }

    @Override
    public void close(Begun begun) {
        begun.discard();
    }
}
