/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.spi.InvalidSettingsException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryBudgetTest {
    private static final long SECOND = 1_000_000_000L;

    private static RetryBudget of(int maxTokens, double tokenRatio) {
        return RetryBudget.of(b -> b.maxTokens(maxTokens).tokenRatio(tokenRatio));
    }

    @Test
    void aNewBudgetIsFullAndGrantsFourRetriesToFailuresAlone() {
        RetryBudget budget = RetryBudget.ofDefaults();
        assertThat(budget.tokens()).isEqualTo(10);
        assertThat(budget.maxTokens()).isEqualTo(10);
        List<Boolean> granted = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            granted.add(budget.failed());
        }
        assertThat(granted).containsExactly(true, true, true, true, false, false);
        assertThat(budget).hasToString("RetryBudget[4.0 of 10]");
    }

    @Test
    void exactlyHalfGrantsNothingAndAThousandthMoreDoes() {
        RetryBudget budget = of(10, 0.001);
        for (int i = 0; i < 5; i++) {
            budget.failed();
        }
        assertThat(budget.tokens()).isEqualTo(5);
        assertThat(budget.allows()).isFalse();
        budget.succeeded();
        assertThat(budget.tokens()).isEqualTo(5.001);
        assertThat(budget.allows()).isTrue();
    }

    @Test
    void anEmptyBudgetOwesNothing() {
        RetryBudget budget = of(3, 1);
        for (int i = 0; i < 100; i++) {
            budget.failed();
        }
        assertThat(budget.tokens()).isZero();
        budget.succeeded();
        budget.succeeded();
        assertThat(budget.allows()).isTrue();
    }

    @Test
    void aFullBudgetSavesNothingUp() {
        RetryBudget budget = RetryBudget.ofDefaults();
        for (int i = 0; i < 100_000; i++) {
            budget.succeeded();
        }
        budget.failed();
        assertThat(budget.tokens()).isEqualTo(9);
    }

    @ParameterizedTest
    @CsvSource({"0.1, 0.1", "0.57, 0.57", "0.5466, 0.546", "0.0019, 0.001", "1.1, 1.1"})
    void theRatioIsCutToThreeDecimals(double given, double counted) {
        RetryBudget budget = of(100, given);
        budget.failed();
        budget.failed();
        budget.succeeded();
        assertThat(budget.tokens()).isEqualTo((98_000 + Math.round(counted * 1000)) / 1000.0);
    }

    /** The logic of the proposal, as gRPC's own clients have it. */
    private static final class Model {
        private final int max;
        private final int ratio;
        private int count;

        Model(int maxTokens, double tokenRatio) {
            max = maxTokens * 1000;
            ratio = (int) Math.round(tokenRatio * 1000);
            count = max;
        }

        boolean failed() {
            count = Math.max(0, count - 1000);
            return allows();
        }

        void succeeded() {
            count = Math.min(max, count + ratio);
        }

        boolean allows() {
            return count > max / 2;
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void anySequenceLeavesWhatTheProposalSays(long seed) {
        Random random = new Random(seed);
        for (int sequence = 0; sequence < 500; sequence++) {
            int maxTokens = 1 + random.nextInt(random.nextBoolean() ? 12 : 1000);
            double tokenRatio = (1 + random.nextInt(random.nextBoolean() ? 300 : 20_000)) / 1000.0;
            double failing = random.nextDouble();
            RetryBudget budget = of(maxTokens, tokenRatio);
            Model model = new Model(maxTokens, tokenRatio);
            for (int step = 0; step < 300; step++) {
                String where = "seed " + seed + ", sequence " + sequence + ", step " + step;
                if (random.nextDouble() < failing) {
                    assertThat(budget.failed()).as(where).isEqualTo(model.failed());
                } else {
                    budget.succeeded();
                    model.succeeded();
                }
                if (random.nextInt(4) == 0) {
                    assertThat(budget.allows()).as(where).isEqualTo(model.allows());
                    assertThat(budget.tokens()).as(where).isEqualTo(model.count / 1000.0);
                }
            }
        }
    }

    @Test
    void threadsThatMeetLoseNoTokenAndMakeNone() throws Exception {
        // Between 100 and 900 neither end is reached, so that every token can be counted.
        RetryBudget budget = of(1000, 0.1);
        for (int i = 0; i < 500; i++) {
            budget.failed();
        }
        int threads = 4;
        CyclicBarrier start = new CyclicBarrier(threads);
        List<Thread> running = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int own = t;
            running.add(new Thread(() -> {
                await(start);
                for (int i = 0; i < 20_000; i++) {
                    budget.succeeded();
                    if (i % 10 == own) {
                        budget.failed();
                    }
                }
            }));
        }
        running.forEach(Thread::start);
        for (Thread thread : running) {
            thread.join();
        }
        assertThat(budget.tokens()).isEqualTo(500);
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, -20_000_000_000L, -10_000_000_000L, Long.MAX_VALUE - 5})
    void timeAloneGrantsAFewRetriesEvenlySpacedWhereverItsOriginIs(long origin) {
        RetryBudget budget = RetryBudget.ofDefaults();
        assertThat(budget.spare(origin)).isTrue();
        assertThat(budget.spare(origin)).isFalse();
        assertThat(budget.spare(origin + 20 * SECOND - 2)).isFalse();
        assertThat(budget.spare(origin + 20 * SECOND + 1)).isTrue();
        assertThat(budget.spare(origin + 40 * SECOND)).isFalse();
        // Nothing is saved up while nobody asks.
        assertThat(budget.spare(origin + 600 * SECOND)).isTrue();
        assertThat(budget.spare(origin + 600 * SECOND)).isFalse();
    }

    @Test
    void aSpareRetryChangesNoTokens() {
        RetryBudget budget = RetryBudget.ofDefaults();
        budget.spare(7);
        assertThat(budget.tokens()).isEqualTo(10);
    }

    @Test
    void withoutAFloorTimeGrantsNothing() {
        RetryBudget budget = RetryBudget.of(b -> b.minRetriesPerMinute(0));
        assertThat(budget.spare(0)).isFalse();
        assertThat(budget.spare(Long.MAX_VALUE)).isFalse();
    }

    @Test
    void badSettingsAreToldAllAtOnce() {
        assertThatThrownBy(() -> RetryBudget.of(
                        b -> b.maxTokens(0).tokenRatio(Double.NaN).minRetriesPerMinute(61)))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessage(
                        "retry budget: maxTokens is 0 but must be 1 to 1,000; tokenRatio is NaN but must be 0.001 to"
                                + " 1,000; minRetriesPerMinute is 61 but must be 0 to 60");
        assertThatThrownBy(() -> RetrySettings.of(r -> r.budget(b -> b.maxTokens(1001))))
                .hasMessage("retry: budget.maxTokens is 1001 but must be 1 to 1,000");
    }
}
