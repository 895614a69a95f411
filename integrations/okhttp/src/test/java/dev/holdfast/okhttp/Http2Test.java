/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.SocketEffect;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.Buffer;
import okio.BufferedSink;
import okio.BufferedSource;
import okio.GzipSink;
import okio.Okio;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** With HTTP/2, without TLS. */
@Logs(value = "Listener failure for MockWebServer", sometimes = true) // when it is closed
class Http2Test {
    private final MockWebServer server = new MockWebServer();
    private final OkHttpClient client = new OkHttpClient.Builder()
            .protocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE))
            .build();
    private final RetryPolicy retry = RetryPolicy.of(
            r -> r.maxAttempts(5).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false));

    @BeforeEach
    void start() throws IOException {
        server.setProtocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE));
        server.start(InetAddress.getLoopbackAddress(), 0);
    }

    @AfterEach
    void stop() {
        client.connectionPool().evictAll();
        client.dispatcher().executorService().shutdown();
        server.close();
    }

    private static MockResponse.Builder answer(int status, String body) {
        return new MockResponse.Builder().code(status).body(body);
    }

    private String get(Policy... policies) throws IOException {
        Request request = new Request.Builder()
                .url("http://localhost:" + server.getPort() + "/")
                .build();
        try (Pipeline pipeline = Pipeline.of("shop", policies);
                Response response = HoldfastCallFactory.around(client, Pipelines.one(pipeline))
                        .newCall(request)
                        .execute()) {
            assertThat(response.protocol()).isEqualTo(Protocol.H2_PRIOR_KNOWLEDGE);
            return response.body().string();
        }
    }

    private void assertTwoRequestsOfOneConnection() throws InterruptedException {
        assertThat(server.takeRequest().getConnectionIndex())
                .isEqualTo(server.takeRequest().getConnectionIndex());
    }

    @Test
    void aFailureIsRepeatedOverTheSameConnection() throws Exception {
        server.enqueue(answer(500, "broken").build());
        server.enqueue(answer(200, "12").build());

        assertThat(get(retry)).isEqualTo("12");
        assertTwoRequestsOfOneConnection();
    }

    @Test
    void aStreamThatIsResetIsRepeated() throws Exception {
        server.enqueue(answer(200, "lost")
                .onResponseStart(new SocketEffect.CloseStream(2))
                .build());
        server.enqueue(answer(200, "12").build());

        assertThat(get(retry)).isEqualTo("12");
    }

    @Test
    void aTimeoutEndsTheStreamAndTheConnectionIsUsedOn() throws Exception {
        server.enqueue(
                answer(200, "late").onResponseStart(SocketEffect.Stall.INSTANCE).build());
        for (int i = 0; i < 4; i++) { // for a machine that is slower than the timeout
            server.enqueue(answer(200, "12").build());
        }

        assertThat(get(retry, TimeoutPolicy.of(Duration.ofSeconds(1)))).isEqualTo("12");
        assertTwoRequestsOfOneConnection();
    }

    /** Its body ends with its stream, whatever this says. */
    private static MockResponse answer(String body, String... lengths) {
        MockResponse.Builder answer = answer(200, body);
        answer.removeHeader("Content-Length");
        for (String length : lengths) {
            answer.addHeader("Content-Length", length);
        }
        return answer.build();
    }

    private Response send(HoldfastCallFactory calls, String method, Way way) throws Exception {
        Call call = calls.newCall(new Request.Builder()
                .url("http://localhost:" + server.getPort() + "/")
                .method(method, method.equals("POST") ? RequestBody.create(new byte[2]) : null)
                .build());
        if (way == Way.CALL) {
            return call.execute();
        }
        CompletableFuture<Response> answer = new CompletableFuture<>();
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                answer.completeExceptionally(e);
            }

            @Override
            public void onResponse(Call answered, Response response) {
                answer.complete(response);
            }
        });
        try {
            return answer.get();
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    private String body(HoldfastCallFactory calls, String method, Way way) throws Exception {
        try (Response response = send(calls, method, way)) {
            return response.body().string();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyOfAnotherLengthThanItsHeaderSaysIsAFailure(Way way) throws Exception {
        try (Pipeline pipeline = Pipeline.of("shop", retry)) {
            HoldfastCallFactory calls = HoldfastCallFactory.around(client, Pipelines.one(pipeline));
            server.enqueue(answer("12", "10"));
            server.enqueue(answer("12", "1"));
            server.enqueue(answer("12", "10", "2"));
            server.enqueue(answer("12", "2"));
            assertThat(body(calls, "GET", way)).isEqualTo("12");
            assertThat(server.getRequestCount()).isEqualTo(4);
            server.enqueue(answer("12", "10"));
            assertThatThrownBy(() -> body(calls, "POST", way))
                    .isInstanceOf(IOException.class)
                    .hasMessage("2 bytes came of a body with Content-Length 10");
            assertThat(server.getRequestCount()).as("a POST is not repeated").isEqualTo(5);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyWithItsLengthOrWithoutOneIsWhole(Way way) throws Exception {
        try (Pipeline pipeline = Pipeline.of("shop")) {
            HoldfastCallFactory calls = HoldfastCallFactory.around(client, Pipelines.one(pipeline));
            server.enqueue(answer("12", "2", "2"));
            server.enqueue(answer("12"));
            server.enqueue(answer(206, "12").build());
            for (int i = 0; i < 3; i++) {
                assertThat(body(calls, "GET", way)).isEqualTo("12");
            }
            server.enqueue(answer("", "10"));
            assertThat(body(calls, "HEAD", way)).isEmpty();
            server.enqueue(answer(304, "").setHeader("Content-Length", "10").build());
            assertThat(body(calls, "GET", way)).isEmpty();
            Buffer zipped = new Buffer();
            try (BufferedSink zip = Okio.buffer(new GzipSink(zipped))) {
                zip.writeUtf8("1".repeat(1_000));
            }
            server.enqueue(new MockResponse.Builder()
                    .setHeader("Content-Encoding", "gzip")
                    .body(zipped)
                    .build());
            assertThat(body(calls, "GET", way)).as("decoded").hasSize(1_000);
        }
    }

    /** The attempt has ended with the headers. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aLongBodyOfAnotherLengthThanItsHeaderSaysEndsWithAnError(Way way) throws Exception {
        try (Pipeline pipeline = Pipeline.of("shop", retry)) {
            HoldfastCallFactory calls = HoldfastCallFactory.around(client, Pipelines.one(pipeline));
            server.enqueue(answer("12", "1000000"));
            try (Response response = send(calls, "GET", way)) {
                BufferedSource source = response.body().source();
                assertThat(source.readUtf8(2)).isEqualTo("12");
                assertThatThrownBy(source::exhausted)
                        .isInstanceOf(IOException.class)
                        .hasMessage("2 bytes came of a body with Content-Length 1000000");
            }
            assertThat(server.getRequestCount()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyOfAnotherLengthThanItsHeaderSaysIsNotKept(Way way) throws Exception {
        try (Pipeline pipeline = Pipeline.of("shop", StaleCachePolicy.of(c -> c.fresh(Duration.ofHours(1))))) {
            HoldfastCallFactory calls = HoldfastCallFactory.around(client, Pipelines.one(pipeline));
            server.enqueue(answer("12", "3"));
            assertThatThrownBy(() -> body(calls, "GET", way))
                    .isInstanceOf(IOException.class)
                    .hasMessage("2 bytes came of a body with Content-Length 3");
            server.enqueue(answer("123", "3"));
            for (int i = 0; i < 2; i++) {
                assertThat(body(calls, "GET", way)).isEqualTo("123");
            }
            assertThat(server.getRequestCount()).isEqualTo(2);
        }
    }
}
