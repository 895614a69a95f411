/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.eclipse.jetty.client.HttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.client.reactive.JettyClientHttpConnector;
import org.springframework.web.reactive.function.client.WebClient;

/** WebClient over Jetty: it ends an exchange whose body is given up only if the exchange's own subscription is cancelled. */
class JettyConnectorTest {
    /** More than is read within an attempt, and than a connection's buffers hold. */
    private static final byte[] LONG = new byte[1_000_000];

    private static final int CONNECTIONS = 2;

    /** Ends a test that would never end, and nothing else. */
    private static final Duration AT_ALL = Duration.ofMinutes(2);

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final HttpClient jetty = new HttpClient();
    private final Pipeline pipeline =
            Pipeline.of("long", RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ofMillis(1))));
    private final WebClient client = WebClient.builder()
            .clientConnector(new JettyClientHttpConnector(jetty))
            .filter(HoldfastFilter.of(Pipelines.one(pipeline)))
            .build();

    JettyConnectorTest() throws IOException {
        jetty.setMaxConnectionsPerDestination(CONNECTIONS);
        server.setExecutor(threads);
        server.createContext("/told", exchange -> answer(exchange, 200, LONG.length));
        server.createContext("/chunked", exchange -> answer(exchange, 200, 0));
        server.createContext("/failed", exchange -> answer(exchange, 500, LONG.length));
        server.createContext("/short", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void close() throws Exception {
        jetty.stop();
        pipeline.close();
        server.stop(0);
        threads.shutdownNow();
    }

    private static void answer(HttpExchange exchange, int status, long length) throws IOException {
        exchange.sendResponseHeaders(status, length);
        try (OutputStream body = exchange.getResponseBody()) {
            body.write(LONG);
        } catch (IOException givenUp) {
            exchange.close();
        }
    }

    private String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + path;
    }

    /** With a length that is too long the attempt reads nothing; without one it reads the first part. */
    @ParameterizedTest
    @ValueSource(strings = {"told", "chunked", "failed"})
    void aBodyOfWhichItsCallerReadsAPartFreesItsConnection(String path) {
        for (int i = 0; i < 2 * CONNECTIONS; i++) {
            client.get()
                    .uri(url(path))
                    .exchangeToFlux(response -> response.body((message, context) -> message.getBody()))
                    .doOnNext(DataBufferUtils::release)
                    .take(1)
                    .blockLast(AT_ALL);
        }
        assertThat(client.get().uri(url("short")).retrieve().toBodilessEntity().block(AT_ALL))
                .as("a call of another caller")
                .isNotNull();
    }
}
