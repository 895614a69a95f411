/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testing.ScriptedServer;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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
        assertThat(seen(length, call -> Deadline.within(Duration.ofHours(1), call::run)))
                .contains("Holdfast-Timeout-Ms");
    }

    /** The attempt has a timeout and a number, which the client's thread knows. */
    @ParameterizedTest
    @ValueSource(ints = {5, 600_000})
    void aCallbackHasNothingOfTheAttempt(int length) throws Exception {
        assertThat(seen(length, Runnable::run)).isEmpty();
    }

    /** What the callback would hand down. */
    private static List<String> seen(int length, Consumer<Runnable> caller) throws Exception {
        CompletableFuture<List<String>> seen = new CompletableFuture<>();
        try (ScriptedServer server = ScriptedServer.start().answers(200, "x".repeat(length));
                Pipeline pipeline =
                        Pipeline.of("shop", RetryPolicy.ofDefaults(), TimeoutPolicy.of(Duration.ofMinutes(1)));
                CloseableHttpAsyncClient client = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                        .addTo(HttpAsyncClients.custom())
                        .build()) {
            client.start();
            caller.accept(() -> {
                var unused = client.execute(
                        SimpleRequestBuilder.get(server.uri("/a")).build(), new FutureCallback<>() {
                            @Override
                            public void completed(SimpleHttpResponse response) {
                                List<String> names = new ArrayList<>();
                                CallHeaders.ofDefaults().write((name, value) -> names.add(name));
                                seen.complete(names);
                            }

                            @Override
                            public void failed(Exception e) {
                                seen.completeExceptionally(e);
                            }

                            @Override
                            public void cancelled() {
                                seen.cancel(false);
                            }
                        });
            });
            return seen.get(1, TimeUnit.MINUTES);
        }
    }
}
