/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import mockwebserver3.SocketEffect;
import okhttp3.Protocol;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.H2AsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.RequestNotExecutedException;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.AsyncRequestProducer;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.entity.AsyncEntityProducerWrapper;
import org.apache.hc.core5.http.nio.entity.StringAsyncEntityProducer;
import org.apache.hc.core5.http.nio.support.AsyncRequestBuilder;
import org.apache.hc.core5.http2.H2StreamResetException;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.apache.hc.core5.io.CloseMode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The asynchronous client of HTTP/2 alone, without TLS. */
@Logs(
        value = {"ClosedSelectorException", "Listener failure for MockWebServer"},
        sometimes = true) // when both are closed
class Http2Test {
    private final MockWebServer server = new MockWebServer();
    private final List<CloseableHttpAsyncClient> clients = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        server.setProtocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE));
        server.start(InetAddress.getLoopbackAddress(), 0);
    }

    @AfterEach
    void stop() {
        clients.forEach(client -> client.close(CloseMode.IMMEDIATE));
        server.close();
    }

    private CloseableHttpAsyncClient client(Pipeline pipeline) {
        CloseableHttpAsyncClient client = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                .addTo(H2AsyncClientBuilder.create())
                .build();
        client.start();
        clients.add(client);
        return client;
    }

    /** That of both versions. Over TLS it learns the version there; here it knows it. */
    private CloseableHttpAsyncClient clientOfBothVersions(Pipeline pipeline) {
        CloseableHttpAsyncClient client = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                .addTo(HttpAsyncClients.custom())
                .setConnectionManager(PoolingAsyncClientConnectionManagerBuilder.create()
                        .setDefaultTlsConfig(TlsConfig.custom()
                                .setVersionPolicy(HttpVersionPolicy.FORCE_HTTP_2)
                                .build())
                        .build())
                .build();
        client.start();
        clients.add(client);
        return client;
    }

    private static Pipeline pipeline(Policy... inside) {
        Pipeline.Builder builder = Pipeline.builder("shop");
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(5).initialBackoff(Duration.ofMillis(1)));
        return inside.length == 0
                ? builder.policies(retry).build()
                : builder.policies(retry, inside[0]).build();
    }

    private SimpleRequestBuilder get() {
        return SimpleRequestBuilder.get("http://localhost:" + server.getPort() + "/");
    }

    private static MockResponse.Builder answer(int status, String body) {
        return new MockResponse.Builder().code(status).body(body);
    }

    private static SimpleHttpResponse answerTo(CloseableHttpAsyncClient client, SimpleHttpRequest request)
            throws Exception {
        return client.execute(request, null).get(1, TimeUnit.MINUTES);
    }

    @Test
    void aFailureIsRepeatedOverTheSameConnection() throws Exception {
        server.enqueue(answer(500, "broken").build());
        server.enqueue(answer(200, "12").build());
        try (Pipeline pipeline = pipeline()) {
            CloseableHttpAsyncClient client = client(pipeline);
            SimpleHttpResponse response = answerTo(client, get().build());

            assertThat(response.getBodyText()).isEqualTo("12");
            assertThat(response.getVersion().getMajor()).isEqualTo(2);
            RecordedRequest first = server.takeRequest();
            RecordedRequest second = server.takeRequest();
            assertThat(first.getHeaders().get("holdfast-attempt")).isEqualTo("1");
            assertThat(second.getHeaders().get("holdfast-attempt")).isEqualTo("2");
            assertThat(second.getConnectionIndex()).isEqualTo(first.getConnectionIndex());
        }
    }

    @Test
    void aStreamThatIsResetIsRepeated() throws Exception {
        server.enqueue(answer(200, "lost")
                .onResponseStart(new SocketEffect.CloseStream(2))
                .build());
        server.enqueue(answer(200, "12").build());
        try (Pipeline pipeline = pipeline()) {
            CloseableHttpAsyncClient client = client(pipeline);
            assertThat(answerTo(client, get().build()).getBodyText()).isEqualTo("12");
        }
    }

    @Test
    void aBodyIsSentAgainIfTheRequestMayBeRepeated() throws Exception {
        server.enqueue(answer(500, "broken").build());
        server.enqueue(answer(200, "12").build());
        try (Pipeline pipeline = pipeline()) {
            CloseableHttpAsyncClient client = client(pipeline);
            SimpleHttpRequest put = SimpleRequestBuilder.put("http://localhost:" + server.getPort() + "/")
                    .setBody("a".repeat(10_000).getBytes(UTF_8), ContentType.APPLICATION_OCTET_STREAM)
                    .build();

            assertThat(answerTo(client, put).getBodyText()).isEqualTo("12");
            assertThat(server.takeRequest().getBodySize()).isEqualTo(10_000);
            assertThat(server.takeRequest().getBodySize()).isEqualTo(10_000);
        }
    }

    @Test
    void aPostIsSentOnce() throws Exception {
        server.enqueue(answer(500, "broken").build());
        try (Pipeline pipeline = pipeline()) {
            CloseableHttpAsyncClient client = client(pipeline);
            SimpleHttpRequest post = SimpleRequestBuilder.post("http://localhost:" + server.getPort() + "/")
                    .setBody("a", ContentType.TEXT_PLAIN)
                    .build();

            assertThat(answerTo(client, post).getCode()).isEqualTo(500);
            assertThat(server.getRequestCount()).isEqualTo(1);
        }
    }

    @Test
    void aTimeoutEndsTheStreamAndTheConnectionIsUsedOn() throws Exception {
        server.enqueue(
                answer(200, "late").onResponseStart(SocketEffect.Stall.INSTANCE).build());
        for (int i = 0; i < 4; i++) { // for a machine that is slower than the timeout
            server.enqueue(answer(200, "12").build());
        }
        try (Pipeline pipeline = pipeline(TimeoutPolicy.of(Duration.ofSeconds(1)))) {
            CloseableHttpAsyncClient client = client(pipeline);
            assertThat(answerTo(client, get().build()).getBodyText()).isEqualTo("12");
            assertThat(server.takeRequest().getConnectionIndex())
                    .isEqualTo(server.takeRequest().getConnectionIndex());
        }
    }

    @Test
    void aCallThatNeverAnswersEndsWithATimeout() throws Exception {
        server.enqueue(
                answer(200, "late").onResponseStart(SocketEffect.Stall.INSTANCE).build());
        try (Pipeline pipeline = Pipeline.of("shop", TimeoutPolicy.of(Duration.ofMillis(100)))) {
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> call = client.execute(get().build(), null);

            assertThatThrownBy(() -> call.get(1, TimeUnit.MINUTES))
                    .isInstanceOf(ExecutionException.class)
                    .hasRootCauseInstanceOf(CallTimeoutException.class);
        }
    }

    @Test
    void manyCallsShareAConnection() throws Exception {
        int calls = 200;
        for (int i = 0; i < calls; i++) {
            server.enqueue(answer(200, "12").build());
        }
        try (Pipeline pipeline = pipeline()) {
            CloseableHttpAsyncClient client = client(pipeline);
            List<Future<SimpleHttpResponse>> all = new ArrayList<>();
            for (int i = 0; i < calls; i++) {
                all.add(client.execute(get().build(), null));
            }
            for (Future<SimpleHttpResponse> each : all) {
                assertThat(each.get(1, TimeUnit.MINUTES).getBodyText()).isEqualTo("12");
            }
            assertThat(server.takeRequest().getConnectionIndex()).isZero();
        }
        assertThat(server.getRequestCount()).isEqualTo(calls);
    }

    // ---- a server that never answers

    private static final int CANCEL = 8;

    private static SimpleHttpRequest get(FrameServer server) {
        return SimpleRequestBuilder.get("http://localhost:" + server.port() + "/")
                .build();
    }

    @Test
    void aTimeoutResetsTheStreamThoughTheServerIsSilent() throws Exception {
        try (FrameServer silent = new FrameServer(100);
                Pipeline pipeline = pipeline(TimeoutPolicy.of(Duration.ofMillis(500)))) {
            CloseableHttpAsyncClient client = client(pipeline);
            // One of its attempts is sent in time on a slow machine, too.
            var unused = client.execute(get(silent), null);

            assertThat(silent.reset()).isEqualTo(new FrameServer.Reset(silent.request(), CANCEL));
        }
    }

    @Test
    void aCancelledFutureResetsTheStreamThoughTheServerIsSilent() throws Exception {
        try (FrameServer silent = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> call = client.execute(get(silent), null);
            int stream = silent.request();
            call.cancel(true);

            assertThat(silent.reset()).isEqualTo(new FrameServer.Reset(stream, CANCEL));
        }
    }

    @Test
    void theLoserOfAHedgeIsResetThoughTheServerIsSilent() throws Exception {
        try (FrameServer silent = new FrameServer(100);
                Pipeline pipeline = Pipeline.of(
                        "shop",
                        HedgePolicy.of(h -> h.delay(Duration.ofMillis(1)).budgetEnabled(false)))) {
            silent.answered = stream -> stream == 3;
            CloseableHttpAsyncClient client = client(pipeline);

            assertThat(answerTo(client, get(silent)).getCode()).isEqualTo(200);
            assertThat(silent.reset()).isEqualTo(new FrameServer.Reset(1, CANCEL));
        }
    }

    @Test
    void callsThatAreGivenUpLeaveTheConnectionUsable() throws Exception {
        try (FrameServer silent = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            CloseableHttpAsyncClient client = client(pipeline);
            for (int i = 0; i < 150; i++) {
                Future<SimpleHttpResponse> call = client.execute(get(silent), null);
                silent.request();
                call.cancel(true);
            }
            silent.answered = stream -> true;

            assertThat(answerTo(client, get(silent)).getCode()).isEqualTo(200);
            for (int i = 0; i < 150; i++) {
                assertThat(silent.reset().code()).isEqualTo(CANCEL);
            }
            assertThat(silent.connections).hasValue(1);
        }
    }

    @Test
    void callsThatTimeOutTogetherLeaveTheConnectionUsable() throws Exception {
        try (FrameServer silent = new FrameServer(20);
                Pipeline pipeline = pipeline(TimeoutPolicy.of(Duration.ofMillis(500)))) {
            CloseableHttpAsyncClient client = client(pipeline);
            List<Future<SimpleHttpResponse>> all = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                all.add(client.execute(get(silent), null));
            }
            for (Future<SimpleHttpResponse> each : all) {
                assertThatThrownBy(() -> each.get(1, TimeUnit.MINUTES))
                        .hasRootCauseInstanceOf(CallTimeoutException.class);
            }
            silent.answered = stream -> true;
            pipeline.replace(TimeoutPolicy.of(Duration.ofMinutes(1)));

            assertThat(answerTo(client, get(silent)).getCode()).isEqualTo(200);
            assertThat(silent.connections).hasValue(1);
        }
    }

    @Test
    void aCallThatIsCancelledWhileItWaitsForAStreamIsNotSent() throws Exception {
        try (FrameServer silent = new FrameServer(1);
                Pipeline pipeline = pipeline()) {
            silent.answered = stream -> stream > 1;
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> first = client.execute(get(silent), null);
            silent.request();
            client.execute(get(silent), null).cancel(true);
            first.cancel(true);

            assertThat(answerTo(client, get(silent)).getCode()).isEqualTo(200);
            assertThat(silent.request()).isEqualTo(3);
            assertThat(silent.requests).isEmpty();
        }
    }

    @Test
    void aStreamThatTheServerResetsLeavesTheConnectionToTheOthers() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = Pipeline.of("shop", TimeoutPolicy.of(Duration.ofMinutes(1)))) {
            server.broken = stream -> stream == 3;
            server.answered = stream -> stream == 5;
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> other = client.execute(get(server), null);
            server.request();

            assertThatThrownBy(() -> answerTo(client, get(server))).isInstanceOf(ExecutionException.class);
            assertThat(answerTo(client, get(server)).getCode()).isEqualTo(200);
            assertThat(other).isNotDone();
            assertThat(server.connections).hasValue(1);
        }
    }

    @Test
    void aServerThatStandsStillAndThenAnswersKeepsItsConnection() throws Exception {
        try (FrameServer server = new FrameServer(10);
                Pipeline pipeline = pipeline()) {
            CountDownLatch resume = new CountDownLatch(1);
            server.answered = stream -> true;
            server.script = frame -> {
                await(resume);
                return List.of();
            };
            CloseableHttpAsyncClient client = client(pipeline);
            // The client drops the number of a stream one second after its reset, when it next writes.
            long start = System.nanoTime();
            do {
                assertThat(endsWithin50Millis(client.execute(get(server), null)))
                        .isFalse();
            } while (System.nanoTime() - start < Duration.ofMillis(1500).toNanos());
            resume.countDown();

            assertThat(answerTo(client, get(server)).getCode()).isEqualTo(200);
            assertThat(server.connections).hasValue(1);
        }
    }

    /** False: not; and it was cancelled. */
    private static boolean endsWithin50Millis(Future<?> call) throws Exception {
        try {
            call.get(50, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            call.cancel(true);
            return false;
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void allStreamsThatAreGivenUpTogetherMakeRoom() throws Exception {
        try (FrameServer silent = new FrameServer(3);
                Pipeline pipeline = pipeline()) {
            CloseableHttpAsyncClient client = client(pipeline);
            List<Future<SimpleHttpResponse>> all = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                all.add(client.execute(get(silent), null));
                silent.request();
            }
            all.forEach(call -> call.cancel(true));
            silent.answered = stream -> true;

            for (int i = 0; i < 10; i++) {
                assertThat(answerTo(client, get(silent)).getCode()).isEqualTo(200);
            }
            assertThat(List.of(silent.reset().stream(), silent.reset().stream(), silent.reset().stream()))
                    .containsExactlyInAnyOrder(1, 3, 5);
            assertThat(silent.connections).hasValue(1);
        }
    }

    @Test
    void aCallIsGivenUpBetweenTheHeadersOfAnother() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = Pipeline.of("shop", TimeoutPolicy.of(Duration.ofMinutes(1)))) {
            server.answered = stream -> stream == 7;
            server.script = frame -> frame.type() == FrameServer.HEADERS && frame.stream() == 5
                    ? List.of(FrameServer.Frame.answer(5), FrameServer.Frame.beginOfAnswer(3))
                    : frame.type() == FrameServer.PING
                            ? List.of(FrameServer.Frame.restOfAnswer(3), frame.acknowledged())
                            : List.of();
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> givenUp = client.execute(get(server), null);
            server.request();
            Future<SimpleHttpResponse> inPieces = client.execute(get(server), null);
            server.request();
            assertThat(answerTo(client, get(server)).getCode()).isEqualTo(200);
            givenUp.cancel(true);

            assertThat(inPieces.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
            assertThat(answerTo(client, get(server)).getCode()).isEqualTo(200);
            assertThat(server.reset()).isEqualTo(new FrameServer.Reset(1, CANCEL));
            assertThat(server.connections).hasValue(1);
        }
    }

    @Test
    void aResetIsNotSentBetweenTheHeadersOfAnother() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = Pipeline.of("shop", TimeoutPolicy.of(Duration.ofMinutes(1)))) {
            server.script = frame -> frame.type() == FrameServer.PING
                    ? List.of(frame.acknowledged(), FrameServer.Frame.answer(5), FrameServer.Frame.beginOfAnswer(3))
                    : frame.type() == FrameServer.HEADERS && frame.stream() == 7
                            ? List.of(FrameServer.Frame.restOfAnswer(3), FrameServer.Frame.answer(7))
                            : List.of();
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> givenUp = client.execute(get(server), null);
            server.request();
            Future<SimpleHttpResponse> inPieces = client.execute(get(server), null);
            server.request();
            Future<SimpleHttpResponse> whole = client.execute(get(server), null);
            server.request();
            givenUp.cancel(true);

            assertThat(whole.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
            assertThat(answerTo(client, get(server)).getCode()).isEqualTo(200);
            assertThat(inPieces.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
            assertThat(server.reset()).isEqualTo(new FrameServer.Reset(1, CANCEL));
            assertThat(server.connections).hasValue(1);
        }
    }

    // ---- a server that goes away, such as before a restart

    @Test
    void afterAGoAwayNewCallsGetANewConnectionAndOldOnesAreAnswered() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = Pipeline.of("shop", TimeoutPolicy.of(Duration.ofMinutes(1)))) {
            CountDownLatch others = new CountDownLatch(1);
            server.answered = stream -> server.connections.get() > 1;
            server.script = frame -> {
                if (frame.type() == FrameServer.HEADERS && frame.stream() == 3) {
                    return List.of(FrameServer.Frame.goAway(3), FrameServer.Frame.answer(3), FrameServer.Frame.ping());
                }
                if (frame.isAnsweredPing()) {
                    await(others);
                    return List.of(FrameServer.Frame.answer(1));
                }
                return List.of();
            };
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> old = client.execute(get(server), null);
            server.request();
            assertThat(answerTo(client, get(server)).getCode()).isEqualTo(200);

            assertThat(answerTo(client, get(server)).getCode()).isEqualTo(200);
            assertThat(old).isNotDone();
            others.countDown();
            assertThat(old.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
            assertThat(server.connections).hasValue(2);
        }
    }

    @Test
    void aPostThatWaitsForAStreamWhenTheServerGoesAwayIsRepeated() throws Exception {
        try (FrameServer server = new FrameServer(1);
                Pipeline pipeline = pipeline()) {
            CountDownLatch waits = new CountDownLatch(1);
            server.answered = stream -> server.connections.get() > 1;
            server.script = frame -> {
                if (frame.isAnsweredPing()) {
                    await(waits);
                    return List.of(FrameServer.Frame.goAway(1));
                }
                return frame.type() == FrameServer.HEADERS && server.connections.get() == 1
                        ? List.of(FrameServer.Frame.ping())
                        : List.of();
            };
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> old = client.execute(get(server), null);
            server.request();
            Future<SimpleHttpResponse> post = client.execute(
                    SimpleRequestBuilder.post("http://localhost:" + server.port() + "/")
                            .build(),
                    null);
            waits.countDown();

            assertThat(post.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
            assertThat(old).isNotDone();
            assertThat(server.connections).hasValue(2);
        }
    }

    @Test
    void aConnectionThatGoesAwayIsClosedWhenItsLastStreamIsGivenUp() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            CountDownLatch goneAway = new CountDownLatch(1);
            server.script = frame -> {
                if (frame.isAnsweredPing()) {
                    goneAway.countDown();
                }
                return frame.type() == FrameServer.HEADERS
                        ? List.of(FrameServer.Frame.goAway(1), FrameServer.Frame.ping())
                        : List.of();
            };
            Future<SimpleHttpResponse> call = client(pipeline).execute(get(server), null);
            await(goneAway);
            call.cancel(true);

            assertThat(server.reset()).isEqualTo(new FrameServer.Reset(1, CANCEL));
            server.awaitClosed();
        }
    }

    @Test
    void aConnectionThatGoesAwayAfterAResetIsClosed() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.script =
                    frame -> frame.type() == FrameServer.RST_STREAM ? List.of(FrameServer.Frame.goAway(1)) : List.of();
            Future<SimpleHttpResponse> call = client(pipeline).execute(get(server), null);
            server.request();
            call.cancel(true);

            server.awaitClosed();
        }
    }

    @Test
    void aConnectionThatGoesAwayIsClosedAfterItsLastAnswerThoughAnotherStreamWasReset() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = Pipeline.of("shop", TimeoutPolicy.of(Duration.ofMinutes(1)))) {
            server.script = frame -> frame.type() == FrameServer.RST_STREAM
                    ? List.of(FrameServer.Frame.goAway(3), FrameServer.Frame.ping())
                    : frame.isAnsweredPing() ? List.of(FrameServer.Frame.answer(3)) : List.of();
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> givenUp = client.execute(get(server), null);
            server.request();
            Future<SimpleHttpResponse> answered = client.execute(get(server), null);
            server.request();
            givenUp.cancel(true);

            assertThat(answered.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
            server.awaitClosed();
        }
    }

    // ---- and leaves requests out

    private static final FrameServer.Frame[][] GOAWAYS = {
        {FrameServer.Frame.goAway(1)},
        {FrameServer.Frame.goAway(3), FrameServer.Frame.goAway(1)},
        {FrameServer.Frame.goAway(1, 11)}
    };

    private static SimpleHttpRequest post(FrameServer server) {
        return SimpleRequestBuilder.post("http://localhost:" + server.port() + "/")
                .setBody("a", ContentType.TEXT_PLAIN)
                .build();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aPostThatTheServerLeavesOutWhenItGoesAwayIsRepeated(int goAway) throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.answered = stream -> server.connections.get() > 1;
            server.script =
                    frame -> frame.type() == FrameServer.HEADERS && frame.stream() == 3 && server.connections.get() == 1
                            ? List.of(GOAWAYS[goAway])
                            : List.of();
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> old = client.execute(get(server), null);
            server.request();

            assertThat(answerTo(client, post(server)).getCode()).isEqualTo(200);
            assertThat(server.connections).hasValue(2);
            old.cancel(true);
        }
    }

    /** The client gives both the same exception. */
    @Test
    void aPostThatTheServerLeavesOutIsRepeatedThoughAnotherOneFailsWithTheConnection() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.answered = stream -> server.connections.get() > 1;
            server.script = frame -> frame.type() == FrameServer.HEADERS && frame.stream() == 3
                    ? List.of(FrameServer.Frame.goAway(1), FrameServer.Frame.malformed())
                    : List.of();
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> taken = client.execute(post(server), null);
            server.request();

            assertThat(answerTo(client, post(server)).getCode()).isEqualTo(200);
            assertThat(server.connections).hasValue(2);
            assertThatThrownBy(() -> taken.get(1, TimeUnit.MINUTES)).isInstanceOf(ExecutionException.class);
        }
    }

    @Test
    void aPostThatTheServerRefusesIsRepeatedOverTheSameConnection() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.answered = stream -> stream == 3;
            server.script = frame -> frame.type() == FrameServer.HEADERS && frame.stream() == 1
                    ? List.of(FrameServer.Frame.refusal(1))
                    : List.of();

            assertThat(answerTo(client(pipeline), post(server)).getCode()).isEqualTo(200);
            assertThat(server.requests).containsExactly(1, 3);
            assertThat(server.connections).hasValue(1);
        }
    }

    /** With the head of an answer, it has begun: a refusal after it says nothing. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPostThatTheServerRefusesAfterItHasBegunToAnswerIsNotRepeated(boolean goesAway) throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.answered = stream -> stream == 3 || server.connections.get() == 2;
            server.script =
                    frame -> frame.type() == FrameServer.HEADERS && frame.stream() == 1 && server.connections.get() == 1
                            ? List.of(
                                    FrameServer.Frame.withLength(1, "9", false),
                                    goesAway ? FrameServer.Frame.goAway(0) : FrameServer.Frame.refusal(1))
                            : List.of();

            assertThatThrownBy(() -> answerTo(client(pipeline), post(server))).isInstanceOf(ExecutionException.class);
            assertThat(server.requests).containsExactly(1);
        }
    }

    @Test
    void theRequestsThatTheServerTakesBeforeItGoesAwayAreAnswered() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = Pipeline.of("shop", TimeoutPolicy.of(Duration.ofMinutes(1)))) {
            server.script = frame -> frame.type() == FrameServer.HEADERS && frame.stream() == 3
                    ? List.of(FrameServer.Frame.goAway(1), FrameServer.Frame.ping())
                    : frame.isAnsweredPing() ? List.of(FrameServer.Frame.answer(1)) : List.of();
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> taken = client.execute(get(server), null);
            server.request();

            assertThatThrownBy(() -> answerTo(client, get(server)))
                    .hasCauseInstanceOf(RequestNotExecutedException.class);
            assertThat(taken.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
            server.awaitClosed();
        }
    }

    @Test
    void aPostWhoseRedirectTheServerLeavesOutIsNotRepeated() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.answered = stream -> true;
            server.script = frame -> {
                if (frame.type() != FrameServer.HEADERS || server.connections.get() > 1) {
                    return List.of();
                }
                return List.of(
                        frame.stream() == 1
                                ? FrameServer.Frame.redirect(1, "http://localhost:" + server.port() + "/moved")
                                : FrameServer.Frame.goAway(1));
            };
            CloseableHttpAsyncClient client = client(pipeline);

            assertThatThrownBy(() -> answerTo(client, post(server)))
                    .hasCauseInstanceOf(RequestNotExecutedException.class);
            assertThat(server.requests).containsExactly(1, 3);
        }
    }

    @Test
    void aBodyThatCanBeSentOnceIsNotSentAgainThoughTheServerHasLeftItOut() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.answered = stream -> server.connections.get() > 1;
            server.script = frame -> frame.type() == 0 && server.connections.get() == 1
                    ? List.of(FrameServer.Frame.goAway(0))
                    : List.of();
            AsyncEntityProducer once = new AsyncEntityProducerWrapper(new StringAsyncEntityProducer("a")) {
                @Override
                public boolean isRepeatable() {
                    return false;
                }
            };
            AsyncRequestProducer post = AsyncRequestBuilder.post("http://localhost:" + server.port() + "/")
                    .setEntity(once)
                    .build();
            Future<SimpleHttpResponse> call = client(pipeline).execute(post, SimpleResponseConsumer.create(), null);

            assertThatThrownBy(() -> call.get(1, TimeUnit.MINUTES))
                    .hasCauseInstanceOf(RequestNotExecutedException.class);
            assertThat(server.requests).containsExactly(1);
        }
    }

    // ---- the client of both versions

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void withTheClientOfBothVersionsAPostThatTheServerDoesNotTakeIsRepeated(boolean goesAway) throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.answered = stream -> true;
            server.script =
                    frame -> frame.type() == FrameServer.HEADERS && frame.stream() == 1 && server.connections.get() == 1
                            ? List.of(goesAway ? FrameServer.Frame.goAway(0) : FrameServer.Frame.refusal(1))
                            : List.of();
            CloseableHttpAsyncClient client = clientOfBothVersions(pipeline);

            assertThat(answerTo(client, post(server)).getCode()).isEqualTo(200);
            server.awaitClosed();
            assertThat(answerTo(client, post(server)).getVersion().getMajor()).isEqualTo(2);
            assertThat(server.connections).hasValue(2);
        }
    }

    // ---- bodies of another length than the server says

    private static final List<String> LENGTHS = List.of("1", "3", "3 and nothing comes");

    private static List<FrameServer.Frame> twoBytes(int stream, String length) {
        return length.endsWith("comes")
                ? List.of(FrameServer.Frame.withLength(stream, length.substring(0, 1), true))
                : List.of(FrameServer.Frame.withLength(stream, length, false), FrameServer.Frame.restOfBody(stream));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBodyOfAnotherLengthIsAFailureAndNotKept(boolean bothVersions) throws Exception {
        for (String length : LENGTHS) {
            AtomicInteger requests = new AtomicInteger();
            try (FrameServer server = new FrameServer(100);
                    Pipeline pipeline = Pipeline.of(
                            "shop",
                            StaleCachePolicy.of(c -> c.fresh(Duration.ofHours(1))),
                            RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ofMillis(1))))) {
                server.script = frame -> frame.type() != FrameServer.HEADERS
                        ? List.of()
                        : twoBytes(frame.stream(), requests.incrementAndGet() == 1 ? length : "2");
                CloseableHttpAsyncClient client = bothVersions ? clientOfBothVersions(pipeline) : client(pipeline);
                for (int i = 0; i < 2; i++) {
                    assertThat(answerTo(client, get(server)).getBodyText())
                            .as("instead of " + length)
                            .isEqualTo("12");
                }
                assertThat(requests).hasValue(2);
                if (!bothVersions) {
                    assertThat(server.connections).hasValue(1);
                }
            }
        }
    }

    /** It has the length of the answer to a GET. */
    @Test
    void anAnswerToHeadHasALengthAndNoBody() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.script = frame -> frame.type() == FrameServer.HEADERS
                    ? List.of(FrameServer.Frame.withLength(frame.stream(), "3", true))
                    : List.of();
            SimpleHttpRequest head = SimpleRequestBuilder.head("http://localhost:" + server.port() + "/")
                    .build();
            assertThat(answerTo(client(pipeline), head).getCode()).isEqualTo(200);
            assertThat(server.requests).containsExactly(1);
        }
    }

    @Test
    void aLargeBodyThatIsTooShortFailsTheConsumer() throws Exception {
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = pipeline()) {
            server.script = frame -> frame.type() == FrameServer.HEADERS ? twoBytes(frame.stream(), "3") : List.of();
            CloseableHttpAsyncClient client = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                    .readBodiesUpTo(0)
                    .addTo(H2AsyncClientBuilder.create())
                    .build();
            client.start();
            clients.add(client);
            assertThatThrownBy(() -> answerTo(client, get(server))).hasCauseInstanceOf(H2StreamResetException.class);
            assertThat(server.requests).containsExactly(1);
        }
    }

    // ---- code of the user's

    /** By itself, the client would close the connection, or its thread would end. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAProducerThrowsEndsItsStreamAlone(boolean anError) throws Exception {
        List<Outcome> attempts = new CopyOnWriteArrayList<>();
        CallObserver observer = new CallObserver() {
            @Override
            public void attemptSettled(
                    String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                attempts.add(outcome);
            }
        };
        try (FrameServer server = new FrameServer(100);
                Pipeline pipeline = Pipeline.builder("shop")
                        .policies(RetryPolicy.ofDefaults())
                        .observer(observer)
                        .build()) {
            server.script =
                    frame -> frame.type() == FrameServer.RST_STREAM ? List.of(FrameServer.Frame.answer(1)) : List.of();
            CloseableHttpAsyncClient client = client(pipeline);
            Future<SimpleHttpResponse> other = client.execute(get(server), null);
            server.request();
            AsyncRequestProducer put = AsyncRequestBuilder.put("http://localhost:" + server.port() + "/")
                    .setEntity(new AsyncEntityProducerWrapper(new StringAsyncEntityProducer("a")) {
                        @Override
                        public void produce(DataStreamChannel channel) {
                            if (anError) {
                                throw new AssertionError("by intent");
                            }
                            throw new IllegalStateException("by intent");
                        }
                    })
                    .build();
            Future<SimpleHttpResponse> call = client.execute(put, SimpleResponseConsumer.create(), null);

            assertThatThrownBy(() -> call.get(1, TimeUnit.MINUTES)).hasRootCauseMessage("by intent");
            assertThat(other.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
            assertThat(attempts).containsExactlyInAnyOrder(Outcome.IGNORED, Outcome.SUCCESS);
            assertThat(server.connections).hasValue(1);
        }
    }
}
