/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URI;

/**
 * The service that customers talk to: it asks the stock service for every request, on one of its 64 threads. What finds
 * none of them free waits in a queue of 128.
 */
final class Shop implements AutoCloseable {
    static final int THREADS = 64;
    static final int QUEUE = 128;
    /** The header that says where an answer came from. */
    static final String SOURCE = "Answer-Source";

    private final StockClient stock;
    private final LoopbackServer server;

    Shop(StockClient stock) throws IOException {
        this.stock = stock;
        this.server = LoopbackServer.start("shop", THREADS, QUEUE, this::arrive);
    }

    /** Where to ask for an article. */
    URI uri(String sku) {
        return server.uri("/product/" + sku);
    }

    private void arrive(HttpExchange exchange) {
        server.enqueue(exchange, this::serve);
    }

    private void serve(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        try {
            StockClient.Answer answer = stock.ask(path.substring(path.lastIndexOf('/') + 1));
            exchange.getResponseHeaders().add(SOURCE, answer.source());
            LoopbackServer.answer(exchange, 200, answer.article());
        } catch (InterruptedException serverIsClosed) {
            Thread.currentThread().interrupt();
            exchange.close();
        } catch (Exception e) {
            LoopbackServer.answer(exchange, 502, e.toString());
        }
    }

    @Override
    public void close() {
        server.close();
        stock.close();
    }
}
