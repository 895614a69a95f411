/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class HandedOnTest {
    private final CompletableFuture<Integer> source = new CompletableFuture<>();
    private final List<String> lost = new ArrayList<>();
    private final HandedOn<Integer, String> handedOn = new HandedOn<>(
            source,
            value -> CompletableFuture.completedStage("made of " + value),
            error -> new IOException(error),
            lost::add);

    @Test
    void itEndsAsItsSource() {
        source.complete(1);

        assertThat(handedOn).isCompletedWithValue("made of 1");
        assertThat(lost).isEmpty();
    }

    @Test
    void anErrorIsAnotherOne() {
        source.completeExceptionally(new IllegalStateException("broken"));

        assertThatThrownBy(handedOn::join).hasCauseInstanceOf(IOException.class).hasRootCauseMessage("broken");
    }

    /** Of a fallback: its type is not known when the call is made. */
    @Test
    @SuppressWarnings("unchecked")
    void aValueThatIsNoResponseIsAnError() {
        CompletableFuture<Object> any = new CompletableFuture<>();
        CompletableFuture<HttpResponse<String>> responses = HandedOn.of(
                (CompletableFuture<HttpResponse<String>>) (CompletableFuture<?>) any,
                response -> response,
                error -> error,
                response -> {});
        any.complete("instead");

        assertThatThrownBy(responses::join)
                .hasCauseInstanceOf(ClassCastException.class)
                .hasMessageContaining("java.lang.String, perhaps of a fallback");
    }

    @Test
    void toCancelItCancelsItsSource() {
        handedOn.cancel(true);

        assertThat(source).isCancelled();
        assertThat(lost).isEmpty();
    }

    /** As {@code sendAsync} of the JDK says of its futures. */
    @Test
    void toCancelWhatIsDerivedFromItCancelsItsSource() {
        CompletableFuture<Integer> derived = handedOn.thenApply(String::length).thenApply(length -> length + 1);
        assertThat(derived.cancel(false)).isTrue();
        assertThat(source).as("without an interrupt").isNotDone();
        CompletableFuture<Void> another = handedOn.thenAccept(value -> {}).copy();
        assertThat(another.cancel(true)).isTrue();
        assertThat(source).isCancelled();
        assertThat(handedOn).isCancelled();
    }

    @Test
    void toCancelWhatIsDerivedDoesNothingOnceThatIsDone() {
        CompletableFuture<String> other =
                handedOn.applyToEither(CompletableFuture.completedFuture("first"), first -> first);
        assertThat(other.cancel(true)).isFalse();
        assertThat(source).isNotDone();
    }

    /** What hears of the cancellation first may take its time. */
    @Test
    void aValueThatComesWhileItIsCancelledIsNotForgotten() {
        var unused = handedOn.whenComplete((value, error) -> source.complete(2));
        handedOn.cancel(true);

        assertThatThrownBy(handedOn::join).isInstanceOf(CancellationException.class);
        assertThat(lost).containsExactly("made of 2");
    }
}
