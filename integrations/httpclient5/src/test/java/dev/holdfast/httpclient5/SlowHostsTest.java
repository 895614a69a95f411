/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.http.PipelinePerAuthority;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** With the pool of the page docs/http.md, hosts that hang take no connection of another one: the default has 25 in all. */
class SlowHostsTest {
    private static final int SLOW_HOSTS = 3;
    private static final int OF_EACH = 10;

    private final CountDownLatch arrived = new CountDownLatch(SLOW_HOSTS * OF_EACH);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<HttpServer> servers = new ArrayList<>();
    private final PipelinePerAuthority shops = PipelinePerAuthority.of("shops", p -> p.template(b -> b));

    @AfterEach
    void close() {
        goOn.countDown();
        shops.close();
        servers.forEach(server -> server.stop(0));
        threads.shutdown();
    }

    private String server(boolean slow) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            if (slow) {
                arrived.countDown();
                await(goOn);
            }
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        servers.add(server);
        return "http://localhost:" + server.getAddress().getPort() + "/";
    }

    private interface Get {
        CompletableFuture<Integer> status(String address);
    }

    private void slowHostsHoldNobodyElse(Get get) throws IOException {
        List<CompletableFuture<Integer>> held = new ArrayList<>();
        for (int i = 0; i < SLOW_HOSTS; i++) {
            String slow = server(true);
            for (int k = 0; k < OF_EACH; k++) {
                held.add(get.status(slow));
            }
        }
        assertThat(await(arrived)).isTrue();
        assertThat(get.status(server(false)).join()).isEqualTo(204);
        assertThat(held).allSatisfy(one -> assertThat(one).isNotDone());
        goOn.countDown();
        assertThat(held).allSatisfy(one -> assertThat(one.join()).isEqualTo(204));
    }

    @Test
    void slowHostsHoldNoCallToAnotherOne() throws Exception {
        try (CloseableHttpClient client = HoldfastExec.of(shops)
                .addTo(HttpClients.custom()
                        .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                                .setPoolConcurrencyPolicy(PoolConcurrencyPolicy.LAX)
                                .setMaxConnPerRoute(OF_EACH)
                                .build()))
                .build()) {
            slowHostsHoldNobodyElse(address -> CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return client.execute(new HttpGet(address), response -> response.getCode());
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    threads));
        }
    }

    @Test
    void slowHostsHoldNoAsynchronousCallToAnotherOne() throws Exception {
        try (CloseableHttpAsyncClient client = HoldfastAsyncExec.of(shops)
                .addTo(HttpAsyncClients.custom()
                        .setConnectionManager(PoolingAsyncClientConnectionManagerBuilder.create()
                                .setPoolConcurrencyPolicy(PoolConcurrencyPolicy.LAX)
                                .setMaxConnPerRoute(OF_EACH)
                                .build()))
                .build()) {
            client.start();
            slowHostsHoldNobodyElse(address -> CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return client.execute(
                                            SimpleRequestBuilder.get(address).build(), null)
                                    .get()
                                    .getCode();
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    threads));
        }
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
