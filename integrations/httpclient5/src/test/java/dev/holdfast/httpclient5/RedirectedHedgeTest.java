/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.http.Pipelines;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two attempts of one request follow the same redirect at once: each has its own, and no circle is seen. */
class RedirectedHedgeTest {
    private final CountDownLatch oneHasFollowed = new CountDownLatch(1);
    private final CountDownLatch bothHaveFollowed = new CountDownLatch(2);
    private final AtomicInteger asked = new AtomicInteger();
    private final Pipeline hedging = Pipeline.of("shop", HedgePolicy.of(h -> h.delay(Duration.ofMillis(20))));
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        // The first attempt is redirected when the hedge has followed already.
        server.createContext("/a", exchange -> {
            if (asked.getAndIncrement() == 0) {
                await(oneHasFollowed);
            }
            exchange.getResponseHeaders().add("Location", "/b");
            answer(exchange, 302);
        });
        server.createContext("/b", exchange -> {
            oneHasFollowed.countDown();
            bothHaveFollowed.countDown();
            await(bothHaveFollowed);
            answer(exchange, 200);
        });
        server.start();
    }

    @AfterEach
    void stop() {
        hedging.close();
        server.stop(0);
        threads.shutdownNow();
    }

    @Test
    void ofTheClassicClient() throws Exception {
        try (CloseableHttpClient client = HoldfastExec.of(Pipelines.one(hedging))
                .addTo(HttpClients.custom())
                .build()) {
            int status = client.execute(new HttpGet(uri()), response -> response.getCode());

            assertThat(status).isEqualTo(200);
        }
    }

    @Test
    void ofTheAsynchronousClient() throws Exception {
        try (CloseableHttpAsyncClient client = HoldfastAsyncExec.of(Pipelines.one(hedging))
                .addTo(HttpAsyncClients.custom())
                .build()) {
            client.start();
            int status = client.execute(SimpleRequestBuilder.get(uri()).build(), null)
                    .get()
                    .getCode();

            assertThat(status).isEqualTo(200);
        }
    }

    private String uri() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/a";
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static void answer(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }
}
