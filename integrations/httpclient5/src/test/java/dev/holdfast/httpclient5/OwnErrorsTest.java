/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.testing.ScriptedServer;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.classic.methods.HttpPut;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.io.entity.EntityTemplate;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.entity.AsyncEntityProducerWrapper;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.io.CloseMode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The client throws anything at an answer that it cannot read. What the user's code throws meanwhile is his mistake all the same. */
@Logs(value = "ClosedSelectorException", sometimes = true) // when a client is closed
class OwnErrorsTest {
    private final ScriptedServer server = ScriptedServer.start().answers(200, "12");
    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private final Pipeline pipeline = Pipeline.builder("shop")
            .policies(RetryPolicy.of(
                    r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false)))
            .observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.add(outcome);
                }
            })
            .build();
    private volatile boolean fails;
    private final CloseableHttpClient classic =
            HoldfastExec.of(Pipelines.one(pipeline)).addTo(HttpClients.custom()).build();
    private final CloseableHttpAsyncClient async = HoldfastAsyncExec.of(Pipelines.one(pipeline))
            .addTo(HttpAsyncClients.custom())
            .addExecInterceptorAfter(
                    HoldfastExec.NAME,
                    "own",
                    (request, body, scope, chain, caller) -> chain.proceed(request, body, scope, failing(caller)))
            .build();

    OwnErrorsTest() {
        async.start();
    }

    @AfterEach
    void close() throws IOException {
        classic.close();
        async.close(CloseMode.IMMEDIATE);
        pipeline.close();
        server.close();
    }

    private static IllegalStateException byIntent() {
        return new IllegalStateException("by intent");
    }

    private AsyncExecCallback failing(AsyncExecCallback caller) {
        return new AsyncExecCallback() {
            @Override
            public @Nullable AsyncDataConsumer handleResponse(HttpResponse response, @Nullable EntityDetails body)
                    throws org.apache.hc.core5.http.HttpException, IOException {
                if (fails) {
                    throw byIntent();
                }
                return caller.handleResponse(response, body);
            }

            @Override
            public void handleInformationResponse(HttpResponse response) {}

            @Override
            public void completed() {
                caller.completed();
            }

            @Override
            public void failed(Exception cause) {
                caller.failed(cause);
            }
        };
    }

    private Throwable put(AsyncEntityProducer body) {
        return catchThrowable(() -> async.execute(
                        new BasicRequestProducer(new BasicHttpRequest("PUT", server.uri("/a")), body),
                        SimpleResponseConsumer.create(),
                        null)
                .get());
    }

    private static BasicAsyncEntityProducer text() {
        return new BasicAsyncEntityProducer("12".getBytes(UTF_8), ContentType.TEXT_PLAIN);
    }

    @Test
    void whatAnEntityThrowsIsIgnored() {
        HttpPut put = new HttpPut(server.uri("/a"));
        put.setEntity(new EntityTemplate(-1, ContentType.TEXT_PLAIN, null, out -> {
            throw byIntent();
        }));
        assertThat(catchThrowable(() -> classic.execute(put, response -> response.getCode())))
                .isInstanceOf(IllegalStateException.class);
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }

    @Test
    void whatAProducerThrowsIsIgnored() {
        assertThat(put(new AsyncEntityProducerWrapper(text()) {
                    @Override
                    public void produce(DataStreamChannel channel) {
                        throw byIntent();
                    }
                }))
                .hasRootCauseMessage("by intent");
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }

    @Test
    void whatAHandlerThrowsAtAResponseIsIgnored() {
        fails = true;
        assertThat(put(text())).hasRootCauseMessage("by intent");
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }
}
