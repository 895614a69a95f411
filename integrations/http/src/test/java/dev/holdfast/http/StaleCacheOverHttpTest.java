/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
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
    private final Pipeline pipeline =
            Pipeline.of("shop", StaleCachePolicy.of(c -> c.staleIfError(Duration.ofHours(1))));
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
        return HttpRequest.newBuilder(server.uri(path));
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

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatIsGoneIsNotAnsweredWith(Way way) throws Exception {
        server.answers(200, "12").answers(404).answers(500);
        HttpRequest request = get("/x").build();
        for (int status : new int[] {200, 404, 500}) {
            assertThat(send(way, request, BodyHandlers.ofString()).statusCode()).isEqualTo(status);
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
}
