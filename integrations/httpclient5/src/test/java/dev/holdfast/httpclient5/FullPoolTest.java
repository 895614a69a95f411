/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The client's pool has no connection to give, and the server hears of nothing: it is not to blame. */
class FullPoolTest {
    private static final HttpRoute ROUTE = new HttpRoute(new HttpHost("http", "localhost", 80));
    private static final Timeout LONG = Timeout.ofMinutes(1);
    private static final RequestConfig IMPATIENT = RequestConfig.custom()
            .setConnectionRequestTimeout(Timeout.ofMilliseconds(1))
            .build();

    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private final Pipeline pipeline = Pipeline.builder("shop")
            .policies(RetryPolicy.ofDefaults())
            .observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.add(outcome);
                }
            })
            .build();

    @AfterEach
    void close() {
        pipeline.close();
    }

    @Test
    void aPoolWithoutAFreeConnectionIsARejection() throws Exception {
        PoolingHttpClientConnectionManager pool = PoolingHttpClientConnectionManagerBuilder.create()
                .setMaxConnPerRoute(1)
                .build();
        pool.lease("other", ROUTE, LONG, null).get(LONG);
        try (CloseableHttpClient client = HoldfastExec.of(Pipelines.one(pipeline))
                .addTo(HttpClients.custom().setConnectionManager(pool).setDefaultRequestConfig(IMPATIENT))
                .build()) {
            assertThat(catchThrowable(() -> client.execute(new HttpGet("http://localhost/"), response -> null)))
                    .isExactlyInstanceOf(ConnectionRequestTimeoutException.class);
        }
        assertThat(attempts).containsExactly(Outcome.REJECTED);
    }
}
