/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.spi.InvalidSettingsException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryBudgetTest {
    private static final long SECOND = 1_000_000_000L;

    /** So far apart are the calls of a client that is never busy. */
    private static final long SELDOM = 2 * SECOND;

    private long now = -5 * SECOND;

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
            granted.add(budget.failed(now, 1));
        }
        assertThat(granted).containsExactly(true, true, true, true, false, false);
        assertThat(budget).hasToString("RetryBudget[4.0 of 10.0]");
    }

    @Test
    void afterASecondOfNothingButFailuresNothingIsGrantedUntilASuccess() {
        RetryBudget budget = RetryBudget.ofDefaults();
        assertThat(budget.failed(now, 1)).isTrue();
        assertThat(budget.failed(now + SECOND - 1, 1)).isTrue();
        assertThat(budget.failed(now + SECOND, 1)).isFalse();
        assertThat(budget.tokens()).isEqualTo(7);
        assertThat(budget.spare(now + SECOND, 1)).isFalse();
        budget.succeeded(now + SECOND);
        assertThat(budget.failed(now + SECOND, 1)).isTrue();
        assertThat(budget.failed(now + 2 * SECOND, 1)).isFalse();
    }

    /** However long it waits between them. */
    @Test
    void theAttemptsOfOneCallAreNoOutage() {
        RetryBudget budget = RetryBudget.ofDefaults();
        for (int attempt = 1; attempt <= 4; attempt++) {
            assertThat(budget.failed(now + attempt * SECOND, attempt)).isTrue();
        }
        assertThat(budget.failed(now + 5 * SECOND, 1)).isFalse();
    }

    @Test
    void exactlyHalfGrantsNothingAndAThousandthMoreDoes() {
        RetryBudget budget = of(10, 0.001);
        for (int i = 0; i < 5; i++) {
            budget.failed(now, 1);
        }
        assertThat(budget.tokens()).isEqualTo(5);
        assertThat(budget.allows(now)).isFalse();
        budget.succeeded(now);
        assertThat(budget.tokens()).isEqualTo(5.001);
        assertThat(budget.allows(now)).isTrue();
    }

    @Test
    void anEmptyBudgetOwesNothing() {
        RetryBudget budget = of(3, 1);
        for (int i = 0; i < 100; i++) {
            budget.failed(now, 1);
        }
        assertThat(budget.tokens()).isZero();
        budget.succeeded(now);
        budget.succeeded(now);
        assertThat(budget.allows(now)).isTrue();
    }

    @Test
    void aFullBudgetSavesNothingUp() {
        RetryBudget budget = RetryBudget.ofDefaults();
        for (int i = 0; i < 100_000; i++) {
            now += SELDOM;
            budget.succeeded(now);
        }
        budget.failed(now, 1);
        assertThat(budget.tokens()).isEqualTo(9);
    }

    @ParameterizedTest
    @CsvSource({"0.1, 0.1", "0.57, 0.57", "0.5466, 0.546", "0.0019, 0.001", "1.1, 1.1"})
    void theRatioIsCutToThreeDecimals(double given, double counted) {
        RetryBudget budget = of(100, given);
        budget.failed(now, 1);
        budget.failed(now, 1);
        budget.succeeded(now);
        assertThat(budget.tokens()).isEqualTo((98_000 + Math.round(counted * 1000)) / 1000.0);
    }

    /** Nothing but failures for a second, each of another call. */
    private static final class Failing {
        private long since;
        private int failures;

        boolean failed(long now) {
            since = failures == 0 ? now : since;
            failures++;
            return failures > 1 && now - since >= SECOND;
        }

        void succeeded() {
            failures = 0;
        }
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
    void anySequenceLeavesWhatTheProposalSaysUnlessItIsAnOutage(long seed) {
        Random random = new Random(seed);
        for (int sequence = 0; sequence < 500; sequence++) {
            int maxTokens = 1 + random.nextInt(random.nextBoolean() ? 12 : 1000);
            double tokenRatio = (1 + random.nextInt(random.nextBoolean() ? 300 : 20_000)) / 1000.0;
            double failing = random.nextDouble();
            RetryBudget budget = of(maxTokens, tokenRatio);
            Model model = new Model(maxTokens, tokenRatio);
            Failing outage = new Failing();
            for (int step = 0; step < 300; step++) {
                String where = "seed " + seed + ", sequence " + sequence + ", step " + step;
                now += SELDOM;
                if (random.nextDouble() < failing) {
                    boolean lasts = outage.failed(now);
                    assertThat(budget.failed(now, 1)).as(where).isEqualTo(model.failed() && !lasts);
                } else {
                    budget.succeeded(now);
                    model.succeeded();
                    outage.succeeded();
                }
                if (random.nextInt(4) == 0) {
                    assertThat(budget.allows(now)).as(where).isEqualTo(model.allows());
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
            budget.failed(now, 1);
        }
        int threads = 4;
        CyclicBarrier start = new CyclicBarrier(threads);
        List<Thread> running = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int own = t;
            running.add(new Thread(() -> {
                await(start);
                for (int i = 0; i < 20_000; i++) {
                    budget.succeeded(now);
                    if (i % 10 == own) {
                        budget.failed(now, 1);
                    }
                }
            }));
        }
        running.forEach(Thread::start);
        for (Thread thread : running) {
            thread.join();
        }
        // Not the tokens: how many there can be goes with the traffic, which is counted roughly.
        assertThat(budget.maxTokens() - budget.tokens()).isCloseTo(500, within(1e-6));
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
        budget.failed(origin, 1);
        assertThat(budget.spare(origin, 1)).isTrue();
        budget.succeeded(origin);
        assertThat(budget.spare(origin, 1)).isFalse();
        assertThat(budget.spare(origin + 20 * SECOND - 2, 1)).isFalse();
        assertThat(budget.spare(origin + 20 * SECOND + 1, 1)).isTrue();
        budget.succeeded(origin);
        assertThat(budget.spare(origin + 40 * SECOND, 1)).isFalse();
        // Nothing is saved up while nobody asks.
        assertThat(budget.spare(origin + 600 * SECOND, 1)).isTrue();
        assertThat(budget.spare(origin + 600 * SECOND, 1)).isFalse();
    }

    @Test
    void timeGrantsNothingMoreWhileNothingSucceeds() {
        RetryBudget budget = RetryBudget.ofDefaults();
        drain(budget);
        assertThat(budget.spare(now, 1)).isTrue();
        for (int minute = 0; minute < 100; minute++) {
            now += 60 * SECOND;
            budget.failed(now, 1);
            assertThat(budget.spare(now, 1)).isFalse();
        }
        budget.succeeded(now);
        assertThat(budget.spare(now, 1)).isTrue();
        assertThat(budget.spare(now + 60 * SECOND, 1)).isFalse();
        budget.succeeded(now);
        assertThat(budget.spare(now + 60 * SECOND, 1)).isTrue();
    }

    private void drain(RetryBudget budget) {
        while (budget.tokens() > 0) {
            budget.failed(now, 1);
        }
    }

    // ---- a busy client

    /** So many a second for so many seconds, evenly spread. */
    private void succeed(RetryBudget budget, int aSecond, int seconds) {
        for (int i = 0; i < aSecond * seconds; i++) {
            now += SECOND / aSecond;
            budget.succeeded(now);
        }
    }

    private int retriesInARow(RetryBudget budget) {
        int granted = 0;
        while (budget.failed(now, 1)) {
            granted++;
        }
        return granted;
    }

    @ParameterizedTest
    @CsvSource({"1, 4", "20, 4", "50, 12", "100, 25", "1000, 250", "5000, 1250"})
    void aQuarterOfASecondsCallsCanBeRetriedInARow(int aSecond, int retries) {
        RetryBudget budget = RetryBudget.ofDefaults();
        succeed(budget, aSecond, 30);
        // A second of the count is 7 % longer than one, and the last one has only begun.
        assertThat(retriesInARow(budget)).isBetween((int) (retries * 0.85), (int) (retries * 1.08));
    }

    @Test
    void moreThanTenThousandASecondAreNotCounted() {
        RetryBudget budget = RetryBudget.ofDefaults();
        succeed(budget, 50_000, 7);
        assertThat(budget.maxTokens()).isEqualTo(5_000);
        assertThat(budget.tokens()).isEqualTo(5_000);
    }

    @Test
    void aRatioBelowATenthGivesLessAndOneAboveItNoMore() {
        for (double ratio : new double[] {0.01, 0.1, 1, 1_000}) {
            RetryBudget budget = of(10, ratio);
            now = 0;
            succeed(budget, 1_000, 4);
            assertThat(budget.maxTokens()).isEqualTo(4_000 * Math.min(ratio, 0.1));
        }
    }

    @Test
    void tokensOfATrafficThatIsOverAreGone() {
        RetryBudget budget = RetryBudget.ofDefaults();
        succeed(budget, 1_000, 10);
        now += 6 * SECOND;
        assertThat(retriesInARow(budget)).isEqualTo(4);
    }

    @Test
    void whatIsMissingOfATrafficThatIsOverIsForgotten() {
        RetryBudget budget = RetryBudget.ofDefaults();
        succeed(budget, 1_000, 10);
        drain(budget);
        now += 6 * SECOND;
        succeed(budget, 10, 6);
        assertThat(budget.allows(now)).isTrue();
    }

    @Test
    void inAnOutageABusyClientIsSoonAsPoorAsAnyOther() {
        RetryBudget budget = RetryBudget.ofDefaults();
        succeed(budget, 1_000, 10);
        for (int i = 0; i < 10_000; i++) {
            now += SECOND / 1_000;
            budget.failed(now, 1);
        }
        assertThat(budget.maxTokens()).isEqualTo(10);
        succeed(budget, 50, 1);
        assertThat(budget.maxTokens()).isEqualTo(10);
        assertThat(budget.allows(now)).isFalse();
        succeed(budget, 50, 1);
        assertThat(budget.allows(now)).isTrue();
    }

    /** The rule without anything for the sake of speed. */
    private static final class Eager {
        private final int least;
        private final int ratio;
        private final List<Long> seconds = new ArrayList<>();
        private long missing;

        Eager(int maxTokens, double tokenRatio) {
            least = maxTokens * 1000;
            ratio = (int) Math.round(tokenRatio * 1000);
        }

        private long full(long now) {
            long second = now >> 30;
            long latest =
                    seconds.stream().filter(s -> s > second - 5 && s <= second).count();
            return Math.max(least, latest * Math.min(100, ratio));
        }

        void succeeded(long now) {
            boolean first = !seconds.contains(now >> 30);
            seconds.add(now >> 30);
            seconds.removeIf(second -> second < (now >> 30) - 5);
            if (first) {
                missing = Math.min(missing, full(now));
            }
            missing = Math.max(0, missing - ratio);
        }

        boolean failed(long now) {
            missing = Math.min(full(now), missing + 1000);
            return allows(now);
        }

        boolean allows(long now) {
            long full = full(now);
            return full - Math.min(full, missing) > full / 2;
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void anyTrafficLeavesWhatTheRuleSays(long seed) {
        Random random = new Random(seed);
        for (int sequence = 0; sequence < 30; sequence++) {
            int maxTokens = 1 + random.nextInt(12);
            double tokenRatio = (1 + random.nextInt(300)) / 1000.0;
            RetryBudget budget = of(maxTokens, tokenRatio);
            Eager eager = new Eager(maxTokens, tokenRatio);
            Failing outage = new Failing();
            now = random.nextLong() >> 8;
            double failing = 0;
            long gap = SECOND;
            for (int step = 0; step < 1_500; step++) {
                if (random.nextInt(200) == 0) {
                    failing = random.nextBoolean() ? 0 : random.nextDouble();
                    gap = (long) (SECOND * Math.pow(10, -3 * random.nextDouble()));
                }
                now += (long) (gap * random.nextDouble());
                String where = "seed " + seed + ", sequence " + sequence + ", step " + step;
                if (random.nextDouble() < failing) {
                    boolean lasts = outage.failed(now);
                    assertThat(budget.failed(now, 1)).as(where).isEqualTo(eager.failed(now) && !lasts);
                } else {
                    budget.succeeded(now);
                    eager.succeeded(now);
                    outage.succeeded();
                    assertThat(budget.maxTokens()).as(where).isEqualTo(eager.full(now) / 1000.0);
                }
                assertThat(budget.allows(now)).as(where).isEqualTo(eager.allows(now));
            }
        }
    }

    @Test
    void threadsThatMeetInANewSecondCountEachSuccessButThoseThatOpenIt() throws Exception {
        RecentSuccesses traffic = new RecentSuccesses();
        int threads = 4;
        int seconds = 200;
        CyclicBarrier start = new CyclicBarrier(threads);
        List<Thread> running = new ArrayList<>();
        AtomicInteger first = new AtomicInteger();
        for (int t = 0; t < threads; t++) {
            running.add(new Thread(() -> {
                for (int second = 0; second < seconds; second++) {
                    await(start);
                    for (int i = 0; i < 50; i++) {
                        if (traffic.count(((long) second << 30) + i, 1)) {
                            first.incrementAndGet();
                        }
                    }
                }
            }));
        }
        running.forEach(Thread::start);
        for (Thread thread : running) {
            thread.join();
        }
        assertThat(first).hasValue(seconds);
        assertThat(traffic.latest())
                .isBetween(5 * (50L * threads - threads + 1), 5L * 50 * threads)
                .isEqualTo(traffic.latest((seconds - 1L) << 30));
    }

    @Test
    void aSpareRetryChangesNoTokens() {
        RetryBudget budget = RetryBudget.ofDefaults();
        budget.spare(7, 1);
        assertThat(budget.tokens()).isEqualTo(10);
    }

    @Test
    void withoutAFloorTimeGrantsNothing() {
        RetryBudget budget = RetryBudget.of(b -> b.minRetriesPerMinute(0));
        assertThat(budget.spare(0, 1)).isFalse();
        assertThat(budget.spare(Long.MAX_VALUE, 1)).isFalse();
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

    @Test
    void whatIsShownInAnOutageGoesByTheTimeOfTheOutage() {
        RetryBudget budget = RetryBudget.ofDefaults();
        for (int i = 0; i < 7_000; i++) {
            budget.succeeded(i * 1_000_000L);
        }
        assertThat(budget.maxTokens()).isGreaterThan(400);
        double before = budget.tokens();
        for (int i = 7_000; i < 14_000; i++) {
            budget.failed(i * 1_000_000L, 1);
            assertThat(budget.tokens()).isLessThanOrEqualTo(before);
            before = budget.tokens();
        }
        assertThat(budget.tokens()).isZero();
        assertThat(budget.maxTokens()).isEqualTo(10);
    }

    @Test
    void successesThatOnlyWaitAreCountedWithTheNextThatNeedsItsTime() {
        RetryBudget budget = RetryBudget.of(b -> b.maxTokens(1).tokenRatio(0.1));
        int timed = 0;
        for (int i = 0; i < 8 * 100; i++) {
            if (budget.needsTimeOfSuccess()) {
                timed++;
                budget.succeeded(now);
            }
        }
        assertThat(timed).isEqualTo(100);
        assertThat(budget.maxTokens()).isEqualTo(80);
        for (int i = 0; i < 7; i++) {
            assertThat(budget.needsTimeOfSuccess()).isFalse();
        }
        budget.failed(now, 1);
        assertThat(budget.needsTimeOfSuccess()).as("tokens are missing").isTrue();
        budget.succeeded(now);
        assertThat(budget.maxTokens()).isCloseTo(80.8, within(1e-9));
    }
}
