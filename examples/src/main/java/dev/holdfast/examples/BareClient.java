/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.function.Function;

/** A plain client, as it is often written: a timeout, three tries, and nothing else. */
final class BareClient implements StockClient {
    /** The same that the Holdfast file gives to an attempt. */
    static final Duration TIMEOUT = Duration.ofMillis(300);

    private static final int TRIES = 3;

    private final HttpClient http = http();
    private final Function<String, URI> address;

    BareClient(Function<String, URI> address) {
        this.address = address;
    }

    /** A client as both sides have it. */
    static HttpClient http() {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(TIMEOUT)
                .build();
    }

    @Override
    public Answer ask(String sku) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(address.apply(sku)).timeout(TIMEOUT).build();
        IOException last = new IOException("not tried");
        for (int attempt = 0; attempt < TRIES; attempt++) {
            try {
                HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
                if (response.statusCode() == 200) {
                    return new Answer(response.body(), "LIVE");
                }
                last = new IOException("stock answered " + response.statusCode());
            } catch (IOException e) {
                last = e;
            }
        }
        throw last;
    }
}
