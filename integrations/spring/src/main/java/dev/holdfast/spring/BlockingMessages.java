/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.http.HttpMessages;
import java.net.URI;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpRequest;

/** The messages of the blocking clients. */
final class BlockingMessages implements HttpMessages<HttpRequest, Received> {
    @Override
    public String method(HttpRequest request) {
        return request.getMethod().name();
    }

    @Override
    public URI uri(HttpRequest request) {
        return request.getURI();
    }

    @Override
    public @Nullable String requestHeader(HttpRequest request, String name) {
        return CallAttributes.standFor(name, request.getAttributes())
                ? "attribute"
                : request.getHeaders().getFirst(name);
    }

    @Override
    public List<String> requestHeaders(HttpRequest request, String name) {
        return Streams.all(request.getHeaders(), name);
    }

    /** Spring keeps the body in memory where there are interceptors. */
    @Override
    public boolean canBeSentAgain(HttpRequest request) {
        return !CallAttributes.isSentOnce(request.getAttributes());
    }

    @Override
    public Class<? super Received> responseType() {
        return Received.class;
    }

    @Override
    public int status(Received response) {
        return response.status();
    }

    @Override
    public List<String> responseHeaders(Received response, String name) {
        return Streams.all(response.getHeaders(), name);
    }

    @Override
    public boolean cameByRedirect(Received response) {
        return response.cameByRedirect();
    }

    @Override
    public void close(Received response) {
        response.discard();
    }
}
