/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.ResponseInfo;
import java.util.Optional;
import javax.net.ssl.SSLSession;

/** A response of the client's to the request of one caller, with the body that his handler has made of the bytes. */
record HeldResponse<T>(HttpRequest request, HttpResponse<?> made, HttpHeaders headers, T body)
        implements HttpResponse<T>, ResponseInfo {
    @Override
    public int statusCode() {
        return made.statusCode();
    }

    /** A response that came by a redirect is not kept: these are of the caller's own call. Their bodies are null. */
    @Override
    @SuppressWarnings("unchecked")
    public Optional<HttpResponse<T>> previousResponse() {
        return (Optional<HttpResponse<T>>) (Optional<?>) made.previousResponse();
    }

    @Override
    public Optional<SSLSession> sslSession() {
        return made.sslSession();
    }

    @Override
    public URI uri() {
        return made.uri();
    }

    @Override
    public HttpClient.Version version() {
        return made.version();
    }
}
