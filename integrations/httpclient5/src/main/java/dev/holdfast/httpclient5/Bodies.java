/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.http.BodyLength;
import dev.holdfast.http.HttpCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.http.ProtocolVersion;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;
import org.jspecify.annotations.Nullable;

/** Reads what of a response belongs to its attempt. */
final class Bodies {
    private Bodies() {}

    /** Whether a body belongs to its attempt: it is short, or does not say how long it is and is no stream. */
    static boolean isSmall(EntityDetails body, int most) {
        long length = body.getContentLength();
        return most > 0 && (length < 0 ? !HttpCalls.isStream(body.getContentType()) : length <= most);
    }

    /**
     * The length that the body of a response must have on the wire. Null if it is not known, or if the client itself checks it, as over
     * HTTP/1.1.
     *
     * @param to null: a tunnel
     */
    static @Nullable BodyLength length(@Nullable HttpRequest to, HttpResponse response) {
        ProtocolVersion version = response.getVersion();
        return to == null || version == null || !version.greaterEquals(HttpVersion.HTTP_2)
                ? null
                : BodyLength.of(to.getMethod(), response.getCode(), Messages.all(response, HttpHeaders.CONTENT_LENGTH));
    }

    /** Puts a small body into memory; of one whose length is not known, what the bound allows. */
    static void read(ClassicHttpResponse response, int most, Exchange exchange) throws IOException {
        HttpEntity entity = response.getEntity();
        if (entity != null) {
            var unused = readUpTo(response, isSmall(entity, most) ? most : -1, exchange);
        }
    }

    /**
     * Returns the whole body, or null if it is longer: then it begins with what was read.
     *
     * @param most less than 0: nothing is read
     */
    static byte @Nullable [] readUpTo(ClassicHttpResponse response, int most, Exchange exchange) throws IOException {
        HttpEntity entity = response.getEntity();
        InputStream content = entity == null ? null : entity.getContent();
        if (content == null) {
            return new byte[0];
        }
        // One byte more than there is: the end has to be seen, and then the connection is free.
        byte[] read = content.readNBytes(most + 1);
        boolean whole = read.length <= most;
        if (whole) {
            content.close();
        }
        response.setEntity(new Begun(entity, read, whole ? null : content, exchange));
        return whole ? read : null;
    }

    /**
     * Closes the connection of a response that nobody gets, unless its body was read: then it is in the pool already. To close a
     * response as it is would read the rest of its body.
     */
    static void discard(ClassicHttpResponse response) {
        if (response.getEntity() instanceof Begun begun && begun.rest != null) {
            begun.exchange.cancel();
        }
        try {
            response.close();
        } catch (IOException e) {
            // Nobody gets this response.
        }
    }

    /** A body of which this much was read, and perhaps a rest. */
    private static final class Begun extends HttpEntityWrapper {
        private final byte[] read;
        private final @Nullable InputStream rest;
        private final Exchange exchange;

        Begun(HttpEntity entity, byte[] read, @Nullable InputStream rest, Exchange exchange) {
            super(entity);
            this.exchange = exchange;
            this.read = read;
            this.rest = rest;
        }

        @Override
        public boolean isRepeatable() {
            return rest == null;
        }

        @Override
        public boolean isStreaming() {
            return rest != null;
        }

        @Override
        public InputStream getContent() {
            InputStream begun = new ByteArrayInputStream(read);
            return rest == null ? begun : new SequenceInputStream(begun, rest);
        }

        @Override
        public void writeTo(OutputStream out) throws IOException {
            try (InputStream content = getContent()) {
                content.transferTo(out);
            }
        }
    }
}
