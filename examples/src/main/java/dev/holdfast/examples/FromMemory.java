/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Pipeline;
import dev.holdfast.stalecache.StaleCachePolicy;
import java.io.IOException;
import java.time.Duration;

/** Answers from memory, which are asked for explicitly, and given to nobody else than the user that they are for. */
public final class FromMemory {
    private static final ThreadLocal<String> USER = ThreadLocal.withInitial(() -> "nobody");

    private FromMemory() {}

    public static void main(String[] args) throws IOException {
        try (StockService client = new StockService();
                Pipeline inventory = caching()) {
            // tag::partition[]
            CheckedFunction<String, String, IOException> orders =
                    inventory.<String>operation("orders").decorate(client::orders, USER::get);
            // end::partition[]
            for (String user : new String[] {"ada", "grace", "ada"}) {
                USER.set(user);
                System.out.println(user + ": " + orders.apply("2026"));
            }
        }
    }

    private static Pipeline caching() {
        // tag::cache[]
        return Pipeline.builder("inventory")
                .standard()
                .with(StaleCachePolicy.of(cache -> cache.fresh(Duration.ofSeconds(5))))
                .build();
        // end::cache[]
    }
}
