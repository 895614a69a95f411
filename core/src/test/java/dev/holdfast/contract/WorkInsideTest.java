/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What must not be done twice is not, although only a call of another pipeline inside it knows that it was done. */
@ThreadKind.Each
class WorkInsideTest {
    private static final String DRIVERS = """
            true, true
            true, false
            false, true
            false, false
            """;

    private final Pipeline middle = pipeline("middle");
    private final Pipeline inner = pipeline("inner");
    private final Deque<Object> script = new ArrayDeque<>();
    private int asked;

    @AfterEach
    void close() {
        middle.close();
        inner.close();
    }

    private static Pipeline pipeline(String name) {
        return Pipeline.builder(name)
                .policies(RetryPolicy.of(r -> r.initialBackoff(Duration.ofMillis(1))
                        .budgetEnabled(false)
                        .retryInsideRetries(true)))
                .classifier((value, error) -> "busy".equals(value)
                        ? Verdict.pushback(Duration.ofMillis(1))
                        : error == null ? Verdict.SUCCESS : Verdict.FAILURE)
                .build();
    }

    /** One attempt at the dependency, as it was scripted; the last step goes on for ever. */
    private Object ask() throws IOException {
        asked++;
        Object step = script.size() > 1 ? script.remove() : script.element();
        if (step instanceof IOException error) {
            throw error;
        }
        return step;
    }

    private static Object in(Pipeline pipeline, boolean async, CheckedSupplier<Object, Exception> action)
            throws Exception {
        return async ? got(pipeline.callAsync(() -> stage(action))) : pipeline.call(action);
    }

