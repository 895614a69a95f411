/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import okhttp3.Cache;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What of OkHttp a kept response has, and what it has not. */
class StaleCacheTest {
    private static final String[] FRESH = {"Cache-Control", "max-age=3600"};
    private static final String[] REVALIDATE = {"Cache-Control", "max-age=0"};
    private static final String[] PUBLIC = {"Cache-Control", "public, max-age=3600"};
    private static final String[] REVALIDATED = {"Cache-Control", "max-age=0, stale-while-revalidate=3600"};

    private final ScriptedServer server = ScriptedServer.start();
    private final Pipeline pipeline = Pipeline.of("shop", StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)));

    /** Of the calls that the client has made: what a call has under this tag. */
    private final List<String> tags = new CopyOnWriteArrayList<>();

    private volatile String user = "";

    /** What else the client adds: name and value. */
    private volatile List<String> added = List.of();

    /** The client adds it to each address. */
    private volatile String query = "";

    /** What the client makes of a response. */
    private volatile UnaryOperator<Response> kept = UnaryOperator.identity();

    private final OkHttpClient plain = new OkHttpClient.Builder()
            .addInterceptor(chain -> kept.apply(chain.proceed(chain.request())))
            .addInterceptor(chain -> query.isEmpty()
                    ? chain.proceed(chain.request())
                    : chain.proceed(chain.request()
                            .newBuilder()
                            .url(chain.request().url().newBuilder().query(query).build())
                            .build()))
            .addInterceptor(chain -> {
                tags.add(String.valueOf(chain.call().tag(String.class)));
                Request request = added.isEmpty()
                        ? chain.request()
                        : chain.request()
                                .newBuilder()
                                .header(added.get(0), added.get(1))
                                .build();
                return chain.proceed(
                        user.isEmpty()
                                ? request
                                : request.newBuilder()
                                        .header("Authorization", user)
                                        .build());
            })
            .build();
    private final HoldfastCallFactory calls = HoldfastCallFactory.around(plain, Pipelines.one(pipeline));

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
        plain.dispatcher().executorService().shutdown();
        plain.connectionPool().evictAll();
    }

    private Request.Builder get() {
        return new Request.Builder().url(server.uri("/x").toString());
    }

    private String body(Request request) throws IOException {
        return body(calls.newCall(request));
    }

    private static String body(Call call) throws IOException {
        try (Response response = call.execute()) {
            return response.body().string();
        }
    }

    private void answers(String body, String... header) {
        server.answers(200, body).with(header[0], header[1]);
    }

    /** The caller's request does not say whose it is: the client does. */
    @Test
    void whatAnInterceptorAddsIsSeen() throws Exception {
        answers("of ann", FRESH);
        answers("of bob", FRESH);
        user = "Bearer ann";
        assertThat(body(get().build())).isEqualTo("of ann");
        user = "Bearer bob";
        assertThat(body(get().build())).isEqualTo("of bob");
    }

    @Test
    void whatAnInterceptorSendsToAnotherAddressIsNotForOthers() throws Exception {
        answers("of ann", FRESH);
        answers("of bob", FRESH);
        query = "tenant=ann";
        assertThat(body(get().build())).isEqualTo("of ann");
        query = "tenant=bob";
        assertThat(body(get().build())).isEqualTo("of bob");
    }

    @ParameterizedTest
    @CsvSource({
        "206, Range, bytes=0-1, Accept",
        "304, If-None-Match, x, Accept",
        "200, User-Agent, phone, User-Agent",
        "200, Accept-Encoding, br, Accept-Encoding",
        "200, Host, other.example, Accept"
    })
    void whatAnInterceptorHasAskedForIsNotForOthers(int status, String header, String value, String vary)
            throws Exception {
        server.answers(status, status == 304 ? "" : "12")
                .with(FRESH[0], FRESH[1])
                .with("Vary", vary);
        answers("1234", FRESH);
        added = List.of(header, value);
        body(get().build());
        added = List.of();

        assertThat(body(get().build())).isEqualTo("1234");
    }

    /** OkHttp asks whether what it has is still good. */
    @ParameterizedTest
    @CsvSource({
        "304, '', ETag, '\"1\"', first",
        "304, '', Last-Modified, 'Sun, 06 Nov 1994 08:49:37 GMT', first",
        "200, second, ETag, '\"1\"', second"
    })
    void whatOkHttpHasRevalidatedIsKept(
            int status, String body, String header, String value, String whole, @TempDir File folder) throws Exception {
        try (Cache own = new Cache(folder, 1_000_000)) {
            HoldfastCallFactory caching =
                    HoldfastCallFactory.around(plain.newBuilder().cache(own).build(), Pipelines.one(pipeline));
            answers("first", REVALIDATE);
            server.with(header, value)
                    .answers(status, body)
                    .with(REVALIDATE[0], REVALIDATE[1])
                    .answers(500, "down");
            for (String expected : List.of("first", whole, whole)) {
                try (Response response = caching.newCall(get().build()).execute()) {
                    assertThat(response.body().string()).isEqualTo(expected);
                }
            }
            assertThat(server.requests()).hasSize(3);
            assertThat(server.requests().get(1).headers())
                    .containsAnyOf(
                            Map.entry("If-none-match", List.of(value)), Map.entry("If-modified-since", List.of(value)));
        }
    }

    /** Its time on the way to OkHttp's own cache counts, too (RFC 9111 §4.2.3). */
    @Test
    void whatOkHttpHasKeptIsAsOldAsItsRequest() throws Exception {
        long now = System.currentTimeMillis();
        kept = response -> response.newBuilder()
                .networkResponse(null)
                .sentRequestAtMillis(now - 1_000_000)
                .receivedResponseAtMillis(now)
                .build();
        answers("12", FRESH);
        body(get().build());
        try (Response response = calls.newCall(get().build()).execute()) {
            assertThat(response.header("Holdfast-Source")).isEqualTo("fresh");
            assertThat(Long.parseLong(response.header("Age", "0"))).isGreaterThanOrEqualTo(1_000);
        }
    }

    /** The oldest counts, as with any other client. */
    @Test
    void whatOkHttpHasKeptIsAsOldAsTheLargestOfItsAges() throws Exception {
        kept = response -> response.newBuilder()
                .networkResponse(null)
                .addHeader("Age", "1000, 2000")
                .addHeader("Age", "5")
                .build();
        answers("12", FRESH);
        body(get().build());
        try (Response response = calls.newCall(get().build()).execute()) {
            assertThat(response.header("Holdfast-Source")).isEqualTo("fresh");
            assertThat(Long.parseLong(response.header("Age", "0"))).isGreaterThanOrEqualTo(2_000);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"unknown", "", "-1", "5, soon"})
    void nobodyKnowsHowOldItIsIfThatIsMalformed(String age) throws Exception {
        kept = response -> response.newBuilder()
                .networkResponse(null)
                .addHeader("Age", age)
                .build();
        answers("12", FRESH);
        answers("13", FRESH);
        assertThat(body(get().build())).isEqualTo("12");
        assertThat(body(get().build())).isEqualTo("13");
    }

    /** OkHttp asks for gzip by itself, and decodes it. */
    @Test
    void whatVariesWithTheEncodingIsKept() throws Exception {
        server.answers(200, "1234").with(FRESH[0], FRESH[1]).with("Vary", "Accept-Encoding");
        assertThat(body(get().build())).isEqualTo("1234");
        assertThat(body(get().build())).isEqualTo("1234");
    }

    @Test
    void eachHostHeaderHasItsOwn() throws Exception {
        answers("of a", FRESH);
        answers("of b", FRESH);
        assertThat(body(get().header("Host", "a.example").build())).isEqualTo("of a");
        assertThat(body(get().header("Host", "b.example").build())).isEqualTo("of b");
        assertThat(body(get().header("Host", "a.example").build())).isEqualTo("of a");
    }

    /** The own changes of a client remove what was kept for it: another one's cannot. */
    @Test
    void twoClientsOfOnePipelineShareNothing() throws Exception {
        answers("before", FRESH);
        answers("changed", PUBLIC);
        answers("after", FRESH);
        assertThat(body(get().build())).isEqualTo("before");
        HoldfastCallFactory other = HoldfastCallFactory.around(plain, Pipelines.one(pipeline));
        try (Response response = other.newCall(
                        get().put(RequestBody.create(new byte[0])).build())
                .execute()) {
            assertThat(response.body().string()).isEqualTo("changed");
        }
        try (Response response = other.newCall(get().build()).execute()) {
            assertThat(response.body().string()).isEqualTo("after");
        }
        assertThat(body(get().build())).isEqualTo("before");
    }

    @Test
    void aKeptResponseTellsNothingOfTheFirstRequest() throws Exception {
        answers("12", PUBLIC);
        assertThat(body(get().header("Authorization", "Bearer secret").build())).isEqualTo("12");
        Request second = get().build();
        try (Response response = calls.newCall(second).execute()) {
            assertThat(response.header("Holdfast-Source")).isEqualTo("fresh");
            assertThat(response.request()).isSameAs(second);
            assertThat(response.networkResponse()).isNull();
            assertThat(response.cacheResponse()).isNull();
            assertThat(response.protocol()).isEqualTo(okhttp3.Protocol.HTTP_1_1);
        }
    }

    @Test
    void aBodyThatIsClosedClosesNoOther() throws Exception {
        answers("12", FRESH);
        assertThat(body(get().build())).isEqualTo("12");
        Response closed = calls.newCall(get().build()).execute();
        try (Response other = calls.newCall(get().build()).execute()) {
            closed.close();
            assertThat(other.body().string()).isEqualTo("12");
        }
    }

    /** The one that the service has just sent, and the one of the cache. */
    @Test
    void aBodyThatIsClosedOrReadCannotBeReadAgain() throws Exception {
        answers("12", FRESH);
        for (String source : Arrays.asList(null, "fresh")) {
            Response response = calls.newCall(get().build()).execute();
            assertThat(response.header("Holdfast-Source")).isEqualTo(source);
            response.close();
            assertIsClosed(response);
        }
        Response response = calls.newCall(get().build()).execute();
        assertThat(response.body().contentLength()).isEqualTo(2);
        assertThat(response.body().string()).isEqualTo("12");
        assertIsClosed(response);
    }

    private static void assertIsClosed(Response response) {
        assertThatThrownBy(() -> response.body().string())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("closed");
    }

    /** A refresh has no tag, no listener and no limit of the call that has begun it. */
    @Test
    void aRefreshHasNothingOfItsCall() throws Exception {
        answers("12", REVALIDATED);
        answers("13", REVALIDATED);
        for (int i = 0; i < 2; i++) {
            Call call = calls.newCall(get().build());
            String tag = call.tag(String.class, () -> "own");
            assertThat(tag).isEqualTo("own");
            try (Response response = call.execute()) {
                assertThat(response.body().string()).isEqualTo("12");
            }
        }
        while (!body(get().build()).equals("13")) {
            Thread.onSpinWait();
        }
        assertThat(tags).startsWith("own", "null").doesNotContainSequence("null", "own");
    }

    /** The one that waits sends a request of its own. */
    @Test
    void aCallThatIsCancelledTakesNoOtherWithIt() throws Exception {
        server.hangs();
        answers("12", FRESH);
        Call leader = calls.newCall(get().build());
        CompletableFuture<String> first = enqueue(leader);
        while (server.requests().isEmpty()) {
            Thread.onSpinWait(); // else the other one may be the leader
        }
        CompletableFuture<String> second = enqueue(calls.newCall(get().build()));
        leader.cancel();
        assertThatThrownBy(first::get).hasCauseInstanceOf(IOException.class);
        assertThat(second.get()).isEqualTo("12");
        assertThat(server.requests()).hasSizeLessThanOrEqualTo(2);
    }

    /** The dispatcher's thread learns only then that its exchange was cancelled. */
    @Test
    void anExchangeThatEndsAfterItsCallLeavesFreshWhatWasAskedForMeanwhile() throws Exception {
        CompletableFuture<Boolean> late = new CompletableFuture<>();
        OkHttpClient slowToEnd = plain.newBuilder()
                .addInterceptor(chain -> {
                    try {
                        return chain.proceed(chain.request());
                    } catch (IOException e) {
                        late.join();
                        throw e;
                    }
                })
                .build();
        Call.Factory own = HoldfastCallFactory.around(slowToEnd, Pipelines.one(pipeline));
        answers("old", FRESH);
        assertThat(body(own.newCall(get().build()))).isEqualTo("old");
        server.hangs();
        answers("new", FRESH);
        Call change = own.newCall(get().put(RequestBody.create(new byte[0])).build());
        CompletableFuture<String> changed = enqueue(change);
        while (server.requests().size() < 2) {
            Thread.onSpinWait();
        }
        change.cancel();
        assertThatThrownBy(changed::get).hasCauseInstanceOf(IOException.class);
        assertThat(body(own.newCall(get().build()))).isEqualTo("new");
        late.complete(true);
        while (plain.dispatcher().runningCallsCount() > 0) {
            Thread.onSpinWait();
        }
        assertThat(body(own.newCall(get().build()))).isEqualTo("new");
        assertThat(server.requests()).hasSize(3);
    }

    @Test
    void aChangeThatIsCancelledBeforeItBeginsLeavesFreshWhatIsKept() throws Exception {
        answers("old", FRESH);
        assertThat(body(get().build())).isEqualTo("old");
        Call executed = calls.newCall(get().put(RequestBody.create(new byte[0])).build());
        executed.cancel();
        assertThatThrownBy(executed::execute).isInstanceOf(IOException.class);
        assertThat(body(get().build())).isEqualTo("old");
        Call enqueued = executed.clone();
        enqueued.cancel();
        assertThatThrownBy(enqueue(enqueued)::get).hasCauseInstanceOf(IOException.class);
        assertThat(body(get().build())).isEqualTo("old");
        assertThat(server.requests()).hasSize(1);
    }

    private static CompletableFuture<String> enqueue(Call call) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                answer.completeExceptionally(e);
            }

            @Override
            public void onResponse(Call answered, Response response) throws IOException {
                answer.complete(response.body().string());
            }
        });
        return answer;
    }
}
