/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.Reply;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.Kept;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.ClientHttpResponse;

/** A response in memory, for one caller: the stream of its body is read once. */
final class Copy implements ClientHttpResponse {
    private final HttpStatusCode status;
    private final String text;
    private final HttpHeaders headers = new HttpHeaders();
    private final InputStream body;

    private Copy(ClientHttpResponse of, Map<String, String> added, byte[] bytes) throws IOException {
        status = of.getStatusCode();
        text = of.getStatusText();
        of.getHeaders().forEach(headers::addAll);
        added.forEach(headers::set);
        body = new Content(bytes);
    }

    /** Others read the same bytes. So a stream that they are written to gets its own, which it may change. */
    private static final class Content extends ByteArrayInputStream {
        Content(byte[] shared) {
            super(shared);
        }

        @Override
        public synchronized long transferTo(OutputStream out) throws IOException {
            byte[] own = readAllBytes();
            out.write(own);
            return own.length;
        }
    }

    /** What a cache keeps. */
    static Received of(ClientHttpResponse response, byte[] bytes) throws IOException {
        return Received.of(new Copy(response, Map.of(), bytes), new Exchange());
    }

    /** The response for one caller: if others may have it, too, an object of his own. */
    static ClientHttpResponse response(CachedCall<Received> cached, Reply<Kept<Received>> reply) throws IOException {
        Kept<Received> kept = cached.keptOf(reply);
        byte[] bytes = kept.body();
        return bytes == null ? kept.response() : new Copy(kept.response(), Kept.added(reply), bytes);
    }

    @Override
    public HttpStatusCode getStatusCode() {
        return status;
    }

    @Override
    public String getStatusText() {
        return text;
    }

    @Override
    public HttpHeaders getHeaders() {
        return headers;
    }

    @Override
    public InputStream getBody() {
        return body;
    }

    @Override
    public void close() {}
}
