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
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.methods.AbstractBinResponseConsumer;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.async.methods.SimpleRequestProducer;
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
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    private volatile @Nullable Throwable thrown;
    private final CloseableHttpClient classic =
            HoldfastExec.of(Pipelines.one(pipeline)).addTo(HttpClients.custom()).build();
    private final CloseableHttpAsyncClient async = HoldfastAsyncExec.of(Pipelines.one(pipeline))
            .addTo(HttpAsyncClients.custom())
            // A thread that ends is the end of the client.
            .setIOReactorConfig(IOReactorConfig.custom().setIoThreadCount(1).build())
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
                if (thrown instanceof Error e) {
                    throw e;
                }
                if (thrown instanceof RuntimeException e) {
                    throw e;
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
                .get(1, TimeUnit.MINUTES));
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
        thrown = byIntent();
        assertThat(put(text())).hasRootCauseMessage("by intent");
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }

    private static AssertionError badly() {
        return new AssertionError("badly");
    }

    private static void assertIsOfAnError(Throwable told) {
        assertThat(told)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(IOException.class)
                .cause()
                .isInstanceOf(AssertionError.class)
                .hasMessage("badly");
    }

    private void assertIsIgnoredAndTheClientGoesOn(Throwable told) {
        assertIsOfAnError(told);
        assertThat(attempts).containsExactly(Outcome.IGNORED);
        attempts.clear();
        assertThat(put(text())).isNull();
    }

    @Test
    void anErrorOfAProducerIsIgnoredAndTheClientGoesOn() {
        assertIsIgnoredAndTheClientGoesOn(put(new AsyncEntityProducerWrapper(text()) {
            @Override
            public void produce(DataStreamChannel channel) {
                throw badly();
            }
        }));
    }

    /** The client asks for the length when it writes the head. */
    @Test
    void anErrorOfAProducerThatIsAskedForItsLengthIsIgnoredAndTheClientGoesOn() {
        assertIsIgnoredAndTheClientGoesOn(put(new AsyncEntityProducerWrapper(text()) {
            @Override
            public long getContentLength() {
                throw badly();
            }
        }));
    }

    /** The client asks when its buffer is full. */
    @Test
    void anErrorOfAProducerThatIsAskedWhatItHasIsIgnoredAndTheClientGoesOn() {
        AtomicBoolean begun = new AtomicBoolean();
        assertIsIgnoredAndTheClientGoesOn(put(new AsyncEntityProducerWrapper(text()) {
            @Override
            public int available() {
                if (begun.get()) {
                    throw badly();
                }
                return super.available();
            }

            @Override
            public void produce(DataStreamChannel channel) throws IOException {
                begun.set(true);
                channel.write(ByteBuffer.allocate(1));
            }
        }));
    }

    @Test
    void anErrorOfAHandlerIsIgnoredAndTheClientGoesOn() {
        thrown = badly();
        Throwable told = put(text());
        thrown = null;
        assertIsIgnoredAndTheClientGoesOn(told);
    }

    /** The attempt was a success: what comes afterwards is the caller's own. */
    @ParameterizedTest
    @ValueSource(ints = {2, 600_000})
    void anErrorOfAConsumerReachesTheCallerInOneWayWhateverTheLength(int length) {
        server.answers(200, "1".repeat(length));
        assertThat(put(text())).isNull();
        attempts.clear();
        Throwable told = catchThrowable(() -> async.execute(
                        SimpleRequestProducer.create(
                                SimpleRequestBuilder.get(server.uri("/a")).build()),
                        new AbstractBinResponseConsumer<String>() {
                            @Override
                            protected void start(HttpResponse response, ContentType type) {}

                            @Override
                            protected int capacityIncrement() {
                                return Integer.MAX_VALUE;
                            }

                            @Override
                            protected void data(ByteBuffer bytes, boolean end) {
                                throw badly();
                            }

                            @Override
                            protected String buildResult() {
                                return "never";
                            }

                            @Override
                            public void failed(Exception cause) {
                                throw badly();
                            }

                            @Override
                            public void releaseResources() {}
                        },
                        null)
                .get(1, TimeUnit.MINUTES));
        assertIsOfAnError(told);
        assertThat(attempts).containsExactly(Outcome.SUCCESS);
        assertThat(put(text())).isNull();
    }
}
