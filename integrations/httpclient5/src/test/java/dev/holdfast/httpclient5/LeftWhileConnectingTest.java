/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.http.Pipelines;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.ChainElement;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.apache.hc.core5.http.nio.ssl.TlsStrategy;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.reactor.ssl.TransportSecurityLayer;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * An attempt that ends before it has a connection. One that is given up during the TLS handshake has an open socket, which nobody
 * can close until the handshake is over. One whose resolver of names fails has a place in the pool.
 */
class LeftWhileConnectingTest {
    private static final int MOST = 2;

    private final VirtualTime time = new VirtualTime();
    private final Server server = new Server();
    private final Handshakes handshakes = new Handshakes();
    private final PoolingAsyncClientConnectionManager pool = PoolingAsyncClientConnectionManagerBuilder.create()
            .setTlsStrategy(handshakes)
            .setMaxConnPerRoute(MOST)
            .setMaxConnTotal(MOST)
            .build();
    private final List<AutoCloseable> open = new ArrayList<>();

    LeftWhileConnectingTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
        pool.close();
        server.close();
        time.close();
    }

    // ---- the server, and the handshakes

    /** Accepts, and says nothing but an answer to whoever sends a request. Knows which connections the client has not closed. */
    private static final class Server implements AutoCloseable {
        private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final AtomicInteger accepted = new AtomicInteger();
        private final AtomicInteger open = new AtomicInteger();
        private final List<Socket> clients = new CopyOnWriteArrayList<>();
        private volatile boolean isBegun;

        Server() throws IOException {
            start(() -> {
                while (true) {
                    Socket client = socket.accept();
                    clients.add(client);
                    open.incrementAndGet();
                    accepted.incrementAndGet();
                    start(() -> serve(client));
                }
            });
        }

        private interface Task {
            void run() throws IOException;
        }

        private static void start(Task task) {
            Thread thread = new Thread(() -> {
                try {
                    task.run();
                } catch (IOException e) {
                    // It is closed.
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        private void serve(Socket client) throws IOException {
            try (client) {
                StringBuilder request = new StringBuilder();
                for (int next = client.getInputStream().read();
                        next >= 0;
                        next = client.getInputStream().read()) {
                    isBegun = true;
                    request.append((char) next);
                    if (request.toString().endsWith("\r\n\r\n")) {
                        client.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes(UTF_8));
                        request.setLength(0);
                    }
                }
            } finally {
                open.decrementAndGet();
            }
        }

        void endAll() throws IOException {
            for (Socket client : clients) {
                client.close();
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
            endAll();
        }
    }

    /** Those under way, until the test ends them. Nothing is sent, so that the server needs no certificate. */
    private static final class Handshakes implements TlsStrategy {
        private record Handshake(TransportSecurityLayer session, FutureCallback<TransportSecurityLayer> callback) {
            void complete() {
                callback.completed(session);
            }
        }

        private final Queue<Handshake> underWay = new ConcurrentLinkedQueue<>();
        private volatile boolean hang = true;

        @Override
        public void upgrade(
                TransportSecurityLayer session,
                NamedEndpoint endpoint,
                Object attachment,
                Timeout timeout,
                FutureCallback<TransportSecurityLayer> callback) {
            Handshake handshake = new Handshake(session, callback);
            if (hang) {
                underWay.add(handshake);
            } else {
                handshake.complete();
            }
        }

        @Override
        @Deprecated
        public boolean upgrade(
                TransportSecurityLayer session,
                HttpHost host,
                SocketAddress local,
                SocketAddress remote,
                Object attachment,
                Timeout timeout) {
            throw new UnsupportedOperationException();
        }

        void complete() {
            hang = false;
            underWay.forEach(Handshake::complete);
        }
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - end).as("a minute is over").isNegative();
            Thread.onSpinWait();
        }
    }

    private void awaitHandshakes(int count) {
        await(() -> handshakes.underWay.size() == count && server.open.get() == count);
    }

    // ---- the client

    private CloseableHttpAsyncClient client(Policy... policies) {
        return client(pool, policies);
    }

    private CloseableHttpAsyncClient client(PoolingAsyncClientConnectionManager connections, Policy... policies) {
        return client(HttpAsyncClients.custom().setConnectionManager(connections), policies);
    }

    private CloseableHttpAsyncClient client(HttpAsyncClientBuilder builder, Policy... policies) {
        Pipeline pipeline =
                Pipeline.builder("shop").policies(policies).time(time).build();
        CloseableHttpAsyncClient client =
                HoldfastAsyncExec.of(Pipelines.one(pipeline)).addTo(builder).build();
        client.start();
        open.add(client);
        open.add(pipeline);
        return client;
    }

    private Future<SimpleHttpResponse> send(CloseableHttpAsyncClient client) {
        return client.execute(
                new HttpHost("https", "127.0.0.1", server.socket.getLocalPort()),
                new BasicRequestProducer(new BasicHttpRequest("GET", "/"), null),
                SimpleResponseConsumer.create(),
                null,
                null,
                null);
    }

    private static void cancel(Future<?> sent) {
        sent.cancel(true);
        assertThatThrownBy(() -> sent.get(1, TimeUnit.MINUTES)).isInstanceOf(CancellationException.class);
    }

    private int leased() {
        return pool.getTotalStats().getLeased();
    }

    /** All is as if nothing had been given up. */
    private void assertThatNothingIsLeft(CloseableHttpAsyncClient client) throws Exception {
        await(() -> server.open.get() == 0);
        assertThat(Pools.isIdle(pool)).as("pool %s", pool.getTotalStats()).isTrue();
        assertThat(send(client).get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
    }

    // ---- the tests

    @Test
    void aCancelledOneIsCountedByThePoolUntilItsHandshakeFails() throws Exception {
        PoolingAsyncClientConnectionManager real =
                PoolingAsyncClientConnectionManagerBuilder.create().build();
        Future<SimpleHttpResponse> sent = send(client(real));
        await(() -> server.isBegun);
        cancel(sent);
        assertThat(server.open).hasValue(1);
        assertThat(real.getTotalStats().getLeased()).isEqualTo(1);
        server.endAll();
        assertThat(Pools.isIdle(real)).as("pool %s", real.getTotalStats()).isTrue();
    }

    @Test
    void aHandshakeThatCompletesLateIsFollowedByAClose() throws Exception {
        CloseableHttpAsyncClient client = client();
        Future<SimpleHttpResponse> sent = send(client);
        awaitHandshakes(1);
        cancel(sent);
        handshakes.complete();
        assertThatNothingIsLeft(client);
    }

    @Test
    void thePoolBoundsTheConnectionsOfThoseThatAreCancelled() throws Exception {
        CloseableHttpAsyncClient client = client();
        for (int i = 0; i < MOST; i++) {
            Future<SimpleHttpResponse> sent = send(client);
            awaitHandshakes(i + 1);
            cancel(sent);
        }
        for (int i = 1; i <= 3 * MOST; i++) {
            int more = i;
            Future<SimpleHttpResponse> sent = send(client);
            // The pool forgets a cancelled one only when a connection comes back.
            await(() -> pool.getTotalStats().getPending() == more || server.accepted.get() > MOST);
            cancel(sent);
        }
        assertThat(server.accepted).hasValue(MOST);
        handshakes.complete();
        assertThatNothingIsLeft(client);
    }

    @Test
    void oneThatTimesOutIsCountedByThePoolAndItsPermitIsBack() throws Exception {
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1));
        CloseableHttpAsyncClient client = client(TimeoutPolicy.of(Duration.ofSeconds(1)), bulkhead);
        Future<SimpleHttpResponse> sent = send(client);
        awaitHandshakes(1);
        time.advance(Duration.ofSeconds(1));
        assertThatThrownBy(() -> sent.get(1, TimeUnit.MINUTES)).hasRootCauseInstanceOf(CallTimeoutException.class);
        assertThat(server.open).hasValue(1);
        assertThat(leased()).isEqualTo(1);
        Future<SimpleHttpResponse> next = send(client);
        awaitHandshakes(2);
        handshakes.complete();
        assertThat(next.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
        await(() -> server.open.get() == 1);
        assertThat(Pools.isIdle(pool)).as("pool %s", pool.getTotalStats()).isTrue();
    }

    @Test
    void theLoserOfAHedgeIsCountedByThePool() throws Exception {
        CloseableHttpAsyncClient client = client(HedgePolicy.of(h -> h.delay(Duration.ofSeconds(1))));
        Future<SimpleHttpResponse> sent = send(client);
        awaitHandshakes(1);
        handshakes.hang = false;
        time.advance(Duration.ofSeconds(1));
        assertThat(sent.get(1, TimeUnit.MINUTES).getCode()).isEqualTo(200);
        await(() -> pool.getTotalStats().getAvailable() == 1);
        assertThat(server.open).hasValue(2);
        assertThat(leased()).isEqualTo(1);
        handshakes.complete();
        await(() -> server.open.get() == 1);
        assertThat(Pools.isIdle(pool)).as("pool %s", pool.getTotalStats()).isTrue();
    }

    /** The handshake with a server that hangs may take minutes. */
    @Test
    void aHandlerBelowHearsOfTheEndAtOnce() {
        AtomicInteger failed = new AtomicInteger();
        CloseableHttpAsyncClient client = client(HttpAsyncClients.custom()
                .setConnectionManager(pool)
                .addExecInterceptorBefore(
                        ChainElement.CONNECT.name(),
                        "own",
                        (request, body, scope, chain, callback) ->
                                chain.proceed(request, body, scope, new Hearing(callback, failed))));
        Future<SimpleHttpResponse> sent = send(client);
        awaitHandshakes(1);
        cancel(sent);
        await(() -> failed.get() > 0);
        assertThat(server.open).hasValue(1);
    }

    private record Hearing(AsyncExecCallback callback, AtomicInteger failures) implements AsyncExecCallback {
        @Override
        public AsyncDataConsumer handleResponse(HttpResponse response, EntityDetails body)
                throws HttpException, IOException {
            return callback.handleResponse(response, body);
        }

        @Override
        public void handleInformationResponse(HttpResponse response) throws HttpException, IOException {
            callback.handleInformationResponse(response);
        }

        @Override
        public void completed() {
            callback.completed();
        }

        @Override
        public void failed(Exception cause) {
            failures.incrementAndGet();
            callback.failed(cause);
        }
    }

    private record Unresolved(Throwable broken) implements DnsResolver {
        @Override
        public InetAddress[] resolve(String host) {
            throw unchecked();
        }

        @Override
        public String resolveCanonicalHostname(String host) {
            throw unchecked();
        }

        private RuntimeException unchecked() {
            if (broken instanceof Error error) {
                throw error;
            }
            return (RuntimeException) broken;
        }
    }

    private static List<Throwable> broken() {
        return List.of(new IllegalStateException("no resolver"), new NoClassDefFoundError("no resolver"));
    }

    /** Then nothing is being made, and the connection would be leased for ever. */
    @ParameterizedTest
    @MethodSource("broken")
    void aConnectThatThrowsGivesItsConnectionBack(Throwable broken) {
        PoolingAsyncClientConnectionManager unresolved = PoolingAsyncClientConnectionManagerBuilder.create()
                .setDnsResolver(new Unresolved(broken))
                .build();
        Future<SimpleHttpResponse> sent = send(client(unresolved));
        assertThatThrownBy(() -> sent.get(1, TimeUnit.MINUTES)).hasRootCause(broken);
        assertThat(Pools.isIdle(unresolved))
                .as("pool %s", unresolved.getTotalStats())
                .isTrue();
    }

    @ParameterizedTest
    @MethodSource("broken")
    void anErrorOfTheClassicClientsResolverGivesTheConnectionBack(Throwable broken) throws Exception {
        PoolingHttpClientConnectionManager unresolved = PoolingHttpClientConnectionManagerBuilder.create()
                .setDnsResolver(new Unresolved(broken))
                .build();
        try (Pipeline pipeline = Pipeline.of("shop");
                CloseableHttpClient client = HoldfastExec.of(Pipelines.one(pipeline))
                        .addTo(HttpClients.custom().setConnectionManager(unresolved))
                        .build()) {
            assertThatThrownBy(() -> client.execute(new HttpGet("http://localhost/"), response -> null))
                    .hasStackTraceContaining("no resolver");
            assertThat(unresolved.getTotalStats().getLeased()).isZero();
        }
    }
}
