/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A POST that may be done once: what the JDK's client throws, as it is and wrapped by whoever calls it. */
@ThreadKind.Each
class NotIdempotentOverHttpTest {
    private static final String CRLF = "\r\n";

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final AtomicInteger attempts = new AtomicInteger();
    /** The bodies that the server has read whole. */
    private final List<String> done = new CopyOnWriteArrayList<>();

    private final RetryPolicy retry =
            RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ZERO).budgetEnabled(false));
    private final Pipeline pipeline = Pipeline.builder("payments")
            .policies(retry)
            .classifier(NotIdempotentOverHttpTest::verdict)
            .build();

    private ServerSocket server;
    private volatile int port;
    private volatile After after = After.RESET;

    /** What the server does when it has read a request. */
    private enum After {
        RESET,
        CLOSE,
        DIE,
        ERROR,
        UNAVAILABLE
    }

    private static Verdict verdict(@Nullable Object value, @Nullable Throwable error) {
        if (value instanceof HttpResponse<?> response) {
            return switch (response.statusCode()) {
                case 503 ->
                    RetryAfter.http(name -> response.headers().firstValue(name).orElse(null));
                case 500 -> Verdict.FAILURE;
                default -> Verdict.SUCCESS;
            };
        }
        return Classifier.DEFAULT.classify(value, error);
    }

    @BeforeEach
    void serve() throws IOException {
        ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        server = listening;
        port = listening.getLocalPort();
        Thread serving = new Thread(() -> {
            while (true) {
                try (Socket socket = listening.accept()) {
                    done.add(body(socket.getInputStream()));
                    answer(socket);
                } catch (IOException closed) {
                    if (listening.isClosed()) {
                        return;
                    }
                }
            }
        });
        serving.setDaemon(true);
        serving.start();
    }

    @AfterEach
    void close() throws IOException {
        server.close();
        pipeline.close();
    }

    private static String body(InputStream in) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(CRLF + CRLF) < 0 || !read.toString().endsWith("!")) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("the client went away after " + read);
            }
            read.append((char) next);
        }
        return read.substring(read.indexOf(CRLF + CRLF) + 4);
    }

    private void answer(Socket socket) throws IOException {
        switch (after) {
            case RESET -> socket.setSoLinger(true, 0);
            case CLOSE -> {}
            case DIE -> server.close();
            case ERROR -> say(socket, "HTTP/1.1 500 Oh");
            case UNAVAILABLE -> say(socket, "HTTP/1.1 503 Busy" + CRLF + "Retry-After: 0");
        }
    }

    private static void say(Socket socket, String head) throws IOException {
        String response = head + CRLF + "Content-Length: 0" + CRLF + "Connection: close" + CRLF + CRLF;
        socket.getOutputStream().write(response.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
    }

    private HttpRequest pay() {
        attempts.incrementAndGet();
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/pay"))
                .POST(HttpRequest.BodyPublishers.ofString("10 euros!"))
                .build();
    }

    /** As a service would write it, whose methods throw no checked exceptions. */
    private int status(Way way) throws Exception {
        Operation<HttpResponse<Void>> operation = pipeline.operation("pay", o -> o.idempotent(false));
        if (way == Way.CALL_ASYNC) {
            return operation
                    .unkeyed()
                    .callAsync(attempt -> client.sendAsync(pay(), HttpResponse.BodyHandlers.discarding()))
                    .get(5, TimeUnit.MINUTES)
                    .statusCode();
        }
        return operation
                .unkeyed()
                .call(attempt -> {
                    try {
                        return client.send(pay(), HttpResponse.BodyHandlers.discarding());
                    } catch (IOException e) {
                        throw new IllegalStateException("payment failed", new UncheckedIOException(e));
                    }
                })
                .statusCode();
    }

    @ParameterizedTest
    @EnumSource
    void refusedConnectionIsTriedAgain(Way way) throws IOException {
        // Bound, so that nobody else has the port, and not listening.
        try (Socket deaf = new Socket()) {
            deaf.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            port = deaf.getLocalPort();
            assertThatThrownBy(() -> status(way))
                    .satisfies(
                            error -> assertThat(attempts).as(() -> trace(error)).hasValue(3));
        }
    }

    private static String trace(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    @ParameterizedTest
    @EnumSource
    void connectionThatIsResetAfterTheRequestWasReadIsNotTriedAgain(Way way) {
        for (After end : List.of(After.RESET, After.CLOSE)) {
            attempts.set(0);
            done.clear();
            after = end;
            assertThatThrownBy(() -> status(way)).as("%s", end).isNotInstanceOf(CompletionException.class);
            assertThat(attempts).as("%s", end).hasValue(1);
            assertThat(done).as("%s", end).containsExactly("10 euros!");
        }
    }

    /** The JDK's old client repeats a POST by itself, and then says only that the second connection was refused. */
    private int statusByTheOldClient() throws IOException {
        attempts.incrementAndGet();
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port + "/pay").toURL().openConnection();
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.getOutputStream().write("10 euros!".getBytes(StandardCharsets.US_ASCII));
        connection.getInputStream().close();
        return connection.getResponseCode();
    }

    @Test
    void refusedConnectionIsNotTriedAgainIfTheClientHadSentTheRequestBefore() {
        after = After.DIE;
        assertThatThrownBy(() -> pipeline.operation("pay", o -> o.idempotent(false))
                        .unkeyed()
                        .call(attempt -> statusByTheOldClient()))
                .isInstanceOf(ConnectException.class);
        assertThat(attempts).hasValue(1);
        assertThat(done).containsExactly("10 euros!");
    }

    @Test
    void refusedConnectionOfTheOldClientIsTriedAgain() throws IOException {
        // Bound, so that nobody else has the port, and not listening.
        try (Socket deaf = new Socket()) {
            deaf.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            port = deaf.getLocalPort();
            assertThatThrownBy(() -> pipeline.operation("pay", o -> o.idempotent(false))
                            .unkeyed()
                            .call(attempt -> statusByTheOldClient()))
                    .isInstanceOf(ConnectException.class)
                    .satisfies(
                            error -> assertThat(attempts).as(() -> trace(error)).hasValue(3));
        }
    }

    @ParameterizedTest
    @EnumSource
    void failureThatIsAnAnswerIsNotTriedAgain(Way way) throws Exception {
        after = After.ERROR;
        assertThat(status(way)).isEqualTo(500);
        assertThat(done).containsExactly("10 euros!");
    }

    @ParameterizedTest
    @EnumSource
    void pushbackIsTriedAgain(Way way) throws Exception {
        after = After.UNAVAILABLE;
        assertThat(status(way)).isEqualTo(503);
        assertThat(attempts).hasValue(3);
    }
}
