/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.testcalls.AnotherService;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A request that is done twice is found by what its attempts throw. */
class AlreadySentTest {
    @ParameterizedTest
    @MethodSource("dev.holdfast.testcalls.AnotherService#errors")
    void whatWasThrownAfterTheRequestWasSentIsNotRepeated(Supplier<Exception> error) {
        Exception thrown = error.get();
        AtomicInteger runs = new AtomicInteger();
        try (AnotherService other = new AnotherService()) {
            Throwable seen = catchThrowable(() -> other.pipeline()
                    .operation("pay", o -> o.idempotent(false))
                    .unkeyed()
                    .call(attempt -> {
                        runs.incrementAndGet();
                        AlreadySent.mark(thrown);
                        throw AnotherService.sneaky(thrown);
                    }));
            assertThat(AlreadySent.original(seen)).isSameAs(thrown);
        }
        assertThat(runs).hasValue(1);
    }

    @ParameterizedTest
    @MethodSource("dev.holdfast.testcalls.AnotherService#errors")
    void norIsThatWithWhichAFutureEnds(Supplier<Exception> error) {
        Exception thrown = error.get();
        AtomicInteger runs = new AtomicInteger();
        try (AnotherService other = new AnotherService()) {
            CompletableFuture<Object> answer = other.pipeline()
                    .operation("pay", o -> o.idempotent(false))
                    .unkeyed()
                    .callAsync(attempt -> {
                        runs.incrementAndGet();
                        return CompletableFuture.failedFuture(AlreadySent.marked(thrown));
                    });
            Throwable seen = catchThrowable(answer::get);
            assertThat(AnotherService.root(seen)).isSameAs(AnotherService.root(thrown));
        }
        assertThat(runs).hasValue(1);
    }

    @Test
    void anExceptionThatIsThrownAgainAndAgainIsMarkedOnce() {
        IOException one = new IOException();
        AlreadySent.marked(one);
        assertThat(AlreadySent.marked(one)).isSameAs(one);
        assertThat(one.getSuppressed()).hasSize(1);
    }

    @Test
    void whatIsThrownAtAnUnreadableAnswerIsOfTheNetworkWhateverItsType() {
        Exception thrown = new NumberFormatException("zz");
        assertThat(HttpClassifier.ofDefaults().classify(null, thrown)).isEqualTo(Verdict.IGNORED);
        Throwable told = AlreadySent.unreadable(new CompletionException(thrown));
        assertThat(told).as("what policies and observers see").isSameAs(thrown);
        assertThat(HttpClassifier.ofDefaults().classify(null, told)).isEqualTo(Verdict.FAILURE);
        assertThat(AlreadySent.unreadable(told)).isSameAs(told);
        assertThat(told.getSuppressed()).hasSize(1);
        IOException ofTheNetwork = new IOException();
        assertThat(AlreadySent.unreadable(ofTheNetwork)).isSameAs(ofTheNetwork);
    }

    @Test
    void aClassifierOfThePipelinesOwnSeesWhatWasThrown() {
        Exception thrown = new NumberFormatException("zz");
        Classifier own = (value, error) -> error == thrown ? Verdict.PUSHBACK : Verdict.FAILURE;
        assertThat(HttpClassifier.of(JdkMessages.INSTANCE, () -> own).classify(null, AlreadySent.unreadable(thrown)))
                .isEqualTo(Verdict.PUSHBACK);
    }

    @Test
    void onlyWhatTakesNoMarkHasAnExceptionAroundIt() {
        CallRejectedException rejection =
                new CallRejectedException(Reason.CIRCUIT_OPEN, "prices", "circuit-breaker", "it is open", -1, null);
        assertThat(AlreadySent.marked(rejection))
                .isInstanceOf(IOException.class)
                .hasMessage(rejection.getMessage())
                .hasCause(rejection);
        RuntimeException wrapper = new IllegalStateException(rejection);
        assertThat(AlreadySent.marked(wrapper)).isSameAs(wrapper);
        RuntimeException own = new RuntimeException("by intent", null, false, false) {
            private static final long serialVersionUID = 1;
        };
        assertThat(AlreadySent.marked(own)).isSameAs(own);
        Throwable unreadable = AlreadySent.unreadable(own);
        assertThat(unreadable).isInstanceOf(IOException.class).hasCause(own);
        assertThat(AlreadySent.original(unreadable)).isSameAs(own);
    }
}
