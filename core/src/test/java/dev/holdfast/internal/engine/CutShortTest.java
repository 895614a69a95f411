/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.grpc.StatusRuntimeException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.sql.SQLTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a policy is told of an attempt that a limit from outside ended. */
class CutShortTest {
    private final VirtualTime time = VirtualTime.seeded(1);
    private final List<String> heard = new ArrayList<>();

    private final class Ear extends Policy {
        Ear(String name) {
            super(name, SUCCESS | FAILURE);
        }

        @Override
        public int settle(Passage passage) {
            heard.add(name() + " " + passage.outcome() + (passage.cutShort() ? " cut short" : "")
                    + (passage.personal() ? " personal" : ""));
            return KEEP;
        }
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").time(time).policies(policies).build();
    }

    private void call(Pipeline pipeline, boolean async, Duration deadline, Duration takes) {
        Operation<String> operation = pipeline.operation("o");
        Call<String> call = operation.unkeyed().deadline(deadline);
        if (async) {
            var unused = call.callAsync(attempt -> {
                CompletableFuture<String> answer = new CompletableFuture<>();
                var unusedTimer = time.schedule(takes.toNanos(), () -> answer.complete("answer"));
                return answer;
            });
        } else {
            var unused = time.spawn(() -> call.call(attempt -> {
                time.sleep(takes);
                return "answer";
            }));
        }
        time.run();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shortDeadlineOfOneCallerSaysNothingOfTheDependency(boolean async) {
        Pipeline pipeline = pipeline(new Ear("ear"));
        call(pipeline, async, Duration.ofMillis(5), Duration.ofMillis(50));
        call(pipeline, async, Duration.ofSeconds(1), Duration.ofMillis(50));
        call(pipeline, async, Duration.ofMillis(5), Duration.ofMillis(50));
        assertThat(heard)
                .containsExactly("ear TIMEOUT cut short personal", "ear SUCCESS", "ear TIMEOUT cut short personal");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hangBeyondWhatAnswersUsedToTakeIsNotCutShort(boolean async) {
        Pipeline pipeline = pipeline(new Ear("ear"));
        call(pipeline, async, Duration.ofSeconds(1), Duration.ofMillis(50));
        call(pipeline, async, Duration.ofMillis(400), Duration.ofHours(1));
        assertThat(heard).containsExactly("ear SUCCESS", "ear TIMEOUT personal");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hangIsSeenFromTheFirstCallWhereOnlyTheDeadlineOfThePipelineBoundsIt(boolean async) {
        Pipeline pipeline = pipeline(DeadlinePolicy.of(Duration.ofMillis(800)), new Ear("ear"));
        call(pipeline, async, Duration.ofMinutes(1), Duration.ofHours(1));
        assertThat(heard).containsExactly("ear TIMEOUT");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void limitFromFurtherInIsAlwaysHeard(boolean async) {
        Pipeline pipeline = pipeline(new Ear("outer"), TimeoutPolicy.of(Duration.ofMillis(5)), new Ear("inner"));
        call(pipeline, async, Duration.ofMinutes(1), Duration.ofHours(1));
        assertThat(heard).containsExactly("inner TIMEOUT", "outer TIMEOUT");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void answersOfLongAgoNoLongerExcuseAHang(boolean async) {
        Pipeline pipeline = pipeline(new Ear("ear"));
        call(pipeline, async, Duration.ofMinutes(1), Duration.ofSeconds(20));
        for (int i = 0; i < 2; i++) {
            time.advance(Duration.ofSeconds(31));
            call(pipeline, async, Duration.ofMinutes(1), Duration.ofMillis(50));
        }
        heard.clear();
        call(pipeline, async, Duration.ofSeconds(1), Duration.ofHours(1));
        assertThat(heard).containsExactly("ear TIMEOUT personal");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void answersThatAPolicyHeardInAnotherPipelineSayWhatIsShort(boolean async) {
        Policy ear = new Ear("ear");
        call(pipeline(ear), async, Duration.ofMinutes(1), Duration.ofMillis(100));
        Pipeline fast = pipeline(DeadlinePolicy.of(Duration.ofMillis(20)), ear);
        call(fast, async, Duration.ofMinutes(1), Duration.ofMillis(100));
        Pipeline other = pipeline(DeadlinePolicy.of(Duration.ofMillis(20)), new Ear("other"));
        call(other, async, Duration.ofMinutes(1), Duration.ofMillis(100));
        assertThat(heard).containsExactly("ear SUCCESS", "ear TIMEOUT cut short", "other TIMEOUT");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void retryBudgetIsNotDrainedByAPipelineOfShorterLimits(boolean async) {
        RetryBudget budget = RetryBudget.of(b -> b.maxTokens(10));
        Policy retry = RetryPolicy.of(r -> r.budget(budget));
        Pipeline slow = pipeline(retry);
        Pipeline fast = pipeline(DeadlinePolicy.of(Duration.ofMillis(20)), retry);
        for (int i = 0; i < 20; i++) {
            call(slow, async, Duration.ofMinutes(1), Duration.ofMillis(100));
        }
        double before = budget.tokens();
        for (int i = 0; i < 10; i++) {
            call(fast, async, Duration.ofMinutes(1), Duration.ofMillis(100));
        }
        assertThat(budget.tokens()).isEqualTo(before);
    }

    static List<Exception> timeoutsOfClients() {
        return List.of(
                new UncheckedIOException(new SocketTimeoutException("Read timed out")),
                new HttpTimeoutException("request timed out"),
                new HttpConnectTimeoutException("HTTP connect timed out"),
                new SQLTimeoutException("cancelled by the driver"),
                new StatusRuntimeException("DEADLINE_EXCEEDED: after 19 ms"),
                new RuntimeException(new TimeoutException()));
    }

    @Test
    void anotherErrorAtThatMomentIsTheDependencys() {
        Pipeline pipeline = pipeline(new Ear("ear"));
        call(pipeline, false, Duration.ofMinutes(1), Duration.ofMillis(50));
        var unused = time.spawn(() -> pipeline.operation("o")
                .unkeyed()
                .deadline(Duration.ofMillis(20))
                .call(attempt -> {
                    time.sleep(attempt.remaining().minusMillis(1));
                    throw new StatusRuntimeException("UNAVAILABLE: io exception");
                }));
        time.run();
        assertThat(heard).containsExactly("ear SUCCESS", "ear FAILURE");
    }

    @ParameterizedTest
    @MethodSource("timeoutsOfClients")
    void clientThatGivesUpByItselfWhenTheDeadlineIsNearIsCutShortToo(Exception timeout) {
        Pipeline pipeline = pipeline(new Ear("ear"));
        call(pipeline, false, Duration.ofMinutes(1), Duration.ofMillis(50));
        for (int early : new int[] {1, 10}) {
            Operation<String> operation = pipeline.operation("o");
            var unused = time.spawn(() -> operation
                    .unkeyed()
                    .deadline(Duration.ofMillis(20))
                    .call(attempt -> {
                        time.sleep(attempt.remaining().minusMillis(early));
                        throw timeout;
                    }));
            time.run();
        }
        assertThat(heard).containsExactly("ear SUCCESS", "ear FAILURE cut short personal", "ear FAILURE");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void answersOfCallsWithoutALimitTellTheBudgetWhatIsCutShortAndWhatHangs(boolean async) {
        RetryPolicy retry = RetryPolicy.ofDefaults();
        Pipeline pipeline = pipeline(retry);
        RetryBudget budget = retry.budget().orElseThrow();
        for (int i = 0; i < 40; i++) {
            time.advance(Duration.ofMillis(10));
            var answer = async
                    ? pipeline.callAsync(() -> {
                        CompletableFuture<String> stage = new CompletableFuture<>();
                        var unused = time.schedule(5_000_000, () -> stage.complete("answer"));
                        return stage;
                    })
                    : time.spawn(() -> pipeline.call(() -> {
                        time.sleep(Duration.ofMillis(5));
                        return "answer";
                    }));
            time.run();
            assertThat(answer).isCompletedWithValue("answer");
        }
        double full = budget.tokens();
        call(pipeline, async, Duration.ofMillis(3), Duration.ofSeconds(9));
        assertThat(budget.tokens()).as("cut short").isEqualTo(full);
        call(pipeline, async, Duration.ofMillis(300), Duration.ofSeconds(9));
        assertThat(budget.tokens()).as("hangs").isLessThan(full);
    }
}
