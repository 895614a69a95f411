/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.Reply;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.Kept;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.impl.BasicEntityDetails;
import org.apache.hc.core5.http.message.BasicHttpResponse;
import org.apache.hc.core5.http.message.HttpResponseWrapper;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.jspecify.annotations.Nullable;

/** A response of the asynchronous client: with its whole body, or with one of which the rest is still to come. */
final class AsyncAnswer extends HttpResponseWrapper {
    private final HttpResponse response;

    /** Null: it has no body. */
    private final @Nullable EntityDetails details;

    private final byte[] whole;
    private final @Nullable List<? extends Header> trailers;
    private final @Nullable StreamedBody rest;
    private boolean redirected;

    private AsyncAnswer(
            HttpResponse response,
            @Nullable EntityDetails details,
            byte[] whole,
            @Nullable List<? extends Header> trailers,
            @Nullable StreamedBody rest) {
        super(response);
        this.response = response;
        this.details = details;
        this.whole = whole;
        this.trailers = trailers;
        this.rest = rest;
    }

    static AsyncAnswer whole(
            HttpResponse response,
            @Nullable EntityDetails details,
            byte[] body,
            @Nullable List<? extends Header> trailers) {
        return new AsyncAnswer(response, details, body, trailers, null);
    }

    static AsyncAnswer begun(HttpResponse response, @Nullable EntityDetails details, StreamedBody body) {
        return new AsyncAnswer(response, details, new byte[0], null, body);
    }

    /** Of what a call has ended with: also if a fallback of the pipeline has answered. */
    static AsyncAnswer of(Object value) {
        if (value instanceof AsyncAnswer answer) {
            return answer;
        }
        byte[] body = value instanceof SimpleHttpResponse simple ? simple.getBodyBytes() : null;
        // A fallback that returns something else is a mistake anywhere.
        HttpResponse response = (HttpResponse) value;
        return body == null
                ? whole(response, null, new byte[0], null)
                : whole(
                        response,
                        new BasicEntityDetails(body.length, ((SimpleHttpResponse) response).getContentType()),
                        body,
                        null);
    }

    /** To be set before the attempt ends with it. */
    void cameByRedirect(boolean came) {
        redirected = came;
    }

    boolean cameByRedirect() {
        return redirected;
    }

    /** The body, if all of it was read. */
    byte @Nullable [] body() {
        return rest == null ? whole : null;
    }

    /** The response for one caller: if others may have it, too, an object of his own. */
    static AsyncAnswer of(CachedCall<AsyncAnswer> cached, Reply<Kept<AsyncAnswer>> reply) {
        Object value = ((Reply<?>) reply).value();
        if (!(value instanceof Kept<?>)) {
            return of(value);
        }
        Kept<AsyncAnswer> kept = cached.keptOf(reply);
        return kept.body() == null ? kept.response() : kept.response().copy(Kept.added(reply));
    }

    /** An object of its own, with these headers. */
    AsyncAnswer copy(Map<String, String> added) {
        HttpResponse copy = Copies.head(response, new BasicHttpResponse(getCode(), getReasonPhrase()));
        added.forEach((name, value) -> Messages.set(copy, name, value));
        return whole(copy, details, whole, null);
    }

    /** Tells the caller, once: of the response, its body and its end. */
    void deliver(AsyncExecCallback caller) throws HttpException, IOException {
        if (rest != null) {
            rest.deliver(response, details, caller);
            return;
        }
        AsyncDataConsumer consumer = caller.handleResponse(response, details);
        if (consumer != null && details != null) {
            consumer.updateCapacity(increment -> {});
            if (whole.length > 0) {
                consumer.consume(ByteBuffer.wrap(whole).asReadOnlyBuffer());
            }
            consumer.streamEnd(trailers);
        }
        caller.completed();
    }

    /** Gives up what nobody gets. */
    void discard() {
        if (rest != null) {
            rest.discard();
        }
    }
}
