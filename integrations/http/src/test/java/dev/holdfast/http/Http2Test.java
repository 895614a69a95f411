/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.SocketEffect;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Over TLS and with HTTP/2. */
class Http2Test {
    private final MockWebServer server = new MockWebServer();
    private final AtomicInteger attempts = new AtomicInteger();
    private final Pipeline pipeline = Pipeline.builder("shop")
            .policies(RetryPolicy.of(
                    r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false)))
            .observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.incrementAndGet();
                }
            })
            .build();
    private HttpClient client = HttpClient.newHttpClient();

    @BeforeEach
    void start() throws IOException {
        HeldCertificate localhost = new HeldCertificate.Builder()
                .addSubjectAlternativeName("localhost")
                .build();
        HandshakeCertificates own =
                new HandshakeCertificates.Builder().heldCertificate(localhost).build();
        HandshakeCertificates trusting = new HandshakeCertificates.Builder()
                .addTrustedCertificate(localhost.certificate())
                .build();
        server.useHttps(own.sslSocketFactory());
        server.start(InetAddress.getLoopbackAddress(), 0);
        HttpClient plain = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_2)
                .sslContext(trusting.sslContext())
                .build();
        client = HoldfastHttpClient.around(plain, Pipelines.one(pipeline));
    }

    @AfterEach
    void stop() {
        pipeline.close();
        server.close();
    }

    private HttpRequest.Builder request() {
        return HttpRequest.newBuilder(URI.create("https://localhost:" + server.getPort() + "/"));
    }

    private static MockResponse answer(int status, String body) {
        return new MockResponse.Builder().code(status).body(body).build();
    }

    @Test
    void aFailureIsRepeatedOverTheSameConnection() throws Exception {
        server.enqueue(answer(500, "broken"));
        server.enqueue(answer(200, "12"));
        HttpResponse<String> response = client.send(request().build(), BodyHandlers.ofString());
        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(response.body()).isEqualTo("12");
        assertThat(server.takeRequest().getHeaders().get("holdfast-attempt")).isEqualTo("1");
        assertThat(server.takeRequest().getHeaders().get("holdfast-attempt")).isEqualTo("2");
    }

    @Test
    void aStreamThatIsResetIsRepeated() throws Exception {
        server.enqueue(new MockResponse.Builder()
                .onResponseStart(new SocketEffect.CloseStream(2)) // at the request, the queue may give it twice
                .build());
        server.enqueue(answer(200, "12"));
        assertThat(client.sendAsync(request().build(), BodyHandlers.ofString())
                        .get(1, TimeUnit.MINUTES)
                        .body())
                .isEqualTo("12");
    }

    /** Nothing is sent before TLS stands. So even a POST is tried again. */
    @Test
    void aPostIsRepeatedIfThereIsNoTls() {
        HttpClient distrustful = HoldfastHttpClient.around(HttpClient.newHttpClient(), Pipelines.one(pipeline));
        HttpRequest post = request().POST(BodyPublishers.ofString("12")).build();
        assertThatThrownBy(() -> distrustful.send(post, BodyHandlers.ofString()))
                .isInstanceOf(IOException.class);
        assertThat(server.getRequestCount()).isZero();
        assertThat(attempts).hasValue(3);
    }
}
