/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.testing.ScriptedServer;
import dev.holdfast.testlogs.Logs;
import java.net.ConnectException;
import java.net.URI;
import java.util.List;
import org.apache.hc.client5.http.HttpRequestRetryStrategy;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.DefaultHttpRequestRetryStrategy;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A client that repeats requests by itself, where its builder did not go through {@code addTo}. */
class OwnRetriesTest {
    private final ScriptedServer server = ScriptedServer.start();
    private final Pipeline pipeline = Pipeline.of("shop");
    private final HoldfastExec handler = HoldfastExec.of(Pipelines.one(pipeline));

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
    }

    private static HttpClientBuilder repeating() {
        return HttpClients.custom()
                .setRetryStrategy(new DefaultHttpRequestRetryStrategy(1, TimeValue.ZERO_MILLISECONDS));
    }

    private int get(CloseableHttpClient client) throws Exception {
        return client.execute(new HttpGet(server.uri("/x")), response -> response.getCode());
    }

    @Test
    @Logs({"the client repeats requests by itself", "will be automatically re-executed"})
    void areNoticedByTheClassicClientToo() throws Exception {
        server.answers(503, "");
        server.answers(200, "");
        try (CloseableHttpClient client =
                repeating().addExecInterceptorFirst(HoldfastExec.NAME, handler).build()) {
            assertThat(get(client)).isEqualTo(200);
        }
    }

    @Test
    @Logs({"the client repeats requests by itself", "will be automatically re-executed"})
    void areNoticedWhateverTheyRepeat() throws Exception {
        server.answers(404, "");
        server.answers(200, "");
        HttpRequestRetryStrategy missing =
                new DefaultHttpRequestRetryStrategy(1, TimeValue.ZERO_MILLISECONDS, List.of(), List.of(404)) {};
        try (CloseableHttpClient client = HttpClients.custom()
                .setRetryStrategy(missing)
                .addExecInterceptorFirst(HoldfastExec.NAME, handler)
                .build()) {
            assertThat(get(client)).isEqualTo(200);
        }
    }

    @Test
    @Logs({"the client repeats requests by itself", "ConnectException|Connection refused"})
    void areNoticedIfNoConnectionCanBeMade() throws Exception {
        URI nowhere = server.uri("/x");
        server.close();
        try (CloseableHttpClient client = HttpClients.custom()
                .setRetryStrategy(
                        new DefaultHttpRequestRetryStrategy(1, TimeValue.ZERO_MILLISECONDS, List.of(), List.of()) {})
                .addExecInterceptorFirst(HoldfastExec.NAME, handler)
                .build()) {
            assertThatThrownBy(() -> client.execute(new HttpGet(nowhere), response -> response.getCode()))
                    .isInstanceOf(ConnectException.class);
        }
    }

    @Test
    void areOffWithAddTo() throws Exception {
        server.answers(503, "");
        try (CloseableHttpClient client = handler.addTo(repeating()).build()) {
            assertThat(get(client)).isEqualTo(503);
        }
    }

    /** Without a warning: the class would announce it. */
    @Test
    void aRedirectIsNone() throws Exception {
        server.answers(302, "").with("Location", "/y");
        server.answers(200, "");
        try (CloseableHttpClient client = HttpClients.custom()
                .addExecInterceptorFirst(HoldfastExec.NAME, handler)
                .build()) {
            assertThat(get(client)).isEqualTo(200);
        }
    }
}
