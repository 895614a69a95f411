/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.HttpMessages;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpMessage;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.net.URIAuthority;
import org.jspecify.annotations.Nullable;

/**
 * The messages of Apache's clients, which differ in their bodies alone.
 *
 * @param again whether the body of a request can be sent a second time
 * @param redirected whether a response came by a redirect
 * @param closing closes a response that nobody gets
 */
record Messages<Q extends HttpRequest, R extends HttpResponse>(
        Class<R> responseType, Predicate<Q> again, Predicate<R> redirected, Consumer<R> closing)
        implements HttpMessages<Q, R> {
    @Override
    public String method(Q request) {
        return request.getMethod();
    }

    @Override
    public URI uri(Q request) {
        try {
            return request.getUri();
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    @Override
    public @Nullable String requestHeader(Q request, String name) {
        return first(request, name);
    }

    @Override
    public List<String> requestHeaders(Q request, String name) {
        return all(request, name);
    }

    static List<String> all(HttpMessage message, String name) {
        Header[] all = message.getHeaders(name);
        return all.length == 0
                ? List.of()
                : Arrays.stream(all).map(Header::getValue).toList();
    }

    @Override
    public boolean canBeSentAgain(Q request) {
        return again.test(request);
    }

    @Override
    public boolean cameByRedirect(R response) {
        return redirected.test(response);
    }

    @Override
    public int status(R response) {
        return response.getCode();
    }

    @Override
    public List<String> responseHeaders(R response, String name) {
        return all(response, name);
    }

    /** The server that a request goes to. */
    static URI server(HttpRoute route) {
        return URI.create(route.getTargetHost().toURI());
    }

    /** Whether that is the one of its address, and not one that plays it: {@code execute(target, request)}. */
    static boolean isDirect(HttpRequest request, HttpRoute route) {
        HttpHost server = route.getTargetHost();
        URIAuthority asked = request.getAuthority();
        return asked == null
                || (asked.getHostName().equalsIgnoreCase(server.getHostName())
                        && port(asked, server) == port(server, server));
    }

    private static int port(NamedEndpoint of, HttpHost server) {
        return of.getPort() >= 0 ? of.getPort() : "https".equalsIgnoreCase(server.getSchemeName()) ? 443 : 80;
    }

    /** In place of all that there are. */
    static void set(HttpMessage message, String name, String value) {
        message.removeHeaders(name);
        message.setHeader(name, value);
    }

    /** Those of the call that a request lacks: where a redirect changes the method, the client leaves all headers out. */
    static void complete(HttpMessage redirected, @Nullable CallHeaders ofCall) {
        if (ofCall != null) {
            ofCall.write((name, value) -> {
                if (!redirected.containsHeader(name)) {
                    redirected.setHeader(name, value);
                }
            });
        }
    }

    static @Nullable String first(HttpMessage message, String name) {
        Header header = message.getFirstHeader(name);
        return header == null ? null : header.getValue();
    }

    @Override
    public void close(R response) {
        closing.accept(response);
    }
}
