/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.http.HttpCalls;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.client5.http.protocol.RedirectLocations;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.message.HttpResponseWrapper;
import org.jspecify.annotations.Nullable;

/** What the client has done between a request and its response, as far as its context tells. */
final class Redirects {
    /** The status of those that it has followed. */
    private static final int FOLLOWED = 302;

    private Redirects() {}

    static boolean wereFollowed(HttpClientContext context) {
        return !locations(context).isEmpty();
    }

    private static List<URI> locations(HttpClientContext context) {
        RedirectLocations redirects = context.getRedirectLocations();
        return redirects == null ? List.of() : redirects.getAll();
    }

    /**
     * Notes the answers to a request and to all that its redirects have made of it. Of those between the first and the last, the
     * method is not known: if it was none that changes something, what was kept is forgotten for nothing.
     *
     * @param answered the last request, as it was sent; null: the answer is that of a proxy or a handler, and of none of them
     */
    static <Q extends HttpRequest> void answered(
            HttpCalls<Q, ?> calls, Q request, int status, HttpClientContext context, @Nullable HttpRequest answered) {
        if (answered == null) {
            failed(calls, request, context, false);
            return;
        }
        List<URI> locations = locations(context);
        calls.answered(request, status);
        if (locations.isEmpty()) {
            return;
        }
        calls.answered(request, FOLLOWED);
        int last = locations.size() - 1;
        for (URI location : locations.subList(0, last)) {
            calls.answered(request.getMethod(), location, FOLLOWED);
        }
        calls.answered(answered.getMethod(), locations.get(last), status);
    }

    /**
     * Notes the answers to a request and to its redirects, where the last of these got none.
     *
     * @param redirected whether the last answer was a redirect: the client may have followed none, and have failed to read this one
     */
    static <Q extends HttpRequest> void failed(
            HttpCalls<Q, ?> calls, Q request, HttpClientContext context, boolean redirected) {
        if (redirected || wereFollowed(context)) {
            calls.answered(request, FOLLOWED);
            locations(context).forEach(location -> calls.answered(request.getMethod(), location, FOLLOWED));
        }
    }

    /** A response that tells that it came by a redirect. */
    static ClassicHttpResponse marked(ClassicHttpResponse response, HttpClientContext context) {
        return wereFollowed(context) ? new Redirected(response) : response;
    }

    static final class Redirected extends HttpResponseWrapper implements ClassicHttpResponse {
        private final ClassicHttpResponse response;

        Redirected(ClassicHttpResponse response) {
            super(response);
            this.response = response;
        }

        @Override
        public HttpEntity getEntity() {
            return response.getEntity();
        }

        @Override
        public void setEntity(HttpEntity entity) {
            response.setEntity(entity);
        }

        @Override
        public void close() throws IOException {
            response.close();
        }
    }
}
