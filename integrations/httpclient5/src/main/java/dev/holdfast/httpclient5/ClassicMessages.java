/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.http.HttpMessages;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.List;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpMessage;
import org.jspecify.annotations.Nullable;

/** The messages of the classic client. */
final class ClassicMessages implements HttpMessages<ClassicHttpRequest, ClassicHttpResponse> {
    @Override
    public String method(ClassicHttpRequest request) {
        return request.getMethod();
    }

    @Override
    public URI uri(ClassicHttpRequest request) {
        try {
            return request.getUri();
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    @Override
    public @Nullable String requestHeader(ClassicHttpRequest request, String name) {
        return first(request, name);
    }

    @Override
    public List<String> requestHeaders(ClassicHttpRequest request, String name) {
        return Arrays.stream(request.getHeaders(name)).map(Header::getValue).toList();
    }

    @Override
    public boolean canBeSentAgain(ClassicHttpRequest request) {
        HttpEntity body = request.getEntity();
        return body == null || body.isRepeatable();
    }

    @Override
    public Class<? super ClassicHttpResponse> responseType() {
        return ClassicHttpResponse.class;
    }

    @Override
    public int status(ClassicHttpResponse response) {
        return response.getCode();
    }

    @Override
    public @Nullable String header(ClassicHttpResponse response, String name) {
        return first(response, name);
    }

    static @Nullable String first(HttpMessage message, String name) {
        Header header = message.getFirstHeader(name);
        return header == null ? null : header.getValue();
    }

    /** Closes its connection, unless its body was read: then the connection is in the pool already. */
    @Override
    public void close(ClassicHttpResponse response) {
        try {
            Bodies.discard(response);
        } catch (IOException e) {
            // Nobody gets this response.
        }
    }
}
