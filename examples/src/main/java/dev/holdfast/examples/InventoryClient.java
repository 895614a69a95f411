/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.headers.RetryAfter;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;

/** Calls an inventory service over HTTP. */
public final class InventoryClient {
    /** java.net.http returns a 503 as a value, so say what a response means. */
    private static final Classifier HTTP = (value, error) -> {
        if (!(value instanceof HttpResponse<?> response)) {
            return error == null ? Verdict.SUCCESS : Verdict.FAILURE;
        }
        int status = response.statusCode();
        HttpHeaders headers = response.headers();
        if (status == 429) {
            return RetryAfter.http(name -> headers.firstValue(name).orElse(null));
        }
        if (status == 503) {
            return RetryAfter.unavailable(name -> headers.firstValue(name).orElse(null));
        }
        return status >= 500 ? Verdict.FAILURE : status >= 400 ? Verdict.IGNORED : Verdict.SUCCESS;
    };

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI base;
    private final Pipeline inventory;
    private final Operation<HttpResponse<String>> orders;

    /** The pipeline is made once, and closed when the service stops: {@code pipeline().build()}. */
    public InventoryClient(URI base, Pipeline inventory) {
        this.base = base;
        this.inventory = inventory;
        this.orders = inventory.operation("order", order -> order.idempotent(false));
    }

    public static Pipeline.Builder pipeline() {
        return Pipeline.builder("inventory").standard().classifier(HTTP);
    }

    /** Asks for the stock. Holdfast may repeat the request. */
    public HttpResponse<String> stock(String sku) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(base.resolve("/stock/" + sku)).build();
        return inventory.callInterruptibly(() -> http.send(request, BodyHandlers.ofString()));
    }

    /** Places an order. Holdfast repeats the request only if the service surely has not begun with it. */
    public HttpResponse<String> order(String sku) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(base.resolve("/orders"))
                .POST(BodyPublishers.ofString(sku))
                .build();
        return orders.unkeyed().callInterruptibly(attempt -> http.send(request, BodyHandlers.ofString()));
    }
}
