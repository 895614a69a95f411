/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.http.Pipelines;
import dev.holdfast.testcalls.AnotherService;
import dev.holdfast.testing.ScriptedServer;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A POST is repeated if it was surely not done: by the errors of its own connection, not by those that an interceptor meets. */
class SentOnceTest {
    private final ScriptedServer server = ScriptedServer.start().answers(200, "12");
    private final AnotherService other = new AnotherService();

    /** OkHttp throws what is no IOException once more, on its own thread. */
    private final ExecutorService quiet = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task);
        thread.setUncaughtExceptionHandler((of, thrown) -> {});
        return thread;
    });

    private @Nullable Exception before;
    private @Nullable Exception after;
    private final Call.Factory calls = HoldfastCallFactory.around(
            new OkHttpClient.Builder()
                    .addInterceptor(chain -> {
                        if (before != null) {
                            throw AnotherService.sneaky(before);
                        }
                        Response response = chain.proceed(chain.request());
                        if (after != null) {
                            response.close();
                            throw AnotherService.sneaky(after);
                        }
                        return response;
                    })
                    .dispatcher(new Dispatcher(quiet))
                    .build(),
            Pipelines.one(other.pipeline()));

    @AfterEach
    void close() {
        quiet.shutdown();
        other.close();
        server.close();
    }

    private Throwable blocking(Request request) {
        return catchThrowable(() -> calls.newCall(request).execute().close());
    }

    private @Nullable Throwable asynchronous(Request request) {
        CompletableFuture<Response> answer = new CompletableFuture<>();
        calls.newCall(request).enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                answer.completeExceptionally(e);
            }

            @Override
            public void onResponse(Call answered, Response response) {
                response.close();
                answer.complete(response);
            }
        });
        return catchThrowable(answer::get).getCause();
    }

    private static Request post(String url) {
        return new Request.Builder()
                .url(url)
                .post(RequestBody.create("12", null))
                .build();
    }

    @ParameterizedTest
    @MethodSource("dev.holdfast.testcalls.AnotherService#errors")
    void aPostThatWasSentIsNotRepeatedIfAnInterceptorFailsToCallAnotherService(Supplier<Exception> error) {
        Request post = post(server.uri("/pay").toString());
        after = error.get();
        assertThat(AnotherService.root(blocking(post))).isSameAs(AnotherService.root(after));
        assertThat(server.requests()).hasSize(1);
        assertThat(AnotherService.root(asynchronous(post))).isSameAs(AnotherService.root(after));
        assertThat(server.requests()).hasSize(2);
    }

    @ParameterizedTest
    @MethodSource("dev.holdfast.testcalls.AnotherService#errors")
    void aPostThatWasNotSentIsRepeated(Supplier<Exception> error) {
        Request post = post(server.uri("/pay").toString());
        before = error.get();
        assertThat(AnotherService.root(blocking(post))).isSameAs(AnotherService.root(before));
        assertThat(other.attempts()).isEqualTo(3);
        assertThat(AnotherService.root(asynchronous(post))).isSameAs(AnotherService.root(before));
        assertThat(other.attempts()).isEqualTo(3);
        assertThat(server.requests()).isEmpty();
    }

    @Test
    void aPostThatFindsNobodyIsRepeated() throws IOException {
        try (Socket deaf = AnotherService.deaf()) {
            Request post = post(AnotherService.uri(deaf).toString());
            assertThat(blocking(post)).isInstanceOf(IOException.class);
            assertThat(other.attempts()).isEqualTo(3);
            assertThat(asynchronous(post)).isInstanceOf(IOException.class);
            assertThat(other.attempts()).isEqualTo(3);
        }
    }
}
