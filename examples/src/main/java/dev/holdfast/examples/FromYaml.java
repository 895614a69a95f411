/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Pipeline;
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
                Pipeline inventory = holdfast.pipeline("inventory");
                System.out.println(inventory.call(() -> client.stock("sku-1")));
            }
            // end::yaml[]
        }
    }
}
