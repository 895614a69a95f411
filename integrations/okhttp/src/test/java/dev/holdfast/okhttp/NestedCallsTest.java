/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call.Priority;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls that an interceptor makes within an attempt, which is on a thread of the dispatcher's with {@code enqueue}. */
class NestedCallsTest {
    enum Way {
        EXECUTE,
        ENQUEUE
    }

    private final MockWebServer server = new MockWebServer();
    private final List<RecordedRequest> arrived = new CopyOnWriteArrayList<>();
    private final List<Pipeline> pipelines = new ArrayList<>();
    private final List<OkHttpClient> clients = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        server.start(InetAddress.getLoopbackAddress(), 0);
        answer(new MockResponse.Builder().build());
    }

    private void answer(MockResponse response) {
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                arrived.add(request);
                return response;
            }
        });
    }

    @AfterEach
    void stop() {
        clients.forEach(client -> {
            client.dispatcher().executorService().shutdown();
            client.connectionPool().evictAll();
        });
        pipelines.forEach(Pipeline::close);
        server.close();
    }

    private HoldfastCallFactory around(Interceptor interceptor, Policy... policies) {
        Pipeline pipeline = Pipeline.of("p" + pipelines.size(), policies);
        pipelines.add(pipeline);
        OkHttpClient client =
                new OkHttpClient.Builder().addInterceptor(interceptor).build();
        clients.add(client);
        return HoldfastCallFactory.around(client, Pipelines.one(pipeline));
    }

    private static Policy retry() {
        return RetryPolicy.of(
                r -> r.maxAttempts(4).initialBackoff(Duration.ZERO).budgetEnabled(false));
    }

    private static int status(HoldfastCallFactory calls, Way way, Request request) throws Exception {
        if (way == Way.EXECUTE) {
            try (Response response = calls.newCall(request).execute()) {
                return response.code();
            }
        }
        CompletableFuture<Integer> status = new CompletableFuture<>();
        calls.newCall(request).enqueue(new Callback() {
            @Override
            public void onFailure(Call call, IOException e) {
                status.completeExceptionally(e);
            }

            @Override
            public void onResponse(Call call, Response response) {
                response.close();
                status.complete(response.code());
            }
        });
        return status.get();
    }

    private Request request() {
        return new Request.Builder().url(server.url("/a")).build();
    }

    private List<@Nullable String> sent(String header) {
        List<@Nullable String> values = new ArrayList<>();
        arrived.forEach(request -> values.add(request.getHeaders().get(header)));
        return values;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theInnerOneDoesNotRetryInsideARetryOfTheOuterOne(Way way) throws Exception {
        answer(new MockResponse.Builder().code(500).build());
        HoldfastCallFactory inner = around(chain -> chain.proceed(chain.request()), retry());
        HoldfastCallFactory outer =
                around(chain -> inner.newCall(chain.request()).execute(), retry());
        assertThat(status(outer, way, request())).isEqualTo(500);
        assertThat(sent("Holdfast-Attempt")).containsExactly("1", "2", "3", "4", "2", "3", "4");
    }

    /** A time to wait that is longer than what is left: nobody would get the next answer. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void theInnerOneHasTheDeadlineOfTheOuterOne(Way way) throws Exception {
        answer(new MockResponse.Builder()
                .code(503)
                .addHeader("Retry-After", "60")
                .build());
        HoldfastCallFactory inner = around(chain -> chain.proceed(chain.request()), retry());
        HoldfastCallFactory outer =
                around(chain -> inner.newCall(chain.request()).execute(), DeadlinePolicy.of(Duration.ofSeconds(30)));
        assertThat(status(outer, way, request())).isEqualTo(503);
        assertThat(sent("Holdfast-Attempt")).containsExactly("1");
    }

    /** It waits for a retry that would come after 20 seconds. */
    @Test
    void theInnerOneIsCancelledWithTheOuterOne() throws Exception {
        answer(new MockResponse.Builder()
                .code(503)
                .addHeader("Retry-After", "20")
                .build());
        CompletableFuture<Call> begun = new CompletableFuture<>();
        CompletableFuture<String> ended = new CompletableFuture<>();
        HoldfastCallFactory inner = around(chain -> {
            Response response = chain.proceed(chain.request());
            begun.complete(chain.call());
            return response;
        });
        HoldfastCallFactory waiting =
                around(chain -> inner.newCall(chain.request()).execute(), retry());
        HoldfastCallFactory outer = around(chain -> {
            try {
                Response response = waiting.newCall(chain.request()).execute();
                ended.complete("answered");
                return response;
            } catch (IOException e) {
                ended.complete(e.getMessage());
                throw e;
            }
        });
        Call call = outer.newCall(request());
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {}

            @Override
            public void onResponse(Call answered, Response response) {
                response.close();
            }
        });
        begun.get();
        call.cancel();
        assertThat(ended.get()).isEqualTo("Canceled");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anInterceptorHasThePriorityOfTheCall(Way way) throws Exception {
        List<Priority> seen = new CopyOnWriteArrayList<>();
        HoldfastCallFactory calls = around(
                chain -> {
                    seen.add(Priority.current());
                    return chain.proceed(chain.request());
                },
                retry());
        CallHeaders.ofDefaults()
                .receive(Map.of("Holdfast-Priority", "sheddable")::get, () -> status(calls, way, request()));
        assertThat(seen).containsExactly(Priority.SHEDDABLE);
    }

    /** What a thread of the dispatcher has met in one attempt, the next one on it does not have. */
    @Test
    void aThreadOfTheDispatcherKeepsNothing() throws Exception {
        List<Boolean> limited = new CopyOnWriteArrayList<>();
        HoldfastCallFactory calls = around(
                chain -> {
                    limited.add(Deadline.remaining().isPresent());
                    return chain.proceed(chain.request());
                },
                retry());
        Deadline.within(Duration.ofSeconds(30), () -> status(calls, Way.ENQUEUE, request()));
        status(calls, Way.ENQUEUE, request());
        assertThat(limited).containsExactly(true, false);
    }
}
