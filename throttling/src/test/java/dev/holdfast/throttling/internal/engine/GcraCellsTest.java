/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Places in cells: 1,000 calls in a millisecond, a burst of 512, so that 64 of it lie in 2 cells, 32 in each. */
class GcraCellsTest {
    private static final long COST = 1_000;
    private static final int BURST = 512;
    private static final int BATCH = 32;
    private static final int HEAD_START = 64;

    private final Gcra gcra = contended();

    private static Gcra contended() {
        Gcra gcra = new Gcra(1_000, 1_000_000, BURST, 2);
        gcra.contend();
        return gcra;
    }

    private static int taken(Gcra gcra, long now, int stripe) {
        int taken = 0;
        while (gcra.reserve(now, 0, stripe) != Gcra.NONE) {
            taken++;
        }
        return taken;
    }

    @Test
    void aThreadTakesItsPlacesFromItsOwnCellAndTheLineStaysAsItIs() {
        long first = gcra.reserve(0, 0, 0);
        long other = gcra.reserve(0, 0, 1);

        assertThat(other - first).isEqualTo(BATCH * COST);
        for (int i = 1; i < BATCH; i++) {
            assertThat(gcra.reserve(0, 0, 0)).isEqualTo(first + i * COST);
        }
        assertThat(gcra.reserve(0, 0, 0)).isEqualTo(first + 2 * BATCH * COST);
        assertThat(gcra.reserve(0, 0, 1)).isEqualTo(other + COST);
    }

    @Test
    void aCallIsRefusedOnlyAfterAllCellsWereTried() {
        gcra.reserve(0, 0, 1);

        assertThat(taken(gcra, 0, 0)).isEqualTo(BURST - HEAD_START - 1);
        assertThat(gcra.available(0)).isZero();
        assertThat(gcra.untilFree(0)).isEqualTo(COST);
        assertThat(gcra.reserve(COST - 1, 0, 1)).isEqualTo(Gcra.NONE);
        assertThat(gcra.reserve(COST, 0, 1)).isNotEqualTo(Gcra.NONE);
    }

    @Test
    void noPlaceIsGivenOutTwiceAndNoneIsCloserThanTheCost() {
        Set<Long> places = new HashSet<>();
        long last = 0;
        for (int i = 0; i < 100_000; i++) {
            long now = i * 700L;
            long end = gcra.reserve(now, i % 3 * COST, i % 2);
            if (end != Gcra.NONE) {
                assertThat(places.add(end)).as("call %d", i).isTrue();
                assertThat(Math.floorMod(end - last, COST) == 0 || gcra.waitNanos(end, now) == 0)
                        .isTrue();
                last = end;
            }
        }
        long[] sorted = places.stream().mapToLong(Long::longValue).sorted().toArray();
        for (int i = 1; i < sorted.length; i++) {
            assertThat(sorted[i] - sorted[i - 1]).as("place %d", i).isGreaterThanOrEqualTo(COST);
        }
    }

    @Test
    void whatLiesInACellIsNobodysOnceItsTimeIsPast() {
        long first = gcra.reserve(0, 0, 0);
        assertThat(gcra.available(0)).isEqualTo(BURST - HEAD_START - 1);

        long usable = gcra.reserve(HEAD_START * COST + COST, 0, 0);
        assertThat(usable).isEqualTo(first + COST);
        long fresh = gcra.reserve(HEAD_START * COST + 2 * COST + 1, 0, 0);
        assertThat(fresh - first).isGreaterThan(BATCH * COST);
    }

    @Test
    void aThreadWhoseTimeIsLateTakesNothingTooEarlyAndSpoilsNoCell() {
        long now = 10 * BURST * COST;
        long first = gcra.reserve(now, 0, 0);

        assertThat(gcra.reserve(0, 0, 0)).isEqualTo(Gcra.NONE);

        assertThat(gcra.reserve(now, 0, 0)).isEqualTo(first + COST);
    }

    @Test
    void aBatchIsLeftOutWhereTheLineHasNoRoomForItAndSinglePlacesGoOn() {
        Gcra line = new Gcra(1_000, 1_000_000, BURST, 2);
        for (int i = 0; i < BURST - 1; i++) {
            line.reserve(0, 0, 0);
        }
        line.contend();

        assertThat(line.reserve(0, 0, 0)).isNotEqualTo(Gcra.NONE);
        assertThat(line.reserve(0, 0, 0)).isEqualTo(Gcra.NONE);
        assertThat(line.reserve(COST, 0, 1)).isNotEqualTo(Gcra.NONE);

        long later = 2 * BURST * COST;
        long first = line.reserve(later, 0, 0);
        assertThat(line.reserve(later, 0, 1)).as("the next batch").isEqualTo(first + BATCH * COST);
    }

