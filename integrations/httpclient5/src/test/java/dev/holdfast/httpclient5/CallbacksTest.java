/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testing.ScriptedServer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where callbacks of the asynchronous client run. */
class CallbacksTest {
    /** Of a body that was read within the attempt, and of one that was not. */
    @ParameterizedTest
    @ValueSource(ints = {5, 600_000})
    void aCallbackRunsUnderTheDeadlineOfItsCaller(int length) throws Exception {
        CompletableFuture<Boolean> bound = new CompletableFuture<>();
        try (ScriptedServer server = ScriptedServer.start().answers(200, "x".repeat(length));
                Pipeline pipeline = Pipeline.of("shop", RetryPolicy.ofDefaults());
                CloseableHttpAsyncClient client = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                        .addTo(HttpAsyncClients.custom())
                        .build()) {
            client.start();
            Deadline.within(Duration.ofHours(1), () -> {
                var unused = client.execute(
                        SimpleRequestBuilder.get(server.uri("/a")).build(), new FutureCallback<>() {
                            @Override
                            public void completed(SimpleHttpResponse response) {
                                bound.complete(Deadline.remaining().isPresent());
                            }

                            @Override
                            public void failed(Exception e) {
                                bound.completeExceptionally(e);
                            }

                            @Override
                            public void cancelled() {
                                bound.cancel(false);
                            }
                        });
            });
            assertThat(bound.get(1, TimeUnit.MINUTES)).isTrue();
        }
    }
}
