/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;
import javax.net.ssl.SSLSession;

/** A response within the pipeline, whose body was not at its end when the caller's subscriber had made something of it. */
record Answer<T>(HttpResponse<T> made, WatchedBody<?> reading) implements HttpResponse<T> {
    /** What the caller gets. */
    static <T> HttpResponse<T> forCaller(HttpResponse<T> response) {
        return response instanceof Answer<T> answer ? answer.made : response;
    }

    void giveUp() {
        reading.giveUp(new IOException("nobody gets this response, such as that of an attempt which was repeated"));
    }

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
        return made.previousResponse();
    }

    @Override
    public HttpHeaders headers() {
        return made.headers();
    }

    @Override
    public T body() {
        return made.body();
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

    @Override
    public String toString() {
        return made.toString();
    }
}