    @Test
    void aBatchIsAsLargeAsAnEighthOfTheBurstAllowsForEachCell() {
        Gcra smaller = new Gcra(1_000, 1_000_000, 64, 2);
        smaller.contend();

        assertThat(smaller.reserve(0, 0, 1) - smaller.reserve(0, 0, 0)).isEqualTo(-4 * COST);
    }

    @Test
    void aCallIsFreeAtOnceWhileAnyCellHoldsAPlace() {
        gcra.reserve(0, 0, 1);
        for (int i = 0; i < BURST - HEAD_START - BATCH; i++) {
            gcra.reserve(0, 0, 0);
        }

        assertThat(gcra.available(0)).isEqualTo(BATCH - 1);
        assertThat(gcra.untilFree(0)).isZero();
    }

    @Test
    void availableCountsWhatLiesInCellsUpToTheBurst() {
        assertThat(gcra.available(0)).isEqualTo(BURST);
        gcra.reserve(0, 0, 0);
        gcra.reserve(0, 0, 1);
        assertThat(gcra.available(0)).isEqualTo(BURST - HEAD_START - 2);
        assertThat(gcra.available(HEAD_START * COST)).isEqualTo(BURST - 2);
        assertThat(gcra.available(1_000 * BURST * COST)).isEqualTo(BURST);
    }

    @Test
    void aPlaceFromACellIsGivenBackLikeAnyOther() {
        gcra.reserve(0, 0, 0);
        long second = gcra.reserve(0, 0, 0);
        gcra.reserve(0, 0, 0);
        int rest = taken(gcra, 0, 0);
        assertThat(rest).isEqualTo(BURST - HEAD_START - 3);

        gcra.giveBack(second);

        assertThat(gcra.reserve(0, 0, 1)).isEqualTo(second);
        assertThat(gcra.reserve(0, 0, 1)).isEqualTo(Gcra.NONE);
    }

    @Test
    void aWaitingCallGetsAPlaceOfAnotherCellFirst() {
        gcra.reserve(0, 0, 1);
        int others = BATCH - 1;
        int line = BURST - HEAD_START - BATCH;
        for (int i = 0; i < line + others; i++) {
            long end = gcra.reserve(0, 10 * COST, 0);
            assertThat(gcra.waitNanos(end, 0)).as("call %d", i).isZero();
        }
        assertThat(gcra.waitNanos(gcra.reserve(0, 10 * COST, 0), 0)).isEqualTo(COST);
    }

    @Test
    void aSmallBurstIsNeverSpreadOverCells() {
        Gcra small = new Gcra(1_000, 1_000_000, 31, 2);
        small.contend();

        assertThat(taken(small, 0, 0)).isEqualTo(31);
    }

    @Test
    void saturatedItGivesWhatTheRateAllowsAndNoMore() {
        long now = 0;
        long starts = taken(gcra, now, 0);
        for (int i = 0; i < 200_000; i++) {
            now += 337;
            starts += taken(gcra, now, i % 2);
            assertThat(starts).as("at %d ns", now).isLessThanOrEqualTo(now / COST + BURST);
        }
        assertThat((double) starts).isGreaterThanOrEqualTo(0.99 * (now / (double) COST + BURST));
    }

    @Test
    void aClockThatCrossesZeroMeetsNoPlaceThatMeansNone() {
        for (long origin = -3 * COST; origin < 3 * COST; origin++) {
            Gcra crossing = contended();
            // So that the line, which is shifted by a constant, comes to zero.
            long now = origin - 0x2545_F491_4F6C_DD1DL - HEAD_START * COST;
            Set<Long> places = new HashSet<>();
            for (int i = 0; i < 3 * BATCH; i++) {
                assertThat(places.add(crossing.reserve(now, 0, 0)))
                        .as("origin %d", origin)
                        .isTrue();
            }
            assertThat(places).doesNotContain(Gcra.NONE, PlaceCells.BUSY);
        }
    }
}
