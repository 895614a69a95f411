/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import java.net.Authenticator;
import java.net.CookieManager;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What java.net.http may add by itself, and does not show. */
class IdentityOfTheClientTest {
    private static void everyRequestGoesToTheService(HttpClient plain, String vary) throws Exception {
        try (ScriptedServer server = ScriptedServer.start();
                Pipeline shop = Pipeline.of("shop", StaleCachePolicy.ofDefaults())) {
            HttpClient client = HoldfastHttpClient.around(plain, Pipelines.one(shop));
            HttpRequest request = HttpRequest.newBuilder(server.uri("/x")).build();
            for (String body : List.of("1", "2", "3")) {
                server.answers(200, body)
                        .with("Cache-Control", "public, max-age=3600")
                        .with("Vary", vary);
                assertThat(client.send(request, BodyHandlers.ofString()).body()).isEqualTo(body);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Cookie", "cookie", "Authorization"})
    void whatVariesWithItIsNotKept(String vary) throws Exception {
        everyRequestGoesToTheService(
                HttpClient.newBuilder().cookieHandler(new CookieManager()).build(), vary);
    }

    @Test
    void alsoWithAnAuthenticator() throws Exception {
        everyRequestGoesToTheService(
                HttpClient.newBuilder().authenticator(new Authenticator() {}).build(), "Authorization");
    }
}
