/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.testcalls.HeldMonitors;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import mockwebserver3.SocketEffect;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.EventListener;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What OkHttp's calls can do beside sending a request, and what of a body belongs to the call. */
class HoldfastCallTest {
    enum Way {
        BLOCKING,
        ASYNCHRONOUS
    }

    private final MockWebServer server = new MockWebServer();
    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private Pipeline pipeline = pipeline(Duration.ofMillis(1));
    private OkHttpClient plain = new OkHttpClient();
    private HoldfastCallFactory calls = HoldfastCallFactory.around(plain, Pipelines.one(pipeline));

    private Pipeline pipeline(Duration backoff) {
        return Pipeline.builder("shop")
                .policies(RetryPolicy.of(r -> r.maxAttempts(3)
                        .initialBackoff(backoff)
                        .maxBackoff(backoff)
                        .budgetEnabled(false)))
                .observer(new CallObserver() {
                    @Override
                    public void attemptSettled(
                            String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                        attempts.add(outcome);
                    }
                })
                .build();
    }

    private void clientWith(Consumer<OkHttpClient.Builder> configure) {
        OkHttpClient.Builder builder = plain.newBuilder();
        configure.accept(builder);
        plain = builder.build();
        calls = HoldfastCallFactory.around(plain, Pipelines.one(pipeline));
    }

    private void backoff(Duration backoff) {
        pipeline.close();
        pipeline = pipeline(backoff);
        calls = HoldfastCallFactory.around(plain, Pipelines.one(pipeline));
    }

    @BeforeEach
    void start() throws IOException {
        server.start(InetAddress.getLoopbackAddress(), 0);
    }

    @AfterEach
    void stop() {
        plain.dispatcher().cancelAll();
        plain.dispatcher().executorService().shutdown();
        plain.connectionPool().evictAll();
        pipeline.close();
        server.close();
    }

    private Request.Builder request() {
        return new Request.Builder().url(server.url("/"));
    }

    private void answers(MockResponse... responses) {
        for (MockResponse each : responses) {
            server.enqueue(each);
        }
    }

    private static MockResponse.Builder answer(int status) {
        return new MockResponse.Builder().code(status);
    }

    private static MockResponse.Builder hanging() {
        return new MockResponse.Builder().onResponseStart(SocketEffect.Stall.INSTANCE);
    }

    private static CompletableFuture<Response> enqueued(Call call) {
        CompletableFuture<Response> answer = new CompletableFuture<>();
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                answer.completeExceptionally(e);
            }

