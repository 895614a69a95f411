/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What of OkHttp a kept response has, and what it has not. */
class StaleCacheTest {
    private static final String[] FRESH = {"Cache-Control", "max-age=3600"};
    private static final String[] PUBLIC = {"Cache-Control", "public, max-age=3600"};
    private static final String[] REVALIDATED = {"Cache-Control", "max-age=0, stale-while-revalidate=3600"};

    private final ScriptedServer server = ScriptedServer.start();
    private final Pipeline pipeline = Pipeline.of("shop", StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)));

    /** Of the calls that the client has made: what a call has under this tag. */
    private final List<String> tags = new CopyOnWriteArrayList<>();

    private volatile String user = "";

    private final OkHttpClient plain = new OkHttpClient.Builder()
            .addInterceptor(chain -> {
                tags.add(String.valueOf(chain.call().tag(String.class)));
                Request request = chain.request();
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
        try (Response response = calls.newCall(request).execute()) {
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
