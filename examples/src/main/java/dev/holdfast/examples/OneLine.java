/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.http.HoldfastHttpClient;
import dev.holdfast.http.PipelinePerAuthority;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;

/** An HTTP client with pipelines around it. */
final class OneLine {
    private OneLine() {}

    /** Asks for the stock, through the pipeline of the service's host. */
    static String stock(URI service, String sku) throws IOException, InterruptedException {
        PipelinePerAuthority shops = PipelinePerAuthority.standard("shops"); // close it when the service stops
        HttpClient client = HoldfastHttpClient.around(HttpClient.newHttpClient(), shops);
        try (shops) {
            HttpRequest request =
                    HttpRequest.newBuilder(service.resolve("/stock/" + sku)).build();
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            return response.body();
        }
    }
}
