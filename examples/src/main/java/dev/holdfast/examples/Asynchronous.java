/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Pipeline;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** Two calls at once that hold no thread while they wait, not even for their retries. */
public final class Asynchronous {
    private Asynchronous() {}

    public static void main(String[] args) throws IOException {
        try (StockService client = new StockService()) {
            // tag::async[]
            try (Pipeline inventory = Pipeline.standard("inventory")) {
                CompletableFuture<String> one = inventory.callAsync(() -> client.stockAsync("sku-1"));
                CompletableFuture<String> two = inventory.callAsync(() -> client.stockAsync("sku-2"));
                one.thenCombine(two, (a, b) -> a + " and " + b)
                        .thenAccept(System.out::println)
                        .join();
            }
            // end::async[]
        }
    }
}
