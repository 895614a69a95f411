/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.Attempt;
import org.apache.hc.client5.http.protocol.HttpClientContext;

/**
 * The context of an attempt after the first one: what the client and the caller have configured, and nothing of another attempt. Two
 * may run at once, and the client takes a redirect that the other one has followed for a circle.
 */
final class AttemptContext extends HttpClientContext {
    private final HttpClientContext callers;

    private AttemptContext(HttpClientContext callers) {
        super(callers);
        this.callers = callers;
        configure(this, callers);
        setAuthCache(callers.getAuthCache());
        setUserToken(callers.getUserToken());
    }

    /** The first attempt has the caller's own, and a refresh nothing of the call that has begun it. */
    static HttpClientContext of(Attempt attempt, HttpClientContext callers) {
        if (attempt.isRefresh()) {
            return configure(HttpClientContext.create(), callers);
        }
        return attempt.number() == 1 ? callers : new AttemptContext(callers);
    }

    private static HttpClientContext configure(HttpClientContext own, HttpClientContext callers) {
        own.setRequestConfig(callers.getRequestConfig());
        own.setCookieStore(callers.getCookieStore());
        own.setCookieSpecRegistry(callers.getCookieSpecRegistry());
        own.setCredentialsProvider(callers.getCredentialsProvider());
        own.setAuthSchemeRegistry(callers.getAuthSchemeRegistry());
        return own;
    }

    /** The attempt was answered: its caller may look at what it was. */
    static void answered(HttpClientContext context) {
        if (context instanceof AttemptContext own) {
            own.callers.setRequest(own.getRequest());
            own.callers.setResponse(own.getResponse());
            own.callers.setRedirectLocations(own.getRedirectLocations());
            own.callers.setEndpointDetails(own.getEndpointDetails());
            own.callers.setSSLSession(own.getSSLSession());
            own.callers.setAuthCache(own.getAuthCache());
            own.callers.setUserToken(own.getUserToken());
        }
    }
}
