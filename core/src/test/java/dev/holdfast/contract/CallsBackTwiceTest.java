/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

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