    private static CompletableFuture<Object> stage(CheckedSupplier<Object, Exception> action) {
        try {
            return CompletableFuture.completedFuture(action.get());
        } catch (Exception error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    private static Object got(CompletableFuture<Object> future) throws Exception {
        try {
            return future.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof Exception error ? error : e;
        }
    }

    /** How often the action of the outer call, which is not idempotent, was run, and what the call came to. */
    private record Ran(
            int times, @Nullable Object value, @Nullable Throwable error) {}

    private static Ran outer(boolean async, CheckedSupplier<Object, Exception> action) {
        int[] times = new int[1];
        CheckedSupplier<Object, Exception> counted = () -> {
            times[0]++;
            return action.get();
        };
        try (Pipeline outer = pipeline("outer")) {
            Call<Object> call = outer.operation("pay", o -> o.idempotent(false)).unkeyed();
            Object value = async ? got(call.callAsync(attempt -> stage(counted))) : call.call(attempt -> counted.get());
            return new Ran(times[0], value, null);
        } catch (Exception error) {
            return new Ran(times[0], null, error);
        }
    }

    @ParameterizedTest
    @CsvSource(textBlock = DRIVERS)
    void retryInsideThatMayHaveDoneItAndThenFoundNobodyIsNotRepeatedOutside(boolean outerAsync, boolean innerAsync) {
        script.addAll(Arrays.asList(new SocketException("reset"), new ConnectException("refused")));
        Ran ran = outer(outerAsync, () -> in(inner, innerAsync, this::ask));
        assertThat(ran.error()).hasMessage("refused");
        assertThat(ran.times()).isOne();
        assertThat(asked).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource(textBlock = DRIVERS)
    void pushbackAtTheEndDoesNotHideWhatWasDoneBefore(boolean outerAsync, boolean innerAsync) {
        script.addAll(Arrays.asList(new SocketException("reset"), "busy"));
        Ran ran = outer(outerAsync, () -> in(inner, innerAsync, this::ask));
        assertThat(ran.value()).isEqualTo("busy");
        assertThat(ran.times()).isOne();
    }

    @ParameterizedTest
    @CsvSource(textBlock = DRIVERS)
    void firstOfTwoRequestsIsNotSentAgainBecauseTheSecondFoundNobody(boolean outerAsync, boolean innerAsync) {
        script.addAll(Arrays.asList("paid", new ConnectException("refused")));
        Ran ran = outer(outerAsync, () -> {
            Object unused = in(inner, innerAsync, this::ask);
            return ask();
        });
        assertThat(ran.error()).hasMessage("refused");
        assertThat(ran.times()).isOne();
        assertThat(asked).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource(textBlock = DRIVERS)
    void whatWasDoneThreePipelinesDeepIsKnownOutside(boolean outerAsync, boolean innerAsync) {
        script.addAll(Arrays.asList(new SocketException("reset"), new ConnectException("refused")));
        Ran ran = outer(outerAsync, () -> in(middle, innerAsync, () -> in(inner, !innerAsync, this::ask)));
        assertThat(ran.error()).hasMessage("refused");
        assertThat(ran.times()).isOne();
    }

    @ParameterizedTest
    @CsvSource(textBlock = DRIVERS)
    void soIsWhatWasDoneOnAnotherThreadThatBelongsToTheCall(boolean outerAsync, boolean innerAsync) {
        script.addAll(Arrays.asList("paid", new ConnectException("refused")));
        Ran ran = outer(outerAsync, () -> {
            CompletableFuture<Object> elsewhere = new CompletableFuture<>();
            Deadline.propagating(task -> ThreadKind.current().newThread(task).start())
                    .execute(() -> {
                        try {
                            elsewhere.complete(in(inner, innerAsync, this::ask));
                        } catch (Exception error) {
                            elsewhere.completeExceptionally(error);
                        }
                    });
            Object unused = got(elsewhere);
            return ask();
        });
        assertThat(ran.times()).isOne();
    }

    @ParameterizedTest
    @CsvSource(textBlock = DRIVERS)
    void whatNobodyHasBegunWithIsRepeatedOutside(boolean outerAsync, boolean innerAsync) {
        script.addAll(Arrays.asList(
                new ConnectException("refused"),
                new ConnectException("refused"),
                new ConnectException("refused"),
                "busy",
                new ConnectException("refused"),
                "busy",
                "paid"));
        Ran ran = outer(outerAsync, () -> in(inner, innerAsync, this::ask));
        assertThat(ran.value()).isEqualTo("paid");
        assertThat(ran.times()).isEqualTo(3);
        assertThat(asked).isEqualTo(7);
    }

    @ParameterizedTest
    @CsvSource(textBlock = DRIVERS)
    void whatOneCallHasDoneIsNotTheNextOnes(boolean outerAsync, boolean innerAsync) {
        script.add("paid");
        assertThat(outer(outerAsync, () -> in(inner, innerAsync, this::ask)).times())
                .isOne();
        script.clear();
        script.add(new ConnectException("refused"));
        assertThat(outer(outerAsync, this::ask).times()).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void callInsideThatIsStillUnderWayIsNotMadeOnceMore(boolean outerAsync) {
        CompletableFuture<Object> hanging = new CompletableFuture<>();
        script.add(new ConnectException("refused"));
        Ran ran = outer(outerAsync, () -> {
            CompletableFuture<Object> unused = inner.callAsync(() -> hanging);
            return ask();
        });
        assertThat(ran.error()).hasMessage("refused");
        assertThat(ran.times()).isOne();
        hanging.complete("paid");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void norIsOneThatStillWaitsForItsFirstAttempt(boolean outerAsync) {
        CompletableFuture<Object> hanging = new CompletableFuture<>();
        script.add(new ConnectException("refused"));
        Policy waiting = new Policy("waiting", Policy.ENTER) {
            private final Completion never = new Completion();

            @Override
            public int enter(Passage passage) {
                return passage.await(never, Long.MAX_VALUE);
            }
        };
        try (Pipeline queue = Pipeline.of("queue", waiting)) {
            Ran ran = outer(outerAsync, () -> {
                CompletableFuture<Object> unused = queue.callAsync(() -> hanging);
                return ask();
            });
            assertThat(ran.times()).isOne();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void callInsideThatHasEndedWithoutABeginningIsMadeOnceMore(boolean outerAsync) {
        script.add(new ConnectException("refused"));
        try (Pipeline once = Pipeline.of("once")) {
            Ran ran = outer(outerAsync, () -> {
                CompletableFuture<Object> ended =
                        once.callAsync(() -> CompletableFuture.failedFuture(new ConnectException("nor here")));
                assertThat(ended).isCompletedExceptionally();
                return ask();
            });
            assertThat(ran.times()).isEqualTo(3);
        }
    }
}
