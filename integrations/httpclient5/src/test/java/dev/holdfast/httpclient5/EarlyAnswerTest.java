/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.H2AsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.nio.AsyncResponseConsumer;
import org.apache.hc.core5.http.nio.entity.StringAsyncEntityConsumer;
import org.apache.hc.core5.http.nio.support.AsyncRequestBuilder;
import org.apache.hc.core5.http.nio.support.BasicResponseConsumer;
import org.apache.hc.core5.io.CloseMode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that answers in full before it has read the request: the answer counts, and the caller need not wait for the rest. */
@Logs(value = "ClosedSelectorException", sometimes = true) // when a client is closed
class EarlyAnswerTest {
    /** More than the sockets hold, or a window of HTTP/2. */
    private static final byte[] BODY = new byte[32 << 20];

    static {
        new Random(1).nextBytes(BODY);
    }

    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private final Pipeline pipeline = Pipeline.builder("shop")
            .policies(RetryPolicy.of(
                    r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false)))
            .observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.add(outcome);
                }
            })
            .build();
    private final HoldfastAsyncExec exec = HoldfastAsyncExec.of(Pipelines.one(pipeline));
    private final PoolingAsyncClientConnectionManager pool =
            PoolingAsyncClientConnectionManagerBuilder.create().build();
    private final List<AutoCloseable> open = new ArrayList<>(List.of(pool, pipeline));

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private CloseableHttpAsyncClient started(CloseableHttpAsyncClient client) {
        open.add(0, () -> client.close(CloseMode.IMMEDIATE));
        client.start();
        return client;
    }

    private static SimpleHttpResponse answer(CloseableHttpAsyncClient client, String method, int port)
            throws Exception {
        return client.execute(
                        SimpleRequestBuilder.create(method)
                                .setUri("http://127.0.0.1:" + port + "/")
                                .setBody(BODY, ContentType.APPLICATION_OCTET_STREAM)
                                .build(),
                        null)
                .get(1, TimeUnit.MINUTES);
    }

    /** What a consumer hears of the end of its response, and after it, until the client lets it go. */
    private static List<String> heard(CloseableHttpAsyncClient client, int port) throws Exception {
        List<String> heard = new CopyOnWriteArrayList<>();
        CompletableFuture<Void> released = new CompletableFuture<>();
        AsyncResponseConsumer<?> consumer = new BasicResponseConsumer<>(new StringAsyncEntityConsumer()) {
            @Override
            public void streamEnd(List<? extends Header> trailers) throws HttpException, IOException {
                heard.add("streamEnd");
                super.streamEnd(trailers);
            }

            @Override
            public void failed(Exception cause) {
                heard.add("failed: " + cause);
                super.failed(cause);
            }

            @Override
            public void releaseResources() {
                heard.add("released");
                super.releaseResources();
                released.complete(null);
            }
        };
        var unused = client.execute(
                AsyncRequestBuilder.put("http://127.0.0.1:" + port + "/")
                        .setEntity(BODY, ContentType.APPLICATION_OCTET_STREAM)
                        .build(),
                consumer,
                null);
        released.get(1, TimeUnit.MINUTES);
        return heard;
    }

    // ---- HTTP/1.1

    private interface Script {
        void serve(Socket connection) throws Exception;
    }

    /** Serves each connection. */
    private int server(Script script) throws IOException {
        ServerSocket socket = new ServerSocket();
        open.add(socket);
        socket.setReceiveBufferSize(8192);
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    Socket connection = socket.accept();
                    open.add(0, connection);
                    script.serve(connection);
                }
            } catch (Exception closed) {
                // the end of the test
            }
        });
        thread.setDaemon(true);
        thread.start();
        return socket.getLocalPort();
    }

    private static void readHead(InputStream in) throws IOException {
        int end = 0;
        while (end != 0x0D0A0D0A) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("closed");
            }
            end = end << 8 | next;
        }
    }

    private static void write(Socket to, String head) throws IOException {
        to.getOutputStream().write(head.replace("\n", "\r\n").getBytes(ISO_8859_1));
    }

    private CloseableHttpAsyncClient http1() {
        return started(exec.addTo(HttpAsyncClients.custom())
                .setConnectionManager(pool)
                .setConnectionManagerShared(true)
                .disableRedirectHandling()
                .build());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "200 OK\nContent-Length: 2\n\n12",
                "204 No Content\n\n",
                "200 OK\nConnection: close\nContent-Length: 2\n\n12"
            })
    void theServerGetsTheRestAfterTheCallerHasTheAnswer(String answer) throws Exception {
        CompletableFuture<Void> answered = new CompletableFuture<>();
        CompletableFuture<Boolean> received = new CompletableFuture<>();
        int port = server(connection -> {
            InputStream in = connection.getInputStream();
            readHead(in);
            write(connection, "HTTP/1.1 " + answer);
            answered.get();
            received.complete(Arrays.equals(in.readNBytes(BODY.length), BODY));
        });
        CloseableHttpAsyncClient client = http1();
        SimpleHttpResponse response = answer(client, "POST", port);
        assertThat(response.getCode()).isEqualTo(answer.startsWith("200") ? 200 : 204);
        assertThat(attempts).containsExactly(Outcome.SUCCESS);
        answered.complete(null);
        assertThat(received.get(1, TimeUnit.MINUTES)).isTrue();
        assertThat(Pools.isIdle(pool)).isTrue();
        assertThat(pool.getTotalStats().getAvailable()).as("kept").isEqualTo(answer.contains("close") ? 0 : 1);
    }

    @Test
    void aServerThatClosesBeforeTheRestGivesTheConnectionBack() throws Exception {
        CompletableFuture<Void> answered = new CompletableFuture<>();
        int port = server(connection -> {
            readHead(connection.getInputStream());
            write(connection, "HTTP/1.1 200 OK\nConnection: close\nContent-Length: 2\n\n12");
            answered.get();
            connection.close();
        });
        assertThat(answer(http1(), "PUT", port).getBodyText()).isEqualTo("12");
        answered.complete(null);
        assertThat(attempts).containsExactly(Outcome.SUCCESS);
        assertThat(Pools.isIdle(pool)).isTrue();
        assertThat(pool.getTotalStats().getAvailable()).isZero();
    }

    /** The client sends nothing more after these, and the server waits. */
    @ParameterizedTest
    @CsvSource({"413, true", "304, false", "307, true", "307, false"})
    void anEarlyAnswerThatIsNoSuccessClosesItsConnection(int status, boolean withBody) throws Exception {
        leavesNoConnection(status, withBody, BODY, RequestConfig.DEFAULT);
    }

    /** A body of any size is unsent then. */
    @ParameterizedTest
    @CsvSource({"413, true", "304, false", "307, true"})
    void soDoesOneInsteadOfA100Continue(int status, boolean withBody) throws Exception {
        leavesNoConnection(
                status,
                withBody,
                new byte[2],
                RequestConfig.custom().setExpectContinueEnabled(true).build());
    }

    private void leavesNoConnection(int status, boolean withBody, byte[] body, RequestConfig config) throws Exception {
        int port = server(connection -> {
            readHead(connection.getInputStream());
            String length = status == 304 ? "" : "Content-Length: " + (withBody ? 2 : 0) + "\n";
            write(connection, "HTTP/1.1 " + status + " No\n" + length + "\n" + (withBody ? "12" : ""));
        });
        SimpleHttpResponse response = http1().execute(
                        SimpleRequestBuilder.put("http://127.0.0.1:" + port + "/")
                                .setBody(body, ContentType.APPLICATION_OCTET_STREAM)
                                .setRequestConfig(config)
                                .build(),
                        null)
                .get(1, TimeUnit.MINUTES);
        assertThat(response.getCode()).isEqualTo(status);
        assertThat(Objects.requireNonNullElse(response.getBodyText(), "")).isEqualTo(withBody ? "12" : "");
        assertThat(attempts).hasSize(1);
        assertThat(Pools.isIdle(pool)).isTrue();
        assertThat(pool.getTotalStats().getAvailable()).isZero();
    }

    @Test
    void theConsumerOfAnEarlyErrorHearsOfNoFailure() throws Exception {
        int port = server(connection -> {
            readHead(connection.getInputStream());
            write(connection, "HTTP/1.1 413 Too Large\nContent-Length: 2\n\n12");
        });
        assertThat(heard(http1(), port)).startsWith("streamEnd", "released");
    }

    @Test
    void aRetrySendsTheWholeBody() throws Exception {
        CompletableFuture<Boolean> received = new CompletableFuture<>();
        List<Socket> before = new ArrayList<>();
        int port = server(connection -> {
            InputStream in = connection.getInputStream();
            readHead(in);
            before.add(connection);
            if (before.size() == 1) {
                write(connection, "HTTP/1.1 503 Busy\nContent-Length: 2\nRetry-After: 0\n\n12");
                return;
            }
            received.complete(Arrays.equals(in.readNBytes(BODY.length), BODY));
            write(connection, "HTTP/1.1 200 OK\nContent-Length: 0\n\n");
        });
        assertThat(answer(http1(), "PUT", port).getCode()).isEqualTo(200);
        assertThat(received.get(1, TimeUnit.MINUTES)).isTrue();
        assertThat(attempts).containsExactly(Outcome.PUSHBACK, Outcome.SUCCESS);
        assertThat(Pools.isIdle(pool)).isTrue();
    }

    // ---- HTTP/2

    private CloseableHttpAsyncClient http2() {
        return started(exec.addTo(H2AsyncClientBuilder.create()).build());
    }

    /** This server never makes the window larger. */
    @ParameterizedTest
    @CsvSource({"true, PUT", "false, PUT", "true, POST"})
    void aStreamThatIsAnsweredCounts(boolean withBody, String method) throws Exception {
        try (FrameServer server = new FrameServer(100)) {
            server.script = frame -> frame.type() != FrameServer.HEADERS
                    ? List.of()
                    : withBody
                            ? List.of(
                                    FrameServer.Frame.withBody(frame.stream()),
                                    FrameServer.Frame.restOfBody(frame.stream()))
                            : List.of(FrameServer.Frame.answer(frame.stream()));
            SimpleHttpResponse response = answer(http2(), method, server.port());
            assertThat(response.getCode()).isEqualTo(200);
            assertThat(response.getBodyText()).isEqualTo(withBody ? "12" : null);
            assertThat(attempts).containsExactly(Outcome.SUCCESS);
        }
    }

    @Test
    void aStreamThatIsRefusedEarlyIsResetAndRepeated() throws Exception {
        try (FrameServer server = new FrameServer(100)) {
            server.script = frame -> frame.type() != FrameServer.HEADERS
                    ? List.of()
                    : List.of(
                            frame.stream() == 1
                                    ? FrameServer.Frame.failure(1)
                                    : FrameServer.Frame.answer(frame.stream()));
            assertThat(answer(http2(), "PUT", server.port()).getCode()).isEqualTo(200);
            assertThat(server.reset().stream()).isEqualTo(1);
            assertThat(server.connections).hasValue(1);
            assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.SUCCESS);
        }
    }
}
