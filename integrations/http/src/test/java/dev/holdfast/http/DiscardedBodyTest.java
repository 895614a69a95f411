/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A body that nobody gets holds no connection, whatever the caller's handler has made of it. */
class DiscardedBodyTest {
    private enum Way {
        BLOCKING,
        ASYNCHRONOUS
    }

    /** More than the client reads unless it is asked to. */
    private static final String LONG = "x".repeat(1_000_000);

    private final ScriptedServer server = ScriptedServer.start();
    private final Pipeline pipeline = Pipeline.of("shop", retry());
    private final HttpClient client = HoldfastHttpClient.around(HttpClient.newHttpClient(), Pipelines.one(pipeline));
    private final List<InputStream> streams = new CopyOnWriteArrayList<>();

    /** As the documentation of {@link BodySubscribers#mapping} reads JSON. */
    private final BodyHandler<Supplier<String>> later =
            info -> BodySubscribers.mapping(BodySubscribers.ofInputStream(), stream -> {
                streams.add(stream);
                return () -> read(stream);
            });

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
    }

    private static RetryPolicy retry() {
        return RetryPolicy.of(
                r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false));
    }

    private static String read(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private <T> HttpResponse<T> send(Way way, BodyHandler<T> handler) throws Exception {
        HttpRequest get = HttpRequest.newBuilder(server.uri("/stock")).build();
        return way == Way.BLOCKING
                ? client.send(get, handler)
                : client.sendAsync(get, handler).get();
    }

    @ParameterizedTest
    @EnumSource
    void thatOfARetriedAttemptIsGivenUp(Way way) throws Exception {
        server.answers(500, LONG).answers(200, LONG);
        HttpResponse<Supplier<String>> response = send(way, later);
        assertThat(response.body().get()).isEqualTo(LONG);
        assertThat(response).as("the client's own").isNotInstanceOf(Answer.class);
        assertThat(streams).hasSize(2);
        assertThatThrownBy(() -> read(streams.get(0))).hasMessageContaining("closed");
    }

    @ParameterizedTest
    @EnumSource
    void thatOfARetriedAttemptIsGivenUpWithAStaleCacheToo(Way way) throws Exception {
        pipeline.replace(StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)), retry());
        // Not to be kept, so that the handler reads it within the attempt.
        server.answers(500, LONG).with("Cache-Control", "no-store").times(3);
        HttpResponse<Supplier<String>> response = send(way, later);
        assertThat(response.body().get()).isEqualTo(LONG);
        assertThat(response).as("the client's own").isNotInstanceOf(Answer.class);
        assertThat(streams).hasSize(3);
        assertThatThrownBy(() -> read(streams.get(0))).hasMessageContaining("closed");
        assertThatThrownBy(() -> read(streams.get(1))).hasMessageContaining("closed");
    }

    @ParameterizedTest
    @EnumSource
    void thatOfWhichTheHandlerMakesAnErrorIsGivenUp(Way way) {
        server.answers(200, LONG);
        assertErrorGivesItUp(way);
    }

    @ParameterizedTest
    @EnumSource
    void thatOfWhichTheHandlerMakesAnErrorIsGivenUpWithAStaleCacheToo(Way way) {
        pipeline.replace(StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)), retry());
        server.answers(200, LONG).with("Cache-Control", "no-store");
        assertErrorGivesItUp(way);
    }

    private void assertErrorGivesItUp(Way way) {
        BodyHandler<String> broken = info -> BodySubscribers.mapping(BodySubscribers.ofInputStream(), stream -> {
            streams.add(stream);
            throw new IllegalStateException("no JSON");
        });
        assertThatThrownBy(() -> send(way, broken)).hasRootCauseMessage("no JSON");
        assertThat(streams).hasSize(1);
        assertThatThrownBy(() -> read(streams.get(0))).hasMessageContaining("closed");
    }

    /** With the client alone, the connection would stay open, in nobody's hands. */
    @ParameterizedTest
    @EnumSource
    void connectionOfAResponseThatTheHandlerRefusesIsClosed(Way way) throws Exception {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<Integer> afterTheAnswer = CompletableFuture.supplyAsync(
                    () -> answered(listening), server -> new Thread(server, "answers").start());
            HttpRequest get = HttpRequest.newBuilder(
                            URI.create("http://localhost:" + listening.getLocalPort() + "/stock"))
                    .build();
            BodyHandler<String> refuses = info -> {
                throw new IllegalStateException("status " + info.statusCode());
            };
            assertThatThrownBy(() -> {
                        if (way == Way.BLOCKING) {
                            client.send(get, refuses);
                        } else {
                            client.sendAsync(get, refuses).get();
                        }
                    })
                    .hasRootCauseMessage("status 404");
            assertThat(afterTheAnswer.get()).as("the end of the connection").isEqualTo(-1);
        }
    }

    /** What the client sends after an answer that has not come whole. */
    private static int answered(ServerSocket listening) {
        try (Socket connection = listening.accept()) {
            InputStream in = connection.getInputStream();
            byte[] request = new byte[10_000];
            int read = in.read(request);
            assertThat(read).isPositive();
            connection
                    .getOutputStream()
                    .write("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nnot".getBytes(StandardCharsets.UTF_8));
            return in.read();
        } catch (IOException reset) {
            return -1;
        }
    }
}
