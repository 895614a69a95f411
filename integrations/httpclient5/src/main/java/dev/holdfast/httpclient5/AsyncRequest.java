/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.message.HttpRequestWrapper;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.support.BasicRequestBuilder;
import org.apache.hc.core5.net.URIAuthority;
import org.jspecify.annotations.Nullable;

/** A request of the asynchronous client, with its body. */
final class AsyncRequest extends HttpRequestWrapper {
    private final @Nullable AsyncEntityProducer body;

    private AsyncRequest(HttpRequest request, @Nullable AsyncEntityProducer body) {
        super(request);
        this.body = body;
    }

    /** The request as it is now: its caller may change it after the call. */
    static AsyncRequest of(HttpRequest request, @Nullable AsyncEntityProducer body, AsyncExecChain.Scope scope) {
        AsyncRequest copy = new AsyncRequest(BasicRequestBuilder.copy(request).build(), body);
        // A caller may name the host beside the request.
        if (copy.getScheme() == null) {
            copy.setScheme(scope.route.getTargetHost().getSchemeName());
        }
        if (copy.getAuthority() == null) {
            copy.setAuthority(new URIAuthority(scope.route.getTargetHost()));
        }
        return copy;
    }

    @Nullable
    AsyncEntityProducer body() {
        return body;
    }

    boolean canBeSentAgain() {
        return body == null || body.isRepeatable();
    }
}
