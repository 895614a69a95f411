/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A request that its user cancels ends, wherever it is, and blames nobody. */
class CancelTest {
    private final HttpServer server;
    private final CountDownLatch over = new CountDownLatch(1);
    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private final Pipeline pipeline = Pipeline.builder("shop")
            .policies(
                    RetryPolicy.of(r -> r.initialBackoff(Duration.ofMinutes(50)).maxBackoff(Duration.ofMinutes(50))))
            .observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.add(outcome);
                }
            })
            .build();
    private final CloseableHttpClient client =
            HoldfastExec.of(Pipelines.one(pipeline)).addTo(HttpClients.custom()).build();

    CancelTest() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.start();
    }

    @AfterEach
    void close() throws IOException {
        over.countDown();
        client.close();
        pipeline.close();
        server.stop(0);
    }

    private record Ended(@Nullable Throwable error, boolean flag) {}

    private FutureTask<Ended> sending(HttpGet request) {
        FutureTask<Ended> sending = new FutureTask<>(() -> {
            Throwable error = null;
            try {
                client.execute(request, response -> null);
            } catch (IOException e) {
                error = e;
            }
            return new Ended(error, Thread.interrupted());
        });
        new Thread(sending).start();
        return sending;
    }

    private HttpGet get() {
        return new HttpGet("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    @Test
    void anAttemptIsCancelled() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        server.createContext("/", exchange -> {
            arrived.countDown();
            try {
                over.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
        HttpGet request = get();
        FutureTask<Ended> sending = sending(request);
        assertThat(arrived.await(1, TimeUnit.MINUTES)).isTrue();
        request.cancel();
        Ended ended = sending.get(1, TimeUnit.MINUTES);
        assertThat(ended.error()).isInstanceOf(InterruptedIOException.class).hasMessage("the request was cancelled");
        assertThat(ended.flag()).as("the interrupt flag").isFalse();
        assertThat(attempts).hasSize(1).doesNotContain(Outcome.FAILURE);
    }

    @Test
    void aWaitBeforeTheNextAttemptIsCancelled() throws Exception {
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(500, -1);
            exchange.close();
        });
        HttpGet request = get();
        FutureTask<Ended> sending = sending(request);
        while (attempts.isEmpty()) {
            Thread.onSpinWait();
        }
        request.cancel();
        Ended ended = sending.get(1, TimeUnit.MINUTES);
        assertThat(ended.error()).isInstanceOf(InterruptedIOException.class);
        assertThat(ended.flag()).isFalse();
        assertThat(attempts).containsExactly(Outcome.FAILURE);
    }
}
