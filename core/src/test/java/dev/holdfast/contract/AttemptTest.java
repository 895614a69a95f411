/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Attempt;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an action is told of its attempt. */
@Logs("an onCancel hook of '.*' threw; told once: .*broken hook")
@ThreadKind.Each
class AttemptTest {
    private final List<String> seen = new ArrayList<>();

    private void call(Lab lab, Way way, Function<Attempt, CompletionStage<Object>> action) {
        if (way == Way.CALL_ASYNC) {
            var unused = lab.operation().unkeyed().callAsync(action);
        } else {
            var unused = lab.time.spawn(() -> lab.operation().unkeyed().call(attempt -> {
                CompletableFuture<Object> stage = action.apply(attempt).toCompletableFuture();
                lab.time.sleep(stage.isDone() ? Duration.ZERO : millis(50));
                if (stage.isCompletedExceptionally()) {
                    throw new IOException("failed");
                }
                return "done";
            }));
        }
        lab.time.run();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptsAreNumberedFromOne(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(RetryPolicy.of(r -> r.maxAttempts(3)));
            call(lab, way, attempt -> {
                seen.add("attempt " + attempt.number());
                return CompletableFuture.failedFuture(new IOException("again"));
            });
            assertThat(seen).containsExactly("attempt 1", "attempt 2", "attempt 3");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void remainingIsWhatTheNearestLimitLeaves(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("pausing").entering(passage -> Decision.pause(3)), TimeoutPolicy.of(millis(10)));
            call(lab, way, attempt -> {
                seen.add(attempt.remaining().toString());
                return CompletableFuture.completedFuture("done");
            });
            assertThat(seen).containsExactly("PT0.01S");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void remainingWithoutALimitIsForEver(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers();
            call(lab, way, attempt -> {
                seen.add(String.valueOf(attempt.remainingNanos() == Long.MAX_VALUE));
                return CompletableFuture.completedFuture("done");
            });
            assertThat(seen).containsExactly("true");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hooksRunOnceWhenTheAttemptIsGivenUp(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(TimeoutPolicy.of(millis(5)));
            Attempt[] kept = new Attempt[1];
            call(lab, way, attempt -> {
                kept[0] = attempt;
                attempt.onCancel(() -> seen.add("first, cancelled: " + attempt.isCancelled()));
                attempt.onCancel(() -> {
                    throw new IllegalStateException("broken hook");
                });
                attempt.onCancel(() -> seen.add("last"));
                return new CompletableFuture<>();
            });
            assertThat(seen).containsExactly("first, cancelled: true", "last");
            kept[0].onCancel(() -> seen.add("at once"));
            assertThat(seen).endsWith("at once");
            assertThat(kept[0].remaining()).as("no client takes zero").isEqualTo(Duration.ofNanos(1));
            assertThat(kept[0].remainingNanos()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hooksOfAnAttemptThatEndedNeverRun(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(TimeoutPolicy.of(millis(5)));
            Attempt[] kept = new Attempt[1];
            call(lab, way, attempt -> {
                kept[0] = attempt;
                attempt.onCancel(() -> seen.add("never"));
                return CompletableFuture.completedFuture("done");
            });
            lab.time.advance(millis(100));
            kept[0].onCancel(() -> seen.add("never either"));
            assertThat(seen).isEmpty();
            assertThat(kept[0].isCancelled()).isFalse();
        }
    }

    @Test
    void hooksRunWhenTheFutureIsCancelled() {
        try (Lab lab = new Lab()) {
            lab.layers();
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> {
                attempt.onCancel(() -> seen.add("cancelled"));
                return new CompletableFuture<>();
            });
            future.cancel(true);
            lab.time.run();
            assertThat(seen).containsExactly("cancelled");
        }
    }
}
