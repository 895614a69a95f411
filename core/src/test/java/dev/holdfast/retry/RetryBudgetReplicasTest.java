/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.Pipeline;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes that know how many they are share the retries by time alone. */
class RetryBudgetReplicasTest {
    private static final long SECOND = 1_000_000_000;

    /** So that no token is left for a retry, and it is no outage. */
    private static void someFail(RetryBudget budget, long second) {
        budget.failed(second * SECOND, 1);
        budget.failed(second * SECOND, 1);
        budget.succeeded(second * SECOND);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 40})
    void allTogetherHaveTheRetriesOfOneBesideAFirstOneEach(int replicas) {
        List<RetryBudget> processes = new ArrayList<>();
        for (int i = 0; i < replicas; i++) {
            processes.add(RetryBudget.of(b -> b.maxTokens(1).replicas(replicas)));
        }
        int spares = 0;
        for (int second = 1; second <= 4 * 3_600; second++) {
            for (RetryBudget process : processes) {
                someFail(process, second);
                spares += process.spare(second * SECOND, 1) ? 1 : 0;
            }
        }
        assertThat(spares).isEqualTo(replicas == 1 ? 4 * 180 : 18 * 40);
    }

    /** Every 10 s one call fails at first, and another one is well. */
    @ParameterizedTest
    @CsvSource({"CALL, 1, 80", "CALL_ASYNC, 1, 80", "CALL, 40, 80", "CALL_ASYNC, 40, 80"})
    void callsOfFortyProcessesAreRepeatedAsThoseOfOne(Way way, int replicas, int expected) {
        try (VirtualTime time = new VirtualTime()) {
            List<Pipeline> processes = new ArrayList<>();
            for (int i = 0; i < replicas; i++) {
                processes.add(Pipeline.builder("inventory")
                        .policies(RetryPolicy.of(r -> r.initialBackoff(Duration.ZERO)
                                .budget(b -> b.maxTokens(1).replicas(replicas))))
                        .time(time)
                        .build());
            }
            AtomicInteger repeated = new AtomicInteger();
            for (int round = 0; round < 160; round++) {
                for (Pipeline process : processes) {
                    call(way, time, process, attempt -> {
                        if (attempt.number() == 1) {
                            throw new IOException("reset");
                        }
                        repeated.incrementAndGet();
                    });
                }
                time.advance(Duration.ofSeconds(5));
                processes.forEach(process -> call(way, time, process, attempt -> {}));
                time.advance(Duration.ofSeconds(5));
            }
            // Of 40 processes each has a first one of its own, and one of its part 800 s later.
            assertThat(repeated).hasValue(expected);
        }
    }

    private interface Action {
        void run(Attempt attempt) throws IOException;
    }

    private static void call(Way way, VirtualTime time, Pipeline pipeline, Action action) {
        Call<String> call = pipeline.<String>operation("work").unkeyed();
        CompletableFuture<String> running = way == Way.CALL_ASYNC
                ? call.callAsync(attempt -> {
                    try {
                        action.run(attempt);
                        return CompletableFuture.completedFuture("done");
                    } catch (IOException failed) {
                        return CompletableFuture.failedFuture(failed);
                    }
                })
                : time.spawn(() -> call.call(attempt -> {
                    action.run(attempt);
                    return "done";
                }));
        assertThat(running).isNotNull();
    }

    @Test
    void aNumberThatChangesCountsFromTheLastSpareRetry() {
        AtomicInteger replicas = new AtomicInteger(40);
        RetryBudget budget = RetryBudget.of(b -> b.maxTokens(1).replicas(replicas::get));
        someFail(budget, 1);
        assertThat(budget.spare(SECOND, 1)).isTrue();
        someFail(budget, 1);

        assertThat(budget.spare(21 * SECOND, 1)).isFalse();
        replicas.set(1);
        assertThat(budget.spare(21 * SECOND, 1)).isTrue();
        someFail(budget, 21);
        replicas.set(2);
        assertThat(budget.spare(41 * SECOND, 1)).isFalse();
        assertThat(budget.spare(61 * SECOND, 1)).isTrue();
    }

    @Test
    void aFreshBudgetSharesTheSameNumber() {
        RetryBudget budget = RetryBudget.of(b -> b.maxTokens(1).replicas(40)).fresh();
        someFail(budget, 1);
        assertThat(budget.spare(SECOND, 1)).isTrue();
        someFail(budget, 1);

        assertThat(budget.spare(800 * SECOND, 1)).isFalse();
        assertThat(budget.spare(801 * SECOND, 1)).isTrue();
    }

    @Test
    @Logs("the number of replicas cannot be told")
    void aFunctionThatThrowsOrSaysNonsenseHarmsNoCall() {
        AtomicInteger replicas = new AtomicInteger(2);
        RetryBudget budget = RetryBudget.of(b -> b.maxTokens(1).replicas(() -> {
            if (replicas.get() == 0) {
                throw new IllegalStateException("no number");
            }
            return replicas.get();
        }));
        someFail(budget, 1);
        assertThat(budget.spare(SECOND, 1)).isTrue();
        someFail(budget, 1);
        assertThat(budget.spare(21 * SECOND, 1)).isFalse();
        replicas.set(0);
        assertThat(budget.spare(21 * SECOND, 1)).isFalse();
        replicas.set(-5);
        assertThat(budget.spare(21 * SECOND, 1)).isTrue();
    }

    @Test
    void aNumberOutOfRangeIsRefused() {
        assertThatThrownBy(() -> RetryBudget.of(b -> b.replicas(0)))
                .hasMessageContaining("replicas is 0 but must be 1 to 10,000");
        assertThatThrownBy(() -> RetryBudget.of(b -> b.replicas(10_001)))
                .hasMessageContaining("replicas is 10001 but must be 1 to 10,000");
    }
}
