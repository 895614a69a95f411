/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.http.AlreadySent;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.ClientHttpResponse;

/** A response of a blocking client, of whose body this much was read within the attempt. */
final class Received implements ClientHttpResponse {
    private final ClientHttpResponse response;
    private final HttpStatusCode status;
    private final Exchange exchange;

    /** Null: nothing was read. */
    private @Nullable InputStream body;

    private boolean whole;

    private Received(ClientHttpResponse response, HttpStatusCode status, Exchange exchange) {
        this.response = response;
        this.status = status;
        this.exchange = exchange;
    }

    /** Some clients read the status only here, and Spring refuses some. Then nobody else knows of the response to close it. */
    static Received of(ClientHttpResponse response, Exchange exchange) throws IOException {
        try {
            return new Received(response, response.getStatusCode(), exchange);
        } catch (Throwable e) {
            giveUp(response, exchange);
            if (e instanceof RuntimeException) {
                AlreadySent.markUnreadable(e);
            }
            throw e;
        }
    }

    private static void giveUp(ClientHttpResponse response, Exchange exchange) {
        try {
            exchange.reading(response.getBody());
        } catch (IOException | RuntimeException noBody) {
            // Closed all the same.
        } finally {
            discard(response, exchange);
        }
    }

    /** A small body; of one whose length is not known, what the bound allows. */
    Received read(int most) throws IOException {
        if (Streams.isSmall(getHeaders(), most)) {
            var unused = readUpTo(most);
        } else {
            exchange.reading(response.getBody());
        }
        return this;
    }

    /** The whole body, or null if it is longer: then it begins with what was read. */
    byte @Nullable [] readUpTo(int most) throws IOException {
        InputStream content = response.getBody();
        exchange.reading(content);
        byte[] read = begin(content, most);
        whole = read.length <= most;
        InputStream begun = new ByteArrayInputStream(read);
        body = whole ? begun : new SequenceInputStream(begun, content);
        return whole ? read : null;
    }

    /** Clients throw anything at a body that is malformed. */
    private static byte[] begin(InputStream content, int most) throws IOException {
        try {
            // One byte more than there is: the end has to be seen, and then the connection is free.
            return content.readNBytes(most + 1);
        } catch (RuntimeException e) {
            AlreadySent.markUnreadable(e);
            throw e;
        }
    }

    /** Closes a response that nobody gets, without the rest of its body: {@link #close} would read all of that. */
    void discard() {
        if (whole) {
            close();
            return;
        }
        discard(response, exchange);
    }

    private static void discard(ClientHttpResponse response, Exchange exchange) {
        exchange.cancel();
        try {
            response.close();
        } catch (IllegalStateException closed) {
            // Reactor Netty's body cannot be read to its end once it is closed.
        }
    }

    boolean cameByRedirect() {
        return exchange.wasRedirected();
    }

    int status() {
        return status.value();
    }

    // ---- as the caller sees it

    @Override
    public HttpStatusCode getStatusCode() {
        return status;
    }

    @Override
    public String getStatusText() throws IOException {
        return response.getStatusText();
    }

    @Override
    public HttpHeaders getHeaders() {
        return response.getHeaders();
    }

    @Override
    public InputStream getBody() throws IOException {
        return body == null ? response.getBody() : body;
    }

    @Override
    public void close() {
        response.close();
    }
}
