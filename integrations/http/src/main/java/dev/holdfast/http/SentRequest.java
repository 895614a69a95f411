/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;

/**
 * A request as one attempt sends it: with the headers of its call. Of a request whose client follows redirects it knows whether it
 * had been sent when a later connection failed: then its work may be done.
 */
final class SentRequest {
    private final HttpRequest request;
    private final boolean watched;
    private volatile boolean begun;

    SentRequest(HttpRequest original, HttpOptions<HttpRequest> options, boolean followsRedirects) {
        watched = followsRedirects && original.bodyPublisher().isPresent();
        if (options.headers().isEmpty() && !watched) {
            request = original;
            return;
        }
        HttpRequest.Builder copy = HttpRequest.newBuilder(original, (name, value) -> true);
        options.headers().ifPresent(headers -> headers.write(copy::setHeader));
        if (watched) {
            copy.method(original.method(), new Watched(original.bodyPublisher().get()));
        }
        request = copy.build();
    }

    HttpRequest request() {
        return request;
    }

    /** An exception that came with another one says that more was sent than it tells itself. */
    IOException marked(IOException error) {
        if (begun) {
            error.addSuppressed(new IOException("the request had been sent when this happened"));
        }
        return error;
    }

    /** The same, where the error comes in a future. */
    <T> CompletableFuture<T> marked(CompletableFuture<T> exchange) {
        return watched
                ? new HandedOn<>(exchange, error -> error instanceof IOException io ? marked(io) : error)
                : exchange;
    }

    /** Notes that the client asks for the length or the bytes: it does so once there is a connection. */
    private final class Watched implements BodyPublisher {
        private final BodyPublisher body;

        Watched(BodyPublisher body) {
            this.body = body;
        }

        @Override
        public long contentLength() {
            begun = true;
            return body.contentLength();
        }

        @Override
        public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
            begun = true;
            body.subscribe(subscriber);
        }
    }
}
