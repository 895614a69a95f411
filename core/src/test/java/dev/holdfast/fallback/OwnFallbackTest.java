/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.fallback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The fallback of an operation and of a call, each with the type of its answer. */
class OwnFallbackTest {
    private final VirtualTime time = new VirtualTime();
    private int attempts;

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    private int broken() throws IOException {
        attempts++;
        throw new IOException("down");
    }

    private CompletionStage<Integer> brokenAsync() {
        attempts++;
        return CompletableFuture.failedFuture(new IOException("down"));
    }

    private Reply<Integer> blocking(Call<Integer> call) throws IOException {
        return call.reply(attempt -> broken());
    }

    private Reply<Integer> async(Call<Integer> call) {
        CompletableFuture<Reply<Integer>> reply = call.replyAsync(attempt -> brokenAsync());
        time.run();
        return reply.join();
    }

    @Test
    void operationsOfOnePipelineAnswerWithTypesOfTheirOwn() throws Exception {
        Pipeline p = pipeline(FallbackPolicy.ofOperations(), RetryPolicy.of(r -> r.maxAttempts(2)));
        Operation<Integer> stock = p.operation("stock", o -> o.fallback(error -> -1));
        Operation<List<String>> names =
                p.operation("names", o -> o.fallbackAsync(error -> CompletableFuture.completedFuture(List.of())));
        Reply<Integer> reply = blocking(stock.unkeyed());
        assertThat(reply.value()).isEqualTo(-1);
        assertThat(reply.source()).isEqualTo(Source.FALLBACK);
        assertThat(attempts).isEqualTo(2);
        assertThat(async(stock.unkeyed()).value()).isEqualTo(-1);
        assertThat(names.unkeyed().call(attempt -> List.of(String.valueOf(broken()))))
                .isEmpty();
        CompletableFuture<List<String>> none =
                names.unkeyed().callAsync(attempt -> brokenAsync().thenApply(n -> List.of("" + n)));
        time.run();
        assertThat(none).isCompletedWithValue(List.of());
    }

    @Test
    void nearestFallbackAnswersFirst() throws Exception {
        Pipeline p = pipeline(FallbackPolicy.value(1));
        Operation<Integer> own = p.operation("own", o -> o.fallback(error -> 2));
        Operation<Integer> plain = p.operation("plain");
        assertThat(blocking(plain.unkeyed()).value()).isEqualTo(1);
        assertThat(blocking(own.unkeyed()).value()).isEqualTo(2);
        for (Call<Integer> call : List.of(
                own.unkeyed().fallback(error -> 3),
                plain.key("k").fallback(error -> 3),
                own.key("k").fallback(error -> 3))) {
            assertThat(blocking(call).value()).isEqualTo(3);
            assertThat(async(call).value()).isEqualTo(3);
            Call<Integer> changed = call.key("other")
                    .partition("you")
                    .deadline(Duration.ofSeconds(1))
                    .idempotent(false);
            assertThat(blocking(changed).value()).isEqualTo(3);
        }
    }

    @Test
    void decoratedFunctionHasTheFallbackOfItsOperation() throws Exception {
        Operation<Integer> own = pipeline(FallbackPolicy.ofOperations()).operation("own", o -> o.fallback(error -> 2));
        assertThat(own.decorate(key -> broken()).apply("k")).isEqualTo(2);
        assertThat(own.decorateAsync(key -> brokenAsync()).apply("k")).isCompletedWithValue(2);
    }

    @Test
    void withoutOneTheErrorStays() {
        Operation<Integer> plain = pipeline(FallbackPolicy.ofOperations()).operation("plain");
        assertThatThrownBy(() -> blocking(plain.unkeyed())).isExactlyInstanceOf(IOException.class);
        assertThatThrownBy(() -> async(plain.unkeyed()))
                .isExactlyInstanceOf(CompletionException.class)
                .hasCauseExactlyInstanceOf(IOException.class);
    }

    @Test
    void whatItThrowsIsTheCallsError() {
        Operation<Integer> own = pipeline(FallbackPolicy.value(1))
                .operation(
                        "own",
                        o -> o.fallback(error -> {
                            throw new IllegalStateException("worse");
                        }));
        assertThatIllegalStateException()
                .isThrownBy(() -> blocking(own.unkeyed()))
                .withMessage("worse");
    }

    @Test
    void onlyAFallbackThatCanAnswerTakesTimeFromTheAttempt() {
        Pipeline outer = pipeline(DeadlinePolicy.of(Duration.ofMillis(200)));
        Pipeline inner = pipeline(FallbackPolicy.ofOperations());
        Operation<String> bare = inner.operation("bare");
        Operation<String> stage =
                inner.operation("stage", o -> o.fallbackAsync(error -> CompletableFuture.completedFuture("made up")));
        Operation<String> own = inner.operation("own", o -> o.fallback(error -> "made up"));
        assertThat(insideOf(outer, bare)).isCompletedWithValue("late");
        assertThat(insideOf(outer, stage)).isCompletedWithValue("made up");
        assertThat(insideOf(outer, own)).isCompletedWithValue("made up");
    }

    private CompletableFuture<String> insideOf(Pipeline outer, Operation<String> operation) {
        CompletableFuture<String> answer = time.spawn(() ->
                outer.callInterruptibly(() -> operation.unkeyed().callInterruptibly(attempt -> {
                    time.sleep(Duration.ofMillis(185));
                    return "late";
                })));
        time.run();
        return answer;
    }

    @Test
    void fallbackThatNobodyWouldAskForIsRefused() {
        Pipeline p = pipeline(RetryPolicy.ofDefaults());
        assertThatIllegalStateException()
                .isThrownBy(() -> p.<Integer>operation("stock", o -> o.fallback(error -> 1)))
                .withMessage(
                        "pipeline 'p': operation 'stock' has a fallback, but no policy asks for it: p: retry > call;"
                                + " add FallbackPolicy.ofOperations()");
        Operation<Integer> plain = p.operation("plain");
        assertThatIllegalStateException()
                .isThrownBy(() -> plain.unkeyed().fallbackAsync(error -> CompletableFuture.completedFuture(1)))
                .withMessageStartingWith("pipeline 'p': a call of operation 'plain' has a fallback");
    }

    @Test
    void policyHasAnAnswerOrLeavesItToOperations() {
        assertThatThrownBy(() -> FallbackPolicy.of(
                        FallbackSettings.of(f -> f.onlyOfOperations().value(1))))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("exactly one of function, asyncFunction, value and onlyOfOperations");
        assertThat(FallbackPolicy.ofOperations().settings())
                .hasToString("FallbackSettings[onlyOfOperations, onIgnored=false]");
    }
}
