/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.SocketEffect;
import okhttp3.Protocol;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.client5.http.ssl.ClientTlsStrategyBuilder;
import org.apache.hc.core5.http.ContentType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The ordinary client over TLS, where client and server agree on the version while they connect. */
class NegotiatedTest {
    private static final int REFUSED_STREAM = 7;

    private final Pipeline pipeline =
            Pipeline.of("shop", RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1))));
    private final MockWebServer server = new MockWebServer();
    private HandshakeCertificates trusting = new HandshakeCertificates.Builder().build();

    @BeforeEach
    void certify() {
        HeldCertificate localhost = new HeldCertificate.Builder()
                .addSubjectAlternativeName("localhost")
                .build();
        server.useHttps(new HandshakeCertificates.Builder()
                .heldCertificate(localhost)
                .build()
                .sslSocketFactory());
        trusting = new HandshakeCertificates.Builder()
                .addTrustedCertificate(localhost.certificate())
                .build();
    }

    @AfterEach
    void close() {
        server.close();
        pipeline.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"HTTP_1_1", "HTTP_2"})
    void whateverWasAgreedOnRequestsAreAnsweredAndWhatIsRefusedIsRepeated(Protocol agreed) throws Exception {
        boolean isNew = agreed == Protocol.HTTP_2;
        server.setProtocols(isNew ? List.of(Protocol.HTTP_2, Protocol.HTTP_1_1) : List.of(Protocol.HTTP_1_1));
        server.start(InetAddress.getLoopbackAddress(), 0);
        if (isNew) {
            server.enqueue(new MockResponse.Builder()
                    .onResponseStart(new SocketEffect.CloseStream(REFUSED_STREAM))
                    .build());
        }
        for (int i = 0; i < 3; i++) {
            server.enqueue(new MockResponse.Builder().code(200).build());
        }
        try (CloseableHttpAsyncClient client = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                .addTo(HttpAsyncClients.custom())
                .setConnectionManager(PoolingAsyncClientConnectionManagerBuilder.create()
                        .setTlsStrategy(ClientTlsStrategyBuilder.create()
                                .setSslContext(trusting.sslContext())
                                .buildAsync())
                        .build())
                .build()) {
            client.start();
            SimpleHttpRequest post = SimpleRequestBuilder.post("https://localhost:" + server.getPort() + "/")
                    .setBody("12", ContentType.TEXT_PLAIN)
                    .build();
            for (int i = 0; i < 3; i++) {
                SimpleHttpResponse answer = client.execute(post, null).get(1, TimeUnit.MINUTES);
                assertThat(answer.getCode()).isEqualTo(200);
                assertThat(answer.getVersion().getMajor()).isEqualTo(isNew ? 2 : 1);
            }
        }
        assertThat(server.getRequestCount()).isEqualTo(isNew ? 4 : 3);
    }
}
