/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** An HTTP client with pipelines around it, as {@link HttpClientContract} uses it. Follows redirects. Safe for any number of threads. */
public interface HttpClientUnderTest extends AutoCloseable {
    /**
     * A request.
     *
     * @param body null: it has none
     * @param once whether the body is a stream that can be read only once
     */
    record Request(
            String method,
            URI uri,
            Map<String, String> headers,
            @Nullable String body,
            boolean once) {
        /** Without headers and body. */
        public static Request of(String method, URI uri) {
            return new Request(method, uri, Map.of(), null, false);
        }

        /** The same with one more header. */
        public Request header(String name, String value) {
            Map<String, String> more = new TreeMap<>(headers);
            more.put(name, value);
            return new Request(method, uri, more, body, once);
        }

        /** The same with this body, which can be sent any number of times. */
        public Request body(String text) {
            return new Request(method, uri, headers, text, false);
        }

        /** The same with a body that is a stream. */
        public Request bodyOnce(String text) {
            return new Request(method, uri, headers, text, true);
        }
    }

    /**
     * A response, its body read to the end. Bodies are UTF-8.
     *
     * @param headers the first value of each
     */
    record Response(int status, Map<String, String> headers, String body) {}

    /**
     * A request that is under way.
     *
     * @param cancel gives the call up, as a user of the client does
     */
    record Exchange(CompletableFuture<Response> response, Runnable cancel) {}

    /** Sends on this thread; the body is read within the call if the client can do so. */
    Response send(Request request) throws IOException, InterruptedException;

    /** Sends and returns at once. */
    Exchange sendAsync(Request request);

    /**
     * Sends on this thread and gives the body up without reading it, as a caller does that needs the status only. The client must
     * read the body after the call, as a stream.
     *
     * @return the status
     */
    int sendAndCloseStream(Request request) throws IOException, InterruptedException;

    /** Closes the client, and not its pipelines. */
    @Override
    void close() throws IOException;
}
