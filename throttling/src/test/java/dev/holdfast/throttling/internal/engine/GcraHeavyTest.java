/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls that take several places. */
class GcraHeavyTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long COST = SECOND / 10;

    /** One call each 100 ms, five at once. */
    private final Gcra gcra = new Gcra(10, SECOND, 5);

    private static long reserved(Gcra gcra, long now, long longestWait, int weight) {
        long reservation =
                weight == 1 ? gcra.reserve(now, longestWait, 0) : gcra.reserveHeavy(now, longestWait, weight);
        assertThat(reservation).isNotEqualTo(Gcra.NONE);
        return reservation;
    }

    private long waitOf(int weight) {
        return gcra.waitNanos(reserved(gcra, 0, SECOND, weight), 0);
    }

    @Test
    void aHeavyCallTakesAsManyPlacesAsItWeighs() {
        assertThat(waitOf(3)).isZero();
        assertThat(gcra.available(0)).isEqualTo(2);
        assertThat(gcra.reserveHeavy(0, COST - 1, 3)).isEqualTo(Gcra.NONE);
        assertThat(gcra.untilFree(0, 3)).isEqualTo(COST);
        assertThat(waitOf(3)).isEqualTo(COST);
        assertThat(waitOf(1)).isEqualTo(2 * COST);
    }

    @Test
    void aHeavyCallThatWaitsIsNotOvertakenByLightOnes() {
        for (int i = 0; i < 5; i++) {
            waitOf(1);
        }
        long heavy = reserved(gcra, 0, SECOND, 5);
        for (long now = 0; now < 5 * COST; now += COST / 4) {
            assertThat(gcra.reserve(now, 0, 0)).as("at %d", now).isEqualTo(Gcra.NONE);
        }

        assertThat(gcra.waitNanos(heavy, 0)).isEqualTo(5 * COST);
    }

    @Test
    void whatAHeavyCallGivesBackIsFreeAgain() {
        long heavy = reserved(gcra, 0, 0, 4);

        gcra.giveBack(heavy, 4);

        assertThat(gcra.available(0)).isEqualTo(5);
        assertThat(waitOf(5)).isZero();
    }

    @Test
    void theFreePlacesOfAHeavyCallServeLightOnesOneAfterTheOther() {
        waitOf(5);
        long heavy = reserved(gcra, 0, SECOND, 3);
        waitOf(1);

        gcra.giveBack(heavy, 3);

        assertThat(gcra.untilFree(0)).isEqualTo(COST);
        assertThat(waitOf(1)).isEqualTo(COST);
        assertThat(waitOf(2)).isEqualTo(3 * COST);
        assertThat(waitOf(1)).as("behind all others").isEqualTo(5 * COST);
    }

    @Test
    void freePlacesThatTouchServeAHeavyCall() {
        waitOf(5);
        long first = reserved(gcra, 0, SECOND, 1);
        long second = reserved(gcra, 0, SECOND, 2);
        long third = reserved(gcra, 0, SECOND, 1);
        waitOf(1);

        gcra.giveBack(first, 1);
        gcra.giveBack(third, 1);
        assertThat(gcra.untilFree(0, 2)).as("no two of them touch").isEqualTo(7 * COST);
        gcra.giveBack(second, 2);

        assertThat(waitOf(4)).isEqualTo(4 * COST);
        assertThat(waitOf(1)).isEqualTo(6 * COST);
    }

    /** Every second of many gives up, and two beside each other at last. */
    @ParameterizedTest
    @CsvSource({"60, true", "40000, false"})
    void aHeavyCallLooksAtFewGapsOnly(int calls, boolean found) {
        Gcra line = new Gcra(1_000, SECOND, 10);
        List<Long> waiting = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            waiting.add(reserved(line, 0, 3_600 * SECOND, 1));
        }
        for (int i = 0; i < calls - 1; i += 2) {
            line.giveBack(waiting.get(i));
        }
        line.giveBack(waiting.get(calls - 3));
        long gap = waiting.get(calls - 2);

        assertThat(line.untilFree(0, 2))
                .isLessThanOrEqualTo(line.waitNanos(waiting.get(calls - 1), 0) + 2 * SECOND / 1_000);
        long heavy = reserved(line, 0, 3_600 * SECOND, 2);

        assertThat(heavy - gap < 0).isEqualTo(found);
    }

    @Test
    void onlyTheFreePlacesThatHaveNotBegunAreTaken() {
        waitOf(5);
        long heavy = reserved(gcra, 0, SECOND, 4);
        waitOf(1);
        gcra.giveBack(heavy, 4);
        // The places begin at 5, 6, 7 and 8.
        long now = 6 * COST + 1;

        assertThat(gcra.untilFree(now, 3)).as("two are left").isEqualTo(2 * COST - 1);
        assertThat(reserved(gcra, now, 0, 2)).isEqualTo(heavy);
    }

    @Test
    void onceAllIsGivenBackTheLineIsAsIfNothingHadBeenTaken() {
        for (long seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            Gcra line = new Gcra(10, SECOND, 5);
            List<long[]> taken = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int weight = 1 + random.nextInt(5);
                taken.add(new long[] {reserved(line, 0, 10 * SECOND, weight), weight});
            }
            while (!taken.isEmpty()) {
                long[] unused = taken.remove(random.nextInt(taken.size()));
                line.giveBack(unused[0], (int) unused[1]);
            }

            assertThat(line.available(0)).as("seed %d", seed).isEqualTo(5);
            assertThat(line.reserveHeavy(0, 0, 5)).as("seed %d", seed).isNotEqualTo(Gcra.NONE);
        }
    }

    @Test
    void aHeavyCallIsNotKeptOutByPlacesOfThreadsThatContend() {
        Gcra line = new Gcra(1_000, SECOND, 1_000, 2);
        line.contend();
        line.reserveHeavy(0, 0, 2);
        line.contend();
        long now = 3 * SECOND;
        line.reserve(now, 0, 0);
        line.reserve(now, 0, 1);

        assertThat(line.available(now)).isEqualTo(998);
        assertThat(line.reserveHeavy(now, 0, 998)).isNotEqualTo(Gcra.NONE);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, -SECOND, Long.MAX_VALUE, Long.MAX_VALUE - SECOND, Long.MIN_VALUE + 1})
    void theOriginOfTheClockDoesNotMatter(long origin) {
        for (int limit : new int[] {50, 3, 999_983}) {
            Gcra mine = new Gcra(limit, SECOND, 3);
            Gcra other = new Gcra(limit, SECOND, 3);
            Random random = new Random(limit);
            long cost = SECOND / limit;
            long now = 12_345;
            for (int i = 0; i < 2_000; i++) {
                now += random.nextLong(3 * cost + 2);
                long longest = random.nextLong(8 * cost + 2);
                long end = mine.reserveHeavy(origin + now, longest, 2);
                long its = other.reserveHeavy(now, longest, 2);
                assertThat(end == Gcra.NONE).as("limit %d, call %d", limit, i).isEqualTo(its == Gcra.NONE);
                if (end == Gcra.NONE) {
                    continue;
                }
                assertThat(mine.waitNanos(end, origin + now)).isEqualTo(other.waitNanos(its, now));
                if (random.nextInt(3) == 0) {
                    mine.giveBack(end, 2);
                    other.giveBack(its, 2);
                }
            }
        }
    }

    private record Start(long at, int weight) {}

    /** Some give up, at any time while they wait. */
    @ParameterizedTest
    @CsvSource({"10, 1000000000, 5", "3, 1000000000, 3", "1000, 1000000, 100", "999983, 1000000000, 40"})
    void inAnyTimeNoMoreWeightStartsThanTheLimitAndTheBurst(int limit, long per, int burst) {
        for (long seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            Gcra line = new Gcra(limit, per, burst);
            long cost = per / limit;
            List<Start> starts = new ArrayList<>();
            List<long[]> waiting = new ArrayList<>();
            long now = 0;
            for (int step = 0; step < 2_000; step++) {
                now += random.nextInt(8) == 0 ? random.nextLong(burst * cost) : random.nextLong(cost);
                int weight = 1 + random.nextInt(random.nextBoolean() ? 1 : burst);
                long longest = random.nextLong(burst * cost * 3);
                long end = weight == 1 ? line.reserve(now, longest, 0) : line.reserveHeavy(now, longest, weight);
                if (end != Gcra.NONE) {
                    waiting.add(new long[] {end, weight, now + line.waitNanos(end, now)});
                }
                for (Iterator<long[]> calls = waiting.iterator(); calls.hasNext(); ) {
                    long[] call = calls.next();
                    if (call[2] <= now) {
                        starts.add(new Start(call[2], (int) call[1]));
                        calls.remove();
                    } else if (random.nextInt(20) == 0) {
                        line.giveBack(call[0], (int) call[1]);
                        calls.remove();
                    }
                }
            }
            starts.sort(Comparator.comparingLong(Start::at));
            // Starts are whole nanoseconds.
            assertThat(highest(starts, limit, per))
                    .as("seed %d", seed)
                    .isLessThanOrEqualTo(burst + (double) limit / per + 1e-6);
            // Else the loads would be too light to find an error.
            assertThat(highest(starts, limit, per)).as("seed %d", seed).isGreaterThan(burst - 1);
        }
    }

    /** The most weight in any time that the rate of the limit alone does not explain. */
    private static double highest(List<Start> starts, int limit, long per) {
        double level = 0;
        double highest = 0;
        long last = 0;
        for (Start start : starts) {
            level = Math.max(0, level - (double) (start.at - last) * limit / per) + start.weight;
            highest = Math.max(highest, level);
            last = start.at;
        }
        return highest;
    }
}
