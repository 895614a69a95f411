/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Operation;
import dev.holdfast.config.Holdfast;
import java.io.IOException;
import java.nio.file.Path;

/** A blocking call behind a pipeline of a file: that of the first argument, or {@code inventory.yaml} here. */
public final class FromYaml {
    private FromYaml() {}

    public static void main(String[] args) throws IOException {
        Path file = Path.of(args.length > 0 ? args[0] : "examples/src/main/resources/inventory.yaml");
        try (StockService client = new StockService()) {
            // tag::yaml[]
            try (Holdfast holdfast = Holdfast.load(file)) {
                Operation<String> stock = holdfast.pipeline("inventory").operation("stock");
                CheckedFunction<String, String, IOException> lookup = stock.decorate(client::stock);
                System.out.println(lookup.apply("sku-1"));
            }
            // end::yaml[]
        }
    }
}
