/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The executor of the client's dispatcher takes no request, and the server hears of nothing: it is not to blame. */
class RefusingDispatcherTest {
    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private final Pipeline pipeline = Pipeline.builder("shop")
            .policies(RetryPolicy.ofDefaults())
            .observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.add(outcome);
                }
            })
            .build();

    @AfterEach
    void close() {
        pipeline.close();
    }

    private void assertIsARejection(ExecutorService threads) throws Exception {
        OkHttpClient client =
                new OkHttpClient.Builder().dispatcher(new Dispatcher(threads)).build();
        CompletableFuture<Throwable> told = new CompletableFuture<>();
        HoldfastCallFactory.around(client, Pipelines.one(pipeline))
                .newCall(new Request.Builder().url("http://localhost/").build())
                .enqueue(new Callback() {
                    @Override
                    public void onFailure(Call call, IOException e) {
                        told.complete(e);
                    }

                    @Override
                    public void onResponse(Call call, Response response) {
                        response.close();
                        told.complete(new AssertionError("answered"));
                    }
                });
        assertThat(told.get()).isExactlyInstanceOf(InterruptedIOException.class).hasMessage("executor rejected");
        assertThat(attempts).containsExactly(Outcome.REJECTED);
    }

    @Test
    void anExecutorThatIsShutDownIsARejection() throws Exception {
        ExecutorService over = Executors.newCachedThreadPool();
        over.shutdown();
        assertIsARejection(over);
    }

    @Test
    void anExecutorWithoutAFreeThreadIsARejection() throws Exception {
        CompletableFuture<Void> end = new CompletableFuture<>();
        ExecutorService full = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new SynchronousQueue<>());
        full.execute(end::join);
        try {
            assertIsARejection(full);
        } finally {
            end.complete(null);
            full.shutdown();
        }
    }
}
