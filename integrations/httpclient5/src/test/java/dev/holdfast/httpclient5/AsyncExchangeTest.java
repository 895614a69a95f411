/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.async.methods.AbstractBinResponseConsumer;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.impl.DefaultHttpRequestRetryStrategy;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.entity.AsyncEntityProducerWrapper;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.util.TimeValue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the asynchronous client alone has: a future, a callback, a producer for all attempts. */
@Logs("responded with status 503; request will be automatically re-executed")
class AsyncExchangeTest {
    private static final String BODY = "0123456789".repeat(10_000);

    private final HttpServer server;
    private final CountDownLatch over = new CountDownLatch(1);
    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private final List<String> received = new CopyOnWriteArrayList<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final CountDownLatch isTold = new CountDownLatch(1);
    private final List<AutoCloseable> open = new ArrayList<>();
    private final PoolingAsyncClientConnectionManager pool =
            PoolingAsyncClientConnectionManagerBuilder.create().build();

    AsyncExchangeTest() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(daemons());
        server.start();
    }

    private static Executor daemons() {
        return Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });
    }

    @AfterEach
    void close() throws Exception {
        assertThat(Pools.isIdle(pool)).as("pool %s", pool.getTotalStats()).isTrue();
        over.countDown();
        for (AutoCloseable each : open) {
            each.close();
        }
        pool.close();
        server.stop(0);
    }

    private HoldfastAsyncExec exec(Duration backoff) {
        Pipeline pipeline = Pipeline.builder("shop")
                .policies(RetryPolicy.of(
                        r -> r.initialBackoff(backoff).maxBackoff(backoff).budgetEnabled(false)))
                .observer(new CallObserver() {
                    @Override
                    public void attemptSettled(
                            String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                        attempts.add(outcome);
                    }
                })
                .build();
        open.add(pipeline);
        return HoldfastAsyncExec.of(Pipelines.one(pipeline));
    }

    private CloseableHttpAsyncClient started(HttpAsyncClientBuilder builder) {
        CloseableHttpAsyncClient client = builder.setConnectionManager(pool)
                .setConnectionManagerShared(true)
                .build();
        open.add(0, client);
        client.start();
        return client;
    }

    private CloseableHttpAsyncClient client(Duration backoff) {
        return started(exec(backoff).addTo(HttpAsyncClients.custom()));
    }

    private Future<SimpleHttpResponse> send(
            CloseableHttpAsyncClient client, String method, @Nullable AsyncEntityProducer body) {
        BasicHttpRequest request = new BasicHttpRequest(method, "/");
        HttpHost host = new HttpHost("http", "127.0.0.1", server.getAddress().getPort());
        return client.execute(
                host,
                new BasicRequestProducer(request, body),
                SimpleResponseConsumer.create(),
                null,
                null,
                new FutureCallback<SimpleHttpResponse>() {
                    @Override
                    public void completed(SimpleHttpResponse response) {
                        tell("completed " + response.getCode());
                    }

                    @Override
                    public void failed(Exception e) {
                        tell("failed");
                    }

                    @Override
                    public void cancelled() {
                        tell("cancelled");
                    }
                });
    }

    private void tell(String what) {
        told.add(what);
        isTold.countDown();
    }

    /** Reads the body, and answers with these statuses, the last one for ever. */
    private void answers(int... statuses) {
        AtomicInteger next = new AtomicInteger();
        server.createContext("/", exchange -> {
            received.add(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
            answer(exchange, statuses[Math.min(next.getAndIncrement(), statuses.length - 1)]);
        });
    }

    private static void answer(HttpExchange exchange, int status) throws IOException {
        byte[] body = "text".getBytes(UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    // ---- the caller

    @Test
    void theCallbackHearsOfTheCallOnce() throws Exception {
        answers(500, 503, 200);
        assertThat(send(client(Duration.ZERO), "GET", null).get().getBodyText()).isEqualTo("text");
        assertThat(isTold.await(1, TimeUnit.MINUTES)).isTrue();
        assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.FAILURE, Outcome.SUCCESS);
        assertThat(told).containsExactly("completed 200");
    }

    @Test
    void aCancelledRequestBlamesNobody() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        server.createContext("/", exchange -> {
            arrived.countDown();
            try {
                over.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
        Future<SimpleHttpResponse> sent = send(client(Duration.ZERO), "GET", null);
        assertThat(arrived.await(1, TimeUnit.MINUTES)).isTrue();
        sent.cancel(true);
        assertThatThrownBy(sent::get).isInstanceOf(CancellationException.class);
        assertThat(Pools.isIdle(pool)).isTrue();
        assertThat(attempts).hasSize(1).doesNotContain(Outcome.FAILURE);
        assertThat(told).containsExactly("cancelled");
    }

    @Test
    void aWaitBeforeTheNextAttemptIsCancelled() throws Exception {
        answers(500);
        Future<SimpleHttpResponse> sent = send(client(Duration.ofMinutes(50)), "GET", null);
        while (attempts.isEmpty()) {
            Thread.onSpinWait();
        }
        sent.cancel(true);
        assertThatThrownBy(sent::get).isInstanceOf(CancellationException.class);
        assertThat(told).containsExactly("cancelled");
        assertThat(attempts).containsExactly(Outcome.FAILURE);
    }

    @Test
    void aMalformedAddressIsToldToTheCallback() throws Exception {
        CloseableHttpAsyncClient client = started(HoldfastAsyncExec.of(authority -> {
                    throw new IllegalArgumentException(authority);
                })
                .addTo(HttpAsyncClients.custom()));
        assertThatThrownBy(() -> send(client, "GET", null).get())
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(IllegalArgumentException.class);
        assertThat(isTold.await(1, TimeUnit.MINUTES)).isTrue();
        assertThat(told).containsExactly("failed");
    }

    @Test
    void anErrorOfWhatChoosesThePipelineIsToldToTheCallback() throws Exception {
        CloseableHttpAsyncClient client = started(HoldfastAsyncExec.of(authority -> {
                    throw new ExceptionInInitializerError("template");
                })
                .addTo(HttpAsyncClients.custom()));
        assertThatThrownBy(() -> send(client, "GET", null).get(1, TimeUnit.MINUTES))
                .isInstanceOf(ExecutionException.class)
                .hasRootCauseInstanceOf(ExceptionInInitializerError.class);
        assertThat(isTold.await(1, TimeUnit.MINUTES)).isTrue();
        assertThat(told).containsExactly("failed");
    }

    /** It has begun to reach the caller. */
    @Test
    void aLargeBodyThatBreaksFailsAndIsNotRepeated() throws Exception {
        server.createContext("/", exchange -> {
            received.add("");
            exchange.sendResponseHeaders(200, 1_000_000);
            exchange.getResponseBody().write(new byte[500_000]);
            exchange.close();
        });
        Future<SimpleHttpResponse> sent = send(client(Duration.ZERO), "GET", null);
        assertThatThrownBy(sent::get).isInstanceOf(ExecutionException.class).hasCauseInstanceOf(IOException.class);
        assertThat(isTold.await(1, TimeUnit.MINUTES)).isTrue();
        assertThat(told).containsExactly("failed");
        assertThat(received).hasSize(1);
        assertThat(attempts).containsExactly(Outcome.SUCCESS);
    }

    /** Its client hears only of exceptions, and would wait for ever. */
    @Test
    void anErrorOfTheConsumerOfALargeBodyFailsTheFuture() {
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 1_000_000);
            exchange.getResponseBody().write(new byte[1_000_000]);
            exchange.close();
        });
        Error broken = new StackOverflowError("too deep");
        Future<String> sent = client(Duration.ZERO)
                .execute(
                        new HttpHost("http", "127.0.0.1", server.getAddress().getPort()),
                        new BasicRequestProducer(new BasicHttpRequest("GET", "/"), null),
                        new AbstractBinResponseConsumer<String>() {
                            @Override
                            protected void start(HttpResponse response, ContentType type) {}

                            @Override
                            protected int capacityIncrement() {
                                return Integer.MAX_VALUE;
                            }

                            @Override
                            protected void data(ByteBuffer bytes, boolean end) {
                                throw broken;
                            }

                            @Override
                            protected String buildResult() {
                                return "";
                            }

                            @Override
                            public void releaseResources() {}
                        },
                        null,
                        null,
                        null);
        assertThatThrownBy(() -> sent.get(1, TimeUnit.MINUTES)).hasRootCause(broken);
        assertThat(attempts).containsExactly(Outcome.SUCCESS);
    }

    // ---- the producer

    /** Counts how often it is rewound or let go. */
    private static final class Counting extends AsyncEntityProducerWrapper {
        private final AtomicInteger released = new AtomicInteger();
        private final boolean repeatable;

        Counting(boolean repeatable) {
            super(new BasicAsyncEntityProducer(BODY.getBytes(UTF_8), ContentType.TEXT_PLAIN));
            this.repeatable = repeatable;
        }

        @Override
        public boolean isRepeatable() {
            return repeatable;
        }

        @Override
        public void releaseResources() {
            released.incrementAndGet();
            super.releaseResources();
        }
    }

    @Test
    void eachAttemptSendsTheWholeBody() throws Exception {
        answers(500, 500, 200);
        Counting body = new Counting(true);
        assertThat(send(client(Duration.ZERO), "PUT", body).get().getCode()).isEqualTo(200);
        assertThat(received).containsExactly(BODY, BODY, BODY);
        assertThat(Pools.isIdle(pool)).isTrue();
        while (body.released.get() < 3) {
            Thread.onSpinWait();
        }
        assertThat(body.released).as("rewound before two attempts, and let go").hasValue(3);
    }

    @Test
    void aProducerThatIsNotRepeatableIsSentAndReleasedOnce() throws Exception {
        answers(302);
        Counting body = new Counting(false);
        assertThat(send(client(Duration.ZERO), "PUT", body).get().getCode()).isEqualTo(302);
        assertThat(received).containsExactly(BODY);
        while (body.released.get() < 1) {
            Thread.onSpinWait();
        }
        assertThat(body.released).hasValue(1);
    }

    @Test
    void aHedgeSendsTheBodyOnceMore() throws Exception {
        AtomicInteger next = new AtomicInteger();
        server.createContext("/", exchange -> {
            received.add(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
            if (next.getAndIncrement() == 0) {
                try {
                    over.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
            answer(exchange, 200);
        });
        Pipeline hedging = Pipeline.of("shop", HedgePolicy.of(h -> h.delay(Duration.ofMillis(20))));
        open.add(hedging);
        CloseableHttpAsyncClient client =
                started(HoldfastAsyncExec.of(Pipelines.one(hedging)).addTo(HttpAsyncClients.custom()));
        assertThat(send(client, "PUT", new Counting(true)).get().getCode()).isEqualTo(200);
        assertThat(received).containsExactly(BODY, BODY);
    }

    // ---- the client's own retries

    @Test
    @Logs("the client repeats requests by itself")
    void itsOwnRetriesAreNoticedOnceWhereAddToWasNotUsed() throws Exception {
        answers(503, 200, 503, 200);
        CloseableHttpAsyncClient client = started(HttpAsyncClients.custom()
                .setRetryStrategy(new DefaultHttpRequestRetryStrategy(1, TimeValue.ZERO_MILLISECONDS))
                .addExecInterceptorFirst(HoldfastExec.NAME, exec(Duration.ZERO)));
        assertThat(send(client, "GET", null).get().getCode()).isEqualTo(200);
        assertThat(send(client, "GET", null).get().getCode()).isEqualTo(200);
        assertThat(received).hasSize(4);
        assertThat(attempts).containsExactly(Outcome.SUCCESS, Outcome.SUCCESS);
    }

    @Test
    void itsOwnRetriesAreOffWithAddTo() throws Exception {
        answers(503, 503, 503);
        CloseableHttpAsyncClient client = started(exec(Duration.ZERO)
                .addTo(HttpAsyncClients.custom()
                        .setRetryStrategy(new DefaultHttpRequestRetryStrategy(5, TimeValue.ZERO_MILLISECONDS))));
        assertThat(send(client, "GET", null).get().getCode()).isEqualTo(503);
        assertThat(received).hasSize(3);
    }
}
