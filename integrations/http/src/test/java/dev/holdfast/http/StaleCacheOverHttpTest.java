/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client whose pipeline has a stale cache. */
class StaleCacheOverHttpTest {
    private enum Way {
        BLOCKING,
        ASYNCHRONOUS
    }

    private static final int MOST = 1_000;

    private final ScriptedServer server = ScriptedServer.start();
    private final Pipeline pipeline = Pipeline.of(
            "shop", StaleCachePolicy.of(c -> c.staleIfError(Duration.ofHours(1)).staleIfSlow(Duration.ZERO)));
    private final HttpClient client = HoldfastHttpClient.around(
            HttpClient.newHttpClient(),
            Pipelines.one(pipeline),
            o -> o.maxKept(MOST)
                    .partition(request -> request.headers().firstValue("X-User").orElse(null)));

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
    }

    private HttpRequest.Builder get(String path) {
        return HttpRequest.newBuilder(
                path.isEmpty() ? URI.create("http://" + server.uri("/").getAuthority()) : server.uri(path));
    }

    private <T> HttpResponse<T> send(Way way, HttpRequest request, BodyHandler<T> handler) throws Exception {
        return way == Way.BLOCKING
                ? client.send(request, handler)
                : client.sendAsync(request, handler).get();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOldAnswerTakesThePlaceOfAnError(Way way) throws Exception {
        server.answers(200, "12").answers(500, "broken");
        HttpRequest request = get("/stock/1").build();
        HttpResponse<String> live = send(way, request, BodyHandlers.ofString());
        assertThat(live.headers().firstValue("Holdfast-Source")).isEmpty();
        HttpResponse<String> old = send(way, request, BodyHandlers.ofString());
        assertThat(old.statusCode()).isEqualTo(200);
        assertThat(old.body()).isEqualTo("12");
        assertThat(old.headers().firstValue("Holdfast-Source")).contains("stale_on_error");
        assertThat(old.headers().firstValueAsLong("Age")).isPresent();
        assertThat(old.uri()).isEqualTo(request.uri());
        assertThat(server.requests()).hasSize(2);
        assertThatThrownBy(() -> send(way, get("/stock/2").build(), info -> {
                    throw new IllegalStateException("its own");
                }))
                .hasRootCauseMessage("its own");
    }

    /** Each caller's handler reads the bytes for itself. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whileItIsFreshNobodyIsAskedAndEachHandlerReadsIt(Way way) throws Exception {
        server.answers(200, "a\nb").with("Cache-Control", "max-age=3600").answers(500);
        HttpRequest request = get("/x").build();
        assertThat(send(way, request, BodyHandlers.ofString()).body()).isEqualTo("a\nb");
        assertThat(send(way, request, BodyHandlers.ofByteArray()).body())
                .asString()
                .isEqualTo("a\nb");
        try (InputStream stream =
                send(way, request, BodyHandlers.ofInputStream()).body()) {
            assertThat(stream.readAllBytes()).asString().isEqualTo("a\nb");
        }
        try (Stream<String> lines = send(way, request, BodyHandlers.ofLines()).body()) {
            assertThat(lines).containsExactly("a", "b");
        }
        assertThat(send(way, request, BodyHandlers.discarding()).body()).isNull();
        HttpResponse<String> again = send(way, request, BodyHandlers.ofString());
        assertThat(again.headers().firstValue("Holdfast-Source")).contains("fresh");
        assertThat(server.requests()).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOldAnswerIsRefreshedInTheBackground(Way way) throws Exception {
        String control = "max-age=0, stale-while-revalidate=3600";
        server.answers(200, "12")
                .with("Cache-Control", control)
                .answers(200, "13")
                .with("Cache-Control", control);
        HttpRequest request = get("/x").build();
        assertThat(send(way, request, BodyHandlers.ofString()).body()).isEqualTo("12");
        HttpResponse<String> old = send(way, request, BodyHandlers.ofString());
        assertThat(old.body()).isEqualTo("12");
        assertThat(old.headers().firstValue("Holdfast-Source")).contains("stale_revalidating");
        while (!send(way, request, BodyHandlers.ofString()).body().equals("13")) {
            Thread.onSpinWait();
        }
    }

    /** A 404 is seen by the cache itself if it may answer the request; else the adapter tells it. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whatARequestPastTheCacheFindsGoneIsGone(Way way) throws Exception {
        for (int status : new int[] {404, 410}) {
            for (HttpRequest past : List.of(
                    get("/x").header("Cache-Control", "no-cache").build(),
                    get("/x").header("If-None-Match", "\"1\"").build(),
                    get("/x").method("HEAD", BodyPublishers.noBody()).build())) {
                server.answers(200, "12").answers(status).answers(500);
                assertThat(send(way, get("/x").build(), BodyHandlers.ofString()).statusCode())
                        .isEqualTo(200);
                assertThat(send(way, past, BodyHandlers.ofString()).statusCode())
                        .isEqualTo(status);
                assertThat(send(way, get("/x").build(), BodyHandlers.ofString()).statusCode())
                        .as("after %s", past)
                        .isEqualTo(500);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAHandlerWithATargetFindsGoneIsGone(Way way) throws Exception {
        server.answers(200, "12").answers(404).answers(500);
        HttpRequest request = get("/x").build();
        send(way, request, BodyHandlers.ofString());
        send(way, request, BodyHandlers.ofByteArrayConsumer(part -> {}));
        assertThat(send(way, request, BodyHandlers.ofString()).statusCode()).isEqualTo(500);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whoHasAskedForANewOneIsNotAnsweredWithAnOldOneAfterwards(Way way) throws Exception {
        for (HttpRequest past : List.of(
                get("/x").header("Cache-Control", "no-cache").build(),
                get("/x").header("Cache-Control", "max-age=0").build(),
                get("/x").header("Pragma", "no-cache").build())) {
            server.answers(200, "1")
                    .with("Cache-Control", "max-age=3600")
                    .answers(200, "2")
                    .answers(200, "3");
            assertThat(send(way, get("/x").build(), BodyHandlers.ofString()).body())
                    .isEqualTo("1");
            assertThat(send(way, past, BodyHandlers.ofString()).body()).isEqualTo("2");
            assertThat(send(way, get("/x").build(), BodyHandlers.ofString()).body())
                    .isEqualTo("3");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aChangeIsOfItsAddressHoweverItIsWritten(Way way) throws Exception {
        for (String[] written : List.of(
                new String[] {"", "/"},
                new String[] {"/a", "/a?"},
                new String[] {"/a%2fb", "/a%2Fb"},
                new String[] {"/%7Eann", "/~ann"},
                new String[] {"/a?b=%c3%a4", "/a?b=%C3%A4"})) {
            server.answers(200, "1")
                    .with("Cache-Control", "max-age=3600")
                    .answers(204)
                    .answers(200, "2");
            HttpRequest read = get(written[0]).build();
            assertThat(send(way, read, BodyHandlers.ofString()).body()).isEqualTo("1");
            HttpRequest write =
                    get(written[1]).PUT(BodyPublishers.ofString("2")).build();
            assertThat(send(way, write, BodyHandlers.discarding()).statusCode()).isEqualTo(204);
            assertThat(send(way, read, BodyHandlers.ofString()).body())
                    .as("%s after %s", read, write)
                    .isEqualTo("2");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatIsGoneIsNotAnsweredWith(Way way) throws Exception {
        server.answers(200, "12").answers(404).answers(500);
        HttpRequest request = get("/x").build();
        for (int status : new int[] {200, 404, 500}) {
            assertThat(send(way, request, BodyHandlers.ofString()).statusCode()).isEqualTo(status);
        }
    }

    /** Takes nothing but a 200, and finds out at different moments. */
    private static Stream<BodyHandler<String>> handlersOfGoodAnswers() {
        return Stream.of(
                info -> {
                    if (info.statusCode() != 200) {
                        throw new IllegalStateException("not for me");
                    }
                    return BodySubscribers.ofString(StandardCharsets.UTF_8);
                },
                info -> BodySubscribers.mapping(BodySubscribers.ofString(StandardCharsets.UTF_8), text -> {
                    if (info.statusCode() != 200) {
                        throw new IllegalStateException("not for me");
                    }
                    return text;
                }),
                info -> info.statusCode() == 200
                        ? BodySubscribers.ofString(StandardCharsets.UTF_8)
                        : BodySubscribers.fromSubscriber(new Refusing(), any -> ""));
    }

    private static final class Refusing implements Flow.Subscriber<List<ByteBuffer>> {
        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> item) {
            throw new IllegalStateException("not for me");
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onComplete() {}
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAHandlerThrowsAtAFailureRemovesNothing(Way way) throws Exception {
        int next = 0;
        for (BodyHandler<String> handler : handlersOfGoodAnswers().toList()) {
            // Too long to be kept, or for one caller alone: either is read by the handler within the attempt.
            for (String error : List.of("x", "x".repeat(MOST + 1))) {
                server.answers(200, "12")
                        .answers(503, error)
                        .with("Cache-Control", error.length() > MOST ? "max-age=0" : "no-store")
                        .times(2);
                HttpRequest request = get("/" + next++).build();
                assertThat(send(way, request, handler).body()).isEqualTo("12");
                for (int i = 0; i < 2; i++) {
                    HttpResponse<String> old = send(way, request, handler);
                    assertThat(old.body()).isEqualTo("12");
                    assertThat(old.headers().firstValue("Holdfast-Source")).contains("stale_on_error");
                }
            }
        }
    }

    /** Those who wait for its answer send requests of their own. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAHandlerThrowsNoOtherCallerGets(Way way) throws Exception {
        server.answers(200, "12").with("Cache-Control", "no-store");
        HttpRequest request = get("/x").build();
        CountDownLatch answered = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Throwable> leader = new CompletableFuture<>();
        new Thread(() -> {
                    try {
                        send(way, request, info -> {
                            answered.countDown();
                            await(goOn);
                            throw new IllegalStateException("its own");
                        });
                        leader.complete(new AssertionError("no error"));
                    } catch (Throwable thrown) {
                        leader.complete(thrown);
                    }
                })
                .start();
        answered.await();
        CompletableFuture<HttpResponse<String>> follower = client.sendAsync(request, BodyHandlers.ofString());
        goOn.countDown();
        assertThat(follower.get().body()).isEqualTo("12");
        assertThat(leader.get())
                .isInstanceOf(way == Way.BLOCKING ? IOException.class : ExecutionException.class)
                .hasRootCauseMessage("its own");
        assertThat(server.requests()).hasSize(2);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPartitionSharesWithNobodyElse(Way way) throws Exception {
        server.answers(200, "of ann").with("Cache-Control", "private").answers(500);
        HttpRequest ann = get("/me")
                .header("X-User", "ann")
                .header("Authorization", "Bearer a")
                .build();
        HttpRequest bob = get("/me")
                .header("X-User", "bob")
                .header("Authorization", "Bearer b")
                .build();
        send(way, ann, BodyHandlers.ofString());
        assertThat(send(way, bob, BodyHandlers.ofString()).statusCode()).isEqualTo(500);
        assertThat(send(way, ann, BodyHandlers.ofString()).body()).isEqualTo("of ann");
    }

    /** One pipeline may have several hosts. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void anotherHostHasOtherAnswers(Way way) throws Exception {
        try (ScriptedServer other = ScriptedServer.start()) {
            server.answers(200, "here").with("Cache-Control", "max-age=3600");
            other.answers(200, "there").with("Cache-Control", "max-age=3600");
            send(way, get("/x").build(), BodyHandlers.ofString());
            assertThat(send(way, HttpRequest.newBuilder(other.uri("/x")).build(), BodyHandlers.ofString())
                            .body())
                    .isEqualTo("there");
        }
    }

    /** As without a cache. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whatCameByARedirectHasTheRequestOfTheRedirect(Way way) throws Exception {
        server.answers(302).with("Location", "/b").answers(200, "12").with("Cache-Control", "max-age=3600");
        HttpClient following = HoldfastHttpClient.around(
                HttpClient.newBuilder()
                        .followRedirects(HttpClient.Redirect.NORMAL)
                        .build(),
                Pipelines.one(pipeline));
        HttpRequest request = get("/a").build();
        HttpResponse<String> response = way == Way.BLOCKING
                ? following.send(request, BodyHandlers.ofString())
                : following.sendAsync(request, BodyHandlers.ofString()).get();
        assertThat(response.body()).isEqualTo("12");
        assertThat(response.request().uri()).isEqualTo(response.uri()).isEqualTo(server.uri("/b"));
        assertThat(response.request()).isNotInstanceOf(SentRequest.class);
        HttpRequest first = response.previousResponse().orElseThrow().request();
        assertThat(first.uri()).isEqualTo(request.uri());
        assertThat(first).isNotInstanceOf(SentRequest.class);
    }

    /** The redirect may be for one caller alone, whatever the answer at its end says. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whatCameByARedirectIsNotKept(Way way) throws Exception {
        HttpClient following = HoldfastHttpClient.around(
                HttpClient.newBuilder()
                        .followRedirects(HttpClient.Redirect.NORMAL)
                        .build(),
                Pipelines.one(pipeline));
        server.answers(302)
                .with("Location", "/ann")
                .with("Cache-Control", "private")
                .answers(200, "of ann")
                .with("Cache-Control", "public, max-age=3600")
                .answers(302)
                .with("Location", "/bob")
                .answers(200, "of bob");
        HttpRequest me = get("/me").build();
        for (String whose : List.of("of ann", "of bob")) {
            HttpResponse<String> response = way == Way.BLOCKING
                    ? following.send(me, BodyHandlers.ofString())
                    : following.sendAsync(me, BodyHandlers.ofString()).get();
            assertThat(response.body()).isEqualTo(whose);
            assertThat(response.previousResponse()).isPresent();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theRequestOfAKeptResponseIsTheCallersOwn(Way way) throws Exception {
        server.answers(200, "12").with("Cache-Control", "public, max-age=3600");
        send(way, get("/x").header("Authorization", "Bearer secret").build(), BodyHandlers.ofString());
        HttpRequest second = get("/x").build();
        HttpResponse<String> response = send(way, second, BodyHandlers.ofString());
        assertThat(response.headers().firstValue("Holdfast-Source")).contains("fresh");
        assertThat(response.request()).isSameAs(second);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRefreshDoesNotRunTheHandlerOfACallThatIsOver(Way way) throws Exception {
        String control = "max-age=0, stale-while-revalidate=3600";
        server.answers(200, "12")
                .with("Cache-Control", control)
                .answers(200, "3".repeat(10 * MOST))
                .after(Duration.ofMillis(100))
                .with("Cache-Control", control);
        HttpRequest request = get("/x").build();
        send(way, request, BodyHandlers.ofString());
        AtomicInteger asked = new AtomicInteger();
        HttpResponse<String> old = send(way, request, info -> {
            asked.incrementAndGet();
            return HttpResponse.BodySubscribers.ofString(StandardCharsets.UTF_8);
        });
        assertThat(old.body()).isEqualTo("12");
        while (server.requests().size() < 2) {
            Thread.onSpinWait();
        }
        // The refresh has removed the old value when its long answer is there.
        while (send(way, request, BodyHandlers.ofString()).body().equals("12")) {
            Thread.onSpinWait();
        }
        assertThat(asked).hasValue(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLongBodyArrivesWholeAndIsNotKept(Way way) throws Exception {
        String body = "0123456789".repeat(100_000);
        server.answers(200, body).with("Cache-Control", "max-age=3600").answers(500);
        HttpRequest request = get("/x").build();
        assertThat(send(way, request, BodyHandlers.ofString()).body().equals(body))
                .isTrue();
        assertThat(send(way, request, BodyHandlers.ofString()).statusCode()).isEqualTo(500);
    }

    /** The body is no part of the key. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aRequestWithABodyGoesToTheService(Way way) throws Exception {
        server.answers(200, "one").with("Cache-Control", "max-age=3600");
        server.answers(200, "two").with("Cache-Control", "max-age=3600");
        for (String body : List.of("one", "two")) {
            HttpRequest request =
                    get("/x").method("GET", BodyPublishers.ofString(body)).build();
            assertThat(send(way, request, BodyHandlers.ofString()).body()).isEqualTo(body);
        }
    }

    /** It is not the cache's: whoever made it says what its body is. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aFallbackAnswersAsWithoutACache(Way way) throws Exception {
        server.answers(500, "broken");
        HttpRequest request = get("/x").build();
        HttpResponse<String> other = client.send(get("/other").build(), BodyHandlers.ofString());
        try (Pipeline falling = Pipeline.of(
                "falling", FallbackPolicy.value(other), StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)))) {
            HttpClient with = HoldfastHttpClient.around(HttpClient.newHttpClient(), Pipelines.one(falling));
            HttpResponse<String> response = way == Way.BLOCKING
                    ? with.send(request, BodyHandlers.ofString())
                    : with.sendAsync(request, BodyHandlers.ofString()).get();
            assertThat(response).isSameAs(other);
        }
    }

    /** What is for one caller alone goes to each of those who asked at once, by a request of his own. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void callersAtOnceDoNotShareWhatIsForOne(Way way) throws Exception {
        server.answers(200, "12").with("Cache-Control", "no-store");
        HttpRequest request = get("/x").build();
        int many = 20;
        CountDownLatch begin = new CountDownLatch(1);
        List<CompletableFuture<String>> calls = IntStream.range(0, many)
                .mapToObj(i -> CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                begin.await();
                                return send(way, request, BodyHandlers.ofString())
                                        .body();
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        task -> new Thread(task).start()))
                .toList();
        begin.countDown();
        for (CompletableFuture<String> call : calls) {
            assertThat(call.get()).isEqualTo("12");
        }
        assertThat(server.requests()).hasSize(many);
    }

    /** RFC 9111 §4.4. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aChangeRemovesWhatWasKeptForItsAddress(Way way) throws Exception {
        for (String method : new String[] {"PUT", "POST", "DELETE", "PATCH"}) {
            server.answers(200, "old")
                    .with("Cache-Control", "max-age=60")
                    .answers(204)
                    .answers(200, "new")
                    .with("Cache-Control", "max-age=60");
            HttpRequest get = get("/of-" + method + "-" + way).build();
            assertThat(send(way, get, BodyHandlers.ofString()).body()).isEqualTo("old");
            HttpRequest change = HttpRequest.newBuilder(get.uri())
                    .method(method, BodyPublishers.ofString("new"))
                    .build();
            assertThat(send(way, change, BodyHandlers.discarding()).statusCode())
                    .isEqualTo(204);
            assertThat(send(way, get, BodyHandlers.ofString()).body()).isEqualTo("new");
            assertThat(send(way, get, BodyHandlers.ofString()).body()).isEqualTo("new");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aChangeThatIsRefusedRemovesNothing(Way way) throws Exception {
        server.answers(200, "old").with("Cache-Control", "max-age=60").answers(409);
        HttpRequest get = get("/refused-" + way).build();
        assertThat(send(way, get, BodyHandlers.ofString()).body()).isEqualTo("old");
        HttpRequest change = HttpRequest.newBuilder(get.uri())
                .PUT(BodyPublishers.ofString("new"))
                .build();
        assertThat(send(way, change, BodyHandlers.discarding()).statusCode()).isEqualTo(409);
        assertThat(send(way, get, BodyHandlers.ofString()).body()).isEqualTo("old");
    }
}
