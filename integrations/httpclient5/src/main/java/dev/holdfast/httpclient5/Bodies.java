/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.http.HttpCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;
import org.jspecify.annotations.Nullable;

/** Reads what of a response belongs to its attempt. */
final class Bodies {
    private Bodies() {}

    /** Puts a small body into memory; of one whose length is not known, what the bound allows. */
    static void read(ClassicHttpResponse response, int most, Exchange exchange) throws IOException {
        HttpEntity entity = response.getEntity();
        if (entity != null) {
            long length = entity.getContentLength();
            boolean small = most > 0 && (length < 0 ? !HttpCalls.isStream(entity.getContentType()) : length <= most);
            var unused = readUpTo(response, small ? most : -1, exchange);
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

    /** Closes a response that nobody gets. Without the rest of its body: to close it as it is would read all of that. */
    static void discard(ClassicHttpResponse response) throws IOException {
        if (response.getEntity() instanceof Begun begun && begun.rest != null) {
            begun.exchange.cancel();
        }
        response.close();
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
