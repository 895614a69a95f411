/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import dev.holdfast.http.HttpMessages;
import java.net.URI;
import java.util.List;
import okhttp3.HttpUrl;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** The messages of OkHttp. */
final class OkMessages implements HttpMessages<Request, Response> {
    @Override
    public String method(Request request) {
        return request.method();
    }

    @Override
    public URI uri(Request request) {
        return request.url().uri();
    }

    /** Its URI would be parsed anew each time. */
    @Override
    public String authority(Request request) {
        HttpUrl url = request.url();
        String host = url.host();
        return url.scheme() + "://" + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + url.port();
    }

    /** A request with the tag is read like one with a key: both say the same. */
    @Override
    public @Nullable String requestHeader(Request request, String name) {
        if (name.equals("Idempotency-Key") && request.tag(Idempotent.class) != null) {
            return "tag";
        }
        // OkHttp's own method gives the last one.
        List<String> all = request.headers(name);
        return all.isEmpty() ? null : all.get(0);
    }

    @Override
    public List<String> requestHeaders(Request request, String name) {
        return request.headers(name);
    }

    @Override
    public boolean canBeSentAgain(Request request) {
        RequestBody body = request.body();
        return body == null || !(body.isOneShot() || body.isDuplex());
    }

    @Override
    public Class<? super Response> responseType() {
        return Response.class;
    }

    @Override
    public int status(Response response) {
        return response.code();
    }

    @Override
    public List<String> responseHeaders(Response response, String name) {
        return response.headers(name);
    }

    /** A response before it may also be one that asked for a password, or for another try. */
    @Override
    public boolean cameByRedirect(Response response) {
        Response before = response.priorResponse();
        while (before != null) {
            if (before.isRedirect()) {
                return true;
            }
            before = before.priorResponse();
        }
        return false;
    }

    /** OkHttp reads what little is left of it, for 100 ms at most, so that the connection can be used again. */
    @Override
    public void close(Response response) {
        response.close();
    }
}
