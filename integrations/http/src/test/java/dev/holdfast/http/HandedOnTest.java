/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HandedOnTest {
    private boolean comesLate;
    private final CompletableFuture<Integer> source = new CompletableFuture<>() {
        @Override
        public boolean cancel(boolean mayInterrupt) {
            return comesLate ? !complete(2) : super.cancel(mayInterrupt);
        }
    };
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
    void aFormThatCannotBeMadeIsItsError() {
        CompletableFuture<HttpResponse<String>> responses = new CompletableFuture<>();
        List<HttpResponse<String>> closed = new ArrayList<>();
        HandedOn<?, ?> broken = HandedOn.of(
                responses,
                response -> {
                    throw new IllegalStateException("broken");
                },
                error -> error,
                closed::add);
        HttpResponse<String> response = response();
        responses.complete(response);

        assertThatThrownBy(broken::join).hasCauseInstanceOf(IllegalStateException.class);
        assertThat(closed).containsExactly(response);
    }

    /** Somebody else ends it while the other form is made. */
    @ParameterizedTest
    @EnumSource(Outside.class)
    void aResponseThatComesTooLateIsNotForgotten(Outside outside) {
        CompletableFuture<HttpResponse<String>> responses = new CompletableFuture<>();
        List<HttpResponse<String>> closed = new ArrayList<>();
        List<CompletableFuture<HttpResponse<String>>> made = new ArrayList<>();
        HttpResponse<String> other = response();
        made.add(HandedOn.of(
                responses,
                response -> {
                    outside.act(made.get(0), other);
                    return response;
                },
                error -> error,
                closed::add));
        HttpResponse<String> response = response();
        responses.complete(response);

        assertThat(made.get(0)).isDone();
        assertThat(closed).containsExactly(response);
    }

    @SuppressWarnings("unchecked") // nobody asks it for a body
    private static HttpResponse<String> response() {
        return (HttpResponse<String>) Proxy.newProxyInstance(
                HttpResponse.class.getClassLoader(),
                new Class<?>[] {HttpResponse.class},
                (proxy, method, arguments) -> method.getName().equals("equals") ? proxy == arguments[0] : null);
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

    /** {@code orTimeout} and {@code completeOnTimeout} call the first two of these, when their time is over. */
    @ParameterizedTest
    @EnumSource(Outside.class)
    void whateverCompletesItFromOutsideCancelsItsSourceFirst(Outside outside) {
        List<Boolean> sourceWasOver = new ArrayList<>();
        var unused = handedOn.whenComplete((value, error) -> sourceWasOver.add(source.isDone()));
        outside.act(handedOn, "other");

        assertThat(handedOn).isDone();
        assertThat(source).isCancelled();
        assertThat(sourceWasOver).as("before the stages that depend on it").containsExactly(true);
        assertThat(lost).isEmpty();
    }

    private enum Outside {
        VALUE,
        ERROR,
        OBTRUDED_VALUE,
        OBTRUDED_ERROR,
        SUPPLIED,
        CANCELLED;

        <T> void act(CompletableFuture<T> future, T other) {
            switch (this) {
                case VALUE -> assertThat(future.complete(other)).isTrue();
                case ERROR ->
                    assertThat(future.completeExceptionally(new TimeoutException()))
                            .isTrue();
                case OBTRUDED_VALUE -> future.obtrudeValue(other);
                case OBTRUDED_ERROR -> future.obtrudeException(new TimeoutException());
                case SUPPLIED -> future.completeAsync(() -> other, Runnable::run);
                case CANCELLED -> assertThat(future.cancel(true)).isTrue();
            }
        }
    }

    @Test
    void onceItHasEndedNothingFromOutsideChangesIt() {
        source.complete(1);

        assertThat(handedOn.complete("other")).isFalse();
        assertThat(handedOn.completeExceptionally(new TimeoutException())).isFalse();
        assertThat(handedOn.cancel(true)).isFalse();
        assertThat(handedOn).isCompletedWithValue("made of 1");
    }

    /** To cancel the source may come too late. */
    @ParameterizedTest
    @EnumSource(Outside.class)
    void aValueThatComesWhileItIsGivenUpIsNotForgotten(Outside outside) {
        comesLate = true;
        outside.act(handedOn, "other");

        assertThat(handedOn).isDone();
        assertThat(lost).containsExactly("made of 2");
    }
}
