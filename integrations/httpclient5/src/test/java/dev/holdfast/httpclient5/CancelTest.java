/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

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
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.classic.methods.HttpPut;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.EntityTemplate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    /** As a request through another adapter does: it takes the interrupt of the thread from the channels outside. */
    private static void useAChannel() throws IOException {
        try (FileChannel file = FileChannel.open(Path.of("pom.xml"))) {
            assertThat(file.size()).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anInterruptEndsAnAttemptWithinWhichAChannelWasUsed(boolean byItsBody) throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        server.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            arrived.countDown();
            try {
                over.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
        HttpPut put = new HttpPut("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        put.setEntity(new EntityTemplate(1, null, null, out -> {
            out.write(1);
            if (byItsBody) {
                useAChannel();
            }
        }));
        HttpClientBuilder builder = HttpClients.custom().addExecInterceptorLast("using", (request, scope, chain) -> {
            if (!byItsBody) {
                useAChannel();
            }
            return chain.proceed(request, scope);
        });
        try (CloseableHttpClient using =
                HoldfastExec.of(Pipelines.one(pipeline)).addTo(builder).build()) {
            FutureTask<Ended> sending = new FutureTask<>(() ->
                    new Ended(catchThrowable(() -> using.execute(put, response -> null)), Thread.interrupted()));
            Thread thread = new Thread(sending);
            thread.start();
            assertThat(arrived.await(1, TimeUnit.MINUTES)).isTrue();
            thread.interrupt();
            Ended ended = sending.get(1, TimeUnit.MINUTES);
            assertThat(ended.error()).isInstanceOf(InterruptedIOException.class);
            assertThat(ended.flag()).as("the interrupt flag").isTrue();
            assertThat(attempts).hasSize(1).doesNotContain(Outcome.FAILURE);
        }
    }
}
