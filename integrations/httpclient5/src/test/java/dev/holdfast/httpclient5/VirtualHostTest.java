/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Deadline;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.PipelinePerAuthority;
import dev.holdfast.stalecache.StaleCachePolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.async.methods.SimpleRequestProducer;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A request may go to another server than its address names. */
class VirtualHostTest {
    private static final String ADDRESS = "http://virtual.example/x";

    private final List<HttpServer> servers = new ArrayList<>();
    private final List<String> timeouts = new ArrayList<>();
    private final PipelinePerAuthority pipelines =
            PipelinePerAuthority.of("shops", p -> p.template(b -> b.with(StaleCachePolicy.ofDefaults())));

    @BeforeEach
    void start() throws IOException {
        for (String name : List.of("one", "two")) {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", exchange -> {
                timeouts.addAll(exchange.getRequestHeaders().getOrDefault("Holdfast-Timeout-Ms", List.of()));
                byte[] body = name.getBytes(StandardCharsets.UTF_8);
                boolean moved = exchange.getRequestURI().getPath().equals("/moved");
                exchange.getResponseHeaders().add("Cache-Control", "max-age=60");
                if (moved) {
                    exchange.getResponseHeaders().add("Location", "/here");
                }
                exchange.sendResponseHeaders(moved ? 302 : 200, body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            server.start();
            servers.add(server);
        }
    }

    @AfterEach
    void stop() {
        pipelines.close();
        servers.forEach(server -> server.stop(0));
    }

    private static HttpHost target(HttpServer server) {
        return new HttpHost("http", "127.0.0.1", server.getAddress().getPort());
    }

    @Test
    void theClassicClientGetsTheAnswerOfTheServerThatItNames() throws Exception {
        try (CloseableHttpClient client =
                HoldfastExec.of(pipelines).addTo(HttpClients.custom()).build()) {
            List<String> bodies = new ArrayList<>();
            for (HttpServer server : servers) {
                bodies.add(client.execute(
                        target(server), new HttpGet(ADDRESS), response -> EntityUtils.toString(response.getEntity())));
            }

            assertThat(bodies).containsExactly("one", "two");
            assertThat(pipelines.pipelines()).hasSize(2);
        }
    }

    @Test
    void theAsynchronousClientGetsTheAnswerOfTheServerThatItNames() throws Exception {
        try (CloseableHttpAsyncClient client =
                HoldfastAsyncExec.of(pipelines).addTo(HttpAsyncClients.custom()).build()) {
            client.start();
            List<String> bodies = new ArrayList<>();
            for (HttpServer server : servers) {
                SimpleHttpRequest request = SimpleRequestBuilder.get(ADDRESS).build();
                bodies.add(client.execute(
                                target(server),
                                SimpleRequestProducer.create(request),
                                SimpleResponseConsumer.create(),
                                null,
                                null,
                                null)
                        .get()
                        .getBodyText());
            }

            assertThat(bodies).containsExactly("one", "two");
            assertThat(pipelines.pipelines()).hasSize(2);
        }
    }

    @Test
    void aRedirectHasTheHeadersOfTheCall() throws Exception {
        try (CloseableHttpClient client = HoldfastExec.of(pipelines, o -> o.headers(CallHeaders.ofDefaults()))
                .addTo(HttpClients.custom())
                .build()) {
            HttpGet request = new HttpGet(target(servers.get(0)).toURI() + "/moved");

            var unused = Deadline.within(
                    Duration.ofMinutes(1), () -> client.execute(request, response -> response.getCode()));

            assertThat(timeouts).hasSize(2);
        }
    }

    @Test
    void theHeadersOfACallTakeThePlaceOfAllThatTheCallerHasSet() throws Exception {
        try (CloseableHttpClient client = HoldfastExec.of(pipelines, o -> o.headers(CallHeaders.ofDefaults()))
                .addTo(HttpClients.custom())
                .build()) {
            HttpGet request = new HttpGet(target(servers.get(0)).toURI() + "/y");
            request.addHeader("Holdfast-Timeout-Ms", "999999");
            request.addHeader("Holdfast-Timeout-Ms", "1");

            var unused = Deadline.within(
                    Duration.ofMinutes(1), () -> client.execute(request, response -> response.getCode()));

            assertThat(timeouts).singleElement().isNotIn("1", "999999");
        }
    }
}
