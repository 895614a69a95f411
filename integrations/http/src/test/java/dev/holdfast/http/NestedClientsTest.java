/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testing.ScriptedServer;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client with a pipeline around a client with a pipeline: each knows of a request what it knows of one of its own. */
class NestedClientsTest {
    private enum Way {
        BLOCKING,
        ASYNCHRONOUS
    }

    @TempDir
    Path folder;

    private final ScriptedServer server = ScriptedServer.start();
    private final AtomicInteger attempts = new AtomicInteger();
    private final Pipeline plain = Pipeline.of("plain", TimeoutPolicy.of(Duration.ofMinutes(5)));
    private final Pipeline retrying =
            Pipeline.of("retrying", RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ofNanos(1))));
    private final HttpClient retryInside = around(around(HttpClient.newHttpClient(), retrying), plain);
    private final HttpClient retryOutside = around(around(HttpClient.newHttpClient(), plain), retrying);

    private static HttpClient around(HttpClient client, Pipeline pipeline) {
        return HoldfastHttpClient.around(client, Pipelines.one(pipeline));
    }

    @AfterEach
    void close() {
        plain.close();
        retrying.close();
        server.close();
    }

    private static <T> HttpResponse<T> send(Way way, HttpClient client, HttpRequest request, BodyHandler<T> handler)
            throws Exception {
        try {
            return way == Way.BLOCKING
                    ? client.send(request, handler)
                    : client.sendAsync(request, handler).get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    private HttpRequest request(String method, BodyPublisher body) {
        return HttpRequest.newBuilder(server.uri("/a")).method(method, body).build();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatCanBeSentAgainIsRepeatedByTheInnerOne(Way way) throws Exception {
        List<HttpRequest> again = List.of(
                request("PUT", BodyPublishers.ofString("x")),
                request("DELETE", BodyPublishers.ofByteArray(new byte[2])),
                request("GET", BodyPublishers.noBody()));
        for (HttpRequest request : again) {
            server.answers(500, "no").answers(500, "no").answers(200, "good");
            assertThat(send(way, retryInside, request, BodyHandlers.ofString()).body())
                    .as(request.method())
                    .isEqualTo("good");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aFileGetsOneBody(Way way) throws Exception {
        Path file = folder.resolve("download");
        server.answers(500, "an error page that is longer than the answer").answers(200, "good");
        HttpRequest request = request("GET", BodyPublishers.noBody());
        assertThat(send(way, retryInside, request, BodyHandlers.ofFile(file)).statusCode())
                .isEqualTo(500);
        assertThat(file).hasContent("an error page that is longer than the answer");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPostIsRepeatedByTheOuterOneIfNoConnectionWasMade(Way way) throws Exception {
        Pipeline counting = Pipeline.builder("counting")
                .policies(RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ofNanos(1))))
                .classifier((value, error) -> {
                    attempts.incrementAndGet();
                    return HttpClassifier.ofDefaults().classify(value, error);
                })
                .build();
        URI nobody;
        try (ServerSocket soonClosed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = URI.create("http://127.0.0.1:" + soonClosed.getLocalPort());
        }
        HttpRequest request = HttpRequest.newBuilder(nobody)
                .POST(BodyPublishers.ofString("x"))
                .build();
        HttpClient client = around(around(HttpClient.newHttpClient(), plain), counting);
        assertThatThrownBy(() -> send(way, client, request, BodyHandlers.ofString()))
                .isInstanceOf(IOException.class);
        counting.close();
        assertThat(attempts).hasValue(3);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPostThatWasSentIsNotRepeatedByTheOuterOne(Way way) throws Exception {
        server.answers(500, "no").answers(201, "made twice");
        HttpRequest request = request("POST", BodyPublishers.ofString("x"));
        assertThat(send(way, retryOutside, request, BodyHandlers.ofString()).statusCode())
                .isEqualTo(500);
    }

    /** An iterable may have one iterator only, as that of a stream has. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyOfAnIterableIsSentOnce(Way way) throws Exception {
        server.answers(500, "no").answers(200, "an empty document is stored");
        Iterator<byte[]> parts =
                List.of("first,".getBytes(UTF_8), "second".getBytes(UTF_8)).iterator();
        HttpRequest request = request("PUT", BodyPublishers.ofByteArrays(() -> parts));
        assertThat(send(way, retryOutside, request, BodyHandlers.ofString()).statusCode())
                .isEqualTo(500);
    }
}
