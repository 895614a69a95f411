/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.integration.Slf4jThreadLocalAccessor;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** What a request has on its thread is there too where a call for it goes on. */
public final class WithContext {
    private static final ThreadLocal<String> REQUEST = new ThreadLocal<>();

    private WithContext() {}

    public static void main(String[] args) throws IOException {
        // tag::register[]
        ContextRegistry contexts = ContextRegistry.getInstance();
        contexts.registerThreadLocalAccessor(new Slf4jThreadLocalAccessor()); // the MDC
        contexts.registerThreadLocalAccessor("request", REQUEST); // a thread-local of your own
        // end::register[]
        try (StockService client = new StockService();
                Pipeline registered = Pipeline.standard("inventory");
                Pipeline own = carryingItself()) {
            REQUEST.set("r-17");
            printStock(registered, client);
            contexts.removeThreadLocalAccessor("request");
            printStock(own, client);
        } finally {
            REQUEST.remove();
        }
    }

    private static void printStock(Pipeline inventory, StockService client) {
        inventory
                .callAsync(() -> client.stockAsync("sku-1"))
                .thenAccept(stock -> System.out.println(REQUEST.get() + ": " + stock))
                .join();
    }

    /** Without any library for it. */
    private static Pipeline carryingItself() {
        // tag::own[]
        return Pipeline.builder("inventory")
                .standard()
                .context(() -> {
                    String request = REQUEST.get(); // on the caller's thread
                    return () -> {
                        String before = REQUEST.get(); // on a thread that goes on with the call
                        REQUEST.set(request);
                        return () -> REQUEST.set(before);
                    };
                })
                .build();
        // end::own[]
    }

    /** A stage that no pipeline made is continued by whoever completes it. */
    static CompletableFuture<String> continued(
            CompletableFuture<String> stage, Pipeline inventory, StockService client, Executor pool) {
        // tag::fixed[]
        return stage.thenComposeAsync(sku -> inventory.callAsync(() -> client.stockAsync(sku)), Deadline.fixed(pool));
        // end::fixed[]
    }
}
