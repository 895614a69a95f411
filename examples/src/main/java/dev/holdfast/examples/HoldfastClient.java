/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.http.Pipelines;
import dev.holdfast.log.LogObserver;
import dev.holdfast.spi.CallObserver;
import java.net.URI;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

/** A client behind the pipeline {@code stock} of a YAML file. */
final class HoldfastClient implements StockClient {
    /** The view of the incident shows what happens; lines of the log would stand across it. */
    private static final Logger EVENTS = Logger.getLogger(LogObserver.NAME);

    private final Function<String, URI> address;
    private final Holdfast holdfast;
    private final Pipeline pipeline;
    private final Client.Get client;

    /**
     * Loads the file.
     *
     * @throws dev.holdfast.config.ConfigException if anything is wrong with it
     */
    HoldfastClient(Function<String, URI> address, Client client, Path config, CallObserver observer) {
        EVENTS.setLevel(Level.OFF);
        this.address = address;
        this.holdfast = Holdfast.builder().observer(observer).load(config);
        this.pipeline = holdfast.pipeline("stock");
        this.client = client.with(Pipelines.one(pipeline));
    }

    @Override
    public Answer ask(String sku) throws Exception {
        return client.ask(address.apply(sku));
    }

    /** The order of the policies. */
    @Override
    public String toString() {
        return pipeline.toString().substring(pipeline.name().length() + 2);
    }

    @Override
    public void close() {
        holdfast.close();
    }
}
