/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.ReactorClientHttpRequestFactory;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;

/** Which factories let go of a request that is given up: the caller leaves, and the connection is closed. */
@Logs(
        value = {"The connection observed an error", "select\\(\\) failure"},
        sometimes = true)
class RequestFactoriesTest {
    enum Kind {
        JDK,
        APACHE,
        REACTOR,
        JETTY;

        ClientHttpRequestFactory factory() {
            return switch (this) {
                case JDK -> RequestFactories.noting(new JdkClientHttpRequestFactory());
                case APACHE -> RequestFactories.httpComponents(HttpClients.createDefault());
                case REACTOR -> RequestFactories.noting(new ReactorClientHttpRequestFactory());
                case JETTY -> RequestFactories.jetty(new HttpClient());
            };
        }
    }

    private interface Inside {
        void run() throws IOException;
    }

    private static final String HALF = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345";

    private final ServerSocket server;
    private Thread caller = Thread.currentThread();
    /** What an interceptor does within the attempt. */
    private Inside inside = () -> {};

    private final CountDownLatch answered = new CountDownLatch(1);
    private final CountDownLatch closed = new CountDownLatch(1);

    RequestFactoriesTest() throws IOException {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    }

    /** Answers with this and then nothing, until the client closes. */
    private void answering(String beginning) {
        Thread thread = new Thread(() -> {
            try (Socket socket = server.accept()) {
                BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
                String line = in.readLine();
                while (line != null && !line.isEmpty()) {
                    line = in.readLine();
                }
                socket.getOutputStream().write(beginning.getBytes(ISO_8859_1));
                socket.getOutputStream().flush();
                answered.countDown();
                while (in.read() >= 0) {
                    // Nothing more is sent.
                }
                closed.countDown();
            } catch (IOException reset) {
                closed.countDown();
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    /** Sends a request on a thread of its own, and returns when the server has answered what it answers. */
    private FutureTask<Throwable> sent(Kind kind, Pipeline pipeline) throws InterruptedException {
        RestClient client = RestClient.builder()
                .requestFactory(kind.factory())
                .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(pipeline)))
                .requestInterceptor((request, body, rest) -> {
                    inside.run();
                    return rest.execute(request, body);
                })
                .build();
        FutureTask<Throwable> call = new FutureTask<>(() -> catchThrowable(() -> client.get()
                .uri("http://127.0.0.1:" + server.getLocalPort() + "/")
                .retrieve()
                .body(String.class)));
        caller = new Thread(call);
        caller.start();
        assertThat(answered.await(1, TimeUnit.MINUTES)).isTrue();
        return call;
    }

    private void isGivenUp(Kind kind) throws Exception {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline = limited(Duration.ofSeconds(1), time)) {
            FutureTask<Throwable> call = sent(kind, pipeline);
            time.advance(Duration.ofSeconds(1));
            assertThat(call.get(1, TimeUnit.MINUTES))
                    .isInstanceOf(ResourceAccessException.class)
                    .cause()
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasCauseInstanceOf(CallTimeoutException.class);
        }
        assertThat(closed.await(1, TimeUnit.MINUTES)).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aRequestWithoutAnAnswerIsGivenUp(Kind kind) throws Exception {
        answering("");
        isGivenUp(kind);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aBodyThatDoesNotEndIsGivenUp(Kind kind) throws Exception {
        answering(HALF);
        isGivenUp(kind);
    }

    /** Spring would wait for the connection while it writes the body, and would send the request later. */
    @Test
    void aRequestOverJettyWithABodyDoesNotWaitForAConnection() throws Exception {
        HttpClient jetty = new HttpClient();
        jetty.setMaxConnectionsPerDestination(1);
        ClientHttpRequestFactory factory = RequestFactories.jetty(jetty);
        CountDownLatch queued = new CountDownLatch(2);
        CountDownLatch failed = new CountDownLatch(1);
        Set<Request> begun = ConcurrentHashMap.newKeySet();
        jetty.getRequestListeners().addQueuedListener(request -> queued.countDown());
        jetty.getRequestListeners().addBeginListener(begun::add);
        jetty.getRequestListeners().addFailureListener((request, failure) -> failed.countDown());
        answering("");
        try (VirtualTime time = new VirtualTime();
                Pipeline patient = limited(Duration.ofSeconds(2), time);
                Pipeline hasty = limited(Duration.ofSeconds(1), time)) {
            FutureTask<Throwable> holder = posted(factory, patient);
            assertThat(answered.await(1, TimeUnit.MINUTES)).isTrue();
            FutureTask<Throwable> waiter = posted(factory, hasty);
            assertThat(queued.await(1, TimeUnit.MINUTES)).isTrue();
            time.advance(Duration.ofSeconds(1));
            isTimedOut(waiter);
            assertThat(failed.await(1, TimeUnit.MINUTES)).as("a request failed").isTrue();
            assertThat(holder).as("the request that has the connection").isNotDone();
            time.advance(Duration.ofSeconds(1));
            isTimedOut(holder);
            assertThat(begun)
                    .as("requests that began, now that the connection is free")
                    .hasSize(1);
        } finally {
            jetty.stop();
        }
    }

    private static Pipeline limited(Duration limit, VirtualTime time) {
        return Pipeline.builder("shop")
                .policies(TimeoutPolicy.of(limit))
                .time(time)
                .build();
    }

    private FutureTask<Throwable> posted(ClientHttpRequestFactory factory, Pipeline pipeline) {
        RestClient client = RestClient.builder()
                .requestFactory(factory)
                .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(pipeline)))
                .build();
        FutureTask<Throwable> call = new FutureTask<>(() -> catchThrowable(() -> client.post()
                .uri("http://127.0.0.1:" + server.getLocalPort() + "/")
                .body("an order")
                .retrieve()
                .toBodilessEntity()));
        new Thread(call).start();
        return call;
    }

    private static void isTimedOut(FutureTask<Throwable> call) throws Exception {
        assertThat(call.get(1, TimeUnit.MINUTES))
                .isInstanceOf(ResourceAccessException.class)
                .cause()
                .hasCauseInstanceOf(CallTimeoutException.class);
    }

    /** Not by the pipeline, but from outside. A body of the JDK's client waits on, unless the interrupt comes before it is read. */
    @ParameterizedTest
    @EnumSource(value = Kind.class, names = "JDK", mode = EnumSource.Mode.EXCLUDE)
    void anInterruptedCallerLeavesABody(Kind kind) throws Exception {
        answering(HALF);
        isInterrupted(kind);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void anInterruptedCallerWaitsForNoAnswer(Kind kind) throws Exception {
        answering("");
        isInterrupted(kind);
    }

    /** As a request through another adapter does: it takes the interrupt of the thread from the channels outside. */
    @ParameterizedTest
    @EnumSource(Kind.class)
    void anInterruptedCallerWithinWhoseAttemptAChannelWasUsedWaitsForNoAnswer(Kind kind) throws Exception {
        inside = () -> {
            try (FileChannel file = FileChannel.open(Path.of("pom.xml"))) {
                assertThat(file.size()).isPositive();
            }
        };
        answering("");
        isInterrupted(kind);
    }

    private void isInterrupted(Kind kind) throws Exception {
        try (Pipeline pipeline = Pipeline.of("shop", TimeoutPolicy.of(Duration.ofMinutes(5)))) {
            FutureTask<Throwable> call = sent(kind, pipeline);
            caller.interrupt();
            assertThat(call.get(1, TimeUnit.MINUTES))
                    .isInstanceOf(ResourceAccessException.class)
                    .hasCauseInstanceOf(InterruptedIOException.class);
        }
    }
}