            @Override
            public void onResponse(Call answered, Response response) {
                answer.complete(response);
            }
        });
        return answer;
    }

    @Test
    void aCallbackRunsUnderTheDeadlineOfItsCaller() throws Exception {
        answers(answer(500).build(), answer(200).build());
        CompletableFuture<Boolean> bound = new CompletableFuture<>();
        Deadline.within(
                Duration.ofHours(1),
                () -> calls.newCall(request().build()).enqueue(new Callback() {
                    @Override
                    public void onFailure(Call failed, IOException e) {
                        bound.completeExceptionally(e);
                    }

                    @Override
                    public void onResponse(Call answered, Response response) {
                        response.close();
                        bound.complete(Deadline.remaining().isPresent());
                    }
                }));
        assertThat(bound.get(1, TimeUnit.MINUTES)).isTrue();
    }

    private static Response sent(Call call, Way way) throws Exception {
        return way == Way.BLOCKING ? call.execute() : within(enqueued(call));
    }

    private static Response within(CompletableFuture<Response> answer) throws Exception {
        try {
            return answer.get(1, TimeUnit.MINUTES);
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    // ---- a call

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallIsMadeOnce(Way way) throws Exception {
        answers(answer(200).build());
        Call call = calls.newCall(request().build());
        assertThat(call.isExecuted()).isFalse();
        sent(call, way).close();
        assertThat(call.isExecuted()).isTrue();
        assertThatThrownBy(call::execute).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> enqueued(call)).isInstanceOf(IllegalStateException.class);
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCloneIsANewCallOfTheSameRequest(Way way) throws Exception {
        answers(answer(200).build(), answer(201).build());
        Call call = calls.newCall(request().build());
        sent(call, way).close();
        call.cancel();
        Call clone = call.clone();
        assertThat(clone.request()).isSameAs(call.request());
        assertThat(clone.isCanceled()).isFalse();
        try (Response response = sent(clone, way)) {
            assertThat(response.code()).isEqualTo(201);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatWasCancelledBeforeIsNotSent(Way way) {
        Call call = calls.newCall(request().build());
        call.cancel();
        assertThatThrownBy(() -> sent(call, way))
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("Canceled");
        assertThat(call.isCanceled()).isTrue();
        assertThat(attempts).isEmpty();
        assertThat(Thread.interrupted()).isFalse();
    }

    /** What a blocking call came to, and whether its thread has an interrupt flag left. */
    private record Ended(Throwable error, boolean flag) {}

    private static FutureTask<Ended> blockingOn(Call call) {
        FutureTask<Ended> task = new FutureTask<>(() -> {
            try (Response response = call.execute()) {
                throw new AssertionError("got " + response);
            } catch (IOException e) {
                return new Ended(e, Thread.interrupted());
            }
        });
        new Thread(task).start();
        return task;
    }

    @Test
    void cancelEndsABlockingCallAndBlamesNobody() throws Exception {
        answers(hanging().build());
        Call call = calls.newCall(request().build());
        FutureTask<Ended> blocking = blockingOn(call);
        server.takeRequest();
        call.cancel();
        Ended ended = blocking.get(1, TimeUnit.MINUTES);
        assertThat(ended.error()).isExactlyInstanceOf(IOException.class).hasMessage("Canceled");
        assertThat(ended.flag()).as("the interrupt flag").isFalse();
        assertThat(attempts).hasSize(1).doesNotContain(Outcome.FAILURE);
    }

    @Test
    void cancelEndsAnAsynchronousCallAndBlamesNobody() throws Exception {
        answers(hanging().build());
        Call call = calls.newCall(request().build());
        CompletableFuture<Response> answer = enqueued(call);
        server.takeRequest();
        call.cancel();
        assertThatThrownBy(() -> within(answer))
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("Canceled");
        assertThat(attempts).hasSize(1).doesNotContain(Outcome.FAILURE);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void cancelEndsAWaitBeforeTheNextAttempt(Way way) throws Exception {
        backoff(Duration.ofMinutes(50));
        answers(answer(500).build());
        Call call = calls.newCall(request().build());
        if (way == Way.BLOCKING) {
            FutureTask<Ended> blocking = blockingOn(call);
            awaitAttempts();
            call.cancel();
            assertThat(blocking.get(1, TimeUnit.MINUTES).error()).hasMessage("Canceled");
            assertThat(blocking.get().flag()).isFalse();
        } else {
            CompletableFuture<Response> answer = enqueued(call);
            awaitAttempts();
            call.cancel();
            assertThatThrownBy(() -> within(answer)).hasMessage("Canceled");
        }
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    private void awaitAttempts() {
        while (attempts.isEmpty()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void cancelEndsABodyThatIsReadAfterTheCall() throws Exception {
        answers(answer(200)
                .body("0123456789")
                .onResponseBody(SocketEffect.Stall.INSTANCE)
                .build());
        Call call = calls.readBodiesUpTo(0).newCall(request().build());
        try (Response response = call.execute()) {
            response.body().source().require(5);
            call.cancel();
            assertThatThrownBy(() -> response.body().bytes()).isInstanceOf(IOException.class);
        }
    }

    /** A user who stops all calls wants no further attempt. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatTheDispatcherCancelsIsNotRepeated(Way way) throws Exception {
        answers(hanging().build());
        Call call = calls.newCall(request().build());
        FutureTask<Response> sending = new FutureTask<>(() -> sent(call, way));
        new Thread(sending).start();
        server.takeRequest();
        plain.dispatcher().cancelAll();
        assertThatThrownBy(() -> sending.get(1, TimeUnit.MINUTES))
                .cause()
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("Canceled");
        assertThat(attempts).containsExactly(Outcome.IGNORED);
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    @Test
    void anInterruptedCallSaysSoAndLeavesTheFlag() throws Exception {
        answers(hanging().build());
        FutureTask<Ended> blocking = new FutureTask<>(() -> {
            Thread.currentThread().interrupt();
            return new Ended(
                    assertThatThrownBy(() -> calls.newCall(request().build()).execute())
                            .actual(),
                    Thread.interrupted());
        });
        new Thread(blocking).start();
        Ended ended = blocking.get(1, TimeUnit.MINUTES);
        assertThat(ended.error()).isInstanceOf(InterruptedIOException.class);
        assertThat(ended.flag()).isTrue();
        assertThat(attempts).doesNotContain(Outcome.FAILURE);
    }

    @ParameterizedTest
    @CsvSource({"BLOCKING, true", "BLOCKING, false", "ASYNCHRONOUS, true", "ASYNCHRONOUS, false"})
    void theTimeoutHoldsForAllAttemptsTogether(Way way, boolean ofTheClient) {
        AtomicBoolean second = new AtomicBoolean();
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                boolean first = "1".equals(request.getHeaders().get("Holdfast-Attempt"));
                second.set(second.get() || !first);
                return first ? answer(500).build() : hanging().build();
            }
        });
        Throwable thrown = null;
        // A slow machine needs more time until the second attempt begins. Without that the answer may be the first one.
        for (int millis = 300; millis < 60_000 && (thrown == null || !second.get()); millis *= 2) {
            thrown = thrownWithin(Duration.ofMillis(millis), way, ofTheClient);
        }
        assertThat(thrown).isInstanceOf(InterruptedIOException.class);
    }

    /** Null if there was an answer. */
    private @Nullable Throwable thrownWithin(Duration limit, Way way, boolean ofTheClient) {
        if (ofTheClient) {
            clientWith(b -> b.callTimeout(limit));
        }
        Call call = calls.newCall(request().build());
        assertThat(call.timeout().timeoutNanos()).isEqualTo(ofTheClient ? limit.toNanos() : 0);
        if (!ofTheClient) {
            call.timeout().timeout(limit.toNanos(), TimeUnit.NANOSECONDS);
        }
        return catchThrowable(() -> sent(call, way).close());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withoutTimeLeftNothingIsSent(Way way) {
        Call call = calls.newCall(request().build());
        call.timeout().deadlineNanoTime(System.nanoTime());
        assertThatThrownBy(() -> sent(call, way))
                .isInstanceOf(InterruptedIOException.class)
                .hasCauseInstanceOf(CallRejectedException.class);
        assertThat(server.getRequestCount()).isZero();
    }

    /** A body that is read after the call has the rest of the call's time. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void eachAttemptEndsWithTheTimeOfTheCall(Way way) throws Exception {
        List<Long> ends = new CopyOnWriteArrayList<>();
        clientWith(b -> b.callTimeout(Duration.ofHours(1)).addInterceptor(chain -> {
            assertThat(chain.call().timeout().timeoutNanos()).isZero();
            ends.add(chain.call().timeout().deadlineNanoTime());
            return chain.proceed(chain.request());
        }));
        answers(answer(500).build(), answer(200).build());
        long before = System.nanoTime();
        sent(calls.newCall(request().build()), way).close();
        long after = System.nanoTime();
        assertThat(ends).hasSize(2);
        assertThat(ends.get(0)).isEqualTo(ends.get(1));
        assertThat(ends.get(0) - before).isBetween(3_600_000_000_000L, 3_600_000_000_000L + after - before);
    }

    // ---- tags and events

    private record Tenant(String name) {}

    private record Span(int id) {}

    @ParameterizedTest
    @EnumSource(Way.class)
    void tagsOfRequestAndCallReachEachAttempt(Way way) throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        clientWith(b -> b.addInterceptor(chain -> {
            seen.add(chain.call().tag(Tenant.class) + " " + chain.call().tag(Span.class));
            return chain.proceed(chain.request());
        }));
        answers(answer(500).build(), answer(200).build());
        Call call = calls.newCall(request().tag(Tenant.class, new Tenant("a")).build());
        assertThat(call.tag(Span.class)).isNull();
        assertThat(call.tag(Span.class, () -> new Span(1))).isEqualTo(new Span(1));
        assertThat(call.tag(Span.class, () -> new Span(2))).isEqualTo(new Span(1));
        assertThat(call.tag(Tenant.class, () -> new Tenant("b"))).isEqualTo(new Tenant("a"));
        assertThat(call.tag(kotlin.jvm.JvmClassMappingKt.getKotlinClass(Span.class)))
                .isEqualTo(new Span(1));
        sent(call, way).close();
        assertThat(seen).hasSize(2).containsOnly("Tenant[name=a] Span[id=1]");
        assertThat(call.clone().tag(Span.class)).isNull();
    }

    @Test
    void aTagIsMadeUnderNoMonitor() {
        Call call = calls.newCall(request().build());
        List<String> held = new ArrayList<>();
        call.tag(Span.class, () -> {
            held.addAll(HeldMonitors.now());
            return new Span(1);
        });
        assertThat(held).isEmpty();
        assertThat(call.tag(Span.class)).isEqualTo(new Span(1));
    }

    /** As with OkHttp's own call, the first that is made is the tag, also for the one that has made another. */
    @Test
    void aTagThatWasMadeMeanwhileStays() {
        Call call = calls.newCall(request().build());
        Span outer = call.tag(Span.class, () -> {
            assertThat(call.tag(Span.class, () -> new Span(1))).isEqualTo(new Span(1));
            return new Span(2);
        });
        assertThat(outer).isEqualTo(new Span(1));
        assertThat(call.tag(Span.class)).isEqualTo(new Span(1));
    }

    @Test
    void aListenerHearsOfEachAttempt() throws Exception {
        List<String> heard = new CopyOnWriteArrayList<>();
        answers(answer(500).build(), answer(200).build());
        Call call = calls.newCall(request().build());
        call.addEventListener(new EventListener() {
            @Override
            public void callStart(Call started) {
                heard.add("start");
            }
        });
        call.execute().close();
        assertThat(heard).containsExactly("start", "start");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPostWithTheTagMayBeDoneTwice(Way way) throws Exception {
        answers(answer(500).build(), answer(200).build(), answer(500).build());
        RequestBody body = RequestBody.create("12".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        Request tagged =
                request().post(body).tag(Idempotent.class, Idempotent.YES).build();
        try (Response response = sent(calls.newCall(tagged), way)) {
            assertThat(response.code()).isEqualTo(200);
        }
        try (Response response = sent(calls.newCall(request().post(body).build()), way)) {
            assertThat(response.code()).isEqualTo(500);
        }
        server.takeRequest();
        assertThat(server.takeRequest().getHeaders().get("Idempotency-Key"))
                .as("the tag is no header")
                .isNull();
    }

    // ---- what OkHttp would do by itself

    /** OkHttp repeats it at once, and no policy hears of it. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void onlyThePipelineRepeatsA503(Way way) throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        clientWith(b -> b.addInterceptor(chain -> {
                    Response response = chain.proceed(chain.request());
                    seen.add("call: " + response.header("Retry-After"));
                    return response;
                })
                .addNetworkInterceptor(chain -> {
                    Response response = chain.proceed(chain.request());
                    seen.add("network: " + response.header("Retry-After"));
                    return response;
                }));
        MockResponse busy = answer(503).addHeader("Retry-After", "0").build();
        answers(busy, busy, busy);
        try (Response response = sent(calls.newCall(request().build()), way)) {
            assertThat(response.code()).isEqualTo(503);
            assertThat(response.header("Retry-After")).isEqualTo("0");
        }
        assertThat(attempts).containsExactly(Outcome.PUSHBACK, Outcome.PUSHBACK, Outcome.PUSHBACK);
        assertThat(server.getRequestCount()).isEqualTo(3);
        assertThat(seen).hasSize(6).containsOnly("call: 0", "network: 0");
    }

    // ---- bodies

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyOfKnownLengthUpToTheBoundBelongsToTheCall(Way way) throws Exception {
        answers(
                answer(200)
                        .body("0123456789")
                        .onResponseBody(new SocketEffect.CloseSocket())
                        .build(),
                answer(200).body("0123456789").build());
        try (Response response = sent(calls.readBodiesUpTo(10).newCall(request().build()), way)) {
            assertThat(response.body().string()).isEqualTo("0123456789");
        }
        assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.SUCCESS);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLongerBodyIsTheCallersAffair(Way way) throws Exception {
        answers(answer(200)
                .body("0123456789")
                .onResponseBody(new SocketEffect.CloseSocket())
                .build());
        try (Response response = sent(calls.readBodiesUpTo(9).newCall(request().build()), way)) {
            assertThatThrownBy(() -> response.body().string()).isInstanceOf(IOException.class);
        }
        assertThat(attempts).containsExactly(Outcome.SUCCESS);
    }

    @ParameterizedTest
    @CsvSource({"9, 1", "10, 2"})
    void aBodyOfUnknownLengthBelongsToTheCallUpToTheBound(int bound, int sent) throws Exception {
        // Half of it is sent, and then the connection breaks.
        answers(
                answer(200)
                        .chunkedBody("0123456789".repeat(2), 1)
                        .onResponseBody(new SocketEffect.CloseSocket())
                        .build(),
                answer(200).chunkedBody("whole", 1).build());
        try (Response response =
                calls.readBodiesUpTo(bound).newCall(request().build()).execute()) {
            assertThat(response.body().source().readUtf8(5)).isEqualTo(sent == 1 ? "01234" : "whole");
        }
        assertThat(attempts).hasSize(sent);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 8_192, 100_000, 262_144, 1_000_000})
    void prefixAndRestAreOneBody(int bound) throws Exception {
        String text = "0123456789".repeat(26_215);
        answers(
                answer(200).chunkedBody(text, 1_000).build(),
                answer(200).body(text).build());
        for (int i = 0; i < 2; i++) {
            try (Response response =
                    calls.readBodiesUpTo(bound).newCall(request().build()).execute()) {
                assertThat(response.body().string().equals(text)).isTrue();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "text/event-stream",
                "text/event-stream;charset=utf-8",
                "application/x-ndjson",
                "application/grpc+proto",
                "multipart/x-mixed-replace;boundary=x",
                "audio/mpeg",
                "video/mp4"
            })
    void aStreamIsDeliveredBeforeItEnds(String type) throws Exception {
        answers(answer(200)
                .addHeader("Content-Type", type)
                .chunkedBody("0123456789", 1)
                .onResponseBody(SocketEffect.Stall.INSTANCE)
                .build());
        Call call = calls.newCall(request().build());
        try (Response response = call.execute()) {
            assertThat(response.body().source().readUtf8(2)).isEqualTo("01");
            call.cancel();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 67_108_865})
    void aBoundOutOfRangeIsRefused(long bound) {
        assertThatThrownBy(() -> calls.readBodiesUpTo(bound))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("readBodiesUpTo")
                .hasMessageContaining("0 to 67,108,864");
    }

    @Test
    void aDuplexBodyCannotBeSentAgain() {
        RequestBody duplex = new RequestBody() {
            @Override
            public @Nullable MediaType contentType() {
                return null;
            }

            @Override
            public boolean isDuplex() {
                return true;
            }

            @Override
            public void writeTo(BufferedSink sink) {}
        };
        OkMessages messages = new OkMessages();
        assertThat(messages.canBeSentAgain(request().post(duplex).build())).isFalse();
        assertThat(messages.canBeSentAgain(request().post(RequestBody.EMPTY).build()))
                .isTrue();
    }

    // ---- callbacks

    @Test
    void aCallbackRunsOnTheDispatchersExecutorWhateverHappened() throws Exception {
        pipeline.close();
        CompletableFuture<Thread> ran = new CompletableFuture<>();
        calls.newCall(request().build()).enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                ran.complete(Thread.currentThread());
            }

            @Override
            public void onResponse(Call answered, Response response) {
                ran.completeExceptionally(new AssertionError("got " + response));
            }
        });
        assertThat(ran.get(1, TimeUnit.MINUTES)).isNotSameAs(Thread.currentThread());
        assertThat(ran.get().getName()).contains("OkHttp");
    }

    @Test
    void aCallbackHearsOfAnErrorOfWhatChoosesThePipeline() {
        Call.Factory calls = HoldfastCallFactory.around(new OkHttpClient(), authority -> {
            throw new ExceptionInInitializerError("template");
        });
        CompletableFuture<IOException> failure = new CompletableFuture<>();
        calls.newCall(new Request.Builder().url("http://127.0.0.1:1/").build()).enqueue(new Callback() {
            @Override
            public void onFailure(Call call, IOException e) {
                failure.complete(e);
            }

            @Override
            public void onResponse(Call call, Response response) {
                failure.completeExceptionally(new AssertionError("answered"));
            }
        });
        assertThat(failure.orTimeout(1, TimeUnit.MINUTES).join()).hasCauseInstanceOf(ExceptionInInitializerError.class);
    }

    @Test
    void aCallbackHearsThatAFallbackIsNoResponse() {
        Pipeline wrong = Pipeline.builder("shop")
                .policies(FallbackPolicy.value("no response"))
                .build();
        Call.Factory calls = HoldfastCallFactory.around(new OkHttpClient(), Pipelines.one(wrong));
        CompletableFuture<IOException> failure = new CompletableFuture<>();
        calls.newCall(new Request.Builder().url("http://127.0.0.1:1/").build()).enqueue(new Callback() {
            @Override
            public void onFailure(Call call, IOException e) {
                failure.complete(e);
            }

            @Override
            public void onResponse(Call call, Response response) {
                failure.completeExceptionally(new AssertionError("answered"));
            }
        });
        assertThat(failure.orTimeout(1, TimeUnit.MINUTES).join()).hasCauseInstanceOf(ClassCastException.class);
        wrong.close();
    }

    /** Without its executor the client cannot answer; the callback hears of it all the same. */
    @Test
    void aCallbackHearsThatTheDispatcherIsShutDown() {
        plain.dispatcher().executorService().shutdown();
        assertThatThrownBy(() -> within(enqueued(calls.newCall(request().build()))))
                .isInstanceOf(IOException.class);
    }

    @Test
    @Logs("the callback of a call to http://.* failed(.|\n)*by intent")
    void aCallbackThatThrowsIsLogged() throws Exception {
        answers(answer(200).build());
        CountDownLatch closed = new CountDownLatch(1);
        clientWith(b -> b.dispatcher(new okhttp3.Dispatcher(
                new java.util.concurrent.ThreadPoolExecutor(
                        0, 10, 1, TimeUnit.SECONDS, new java.util.concurrent.SynchronousQueue<>()) {
                    @Override
                    protected void afterExecute(Runnable task, @Nullable Throwable thrown) {
                        if (closing) {
                            closed.countDown();
                        }
                    }
                })));
        calls.newCall(request().build()).enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {}

            @Override
            public void onResponse(Call answered, Response response) {
                response.close();
                closing = true;
                throw new IllegalStateException("by intent");
            }
        });
        assertThat(closed.await(1, TimeUnit.MINUTES)).isTrue();
    }

    private volatile boolean closing;

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAnInterceptorThrowsIsToldAndIgnored(Way way) {
        clientWith(b -> b.addInterceptor(chain -> {
                    throw new IllegalStateException("by intent");
                })
                .dispatcher(new okhttp3.Dispatcher(quiet)));
        Throwable error = catchThrowable(() -> sent(calls.newCall(request().build()), way));
        if (way == Way.ASYNCHRONOUS) {
            assertThat(error).isInstanceOf(IOException.class).hasMessage("by intent");
            error = error.getCause();
        }
        assertThat(error).isInstanceOf(IllegalStateException.class).hasMessage("by intent");
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }

    /** OkHttp throws by itself, too, when it reads an answer: that is a failure. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAnInterceptorOfTheNetworkThrowsIsIgnored(Way way) {
        answers(new MockResponse.Builder().body("12").build());
        clientWith(b -> b.addNetworkInterceptor(chain -> {
                    chain.proceed(chain.request()).close();
                    throw new IllegalStateException("by intent");
                })
                .dispatcher(new okhttp3.Dispatcher(quiet)));
        assertThat(catchThrowable(() -> sent(calls.newCall(request().build()), way)))
                .hasMessage("by intent");
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }

    private static final class BrokenBody extends RequestBody {
        private volatile boolean asked;

        @Override
        public @Nullable MediaType contentType() {
            return null;
        }

        @Override
        public void writeTo(BufferedSink sink) {
            asked = true;
            throw new IllegalStateException("by intent");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs(value = "didn't make a request", sometimes = true)
    void whatABodyThrowsIsIgnored(Way way) {
        clientWith(b -> b.dispatcher(new okhttp3.Dispatcher(quiet)));
        assertThat(catchThrowable(
                        () -> sent(calls.newCall(request().put(new BrokenBody()).build()), way)))
                .hasMessage("by intent");
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }

    /** Its answer has begun before the body is written. */
    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs(value = "didn't make a request", sometimes = true)
    void whatABodyThrowsAfterContinueIsIgnored(Way way) {
        clientWith(b -> b.dispatcher(new okhttp3.Dispatcher(quiet)));
        server.enqueue(new MockResponse.Builder().add100Continue().build());
        BrokenBody broken = new BrokenBody();
        Request put = request().header("Expect", "100-continue").put(broken).build();
        assertThat(catchThrowable(() -> sent(calls.newCall(put), way))).hasMessage("by intent");
        assertThat(broken.asked).isTrue();
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }

    /** A rejection says that nothing was sent: by the other pipeline. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aPostIsSentOnceIfAnInterceptorMeetsARejectionAfterwards(Way way) {
        pipeline.replace(RetryPolicy.of(r -> r.maxAttempts(3)
                .initialBackoff(Duration.ofMillis(1))
                .budgetEnabled(false)
                .retryRejections(true)));
        clientWith(b -> b.addInterceptor(chain -> {
                    chain.proceed(chain.request()).close();
                    throw new CallRejectedException(
                            Reason.CIRCUIT_OPEN, "prices", "circuit-breaker", "it is open", -1, null);
                })
                .dispatcher(new okhttp3.Dispatcher(quiet)));
        answers(answer(200).build(), answer(200).build(), answer(200).build());
        Request post = request().post(RequestBody.create("12", null)).build();
        assertThatThrownBy(() -> sent(calls.newCall(post), way))
                .isInstanceOf(IOException.class)
                .hasRootCauseInstanceOf(CallRejectedException.class);
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    /** OkHttp throws such an exception once more, on its own thread. */
    private final java.util.concurrent.ExecutorService quiet =
            java.util.concurrent.Executors.newCachedThreadPool(task -> {
                Thread thread = new Thread(task);
                thread.setUncaughtExceptionHandler((of, thrown) -> {});
                return thread;
            });

    // ---- without the network

    /** OkHttp answers 504 by itself if its cache has nothing. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aRequestThatMayNotUseTheNetworkIsNoCall(Way way) throws Exception {
        Request request =
                request().cacheControl(okhttp3.CacheControl.FORCE_CACHE).build();
        try (Response response = sent(calls.newCall(request), way)) {
            assertThat(response.code()).isEqualTo(504);
        }
        assertThat(attempts).isEmpty();
        assertThat(server.getRequestCount()).isZero();
    }

    // ---- HTTP/2

    @ParameterizedTest
    @EnumSource(Way.class)
    void aStreamOfHttp2ThatIsResetIsRepeated(Way way) throws Exception {
        server.setProtocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE));
        clientWith(b -> b.protocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE)));
        answers(
                new MockResponse.Builder()
                        .onResponseStart(new SocketEffect.CloseStream(2)) // at the request, the queue may give it twice
                        .build(),
                answer(200).body("12").build());
        try (Response response = sent(calls.newCall(request().build()), way)) {
            assertThat(response.protocol()).isEqualTo(Protocol.H2_PRIOR_KNOWLEDGE);
            assertThat(response.body().string()).isEqualTo("12");
        }
        assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.SUCCESS);
    }

    @Test
    @Logs(value = "Http2Connection.Listener failure", sometimes = true)
    void anInterruptEndsAStreamOfHttp2() throws Exception {
        server.setProtocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE));
        clientWith(b -> b.protocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE)));
        answers(hanging().build());
        FutureTask<Ended> task = new FutureTask<>(() -> new Ended(
                assertThatThrownBy(() -> calls.newCall(request().build()).execute())
                        .actual(),
                Thread.interrupted()));
        Thread thread = new Thread(task);
        thread.start();
        server.takeRequest();
        thread.interrupt();
        assertThat(task.get(1, TimeUnit.MINUTES).error()).isInstanceOf(InterruptedIOException.class);
        assertThat(task.get().flag()).isTrue();
        assertThat(attempts).doesNotContain(Outcome.FAILURE);
    }

    enum Where {
        INTERCEPTOR,
        NETWORK_INTERCEPTOR,
        REQUEST_BODY
    }

    /** As a request through another adapter does: it takes the interrupt of the thread from the channels outside. */
    private static void useAChannel() throws IOException {
        try (FileChannel file = FileChannel.open(Path.of("pom.xml"))) {
            assertThat(file.size()).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource(Where.class)
    void anInterruptEndsACallWithinWhichAChannelWasUsed(Where where) throws Exception {
        Interceptor using = chain -> {
            useAChannel();
            return chain.proceed(chain.request());
        };
        clientWith(b -> {
            switch (where) {
                case INTERCEPTOR -> b.addInterceptor(using);
                case NETWORK_INTERCEPTOR -> b.addNetworkInterceptor(using);
                default -> {}
            }
        });
        RequestBody body = new RequestBody() {
            @Override
            public @Nullable MediaType contentType() {
                return null;
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                sink.writeUtf8("12");
                if (where == Where.REQUEST_BODY) {
                    useAChannel();
                }
            }
        };
        answers(hanging().build());
        FutureTask<Ended> task = new FutureTask<>(() -> new Ended(
                catchThrowable(() -> calls.newCall(request().put(body).build()).execute()), Thread.interrupted()));
        Thread thread = new Thread(task);
        thread.start();
        server.takeRequest();
        thread.interrupt();
        assertThat(task.get(1, TimeUnit.MINUTES).error())
                .isInstanceOf(InterruptedIOException.class)
                .hasMessage("interrupted");
        assertThat(task.get().flag()).isTrue();
        assertThat(attempts).doesNotContain(Outcome.FAILURE);
    }
}
