/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.http.HeadTest.Asked;
import dev.holdfast.spi.CallObserver;
import java.net.URI;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NamesOfOperationsTest {
    private final Set<@Nullable String> names = new HashSet<>();

    /** Names are tags of meters, whatever the methods are. */
    @Test
    void aboveAHundredTheyAreOne() {
        HttpOptions<Asked> options = new HttpOptions<>();
        options.operation(request -> request.uri().getPath());
        try (Pipeline pipeline = Pipeline.builder("shop")
                .observer(new CallObserver() {
                    @Override
                    public void attemptSettled(
                            String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                        names.add(operation);
                    }
                })
                .build()) {
            HttpCalls<Asked, Integer> calls =
                    new HttpCalls<>(new HeadTest.Messages(), Pipelines.one(pipeline), options);
            for (int i = 0; i < 240; i++) {
                calls.call(new Asked(i % 2 == 0 ? "GET" : "POST", URI.create("http://shop.example/" + i)))
                        .call(attempt -> 200);
                assertThat(names).hasSize(Math.min(i + 1, 101));
            }
            assertThat(names).contains("/0", "/99", "other");
            calls.call(new Asked("POST", URI.create("http://shop.example/0"))).call(attempt -> 200);
            assertThat(names).hasSize(101);
        }
    }

    @Test
    void aNameThatTwoThreadsAskForAtOnceIsItself() throws Exception {
        CyclicBarrier both = new CyclicBarrier(2);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            for (int i = 0; i < 300; i++) {
                PerPipeline.Named<String> named = new PerPipeline.Named<>(new PerPipeline.Names(), name -> name);
                Callable<String> ask = () -> {
                    both.await();
                    return named.of("GET /x");
                };
                for (Future<String> asked : threads.invokeAll(List.of(ask, ask))) {
                    assertThat(asked.get()).isEqualTo("GET /x");
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
