/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.guarantee;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.contract.Step;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Guarantee 6: what arrives after the outcome was decided settles nothing, and a value that lost goes to discard. */
@Logs("discarding a value of '.*' threw; told once")
@ThreadKind.Each
class LateResultsTest {
    private static final Step LATE = Step.value("late").after(20).stubbornly();

    private static long settlements(Lab lab, String layer) {
        return lab.log.stream()
                .filter(line -> line.startsWith(layer + " settle"))
                .count();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueAfterATimeoutIsDiscardedOnce(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"), TimeoutPolicy.of(millis(5)), lab.probe("inner"));
            assertThat(lab.run(way, LATE).end().what()).isEqualTo("timeout of timeout");
            assertThat(lab.discarded).containsExactly("late");
            assertThat(lab.log)
                    .containsSubsequence("inner settle TIMEOUT", "outer settle TIMEOUT")
                    .doesNotContain("inner settle SUCCESS", "outer settle SUCCESS");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueAfterTheDeadlineIsDiscardedOnce(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"));
            assertThat(lab.run(way, call -> call.deadline(millis(5)), LATE)
                            .end()
                            .what())
                    .isEqualTo("timeout of call");
            assertThat(lab.discarded).containsExactly("late");
            assertThat(settlements(lab, "outer")).isOne();
        }
    }

    @Test
    void valueAfterACancellationIsDiscardedOnce() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"));
            Lab.Running running = lab.giveUpAfter(5, Way.CALL_ASYNC, LATE);
            assertThat(running.after()).isEqualTo(millis(5));
            assertThat(lab.discarded).containsExactly("late");
            assertThat(lab.log).containsExactly("outer enter", "outer settle CANCELLED", "outer ended");
        }
    }

    @Test
    void valueAfterTheFutureWasCompletedFromOutsideIsDiscarded() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"));
            CompletableFuture<Object> work = new CompletableFuture<>() {
                @Override
                public boolean cancel(boolean mayInterruptIfRunning) {
                    return false;
                }
            };
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> work);
            assertThat(future.complete("from outside")).isTrue();
            work.complete("late");
            lab.time.run();
            assertThat(future).isCompletedWithValue("from outside");
            assertThat(lab.discarded).containsExactly("late");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void errorAfterATimeoutChangesNothing(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"), TimeoutPolicy.of(millis(5)));
            Step lateError = Step.error(new IOException("late")).after(20).stubbornly();
            assertThat(lab.run(way, lateError).end().what()).isEqualTo("timeout of timeout");
            assertThat(settlements(lab, "outer")).isOne();
            lab.assertLivesOver();
        }
    }

    @Test
    void lateValueOfTheFirstAttemptIsNotTakenForTheSeconds() {
        try (Lab lab = new Lab()) {
            RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ZERO));
            lab.layers(retry, lab.probe("inner"), TimeoutPolicy.of(millis(10)));
            // The first attempt's value comes at 12 ms, while the second, begun at 10 ms, is under way until 15 ms.
            Step first = Step.value("first").after(12).stubbornly();
            Lab.Running running =
                    lab.run(Way.CALL_ASYNC, first, Step.value("second").after(5));
            assertThat(running.end()).isEqualTo(new Lab.End("second from LIVE", 2, millis(15)));
            assertThat(lab.discarded).containsExactly("first");
            assertThat(lab.log)
                    .containsExactly(
                            "inner enter",
                            "inner settle TIMEOUT",
                            "inner enter",
                            "inner ended",
                            "inner settle SUCCESS",
                            "inner ended");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueOfAnAttemptThatIsRetriedIsDiscarded(Way way) {
        try (Lab lab = new Lab()) {
            Probe retrying = lab.probe("retrying")
                    .settling(passage -> passage.attempts() < 3 ? Decision.retry(1) : Decision.GO_ON);
            lab.layers(retrying);
            Lab.Running running = lab.run(way, Step.value("first"), Step.value("second"), Step.value("third"));
            assertThat(running.value()).isEqualTo("third");
            assertThat(lab.discarded).containsExactly("first", "second");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueThatIsReplacedIsDiscarded(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("answering").settling(passage -> Decision.answer("instead")));
            assertThat(lab.run(way, Step.value("live")).value()).isEqualTo("instead");
            assertThat(lab.discarded).containsExactly("live");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueThatALayersErrorReplacesIsDiscarded(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("failing").settling(passage -> Decision.fail(new IllegalStateException("no"))));
            assertThat(lab.run(way, Step.value("live")).error()).hasMessage("no");
            assertThat(lab.discarded).containsExactly("live");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueThatAThrowingLayerLosesIsDiscarded(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("throwing").settling(passage -> {
                throw new IllegalStateException("broken");
            }));
            assertThat(lab.run(way, Step.value("live")).error()).hasMessage("broken");
            assertThat(lab.discarded).containsExactly("live");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueThatAThrowingClassifierLosesIsDiscarded(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.classifier((value, error) -> {
                throw new IllegalStateException("broken");
            }));
            lab.layers(lab.probe("outer"));
            assertThat(lab.run(way, Step.value("live")).error()).hasMessage("broken");
            assertThat(lab.discarded).containsExactly("live");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void deliveredValueIsNeverDiscarded(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    FallbackPolicy.value("fallback"),
                    RetryPolicy.ofDefaults(),
                    lab.probe("inner"),
                    lab.probe("innermost"));
            assertThat(lab.run(way, Step.value("live").after(1)).value()).isEqualTo("live");
            assertThat(lab.discarded).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void lateValueOfAFallbackIsDiscarded(Way way) {
        try (Lab lab = new Lab()) {
            CompletableFuture<Object> slow = new CompletableFuture<>() {
                @Override
                public boolean cancel(boolean mayInterruptIfRunning) {
                    return false;
                }
            };
            lab.layers(lab.probe("fallback").settling(passage -> Decision.stage(error -> slow)));
            lab.time.schedule(TimeUnit.MILLISECONDS.toNanos(20), () -> slow.complete("late fallback"));
            lab.run(way, call -> call.deadline(millis(5)), Step.error(new IOException("ill")));
            assertThat(lab.discarded).containsExactly("late fallback");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void discardThatThrowsBreaksNothing(Way way) {
        try (Lab lab = new Lab()) {
            Probe retrying = lab.probe("retrying")
                    .settling(passage -> passage.outcome() == Outcome.SUCCESS && passage.attempts() == 1
                            ? Decision.retry(1)
                            : Decision.GO_ON);
            lab.layers(retrying);
            var operation = lab.pipeline()
                    .operation(
                            "throwing",
                            o -> o.discard(value -> {
                                throw new AssertionError("discard");
                            }));
            Object[] value = new Object[1];
            if (way == Way.CALL) {
                var unused = lab.time.spawn(() -> value[0] = operation.unkeyed().call(attempt -> attempt.number()));
            } else {
                var unused = operation
                        .unkeyed()
                        .callAsync(attempt -> CompletableFuture.completedFuture(attempt.number()))
                        .thenAccept(number -> value[0] = number);
            }
            lab.time.run();
            assertThat(value).containsExactly(2);
        }
    }
}
