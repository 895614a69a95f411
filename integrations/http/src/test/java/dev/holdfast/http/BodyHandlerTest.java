/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscribers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the caller's own handler does with an answer. */
class BodyHandlerTest {
    private final ScriptedServer server = ScriptedServer.start().answers(200, "12");
    private final Pipeline pipeline = Pipeline.of(
            "shop",
            RetryPolicy.of(
                    r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false)));
    private final HttpClient client = HoldfastHttpClient.around(HttpClient.newHttpClient(), Pipelines.one(pipeline));

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
    }

    /** The caller's own database refuses, at different moments. */
    static Stream<BodyHandler<String>> handlers() {
        return Stream.of(
                info -> {
                    throw new UncheckedIOException(new ConnectException("Connection refused"));
                },
                info -> BodySubscribers.mapping(BodySubscribers.ofByteArray(), bytes -> {
                    throw new UncheckedIOException(new ConnectException("Connection refused"));
                }));
    }

    /** A refused connection shows that nothing was sent: but not where it is another one. */
    @ParameterizedTest
    @MethodSource("handlers")
    void aPostIsSentOnceIfItsHandlerFailsToConnect(BodyHandler<String> handler) {
        HttpRequest post = HttpRequest.newBuilder(server.uri("/pay"))
                .POST(BodyPublishers.ofString("12"))
                .build();
        assertThatThrownBy(() -> client.send(post, handler)).isInstanceOf(Exception.class);
        assertThat(server.requests()).hasSize(1);
        assertThatThrownBy(() -> client.sendAsync(post, handler).get()).isInstanceOf(Exception.class);
        assertThat(server.requests()).hasSize(2);
    }

    /** The client asks it on a thread of its own. */
    @Test
    void aHandlerSeesTheDeadlineAndTheAttempt() throws Exception {
        HttpRequest get = HttpRequest.newBuilder(server.uri("/pieces")).build();
        List<String> seen = new CopyOnWriteArrayList<>();
        BodyHandler<String> handler = info -> {
            CallHeaders.ofDefaults().write((name, value) -> seen.add(name));
            return BodySubscribers.ofString(UTF_8);
        };
        Deadline.within(Duration.ofSeconds(30), () -> client.send(get, handler));
        assertThat(seen).contains("Holdfast-Timeout-Ms", "Holdfast-Attempt");
        seen.clear();
        Deadline.within(Duration.ofSeconds(30), () -> client.sendAsync(get, handler))
                .get();
        assertThat(seen).contains("Holdfast-Timeout-Ms", "Holdfast-Attempt");
    }

    private static RuntimeException rejection() {
        return new CallRejectedException(Reason.CIRCUIT_OPEN, "prices", "circuit-breaker", "it is open", -1, null);
    }

    static Stream<Supplier<RuntimeException>> rejections() {
        return Stream.of(
                BodyHandlerTest::rejection,
                () -> new IllegalStateException(rejection()),
                () -> new Stackless("no prices", rejection()));
    }

    private static final class Stackless extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Stackless(String message, Throwable cause) {
            super(message, cause, false, false);
        }
    }

    /** A rejection says that nothing was sent: by the other pipeline. */
    @ParameterizedTest
    @MethodSource("rejections")
    void aPostIsSentOnceIfItsHandlerMeetsARejection(Supplier<RuntimeException> rejection) {
        pipeline.replace(RetryPolicy.of(r -> r.maxAttempts(3)
                .initialBackoff(Duration.ofMillis(1))
                .budgetEnabled(false)
                .retryRejections(true)));
        HttpRequest post = HttpRequest.newBuilder(server.uri("/pay"))
                .POST(BodyPublishers.ofString("12"))
                .build();
        List<BodyHandler<String>> handlers = List.of(
                info -> {
                    throw rejection.get();
                },
                info -> BodySubscribers.mapping(BodySubscribers.ofByteArray(), bytes -> {
                    throw rejection.get();
                }));
        int sent = 0;
        for (BodyHandler<String> handler : handlers) {
            assertThatThrownBy(() -> client.send(post, handler))
                    .isInstanceOf(IOException.class)
                    .hasRootCauseInstanceOf(CallRejectedException.class);
            assertThat(server.requests()).hasSize(++sent);
            assertThatThrownBy(() -> client.sendAsync(post, handler).get())
                    .hasRootCauseInstanceOf(CallRejectedException.class);
            assertThat(server.requests()).hasSize(++sent);
        }
    }

    @Test
    void theNameOfAnOperationThatFailsSaysWhichOptionDid() {
        HttpClient named = HoldfastHttpClient.around(
                HttpClient.newHttpClient(),
                Pipelines.one(pipeline),
                o -> o.operation(request -> request.uri().getPath().substring(5)));
        HttpRequest get = HttpRequest.newBuilder(server.uri("/")).build();
        assertThatThrownBy(() -> named.send(get, info -> BodySubscribers.replacing("")))
                .hasMessageContaining("option 'operation'")
                .hasMessageContaining("GET");
    }
}
