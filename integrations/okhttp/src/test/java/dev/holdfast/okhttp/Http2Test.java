/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.SocketEffect;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

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
}
