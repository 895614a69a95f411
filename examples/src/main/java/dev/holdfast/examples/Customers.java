/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The customers of one shop: they wait as long as they will, and never slow down because others wait. */
final class Customers {
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Function<String, URI> shop;
    private final Duration patience;
    private final Scoreboard scoreboard;
    private final Stopwatch stopwatch;

    Customers(Function<String, URI> shop, Duration patience, Scoreboard scoreboard, Stopwatch stopwatch) {
        this.shop = shop;
        this.patience = patience;
        this.scoreboard = scoreboard;
        this.stopwatch = stopwatch;
    }

    /** Sends one request and returns at once; the future is done, without error, when its answer is on the scoreboard. */
    CompletableFuture<Void> send(Arrival arrival) {
        HttpRequest request = HttpRequest.newBuilder(shop.apply(arrival.sku()))
                .timeout(patience)
                .build();
        return http.sendAsync(request, BodyHandlers.ofString()).handle((response, error) -> {
            // From the time when it should have been sent, so that a late sender hides nothing.
            scoreboard.add(arrival.nanos(), stopwatch.nanos(), judge(arrival, response));
            return null;
        });
    }

    private static Scoreboard.Kind judge(Arrival arrival, @Nullable HttpResponse<String> response) {
        if (response == null || response.statusCode() != 200 || !response.body().equals(Stock.article(arrival.sku()))) {
            return Scoreboard.Kind.ERROR;
        }
        boolean live = response.headers().firstValue(Shop.SOURCE).orElse("").equals("LIVE");
        return live ? Scoreboard.Kind.LIVE : Scoreboard.Kind.STALE;
    }
}
