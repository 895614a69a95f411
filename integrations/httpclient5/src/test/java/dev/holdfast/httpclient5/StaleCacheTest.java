/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.GZIPOutputStream;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.classic.methods.HttpPut;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequestInterceptor;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.impl.BasicEntityDetails;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpResponse;
import org.apache.hc.core5.http.message.BasicHttpResponse;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of Apache's requests a stale cache sees, and what a refresh has of the first one. */
class StaleCacheTest {
    private final ScriptedServer server = ScriptedServer.start();
    private final Pipeline pipeline = Pipeline.of("shop", StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)));
    private final CloseableHttpClient client =
            HoldfastExec.of(Pipelines.one(pipeline)).addTo(HttpClients.custom()).build();

    @AfterEach
    void close() throws IOException {
        client.close();
        pipeline.close();
        server.close();
    }

    private HttpGet get() {
        return new HttpGet(server.uri("/x"));
    }

    private String body(HttpGet request) throws IOException {
        return client.execute(request, response -> EntityUtils.toString(response.getEntity()));
    }

    private void answers(String control, String... bodies) {
        for (String body : bodies) {
            server.answers(200, body).with("Cache-Control", control);
        }
    }

    /** The client's own store adds them. */
    @Test
    void cookiesAreSeen() throws Exception {
        server.answers(200, "first").with("Set-Cookie", "user=ann");
        answers("max-age=3600", "ann", "bob");
        for (String body : List.of("first", "ann", "bob")) {
            assertThat(body(get())).isEqualTo(body);
        }
        assertThat(server.requests().get(1).header("Cookie")).isEqualTo("user=ann");
    }

    @Test
    void whatAnInterceptorSendsToAnotherAddressIsNotForOthers() throws Exception {
        answers("max-age=3600", "of ann", "of bob", "of ann", "of bob");
        AtomicReference<String> tenant = new AtomicReference<>();
        HttpRequestInterceptor adding =
                (request, entity, context) -> request.setPath(request.getPath() + "?tenant=" + tenant.get());
        try (CloseableHttpClient blocking = HoldfastExec.of(Pipelines.one(pipeline))
                        .addTo(HttpClients.custom().addRequestInterceptorFirst(adding))
                        .build();
                CloseableHttpAsyncClient async = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                        .addTo(HttpAsyncClients.custom().addRequestInterceptorFirst(adding))
                        .build()) {
            async.start();
            for (String who : List.of("ann", "bob")) {
                tenant.set(who);
                assertThat(blocking.<String>execute(get(), response -> EntityUtils.toString(response.getEntity())))
                        .isEqualTo("of " + who);
            }
            for (String who : List.of("ann", "bob")) {
                tenant.set(who);
                assertThat(async.execute(
                                        SimpleRequestBuilder.get(server.uri("/x"))
                                                .build(),
                                        null)
                                .get()
                                .getBodyText())
                        .isEqualTo("of " + who);
            }
        }
    }

    /** The first server has done its work. */
    @Test
    void aChangeWhoseRedirectGetsNoAnswerRemovesWhatWasKept() throws Exception {
        try (Socket nobody = new Socket();
                CloseableHttpAsyncClient async = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                        .addTo(HttpAsyncClients.custom())
                        .build()) {
            nobody.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            async.start();
            for (int i = 0; i < 2; i++) {
                answers("max-age=3600", "old");
                server.answers(303, "").with("Location", "http://127.0.0.1:" + nobody.getLocalPort() + "/");
                answers("max-age=3600", "new");
            }
            assertThat(body(get())).isEqualTo("old");
            assertThatThrownBy(() -> client.execute(new HttpPost(server.uri("/x")), response -> "never"))
                    .isInstanceOf(IOException.class);
            assertThat(body(get())).isEqualTo("new");
            pipeline.policy(StaleCachePolicy.class).clear();
            SimpleHttpRequest get = SimpleRequestBuilder.get(server.uri("/x")).build();
            assertThat(async.execute(get, null).get().getBodyText()).isEqualTo("old");
            SimpleHttpRequest post = SimpleRequestBuilder.post(server.uri("/x")).build();
            assertThatThrownBy(() -> async.execute(post, null).get()).hasCauseInstanceOf(IOException.class);
            assertThat(async.execute(get, null).get().getBodyText()).isEqualTo("new");
        }
    }

    /** No host, and no port. */
    @ParameterizedTest
    @ValueSource(strings = {"http://[::bad", "http:nowhere", "http://127.0.0.1:99999/"})
    void aChangeWhoseRedirectCannotBeReadRemovesWhatWasKept(String location) throws Exception {
        answers("max-age=3600", "old");
        server.answers(302).with("Location", location).answers(500, "none is left");
        assertThat(body(get())).isEqualTo("old");
        assertThatThrownBy(() -> client.execute(new HttpPut(server.uri("/x")), response -> "never"))
                .isInstanceOf(Exception.class);
        assertThat(body(get())).isEqualTo("none is left");
        pipeline.policy(StaleCachePolicy.class).clear();
        try (CloseableHttpAsyncClient async = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                .addTo(HttpAsyncClients.custom())
                .build()) {
            async.start();
            SimpleHttpRequest get = SimpleRequestBuilder.get(server.uri("/x")).build();
            SimpleHttpRequest change =
                    SimpleRequestBuilder.put(server.uri("/x")).build();
            answers("max-age=3600", "old");
            server.answers(302).with("Location", location).answers(500, "none is left");
            assertThat(async.execute(get, null).get().getBodyText()).isEqualTo("old");
            assertThatThrownBy(() -> async.execute(change, null).get()).isInstanceOf(ExecutionException.class);
            assertThat(async.execute(get, null).get().getBodyText()).isEqualTo("none is left");
        }
    }

    /** The client asks for gzip by itself, and decodes it. */
    @Test
    void whatItHasDecodedIsKept() throws Exception {
        byte[] zipped = gzip("1234");
        HttpServer gzipping = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        AtomicInteger asked = new AtomicInteger();
        gzipping.createContext("/", exchange -> {
            asked.incrementAndGet();
            exchange.getResponseHeaders().add("Content-Encoding", "gzip");
            exchange.getResponseHeaders().add("Vary", "Accept-Encoding");
            exchange.getResponseHeaders().add("Cache-Control", "max-age=3600");
            exchange.sendResponseHeaders(200, zipped.length);
            exchange.getResponseBody().write(zipped);
            exchange.close();
        });
        gzipping.start();
        String uri = "http://127.0.0.1:" + gzipping.getAddress().getPort() + "/x";
        try (CloseableHttpAsyncClient async = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                .addTo(HttpAsyncClients.custom())
                .build()) {
            async.start();
            for (int i = 0; i < 2; i++) {
                assertThat(body(new HttpGet(uri))).isEqualTo("1234");
                assertThat(async.execute(SimpleRequestBuilder.get(uri).build(), null)
                                .get()
                                .getBodyText())
                        .isEqualTo("1234");
            }
            assertThat(asked).as("once for each client").hasValue(2);

            HttpGet asItIs = new HttpGet(uri);
            asItIs.setHeader("Accept-Encoding", "identity");
            body(asItIs);
            assertThat(asked).hasValue(3);
        } finally {
            gzipping.stop(0);
        }
    }

    private static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream zip = new GZIPOutputStream(bytes)) {
            zip.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    /** The body is no part of the key. */
    @Test
    void aRequestWithABodyGoesToTheService() throws Exception {
        answers("max-age=3600", "one", "two");
        for (String body : List.of("one", "two")) {
            HttpGet request = get();
            request.setEntity(new StringEntity(body));
            assertThat(body(request)).isEqualTo(body);
        }
    }

    @Test
    void aRefreshLeavesContextAndRequestOfTheCallerAlone() throws Exception {
        answers("max-age=0, stale-while-revalidate=3600", "12", "13");
        assertThat(body(get())).isEqualTo("12");
        HttpGet request = get();
        HttpClientContext context = HttpClientContext.create();
        String old = client.execute(request, context, response -> EntityUtils.toString(response.getEntity()));
        assertThat(old).isEqualTo("12");
        request.setHeader("X-Later", "yes");
        while (!body(get()).equals("13")) {
            Thread.onSpinWait();
        }
        assertThat(context.getResponse()).as("of an exchange with this context").isNull();
        assertThat(server.requests().get(1).header("X-Later")).isNull();
    }

    @Test
    void aBodyThatIsClosedClosesNoOther() throws Exception {
        answers("max-age=3600", "12");
        assertThat(body(get())).isEqualTo("12");
        ClassicHttpResponse closed = client.executeOpen(null, get(), null);
        try (ClassicHttpResponse other = client.executeOpen(null, get(), null)) {
            closed.close();
            assertThat(EntityUtils.toString(other.getEntity())).isEqualTo("12");
            assertThat(other.getFirstHeader("Holdfast-Source").getValue()).isEqualTo("fresh");
        }
    }

    // ---- answers that are not those of the target

    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private final Pipeline retrying = Pipeline.builder("shop")
            .policies(
                    StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)),
                    RetryPolicy.of(r -> r.maxAttempts(2)
                            .initialBackoff(Duration.ofMillis(1))
                            .budgetEnabled(false)))
            .observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.add(outcome);
                }
            })
            .build();

    /** Sends a GET and returns its body. */
    private interface Getting {
        String get() throws Exception;
    }

    /**
     * What a handler answers by itself.
     *
     * @param answers sets its status; null: it asks the target
     */
    private void assertAnswersOfAHandlerAreJudgedAndNotKept(Getting sending, Consumer<@Nullable Integer> answers)
            throws Exception {
        answers("max-age=0, stale-if-error=3600", "of the target");
        assertThat(sending.get()).isEqualTo("of the target");
        attempts.clear();

        answers.accept(503);
        assertThat(sending.get()).isEqualTo("of the target");
        assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.FAILURE);
        for (int status : List.of(200, 404)) {
            answers.accept(status);
            assertThat(sending.get()).isEqualTo("of a handler");
            answers.accept(503);
            assertThat(sending.get()).as("after " + status).isEqualTo("of the target");
        }
        assertThat(server.requests()).hasSize(1);
        retrying.close();
    }

    @Test
    void whatAHandlerAnswersByItselfIsJudgedAndNotKept() throws Exception {
        AtomicReference<@Nullable Integer> status = new AtomicReference<>();
        try (CloseableHttpClient own = HoldfastExec.of(Pipelines.one(retrying))
                .addTo(HttpClients.custom())
                .addExecInterceptorAfter(HoldfastExec.NAME, "own", (request, scope, chain) -> {
                    Integer now = status.get();
                    if (now == null) {
                        return chain.proceed(request, scope);
                    }
                    ClassicHttpResponse response = new BasicClassicHttpResponse(now);
                    response.setHeader("Cache-Control", "max-age=3600");
                    response.setEntity(new StringEntity("of a handler"));
                    return response;
                })
                .build()) {
            // With what was sent before in it.
            HttpClientContext context = HttpClientContext.create();
            assertAnswersOfAHandlerAreJudgedAndNotKept(
                    () -> own.execute(get(), context, response -> EntityUtils.toString(response.getEntity())),
                    status::set);
        }
    }

    @Test
    void whatAnAsynchronousHandlerAnswersByItselfIsJudgedAndNotKept() throws Exception {
        AtomicReference<@Nullable Integer> status = new AtomicReference<>();
        byte[] body = "of a handler".getBytes(StandardCharsets.UTF_8);
        try (CloseableHttpAsyncClient own = HoldfastAsyncExec.of(Pipelines.one(retrying))
                .addTo(HttpAsyncClients.custom())
                .addExecInterceptorAfter(HoldfastExec.NAME, "own", (request, sent, scope, chain, caller) -> {
                    Integer now = status.get();
                    if (now == null) {
                        chain.proceed(request, sent, scope, caller);
                        return;
                    }
                    HttpResponse response = new BasicHttpResponse(now);
                    response.setHeader("Cache-Control", "max-age=3600");
                    AsyncDataConsumer consumer = caller.handleResponse(
                            response, new BasicEntityDetails(body.length, ContentType.TEXT_PLAIN));
                    consumer.consume(ByteBuffer.wrap(body));
                    consumer.streamEnd(null);
                    caller.completed();
                })
                .build()) {
            own.start();
            HttpClientContext context = HttpClientContext.create();
            assertAnswersOfAHandlerAreJudgedAndNotKept(
                    () -> own.execute(SimpleRequestBuilder.get(server.uri("/x")).build(), context, null)
                            .get()
                            .getBodyText(),
                    status::set);
        }
    }

    /** Refuses each tunnel in this way, and closes the connection. */
    private static void refuseTunnels(ServerSocket proxy, Supplier<String> refusal, AtomicInteger asked) {
        Thread thread = new Thread(() -> {
            while (!proxy.isClosed()) {
                try (Socket socket = proxy.accept()) {
                    BufferedReader head = new BufferedReader(
                            new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
                    for (String line = head.readLine(); line != null && !line.isEmpty(); ) {
                        line = head.readLine();
                    }
                    asked.incrementAndGet();
                    socket.getOutputStream()
                            .write(("HTTP/1.1 " + refusal.get() + "\r\nCache-Control: public, max-age=3600\r\n"
                                            + "Content-Length: 3\r\nConnection: close\r\n\r\nbad")
                                    .getBytes(StandardCharsets.ISO_8859_1));
                } catch (IOException closed) {
                    // By the client, or the proxy itself.
                }
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @Test
    void whatAProxyAnswersInPlaceOfATunnelIsJudgedAndNotKept() throws Exception {
        AtomicReference<String> refusal = new AtomicReference<>("");
        AtomicInteger asked = new AtomicInteger();
        try (ServerSocket proxy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                CloseableHttpClient blocking = HoldfastExec.of(Pipelines.one(retrying))
                        .addTo(HttpClients.custom())
                        .setProxy(new HttpHost("http", "127.0.0.1", proxy.getLocalPort()))
                        .disableRedirectHandling()
                        .build();
                CloseableHttpAsyncClient async = HoldfastAsyncExec.of(Pipelines.one(retrying))
                        .addTo(HttpAsyncClients.custom())
                        .setProxy(new HttpHost("http", "127.0.0.1", proxy.getLocalPort()))
                        .disableRedirectHandling()
                        .build()) {
            refuseTunnels(proxy, refusal::get, asked);
            async.start();
            String uri = "https://target.invalid/x";
            HttpClientContext context = HttpClientContext.create();
            List<Getting> ways = List.of(
                    () -> {
                        context.setRequest(new HttpGet(uri)); // of an earlier call
                        return blocking.execute(
                                new HttpGet(uri), context, response -> EntityUtils.toString(response.getEntity()));
                    },
                    () -> async.execute(SimpleRequestBuilder.get(uri).build(), null)
                            .get()
                            .getBodyText());
            for (Getting way : ways) {
                for (String status : List.of("502 Bad", "503 Busy\r\nRetry-After: 0", "407 Who", "404 No", "301 To")) {
                    refusal.set(status);
                    attempts.clear();
                    int before = asked.get();
                    assertThat(way.get()).isEqualTo("bad");
                    Outcome outcome = status.startsWith("502")
                            ? Outcome.FAILURE
                            : status.startsWith("503")
                                    ? Outcome.PUSHBACK
                                    : status.startsWith("4") ? Outcome.IGNORED : Outcome.SUCCESS;
                    assertThat(attempts).as(status).containsOnly(outcome).hasSize(status.startsWith("50") ? 2 : 1);
                    assertThat(asked).as("each time").hasValue(before + attempts.size());
                }
            }
        }
        retrying.close();
    }
}
