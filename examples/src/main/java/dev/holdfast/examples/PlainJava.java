/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import java.io.IOException;
import java.time.Duration;

/** A blocking call behind the standard pipeline. */
public final class PlainJava {
    private PlainJava() {}

    public static void main(String[] args) throws IOException {
        try (StockService client = new StockService()) {
            // tag::plain[]
            try (Pipeline inventory = Pipeline.standard("inventory")) {
                Operation<String> stock = inventory.operation("stock");
                CheckedFunction<String, String, IOException> lookup = stock.decorate(client::stock);
                System.out.println(lookup.apply("sku-1"));
            }
            // end::plain[]
            try (Pipeline inventory = Pipeline.standard("inventory")) {
                Operation<String> stock = inventory.operation("stock");
                // tag::reply[]
                Reply<String> reply =
                        stock.key("sku-1").deadline(Duration.ofMillis(400)).reply(attempt -> client.stock("sku-1"));
                System.out.println(reply.value() + ", " + reply.source() + ", attempts: " + reply.attempts());
                // end::reply[]
            }
        }
    }
}
