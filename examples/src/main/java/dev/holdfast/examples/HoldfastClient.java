/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.config.Holdfast;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.log.LogObserver;
import dev.holdfast.spi.CallObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The same plain client behind the pipeline {@code stock} of a YAML file. */
final class HoldfastClient implements StockClient {
    /** The view of the incident shows what happens; lines of the log would stand across it. */
    private static final Logger EVENTS = Logger.getLogger(LogObserver.NAME);

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(BareClient.TIMEOUT)
            .build();
    private final Function<String, URI> address;
    private final Holdfast holdfast;
    private final Pipeline pipeline;
    private final Operation<HttpResponse<String>> lookup;

    /**
     * Loads the file.
     *
     * @throws dev.holdfast.config.ConfigException if anything is wrong with it
     */
    HoldfastClient(Function<String, URI> address, Path config, CallObserver observer) {
        EVENTS.setLevel(Level.OFF);
        this.address = address;
        this.holdfast = Holdfast.builder()
                .bind("http-status", Classifier.class, HttpClassifier.ofDefaults())
                .observer(observer)
                .load(config);
        this.pipeline = holdfast.pipeline("stock");
        this.lookup = pipeline.operation("lookup");
    }

    @Override
    public Answer ask(String sku) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(address.apply(sku)).build();
        Reply<HttpResponse<String>> reply =
                lookup.key(sku).reply(attempt -> http.send(request, BodyHandlers.ofString()));
        if (reply.value().statusCode() != 200) {
            throw new IOException("stock answered " + reply.value().statusCode());
        }
        return new Answer(reply.value().body(), reply.source().name());
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
