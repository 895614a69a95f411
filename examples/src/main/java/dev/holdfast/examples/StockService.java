/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A small stock service on 127.0.0.1, and the client that a program would have for it. Every second request fails. Safe
 * for threads.
 */
final class StockService implements AutoCloseable {
    private final AtomicInteger requests = new AtomicInteger();
    private final LoopbackServer server;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    StockService() throws IOException {
        server = LoopbackServer.start("stock", 4, 100, this::answer);
    }

    /**
     * Asks how many of an article there are.
     *
     * @throws IOException if the service does not answer, or answers with an error
     */
    String stock(String sku) throws IOException {
        try {
            return body(http.send(request(sku), BodyHandlers.ofString()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /**
     * Asks for the orders of a year.
     *
     * @throws IOException if the service does not answer, or answers with an error
     */
    String orders(String year) throws IOException {
        return stock("orders-" + year);
    }

    /** The same as {@link #stock} without waiting. */
    CompletableFuture<String> stockAsync(String sku) {
        return http.sendAsync(request(sku), BodyHandlers.ofString()).thenApply(response -> {
            try {
                return body(response);
            } catch (IOException e) {
                throw new CompletionException(e);
            }
        });
    }

    private HttpRequest request(String sku) {
        return HttpRequest.newBuilder(server.uri("/stock/" + sku)).build();
    }

    private static String body(HttpResponse<String> response) throws IOException {
        if (response.statusCode() != 200) {
            throw new IOException("stock answered " + response.statusCode());
        }
        return response.body();
    }

    private void answer(HttpExchange exchange) {
        boolean fails = requests.getAndIncrement() % 2 == 0;
        LoopbackServer.answer(exchange, fails ? 500 : 200, fails ? "out of order" : "42 units");
    }

    @Override
    public void close() {
        server.close();
    }
}
