/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.http.HoldfastHttpClient;
import dev.holdfast.http.Pipelines;
import dev.holdfast.log.LogObserver;
import dev.holdfast.spi.CallObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The same plain client behind the pipeline {@code stock} of a YAML file. */
final class HoldfastClient implements StockClient {
    /** The view of the incident shows what happens; lines of the log would stand across it. */
    private static final Logger EVENTS = Logger.getLogger(LogObserver.NAME);

    private final Function<String, URI> address;
    private final Holdfast holdfast;
    private final Pipeline pipeline;
    private final HttpClient http;

    /**
     * Loads the file.
     *
     * @throws dev.holdfast.config.ConfigException if anything is wrong with it
     */
    HoldfastClient(Function<String, URI> address, Path config, CallObserver observer) {
        EVENTS.setLevel(Level.OFF);
        this.address = address;
        this.holdfast = Holdfast.builder().observer(observer).load(config);
        this.pipeline = holdfast.pipeline("stock");
        this.http = HoldfastHttpClient.around(BareClient.http(), Pipelines.one(pipeline));
    }

    @Override
    public Answer ask(String sku) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(address.apply(sku)).build();
        HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("stock answered " + response.statusCode());
        }
        String source = response.headers().firstValue("Holdfast-Source").orElse("live");
        return new Answer(response.body(), source.toUpperCase(Locale.ROOT));
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
