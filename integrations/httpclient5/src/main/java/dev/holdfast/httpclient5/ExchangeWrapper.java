/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.jspecify.annotations.Nullable;

/** An exchange of the asynchronous client, for one that sees more of it. */
class ExchangeWrapper implements AsyncClientExchangeHandler {
    private final AsyncClientExchangeHandler exchange;

    /** Stays true if the exchange throws. */
    private volatile boolean inside;

    ExchangeWrapper(AsyncClientExchangeHandler exchange) {
        this.exchange = exchange;
    }

    /** Whether the exchange has thrown, and so its handlers, producer or consumer: not the client by itself. */
    boolean hasThrown() {
        return inside;
    }

    @Override
    public void releaseResources() {
        exchange.releaseResources();
    }

    @Override
    public void failed(Exception cause) {
        exchange.failed(cause);
    }

    @Override
    public void cancel() {
        exchange.cancel();
    }

    @Override
    public void produceRequest(RequestChannel channel, HttpContext context) throws HttpException, IOException {
        inside = true;
        exchange.produceRequest(channel, context);
        inside = false;
    }

    @Override
    public int available() {
        inside = true;
        int available = exchange.available();
        inside = false;
        return available;
    }

    @Override
    public void produce(DataStreamChannel channel) throws IOException {
        inside = true;
        exchange.produce(channel);
        inside = false;
    }

    @Override
    public void consumeInformation(HttpResponse response, HttpContext context) throws HttpException, IOException {
        inside = true;
        exchange.consumeInformation(response, context);
        inside = false;
    }

    @Override
    public void consumeResponse(HttpResponse response, @Nullable EntityDetails body, HttpContext context)
            throws HttpException, IOException {
        inside = true;
        exchange.consumeResponse(response, body, context);
        inside = false;
    }

    @Override
    public void updateCapacity(CapacityChannel channel) throws IOException {
        inside = true;
        exchange.updateCapacity(channel);
        inside = false;
    }

    @Override
    public void consume(ByteBuffer bytes) throws IOException {
        inside = true;
        exchange.consume(bytes);
        inside = false;
    }

    @Override
    public void streamEnd(@Nullable List<? extends Header> trailers) throws HttpException, IOException {
        inside = true;
        exchange.streamEnd(trailers);
        inside = false;
    }
}
