/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testcalls.Way;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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
    private HttpClient plain = HttpClient.newHttpClient();
    private HttpClient client = plain;

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
        plain = HttpClient.newBuilder()
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

    /** Its body ends with its stream, whatever this says. */
    private static MockResponse answer(int status, String body, String... lengths) {
        MockResponse.Builder answer = new MockResponse.Builder().code(status).body(body);
        answer.removeHeader("Content-Length");
        for (String length : lengths) {
            answer.addHeader("Content-Length", length);
        }
        return answer.build();
    }

    private <T> HttpResponse<T> send(Way way, HttpRequest request, BodyHandler<T> handler) throws Exception {
        try {
            return way == Way.CALL
                    ? client.send(request, handler)
                    : client.sendAsync(request, handler).get();
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
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

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyOfAnotherLengthThanItsHeaderSaysIsAFailure(Way way) throws Exception {
        for (String length : new String[] {"10", "1"}) {
            server.enqueue(answer(200, "12", length));
            server.enqueue(answer(200, "12", "2"));
            assertThat(send(way, request().build(), around(BodyHandlers.ofString()))
                            .body())
                    .isEqualTo("12");
            server.enqueue(answer(200, "12", length));
            server.enqueue(answer(200, "12", "2"));
            send(way, request().build(), around(BodyHandlers.discarding()));
        }
        assertThat(server.getRequestCount()).isEqualTo(8);
        server.enqueue(answer(200, "12", "2", "10"));
        assertThatThrownBy(() -> send(
                        way, request().POST(BodyPublishers.ofString("12")).build(), around(BodyHandlers.ofByteArray())))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("2 bytes came of a body with Content-Length 10");
        assertThat(server.getRequestCount()).as("a POST is not repeated").isEqualTo(9);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyWithItsLengthOrWithoutOneIsWhole(Way way) throws Exception {
        server.enqueue(answer(200, "12", "2", "2"));
        server.enqueue(answer(206, "12", "2"));
        server.enqueue(answer(200, "12"));
        for (int i = 0; i < 3; i++) {
            assertThat(send(way, request().build(), BodyHandlers.ofString()).body())
                    .isEqualTo("12");
        }
        server.enqueue(answer(200, "", "10"));
        assertThat(send(way, request().method("HEAD", BodyPublishers.noBody()).build(), BodyHandlers.ofString())
                        .body())
                .isEmpty();
        server.enqueue(answer(304, "", "10"));
        assertThat(send(way, request().build(), BodyHandlers.ofString()).statusCode())
                .isEqualTo(304);
        assertThat(attempts).hasValue(5);
    }

    /** The JDK's own handlers alone are left as they are: with anything around them, each call would change its thread. */
    private static <T> BodyHandler<T> around(BodyHandler<T> handler) {
        return BodyHandlers.buffering(handler, 1_000);
    }

    @Test
    void theSubscribersOfTheJdkAreLeftAsTheyAre() throws Exception {
        server.enqueue(answer(200, "12", "10"));
        assertThat(client.send(request().build(), BodyHandlers.ofString()).body())
                .isEqualTo("12");
    }

    /** The attempt has ended with the headers. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aStreamOfAnotherLengthThanItsHeaderSaysEndsWithAnError(Way way) throws Exception {
        server.enqueue(answer(200, "12", "10"));
        try (InputStream body = send(way, request().build(), around(BodyHandlers.ofInputStream()))
                .body()) {
            assertThatThrownBy(body::readAllBytes)
                    .isInstanceOf(IOException.class)
                    .hasStackTraceContaining("2 bytes came of a body with Content-Length 10");
        }
        server.enqueue(answer(200, "12", "2"));
        try (InputStream body = send(way, request().build(), around(BodyHandlers.ofInputStream()))
                .body()) {
            assertThat(body.readAllBytes()).asString().isEqualTo("12");
        }
        server.enqueue(answer(200, "12", "10"));
        BodyHandler<String> ofItsOwn = info -> new Leaving();
        assertThat(send(way, request().build(), ofItsOwn).body()).isEqualTo("left");
        assertThat(server.getRequestCount()).isEqualTo(3);
    }

    /** Has made its body before the first part comes. */
    private static final class Leaving implements BodySubscriber<String> {
        @Override
        public CompletionStage<String> getBody() {
            return CompletableFuture.completedStage("left");
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(1);
        }

        @Override
        public void onNext(List<ByteBuffer> item) {}

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onComplete() {}
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyOfAnotherLengthThanItsHeaderSaysIsNotKept(Way way) throws Exception {
        try (Pipeline keeping = Pipeline.of("shop", StaleCachePolicy.of(c -> c.fresh(Duration.ofHours(1))))) {
            client = HoldfastHttpClient.around(plain, Pipelines.one(keeping), o -> o.maxKept(4));
            for (String body : new String[] {"12", "1234567"}) { // the second is longer than what is kept
                server.enqueue(answer(200, body, "3"));
                assertThatThrownBy(() -> send(way, request().build(), BodyHandlers.ofString()))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("bytes came of a body with Content-Length 3");
            }
            server.enqueue(answer(200, "123", "3"));
            for (int i = 0; i < 2; i++) {
                assertThat(send(way, request().build(), BodyHandlers.ofString()).body())
                        .isEqualTo("123");
            }
            assertThat(server.getRequestCount()).isEqualTo(3);
        }
    }
}
