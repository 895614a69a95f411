/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Pipeline;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.stalecache.StaleCachePolicy;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CacheInShadowTest {
    private final ExecutorService handlers = Executors.newCachedThreadPool();
    private final CountDownLatch answered = new CountDownLatch(1);
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(handlers);
        server.createContext("/", exchange -> {
            exchange.getResponseHeaders().set("Cache-Control", "max-age=60");
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write('a');
            exchange.getResponseBody().flush();
            try {
                answered.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            exchange.getResponseBody().write('b');
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        handlers.shutdownNow();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCacheInShadowDoesNotWaitForTheEndOfABody(boolean async) throws Exception {
        ShadowPolicy cache = ShadowPolicy.of(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))));
        try (Pipeline pipeline = Pipeline.of("shop", cache)) {
            HttpClient client = HoldfastHttpClient.around(HttpClient.newHttpClient(), Pipelines.one(pipeline));
            HttpRequest get = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/"))
                    .build();
            try (InputStream body = async
                    ? client.sendAsync(get, BodyHandlers.ofInputStream()).get().body()
                    : client.send(get, BodyHandlers.ofInputStream()).body()) {
                answered.countDown();
                assertThat(new String(body.readAllBytes(), StandardCharsets.UTF_8))
                        .isEqualTo("ab");
            }
        }
    }
}
