/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.SettableLimit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AdaptiveLimitTest {
    private static final long MILLI = 1_000_000;

    private long now;

    private static AdaptiveLimit limit(LimitAlgorithm algorithm, int floor, int initial, int ceiling) {
        return Algorithms.of(BulkheadSettings.of(b -> b.limit(algorithm)
                .minConcurrentCalls(floor)
                .initialConcurrentCalls(initial)
                .maxConcurrentCalls(ceiling)));
    }

    /** A whole window of calls that took so long, at the limit; the last of them dropped or not. Whether the limit changed. */
    private boolean window(AdaptiveLimit limit, long millis, boolean drop) {
        boolean changed = false;
        for (int i = 0; i < 11; i++) {
            now += 10 * MILLI;
            changed |= (drop && i == 10)
                    ? limit.dropped(now, limit.limit())
                    : limit.served(now, millis * MILLI, limit.limit());
        }
        return changed;
    }

    @ParameterizedTest
    @EnumSource(value = LimitAlgorithm.class, names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
    void aDropIsHeeded(LimitAlgorithm algorithm) {
        AdaptiveLimit limit = limit(algorithm, 1, 50, 100);
        for (int i = 0; i < 5; i++) {
            window(limit, 50, false);
        }
        int before = limit.limit();

        assertThat(window(limit, 50, true)).isTrue();

        assertThat(limit.limit()).isLessThan(before).isGreaterThan(before * 8 / 10);
    }

    @ParameterizedTest
    @EnumSource(value = LimitAlgorithm.class, names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
    void windowsOfDropsAloneAreHeeded(LimitAlgorithm algorithm) {
        AdaptiveLimit limit = limit(algorithm, 1, 50, 100);
        window(limit, 50, false);
        window(limit, 50, false);
        int before = limit.limit();

        for (int i = 0; i < 11; i++) {
            now += 10 * MILLI;
            limit.dropped(now, 50);
        }

        assertThat(limit.limit()).isLessThan(before);
    }

    @ParameterizedTest
    @EnumSource(value = LimitAlgorithm.class, names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
    void dropsBeforeAnythingWasServedAreHeededAndLeaveNoTrace(LimitAlgorithm algorithm) {
        AdaptiveLimit limit = limit(algorithm, 1, 50, 60);
        for (int i = 0; i < 40; i++) {
            now += 10 * MILLI;
            limit.dropped(now, 50);
        }
        assertThat(limit.limit()).isLessThan(50);

        for (int i = 0; i < 100; i++) {
            window(limit, 50, false);
        }
        assertThat(limit.limit()).isEqualTo(60);
    }

    @ParameterizedTest
    @EnumSource(value = LimitAlgorithm.class, names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
    void floorAndCeilingAreHard(LimitAlgorithm algorithm) {
        Random random = new Random(7);
        AdaptiveLimit limit = limit(algorithm, 5, 8, 12);
        boolean low = false;
        boolean high = false;
        for (int i = 0; i < 2_000; i++) {
            boolean bad = i / 100 % 2 == 1;
            window(limit, bad ? 200 + random.nextInt(100) : 50, bad);
            assertThat(limit.limit()).as("window %d", i).isBetween(5, 12);
            low |= limit.limit() == 5;
            high |= limit.limit() == 12;
        }
        assertThat(low).as("reached the floor").isTrue();
        assertThat(high).as("reached the ceiling").isTrue();
    }

    @ParameterizedTest
    @EnumSource(value = LimitAlgorithm.class, names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
    void aWindowThatWouldExceedTheCeilingIsNoChange(LimitAlgorithm algorithm) {
        AdaptiveLimit limit = limit(algorithm, 1, 50, 50);

        for (int i = 0; i < 5; i++) {
            assertThat(window(limit, 50, false)).isFalse();
        }
    }

    @Test
    void aLimitBeyondTheCeilingIsCutFromTheStart() {
        assertThat(new AdaptiveLimit(SettableLimit.startingAt(50), 1, 20).limit())
                .isEqualTo(20);
        assertThat(new AdaptiveLimit(SettableLimit.startingAt(2), 5, 20).limit())
                .isEqualTo(5);
    }

    @Test
    void whatHappensWhileLessThanHalfOfTheLimitIsInUseIsNoSample() {
        AdaptiveLimit limit = limit(LimitAlgorithm.AIMD, 1, 50, 100);
        for (int i = 0; i < 100; i++) {
            now += 10 * MILLI;
            assertThat(limit.served(now, MILLI, 24)).isFalse();
            assertThat(limit.dropped(now, 24)).isFalse();
        }

        assertThat(limit.limit()).isEqualTo(50);
        for (int i = 0; i < 11; i++) {
            now += 10 * MILLI;
            limit.served(now, MILLI, 25);
        }
        assertThat(limit.limit()).isEqualTo(51);
    }

    @Test
    void aWindowIsBothLongEnoughAndFullEnough() {
        AdaptiveLimit limit = limit(LimitAlgorithm.AIMD, 1, 50, 100);
        for (int i = 0; i < 9; i++) {
            assertThat(limit.served(now, MILLI, 50)).isFalse();
            now += 100 * MILLI;
        }
        assertThat(limit.served(now, MILLI, 50)).as("the tenth").isTrue();
        for (int i = 0; i < 100; i++) {
            assertThat(limit.served(now, MILLI, 50)).as("in one moment").isFalse();
        }
        assertThat(limit.served(now + 100 * MILLI - 1, MILLI, 50)).isFalse();
        assertThat(limit.served(now + 100 * MILLI, MILLI, 50)).isTrue();
        assertThat(limit.limit()).isEqualTo(52);
    }

    @Test
    void aDropIsForgottenOnceItWasHeeded() {
        AdaptiveLimit limit = limit(LimitAlgorithm.AIMD, 1, 50, 100);
        window(limit, 50, true);
        assertThat(limit.limit()).isEqualTo(45);

        window(limit, 50, false);

        assertThat(limit.limit()).isEqualTo(46);
    }

    @Test
    void whatWasServedInNoTimeIsASampleToo() {
        AdaptiveLimit limit = limit(LimitAlgorithm.VEGAS, 1, 50, 100);

        window(limit, 0, false);
        window(limit, 0, false);

        assertThat(limit.limit()).isGreaterThan(50);
    }

    /** An algorithm that writes down what it is told and leaves its limit as it is. */
    private static final class Listening implements Limit {
        final List<String> told = new ArrayList<>();
        Runnable meanwhile = () -> {};

        @Override
        public int getLimit() {
            return 50;
        }

        @Override
        public void notifyOnChange(Consumer<Integer> consumer) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void onSample(long startTime, long rtt, int inflight, boolean didDrop) {
            told.add(rtt / MILLI + " ms, " + inflight + " in flight" + (didDrop ? ", dropped" : ""));
            meanwhile.run();
        }
    }

    private static boolean onAnotherThread(Supplier<Boolean> action) {
        return CompletableFuture.supplyAsync(action, task -> new Thread(task).start())
                .join();
    }

    @Test
    void anAlgorithmIsToldTheMeanOfWhatWasServedAndTheMostThatWereInFlight() {
        Listening algorithm = new Listening();
        AdaptiveLimit limit = new AdaptiveLimit(algorithm, 1, 50);
        for (int i = 1; i <= 11; i++) {
            now += 10 * MILLI;
            limit.served(now, i * MILLI, i == 4 ? 48 : 40);
        }
        limit.dropped(now, 30);
        for (int i = 1; i <= 11; i++) {
            now += 10 * MILLI;
            limit.served(now, 20 * MILLI, 30);
        }

        assertThat(algorithm.told).containsExactly("6 ms, 48 in flight", "20 ms, 30 in flight, dropped");
    }

    @Test
    void callsOfSeveralThreadsFillOneWindow() {
        Listening algorithm = new Listening();
        AdaptiveLimit limit = new AdaptiveLimit(algorithm, 1, 50);
        for (int i = 0; i < 11; i++) {
            now += 10 * MILLI;
            onAnotherThread(() -> limit.served(now, 5 * MILLI, 50));
        }

        assertThat(algorithm.told).containsExactly("5 ms, 50 in flight");
    }

    @Test
    void aDropThatComesWhileAWindowEndsCountsInTheNext() {
        Listening algorithm = new Listening();
        AdaptiveLimit limit = new AdaptiveLimit(algorithm, 1, 50);
        algorithm.meanwhile = () -> {
            algorithm.meanwhile = () -> {};
            assertThat(onAnotherThread(() -> limit.dropped(now, 50))).isFalse();
        };

        window(limit, 5, false);
        window(limit, 5, false);
        window(limit, 5, false);

        assertThat(algorithm.told)
                .containsExactly("5 ms, 50 in flight", "5 ms, 50 in flight, dropped", "5 ms, 50 in flight");
    }

    /** The limit of VEGAS, 240 at first, after a window whose calls took as long as if so many of them had been in a queue. */
    private int vegasWithAQueueOf(int calls) {
        AdaptiveLimit limit = limit(LimitAlgorithm.VEGAS, 1, 240, 1_000);
        window(limit, 50, false);
        for (int i = 0; i < 11; i++) {
            now += 10 * MILLI;
            limit.served(now, (long) (50 * MILLI / (1 - (calls - 0.5) / 240)), 240);
        }
        return limit.limit();
    }

    @Test
    void vegasHoldsAQueueOfATwentiethToATwelfthOfItsLimit() {
        assertThat(vegasWithAQueueOf(12)).isEqualTo(240);
        assertThat(vegasWithAQueueOf(20)).isEqualTo(240);
        assertThat(vegasWithAQueueOf(21)).isBetween(220, 239);
        assertThat(vegasWithAQueueOf(11)).as("nearly there").isBetween(241, 250);
        assertThat(vegasWithAQueueOf(1)).as("far from it").isBetween(251, 270);
    }

    @Test
    void vegasTakesItsBaselineAnewEachSixHundredWindowsAtALowerLimitThatDrainsItsQueue() {
        AdaptiveLimit limit = limit(LimitAlgorithm.VEGAS, 1, 100, 100);
        for (int i = 1; i < 600; i++) {
            window(limit, 50, false);
            assertThat(limit.limit()).as("window %d", i).isEqualTo(100);
        }

        window(limit, 50, false);

        assertThat(limit.limit()).isEqualTo(85);
        for (int i = 0; i < 10; i++) {
            window(limit, 50, false);
        }
        assertThat(limit.limit()).isEqualTo(100);
    }

    @Test
    void vegasGetsUsedToADependencyThatBecameSlowerForGood() {
        AdaptiveLimit limit = limit(LimitAlgorithm.VEGAS, 10, 100, 100);
        for (int i = 0; i < 100; i++) {
            window(limit, 50, false);
        }
        for (int i = 0; i < 400; i++) {
            window(limit, 80, false);
        }
        assertThat(limit.limit()).isEqualTo(10);

        for (int i = 0; i < 200; i++) {
            window(limit, 80, false);
        }

        assertThat(limit.limit()).isEqualTo(100);
    }

    /** The mean of what was served is what the algorithm sees, not the time of what was dropped. */
    @Test
    void theTimeOfADropIsNoTime() {
        AdaptiveLimit limit = limit(LimitAlgorithm.GRADIENT2, 1, 50, 100);
        for (int i = 0; i < 5; i++) {
            window(limit, 50, false);
        }
        int before = limit.limit();
        window(limit, 50, true);
        int after = limit.limit();

        window(limit, 50, false);

        assertThat(after).isLessThan(before);
        assertThat(limit.limit()).isGreaterThanOrEqualTo(after);
    }
}
