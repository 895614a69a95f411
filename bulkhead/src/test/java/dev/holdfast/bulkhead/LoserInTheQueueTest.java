/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A hedge that is a call of another pipeline, and waits there for the permit of the attempt that wins. */
class LoserInTheQueueTest {
    @Test
    void nothingIsSentForACallThatHasEndedHoweverBusyItsExecutorIs() {
        try (VirtualTime time = new VirtualTime()) {
            Executor busy = task -> {
                var unused = time.schedule(30_000_000, task);
            };
            Pipeline inner = Pipeline.builder("inner")
                    .policies(BulkheadPolicy.of(
                            b -> b.maxConcurrentCalls(1).maxWaitingCalls(5).maxWait(Duration.ofSeconds(5))))
                    .time(time)
                    .build();
            Pipeline outer = Pipeline.builder("outer")
                    .policies(HedgePolicy.of(h -> h.delay(Duration.ofMillis(5)).budgetEnabled(false)))
                    .time(time)
                    .executor(busy)
                    .backgroundExecutor(time.executor())
                    .build();
            AtomicInteger sent = new AtomicInteger();
            CompletableFuture<String> first = new CompletableFuture<>();
            CompletableFuture<String> call = outer.<String>operation("o")
                    .unkeyed()
                    .callAsync(attempt ->
                            inner.callAsync(() -> sent.getAndIncrement() == 0 ? first : new CompletableFuture<>()));
            time.advance(Duration.ofMillis(10));
            assertThat(inner.snapshot().numbers()).containsEntry("bulkhead.waiting", 1.0);

            first.complete("first");
            assertThat(call).isCompletedWithValue("first");
            time.run();
            assertThat(sent).hasValue(1);
            assertThat(inner.snapshot().numbers())
                    .containsEntry("bulkhead.in.flight", 0.0)
                    .containsEntry("bulkhead.waiting", 0.0);
        }
    }
}
