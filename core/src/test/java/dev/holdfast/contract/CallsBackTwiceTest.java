/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stages and futures that are used otherwise than the JDK's own would be. */
class CallsBackTwiceTest {
    private final Pipeline pipeline = Pipeline.of("p");

    @AfterEach
    void close() {
        pipeline.close();
    }

    /** Tells its listener of two values, one after the other. */
    private static final class Twice extends CompletableFuture<String> {
        @Override
        public CompletableFuture<String> whenComplete(BiConsumer<? super String, ? super Throwable> listener) {
            call(listener, "first");
            call(listener, "second");
            return this;
        }

        @SuppressWarnings("NullAway") // there is no error
        private static void call(BiConsumer<? super String, ? super Throwable> listener, @Nullable String value) {
            listener.accept(value, null);
        }
    }

    @Test
    void firstValueOfAStageThatCallsBackTwiceIsTheAnswerAndNothingIsDeliveredAndDiscarded() {
        List<Object> discarded = new ArrayList<>();
        Operation<String> operation = pipeline.operation("o", o -> o.discard(discarded::add));
        assertThat(operation.unkeyed().callAsync(attempt -> new Twice())).isCompletedWithValue("first");
        assertThat(discarded).doesNotContain("first");
    }

    /** Until its first value is let go. */
    private static final class TwiceLater extends CompletableFuture<String> {
        private final List<Runnable> told = new ArrayList<>();

        @Override
        public CompletableFuture<String> whenComplete(BiConsumer<? super String, ? super Throwable> listener) {
            told.add(() -> {
                Twice.call(listener, "late");
                Twice.call(listener, "late");
            });
            return this;
        }
    }

    private static Pipeline with(VirtualTime time, FallbackPolicy fallback) {
        return Pipeline.builder("p").policies(fallback).time(time).build();
    }

    private static CompletableFuture<String> failing(boolean async, VirtualTime time, Call<String> call) {
        return async
                ? call.callAsync(attempt -> CompletableFuture.failedFuture(new IOException("ill")))
                : time.spawn(() -> call.call(attempt -> {
                    throw new IOException("ill");
                }));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void firstValueOfAFallbacksStageThatCallsBackTwiceIsTheAnswer(boolean async) {
        try (VirtualTime time = new VirtualTime();
                Pipeline answered = with(time, FallbackPolicy.ofAsync(error -> new Twice()))) {
            CompletableFuture<String> answer =
                    failing(async, time, answered.<String>operation("o").unkeyed());
            time.run();
            assertThat(answer).isCompletedWithValue("first");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAFallbacksStageBringsTwiceWhenNobodyWaitsIsDiscardedOnce(boolean async) {
        TwiceLater stage = new TwiceLater();
        List<Object> discarded = new ArrayList<>();
        try (VirtualTime time = new VirtualTime();
                Pipeline answered = with(time, FallbackPolicy.ofAsync(error -> stage))) {
            Operation<String> operation = answered.operation("o", o -> o.discard(discarded::add));
            CompletableFuture<String> answer =
                    failing(async, time, operation.unkeyed().deadline(Duration.ofMillis(50)));
            time.run();
            assertThat(answer).isCompletedExceptionally();
            stage.told.forEach(Runnable::run);
            assertThat(discarded).containsExactly("late");
        }
    }

    @Test
    void nothingIsSuppliedForACallThatIsOver() {
        CompletableFuture<String> future = pipeline.callAsync(() -> CompletableFuture.completedFuture("answer"));
        AtomicInteger supplied = new AtomicInteger();
        CompletableFuture<String> same =
                future.completeAsync(() -> "supply " + supplied.incrementAndGet(), Runnable::run);
        assertThat(same).isCompletedWithValue("answer");
        assertThat(supplied).hasValue(0);
    }
}
