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

/** A response of the client's, with the body that one caller's handler has made of the bytes. */
record HeldResponse<T>(HttpResponse<?> made, HttpHeaders headers, T body) implements HttpResponse<T>, ResponseInfo {
    @Override
    public int statusCode() {
        return made.statusCode();
    }

    @Override
    public HttpRequest request() {
        return made.request();
    }

    @Override
    public Optional<HttpResponse<T>> previousResponse() {
        return Optional.empty();
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
