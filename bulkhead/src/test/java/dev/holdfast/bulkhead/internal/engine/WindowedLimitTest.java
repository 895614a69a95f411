/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.FixedLimit;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WindowedLimitTest {
    private static final long MILLI = 1_000_000;

    private long now;

    private static WindowedLimit limit(LimitAlgorithm algorithm, int floor, int initial, int ceiling) {
        return switch (algorithm) {
            case FIXED, LOSSES -> throw new IllegalArgumentException(algorithm + " has no windows");
            case AIMD -> Algorithms.aimd(floor, initial, ceiling);
            case VEGAS -> Algorithms.vegas(floor, initial, ceiling);
            case GRADIENT2 -> Algorithms.gradient2(floor, initial, ceiling);
        };
    }

    /** A whole window of calls that took so long, at the limit. Whether the limit changed. */
    private boolean window(WindowedLimit limit, long millis) {
        return window(limit, millis, 0);
    }

    /** The same, with the last of them dropped. */
    private boolean window(WindowedLimit limit, long millis, int dropped) {
        boolean changed = false;
        for (int i = 0; i < 11; i++) {
            now += 10 * MILLI;
            boolean drop = i >= 11 - dropped;
            changed |= changes(limit, () -> {
                if (drop) {
                    limit.dropped(now, millis * MILLI, limit.limit(), () -> 0);
                } else {
                    limit.served(now, millis * MILLI, limit.limit());
                }
            });
        }
        return changed;
    }

    private static boolean changes(WindowedLimit limit, Runnable sample) {
        int before = limit.limit();
        sample.run();
        return limit.limit() != before;
    }

    /** Until it is known that calls take 50 ms: a window, what is under way meanwhile, and another one. */
    private void knowing50Millis(WindowedLimit limit) {
        int before = limit.limit();
        for (int i = 0; i < 11 + 9 + 11; i++) {
            now += 10 * MILLI;
            limit.served(now, 50 * MILLI, limit.limit());
        }
        assertThat(limit.limit()).isEqualTo(before);
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"VEGAS", "GRADIENT2"})
    void slowCallsAreHeeded(LimitAlgorithm algorithm) {
        WindowedLimit limit = limit(algorithm, 1, 50, 100);
        knowing50Millis(limit);

        assertThat(window(limit, 100)).isTrue();

        assertThat(limit.limit()).isBetween(40, 49);
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"FIXED", "LOSSES"},
            mode = EnumSource.Mode.EXCLUDE)
    void dropsAreHeeded(LimitAlgorithm algorithm) {
        WindowedLimit limit = limit(algorithm, 1, 50, 100);
        if (algorithm != LimitAlgorithm.AIMD) {
            knowing50Millis(limit);
        }

        assertThat(window(limit, 50, 6)).isTrue();

        assertThat(limit.limit()).isBetween(40, 49);
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"FIXED", "LOSSES"},
            mode = EnumSource.Mode.EXCLUDE)
    void windowsOfDropsAloneAreHeeded(LimitAlgorithm algorithm) {
        WindowedLimit limit = limit(algorithm, 1, 50, 100);
        for (int i = 0; i < 5; i++) {
            window(limit, 50);
        }
        int before = limit.limit();

        window(limit, 50, 11);

        assertThat(limit.limit()).isLessThan(before);
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"FIXED", "LOSSES"},
            mode = EnumSource.Mode.EXCLUDE)
    void dropsBeforeAnythingWasServedAreHeededAndLeaveNoTrace(LimitAlgorithm algorithm) {
        WindowedLimit limit = limit(algorithm, 1, 50, 60);
        for (int i = 0; i < 4; i++) {
            window(limit, 0, 11);
        }
        assertThat(limit.limit()).isLessThan(50);

        for (int i = 0; i < 100; i++) {
            window(limit, 50);
        }
        assertThat(limit.limit()).isEqualTo(60);
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"FIXED", "LOSSES"},
            mode = EnumSource.Mode.EXCLUDE)
    void floorAndCeilingAreHard(LimitAlgorithm algorithm) {
        Random random = new Random(7);
        WindowedLimit limit = limit(algorithm, 5, 8, 12);
        boolean low = false;
        boolean high = false;
        for (int i = 0; i < 2_000; i++) {
            boolean bad = i / 100 % 2 == 1;
            window(limit, bad ? 200 + random.nextInt(100) : 50, bad ? 11 : 0);
            assertThat(limit.limit()).as("window %d", i).isBetween(5, 12);
            low |= limit.limit() == 5;
            high |= limit.limit() == 12;
        }
        assertThat(low).as("reached the floor").isTrue();
        assertThat(high).as("reached the ceiling").isTrue();
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"FIXED", "LOSSES"},
            mode = EnumSource.Mode.EXCLUDE)
    void aWindowThatWouldExceedTheCeilingIsNoChange(LimitAlgorithm algorithm) {
        WindowedLimit limit = limit(algorithm, 1, 50, 50);

        for (int i = 0; i < 5; i++) {
            assertThat(window(limit, 50)).isFalse();
        }
    }

    @Test
    void aLimitBeyondTheCeilingIsCutFromTheStart() {
        assertThat(new WindowedLimit(new Listening().rule(1), 1, 20).limit()).isEqualTo(20);
        assertThat(new WindowedLimit(new Listening().rule(60), 60, 80).limit()).isEqualTo(60);
    }

    @Test
    void whatHappensWhileLessThanHalfOfTheLimitIsInUseIsNoSample() {
        WindowedLimit limit = limit(LimitAlgorithm.AIMD, 1, 50, 100);
        for (int i = 0; i < 100; i++) {
            now += 10 * MILLI;
            assertThat(changes(limit, () -> limit.served(now, MILLI, 24))).isFalse();
            assertThat(changes(limit, () -> limit.dropped(now, MILLI, 24, () -> 0)))
                    .isFalse();
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
        WindowedLimit limit = limit(LimitAlgorithm.AIMD, 1, 50, 100);
        for (int i = 0; i < 9; i++) {
            assertThat(changes(limit, () -> limit.served(now, MILLI, 50))).isFalse();
            now += 100 * MILLI;
        }
        assertThat(changes(limit, () -> limit.served(now, MILLI, 50)))
                .as("the tenth")
                .isTrue();
        for (int i = 0; i < 100; i++) {
            assertThat(changes(limit, () -> limit.served(now, MILLI, 50)))
                    .as("in one moment")
                    .isFalse();
        }
        assertThat(changes(limit, () -> limit.served(now + 100 * MILLI - 1, MILLI, 50)))
                .isFalse();
        assertThat(changes(limit, () -> limit.served(now + 100 * MILLI, MILLI, 50)))
                .isTrue();
        assertThat(limit.limit()).isEqualTo(52);
    }

    @Test
    void aDropIsForgottenOnceItWasHeeded() {
        WindowedLimit limit = limit(LimitAlgorithm.AIMD, 1, 50, 100);
        window(limit, 50, 6);
        assertThat(limit.limit()).isEqualTo(45);

        window(limit, 50);

        assertThat(limit.limit()).isEqualTo(46);
    }

    @Test
    void aFewDropsAmongManyCallsCountAsOftenAsTheyAre() {
        WindowedLimit limit = limit(LimitAlgorithm.AIMD, 1, 50, 100);
        int shrunk = 0;
        for (int i = 0; i < 11; i++) {
            int before = limit.limit();
            window(limit, 50, 1);
            shrunk += limit.limit() < before ? 1 : 0;
        }

        assertThat(shrunk)
                .as("of eleven windows with one drop in eleven calls each")
                .isBetween(1, 2);
    }

    @Test
    void whatWasServedInNoTimeIsASampleToo() {
        WindowedLimit limit = limit(LimitAlgorithm.VEGAS, 1, 50, 100);

        for (int i = 0; i < 5; i++) {
            window(limit, 0);
        }

        assertThat(limit.limit()).isGreaterThan(50);
    }

    /** A law that writes down what it is told and leaves its limit as it is. */
    private static final class Listening implements Law {
        final List<String> told = new ArrayList<>();
        Runnable meanwhile = () -> {};

        @Override
        public double cost(long nanos, boolean drop, double base) {
            return nanos;
        }

        @Override
        public double firstBase() {
            return 0;
        }

        @Override
        public boolean keepsQueue() {
            return false;
        }

        @Override
        public boolean certain(Samples calls, double accuracy) {
            return true;
        }

        @Override
        public boolean isFine(double mean, double base) {
            return true;
        }

        private int made;

        LimitRule rule(int floor) {
            return new LimitRule(this, this::algorithm, 50, floor);
        }

        private Limit algorithm(int start) {
            assertThat(made++).as("nothing to try").isZero();
            return FixedLimit.of(start);
        }

        @Override
        public void heed(Limit algorithm, Samples window, double base) {
            told.add(window.count() + " calls, " + Math.round(window.mean() / MILLI) + " ms, " + window.mostInFlight()
                    + " in flight, " + Math.round(window.droppedShare() * window.count()) + " dropped");
            meanwhile.run();
        }

        @Override
        public double bearable(Samples calls, double base, int held) {
            return held;
        }

        @Override
        public double needed(double fine, double before, double base) {
            return fine;
        }
    }

    private static void onAnotherThread(Runnable action) {
        CompletableFuture.runAsync(action).join();
    }

    @Test
    void aLawIsToldTheMeanTheMostThatWereInFlightAndTheDrops() {
        Listening law = new Listening();
        WindowedLimit limit = new WindowedLimit(law.rule(1), 1, 50);
        for (int i = 1; i <= 11; i++) {
            now += 10 * MILLI;
            limit.served(now, i * MILLI, i == 4 ? 48 : 40);
        }
        limit.dropped(now, 20 * MILLI, 30, () -> 0);
        for (int i = 1; i <= 10; i++) {
            now += 10 * MILLI;
            limit.served(now, 20 * MILLI, 30);
        }

        assertThat(law.told)
                .containsExactly("11 calls, 6 ms, 48 in flight, 0 dropped", "11 calls, 20 ms, 30 in flight, 1 dropped");
    }

    @Test
    void callsOfSeveralThreadsFillOneWindow() {
        Listening law = new Listening();
        WindowedLimit limit = new WindowedLimit(law.rule(1), 1, 50);
        for (int i = 0; i < 11; i++) {
            now += 10 * MILLI;
            onAnotherThread(() -> limit.served(now, 5 * MILLI, 50));
        }

        assertThat(law.told).containsExactly("11 calls, 5 ms, 50 in flight, 0 dropped");
    }

    @Test
    void aDropThatComesWhileAWindowEndsCountsInTheNext() {
        Listening law = new Listening();
        WindowedLimit limit = new WindowedLimit(law.rule(1), 1, 50);
        law.meanwhile = () -> {
            law.meanwhile = () -> {};
            assertThat(changes(limit, () -> onAnotherThread(() -> limit.dropped(now, 5 * MILLI, 50, () -> 0))))
                    .isFalse();
        };

        window(limit, 5);
        window(limit, 5);
        window(limit, 5);

        assertThat(law.told)
                .containsExactly(
                        "11 calls, 5 ms, 50 in flight, 0 dropped",
                        "12 calls, 5 ms, 50 in flight, 1 dropped",
                        "11 calls, 5 ms, 50 in flight, 0 dropped");
    }

    /** The limit of VEGAS, 240 at first, after a window whose calls took as long as if so many of them had been in a queue. */
    private int vegasWithAQueueOf(int calls) {
        WindowedLimit limit = limit(LimitAlgorithm.VEGAS, 1, 240, 1_000);
        knowing50Millis(limit);
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
        assertThat(vegasWithAQueueOf(11)).isBetween(241, 250);
        assertThat(vegasWithAQueueOf(1)).isBetween(241, 250);
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"VEGAS", "GRADIENT2"})
    void whatCallsTakeIsMeasuredAnewAtALowerLimitThatDrainsTheQueue(LimitAlgorithm algorithm) {
        WindowedLimit limit = limit(algorithm, 1, 100, 100);
        int lowest = 100;
        for (int i = 0; i < 100; i++) {
            window(limit, 50);
            lowest = Math.min(lowest, limit.limit());
        }

        assertThat(lowest).isEqualTo(85);
        assertThat(limit.limit()).isEqualTo(100);
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"VEGAS", "GRADIENT2"})
    void callsThatTakeLongerHoweverManyThereAreAreNotTurnedAwayForLong(LimitAlgorithm algorithm) {
        WindowedLimit limit = limit(algorithm, 10, 100, 100);
        for (int i = 0; i < 100; i++) {
            window(limit, 50);
        }
        int lowest = 100;
        for (int i = 0; i < 50; i++) {
            window(limit, 80);
            lowest = Math.min(lowest, limit.limit());
        }

        assertThat(lowest).as("it was tried whether fewer help").isBetween(25, 50);
        assertThat(limit.limit()).isEqualTo(100);
    }

    @Test
    void dropsThatComeHoweverManyCallsThereAreAreNotTurnedAwayForLong() {
        WindowedLimit limit = limit(LimitAlgorithm.AIMD, 10, 100, 100);
        int lowest = 100;
        for (int i = 0; i < 100; i++) {
            window(limit, 50, 3);
            lowest = Math.min(lowest, limit.limit());
        }

        assertThat(lowest).as("it was tried whether fewer help").isBetween(25, 50);
        assertThat(limit.limit()).isGreaterThan(90);
    }

    /** What calls take if the dependency works on so many at once, for 50 ms each. */
    private static long queued(int inFlight, int slots) {
        return 50L * Math.max(inFlight, slots) / slots;
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"VEGAS", "GRADIENT2"})
    void aLimitAtWhichCallsQueueComesDownToWhereTheyDoNot(LimitAlgorithm algorithm) {
        WindowedLimit limit = limit(algorithm, 1, 100, 100);
        for (int i = 0; i < 100; i++) {
            window(limit, 50);
        }
        for (int slots : new int[] {50, 10, 25}) {
            for (int i = 0; i < 200; i++) {
                window(limit, queued(limit.limit(), slots));
            }
            assertThat((double) limit.limit()).as("for %d", slots).isBetween(0.8 * slots, 1.3 * slots);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"VEGAS", "GRADIENT2"})
    void aLimitThatIsInUseForAWholeDayDoesNotDrift(LimitAlgorithm algorithm) {
        WindowedLimit limit = limit(algorithm, 1, 20, 1_000);
        Random random = new Random(11);
        for (int hour = 0; hour < 24; hour++) {
            double sum = 0;
            for (int i = 0; i < 33_000; i++) {
                window(limit, queued(limit.limit(), 40) - 5 + random.nextInt(11));
                sum += limit.limit();
            }
            assertThat(sum / 33_000).as("mean of hour %d", hour).isBetween(36.0, 48.0);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"FIXED", "LOSSES"},
            mode = EnumSource.Mode.EXCLUDE)
    void aClockThatIsFarBelowZeroIsAClockToo(LimitAlgorithm algorithm) {
        now = Long.MIN_VALUE + 5;
        WindowedLimit limit = limit(algorithm, 1, 50, 100);

        for (int i = 0; i < 100; i++) {
            window(limit, 50);
        }

        assertThat(limit.limit()).isGreaterThan(60);
    }
}
