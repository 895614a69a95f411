/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An asynchronous call that waits for another one of its key, and finds no thread to go on: the executor is full, or the pipeline closed. */
class NoThreadToGoOnTest {
    private final VirtualTime time = new VirtualTime();
    private final StaleCachePolicy cache =
            StaleCachePolicy.of(c -> c.staleIfError(Duration.ofMinutes(10)).staleIfSlow(Duration.ZERO));
    private final CompletableFuture<String> led = new CompletableFuture<>();
    private volatile boolean isFull;

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(boolean hasFallback) {
        Pipeline.Builder builder = Pipeline.builder("inventory");
        if (hasFallback) {
            builder.with(FallbackPolicy.value("fallback"));
        }
        return builder.with(cache)
                .with(TimeoutPolicy.of(ofMillis(80)))
                .executor(task -> {
                    if (isFull) {
                        throw new RejectedExecutionException("full");
                    }
                    task.run();
                })
                .time(time)
                .build();
    }

    private static String shown(CompletableFuture<Reply<String>> reply) {
        try {
            Reply<String> come = reply.join();
            return come.value() + " " + come.source();
        } catch (CompletionException failed) {
            return failed.getCause() instanceof CallRejectedException rejected
                    ? rejected.reason().toString()
                    : String.valueOf(failed.getCause());
        }
    }

    /** What a call gets that waits for another one, while this happens. */
    private String follower(boolean hasOld, boolean hasFallback, BiConsumer<Pipeline, CompletableFuture<String>> end) {
        try (Pipeline pipeline = pipeline(hasFallback)) {
            Operation<String> stock = pipeline.operation("stock", operation -> operation.idempotent(true));
            if (hasOld) {
                assertThat(stock.key("k")
                                .callAsync(attempt -> CompletableFuture.completedFuture("old"))
                                .join())
                        .isEqualTo("old");
                time.advance(ofSeconds(1));
            }
            CompletableFuture<String> leader = stock.key("k").callAsync(attempt -> led);
            Call<String> call = stock.key("k").deadline(ofMillis(60));
            CompletableFuture<Reply<String>> follower =
                    call.replyAsync(attempt -> CompletableFuture.completedFuture("own"));
            assertThat(leader).isNotDone();
            assertThat(follower).isNotDone();
            isFull = true;
            end.accept(pipeline, led);
            time.advance(ofMillis(1));
            String shown = shown(follower);
            led.complete("late");
            assertThat(cache.underWay()).isZero();
            return shown;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "true, false, led LIVE",
        "false, false, led LIVE",
        "true, true, led LIVE",
    })
    void getsWhatTheOtherOneHasBrought(boolean hasOld, boolean hasFallback, String gets) {
        assertThat(follower(hasOld, hasFallback, (pipeline, leader) -> leader.complete("led")))
                .isEqualTo(gets);
    }

    @ParameterizedTest
    @CsvSource({
        "true, false, old STALE_ON_ERROR",
        "true, true, old STALE_ON_ERROR",
        "false, false, EXECUTOR_FULL",
        "false, true, fallback FALLBACK",
    })
    void getsTheOldValueIfTheOtherOneFails(boolean hasOld, boolean hasFallback, String gets) {
        assertThat(follower(
                        hasOld,
                        hasFallback,
                        (pipeline, leader) -> leader.completeExceptionally(new ConnectException("refused"))))
                .isEqualTo(gets);
    }

    @ParameterizedTest
    @CsvSource({"true, old STALE_ON_ERROR", "false, DEADLINE_EXCEEDED"})
    void getsTheOldValueAtTheEndOfItsTime(boolean hasOld, String gets) {
        assertThat(follower(hasOld, false, (pipeline, leader) -> time.advance(ofMillis(70))))
                .isEqualTo(gets);
    }

    @ParameterizedTest
    @CsvSource({"true, old STALE_ON_ERROR", "false, CLOSED"})
    void getsTheOldValueWhenThePipelineIsClosed(boolean hasOld, String gets) {
        assertThat(follower(hasOld, false, (pipeline, leader) -> {
                    pipeline.close();
                    leader.completeExceptionally(new ConnectException("refused"));
                }))
                .isEqualTo(gets);
    }

    @Test
    void isCountedOnce() {
        RecordedMeters meters = new RecordedMeters();
        cache.meters(meters);
        assertThat(follower(
                        true,
                        false,
                        (pipeline, leader) -> leader.completeExceptionally(new ConnectException("refused"))))
                .isEqualTo("old STALE_ON_ERROR");
        assertThat(meters.values().get("stalecache.requests{kind=stale_on_error}"))
                .as("the other one's, too")
                .isEqualTo(2);
        assertThat(meters.values().get("stalecache.requests{kind=miss}"))
                .as("that of the old value")
                .isEqualTo(1);
    }

    @Test
    void isCancelledAllTheSame() {
        try (Pipeline pipeline = pipeline(false)) {
            Operation<String> stock = pipeline.operation("stock", operation -> operation.idempotent(true));
            stock.key("k")
                    .callAsync(attempt -> CompletableFuture.completedFuture("old"))
                    .join();
            time.advance(ofSeconds(1));
            CompletableFuture<String> leader = stock.key("k").callAsync(attempt -> led);
            CompletableFuture<String> follower =
                    stock.key("k").callAsync(attempt -> CompletableFuture.completedFuture("own"));
            isFull = true;
            assertThat(follower.cancel(true)).isTrue();
            assertThat(follower).isCancelled();
            assertThat(leader).isNotDone();
        }
    }
}
