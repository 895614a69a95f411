/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testlogs.Logs;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
