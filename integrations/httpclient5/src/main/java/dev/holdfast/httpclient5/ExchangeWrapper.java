/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.internal.SafeLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.util.List;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.ProtocolException;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.jspecify.annotations.Nullable;

/**
 * An exchange of the asynchronous client, for one that sees more of it. What the exchange throws, and so code of the user's, ends this
 * exchange alone. By itself, the client's thread would end with an {@link Error}, and a connection of HTTP/2 with all of its streams.
 */
class ExchangeWrapper implements AsyncClientExchangeHandler {
    private static final SafeLog LOG = SafeLog.of(HoldfastAsyncExec.class.getName());

    private final AsyncClientExchangeHandler exchange;
    private final AttemptBinding attempt;
    private volatile @Nullable Throwable thrown;

    /** For this exchange. It is part of the attempt. */
    ExchangeWrapper(AsyncClientExchangeHandler exchange, AttemptBinding attempt) {
        this.exchange = exchange;
        this.attempt = attempt;
    }

    /** What the exchange has thrown, and so its handlers, producer or consumer: not the client by itself. Null: nothing. */
    @Nullable
    Throwable thrown() {
        return thrown;
    }

    private interface Step {
        void run() throws HttpException, IOException;
    }

    private void inside(Step step) throws HttpException, IOException {
        try {
            attempt.<Exception>run(step::run);
        } catch (CancelledKeyException e) {
            // The client's: the connection is closed.
            throw e;
        } catch (HttpException | IOException e) {
            note(e);
            throw e;
        } catch (Throwable e) { // also a checked one: other languages declare none
            note(e);
            throw ofThisExchange(e);
        }
    }

    /** The first one: a body is also produced within {@link #produceRequest}. */
    private void note(Throwable e) {
        if (thrown == null) {
            thrown = e;
        }
    }

    /** Where the client expects an {@link IOException} alone. Its caller takes both. */
    private void insideOfBody(Step step) throws IOException {
        try {
            inside(step);
        } catch (HttpException e) {
            ExchangeWrapper.<IOException>throwAsItIs(e);
        }
    }

    /** After this one the client resets the stream; after any other exception of a producer it closes the connection. */
    private static ProtocolException ofThisExchange(Throwable thrown) {
        return new ProtocolException("a handler, producer or consumer has thrown " + thrown, thrown);
    }

    @SuppressWarnings("unchecked") // that is the purpose
    private static <E extends Exception> void throwAsItIs(Exception e) throws E {
        throw (E) e;
    }

    /** Nobody is there to be told. */
    private void last(Runnable step) {
        try {
            attempt.run(step::run);
        } catch (Throwable e) {
            LOG.warn("what is called at the end of a request has thrown", e);
        }
    }

    @Override
    public void releaseResources() {
        last(exchange::releaseResources);
    }

    @Override
    public void failed(Exception cause) {
        last(() -> exchange.failed(cause));
    }

    @Override
    public void cancel() {
        last(exchange::cancel);
    }

    @Override
    public void produceRequest(RequestChannel channel, HttpContext context) throws HttpException, IOException {
        inside(() -> exchange.produceRequest(channel, context));
    }

    /** If it throws, the client is to ask for the body, and gets the exception. */
    @Override
    public int available() {
        int[] available = {0};
        try {
            attempt.run(() -> available[0] = exchange.available());
            return available[0];
        } catch (Throwable e) {
            note(e);
            return 1;
        }
    }

    @Override
    public void produce(DataStreamChannel channel) throws IOException {
        Throwable before = thrown;
        if (before != null) {
            ExchangeWrapper.<IOException>throwAsItIs(ofThisExchange(before));
        }
        insideOfBody(() -> exchange.produce(channel));
    }

    @Override
    public void consumeInformation(HttpResponse response, HttpContext context) throws HttpException, IOException {
        inside(() -> exchange.consumeInformation(response, context));
    }

    @Override
    public void consumeResponse(HttpResponse response, @Nullable EntityDetails body, HttpContext context)
            throws HttpException, IOException {
        inside(() -> exchange.consumeResponse(response, body, context));
    }

    @Override
    public void updateCapacity(CapacityChannel channel) throws IOException {
        insideOfBody(() -> exchange.updateCapacity(channel));
    }

    @Override
    public void consume(ByteBuffer bytes) throws IOException {
        insideOfBody(() -> exchange.consume(bytes));
    }

    @Override
    public void streamEnd(@Nullable List<? extends Header> trailers) throws HttpException, IOException {
        inside(() -> exchange.streamEnd(trailers));
    }
}
