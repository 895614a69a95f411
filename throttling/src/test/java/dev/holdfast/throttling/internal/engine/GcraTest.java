/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GcraTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long HOUR = 3_600 * SECOND;
    private static final long DAY = 24 * HOUR;

    private static long reserved(Gcra gcra, long now, long longestWait) {
        long reservation = gcra.reserve(now, longestWait, 0);
        assertThat(reservation).isNotEqualTo(Gcra.NONE);
        return reservation;
    }

    @Test
    void theBurstStartsAtOnceAndTheNextOneNot() {
        Gcra gcra = new Gcra(10, SECOND, 3);

        for (int i = 0; i < 3; i++) {
            assertThat(gcra.waitNanos(reserved(gcra, 5, 0), 5)).isZero();
        }

        assertThat(gcra.reserve(5, 0, 0)).isEqualTo(Gcra.NONE);
        assertThat(gcra.untilFree(5)).isEqualTo(SECOND / 10);
    }

    @Test
    void afterTheBurstCallsAreEvenlySpaced() {
        Gcra gcra = new Gcra(10, SECOND, 1);
        List<Long> waits = new ArrayList<>();

        for (int i = 0; i < 4; i++) {
            waits.add(gcra.waitNanos(reserved(gcra, 0, SECOND), 0));
        }

        assertThat(waits).containsExactly(0L, SECOND / 10, 2 * SECOND / 10, 3 * SECOND / 10);
    }

    @Test
    void aRefusedCallTakesNothing() {
        Gcra gcra = new Gcra(10, SECOND, 1);
        reserved(gcra, 0, 0);
        for (int i = 0; i < 100; i++) {
            assertThat(gcra.reserve(1, SECOND / 20, 0)).isEqualTo(Gcra.NONE);
        }

        assertThat(gcra.waitNanos(reserved(gcra, 1, SECOND), 1)).isEqualTo(SECOND / 10 - 1);
    }

    @Test
    void theTimeUntilFreeIsExact() {
        Gcra gcra = new Gcra(3, SECOND, 1);
        reserved(gcra, 0, 0);

        long free = gcra.untilFree(0);

        assertThat(gcra.reserve(free - 1, 0, 0)).isEqualTo(Gcra.NONE);
        assertThat(gcra.reserve(free, 0, 0)).isNotEqualTo(Gcra.NONE);
    }

    @Test
    void whatIsGivenBackIsFreeAgain() {
        Gcra gcra = new Gcra(10, SECOND, 1);
        long reservation = reserved(gcra, 0, 0);

        gcra.giveBack(reservation);

        assertThat(gcra.waitNanos(reserved(gcra, 0, 0), 0)).isZero();
    }

    @Test
    void laterReservationsKeepTheirTimesAndTheFreePlaceIsTakenFirst() {
        Gcra gcra = new Gcra(10, SECOND, 1);
        reserved(gcra, 0, 0);
        long second = reserved(gcra, 0, SECOND);
        long third = reserved(gcra, 0, SECOND);

        gcra.giveBack(second);

        assertThat(gcra.waitNanos(third, 0)).isEqualTo(2 * SECOND / 10);
        assertThat(gcra.untilFree(0)).isEqualTo(SECOND / 10);
        assertThat(gcra.waitNanos(reserved(gcra, 0, SECOND), 0)).isEqualTo(SECOND / 10);
        assertThat(gcra.waitNanos(reserved(gcra, 0, SECOND), 0)).isEqualTo(3 * SECOND / 10);
    }

    @Test
    void aFreePlaceIsRefusedWhereItsWaitIsTooLong() {
        Gcra gcra = new Gcra(10, SECOND, 1);
        reserved(gcra, 0, 0);
        long second = reserved(gcra, 0, SECOND);
        reserved(gcra, 0, SECOND);
        gcra.giveBack(second);

        assertThat(gcra.reserve(0, SECOND / 10 - 1, 0)).isEqualTo(Gcra.NONE);
        assertThat(gcra.reserve(0, SECOND / 10, 0)).isNotEqualTo(Gcra.NONE);
    }

    @Test
    void aPlaceWhoseTimeIsPastIsNotUsedByALaterCall() {
        Gcra gcra = new Gcra(10, SECOND, 1);
        reserved(gcra, 0, 0);
        long second = reserved(gcra, 0, SECOND);
        reserved(gcra, 0, SECOND);
        gcra.giveBack(second);

        long now = SECOND / 10 + 1;

        assertThat(gcra.waitNanos(reserved(gcra, now, SECOND), now)).isEqualTo(3 * SECOND / 10 - now);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void onceAllIsGivenBackInAnyOrderAllIsAsBefore(long seed) {
        Gcra gcra = new Gcra(7, SECOND, 3);
        List<Long> taken = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            taken.add(reserved(gcra, 0, HOUR));
        }
        Collections.shuffle(taken, new Random(seed));

        taken.forEach(gcra::giveBack);

        assertThat(gcra.available(0)).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            assertThat(gcra.waitNanos(reserved(gcra, 0, 0), 0)).isZero();
        }
        assertThat(gcra.reserve(0, 0, 0)).isEqualTo(Gcra.NONE);
    }

    @Test
    void availableCountsDownAndComesBackWithTime() {
        Gcra gcra = new Gcra(10, SECOND, 4);
        assertThat(gcra.available(0)).isEqualTo(4);

        reserved(gcra, 0, 0);
        reserved(gcra, 0, 0);

        assertThat(gcra.available(0)).isEqualTo(2);
        assertThat(gcra.available(SECOND / 10)).isEqualTo(3);
        assertThat(gcra.available(SECOND)).isEqualTo(4);
        for (int i = 0; i < 6; i++) {
            reserved(gcra, 0, SECOND);
        }
        assertThat(gcra.available(0)).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1000000, 1",
        "50, 1000000000, 5",
        "3, 1000000000, 1",
        "7, 1000000, 7",
        "300, 1000000000, 30",
        "600000000, 1000000000, 2",
        "1000000000, 1000000000, 9",
        "999999, 1000000, 1",
        "1, 86400000000000, 1",
        "999999937, 86400000000000, 1000"
    })
    void noWindowHoldsMoreThanRateTimesItsLengthPlusBurst(int limit, long per, int burst) {
        for (long seed = 0; seed < 60; seed++) {
            new Traffic(seed, limit, per, burst).run(250).assertEveryWindow();
        }
    }

    /** Random callers, some of whom give back what they got. */
    private static final class Traffic {
        private final String name;
        private final Random random;
        private final int limit;
        private final long per;
        private final int burst;
        private final Gcra gcra;
        private final long origin;
        private final List<long[]> live = new ArrayList<>();

        Traffic(long seed, int limit, long per, int burst) {
            name = "seed " + seed + ", " + limit + " in " + per + " ns, burst " + burst;
            random = new Random(seed);
            this.limit = limit;
            this.per = per;
            this.burst = burst;
            gcra = new Gcra(limit, per, burst);
            origin = random.nextBoolean() ? Long.MAX_VALUE - per : random.nextLong();
        }

        Traffic run(int steps) {
            long now = origin;
            long unit = Math.max(1, per / limit);
            for (int i = 0; i < steps; i++) {
                now += switch (random.nextInt(8)) {
                    case 0 -> random.nextLong(unit * 3 + 1);
                    case 1 -> random.nextInt(20) == 0 ? unit * burst * 2 : 1;
                    default -> 0;
                };
                if (random.nextInt(4) == 0 && !live.isEmpty()) {
                    long[] gone = live.remove(random.nextInt(live.size()));
                    gcra.giveBack(gone[0]);
                } else {
                    take(now, random.nextBoolean() ? 0 : Math.min(HOUR, random.nextLong(unit * 20)));
                }
            }
            return this;
        }

        private void take(long now, long longestWait) {
            long free = gcra.untilFree(now);
            long reservation = gcra.reserve(now, longestWait, 0);
            if (reservation == Gcra.NONE) {
                assertThat(free).as(name).isGreaterThan(longestWait);
                return;
            }
            long wait = gcra.waitNanos(reservation, now);
            assertThat(wait).as(name).isBetween(0L, longestWait).isEqualTo(free);
            live.add(new long[] {reservation, now + wait - origin});
        }

        /** All whole numbers: n starts within t need (n - burst) * per / limit <= t; a start is at a whole nanosecond. */
        void assertEveryWindow() {
            long[] starts = live.stream().mapToLong(call -> call[1]).sorted().toArray();
            for (int from = 0; from < starts.length; from++) {
                for (int to = from + burst; to < starts.length; to++) {
                    long needed = Math.multiplyExact(to - from + 1L - burst, per);
                    long length = starts[to] - starts[from];
                    assertThat(needed / limit)
                            .as("%s: from %d to %d", name, from, to)
                            .isLessThanOrEqualTo(length);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "50, 1000000000, 1000000",
        "3, 1000000000, 1000000",
        "300, 1000000000, 1000000",
        "999983, 1000000000, 1000000",
        "600000000, 1000000000, 1000",
        "1000000000, 1000000000, 1000000000"
    })
    void theRateIsNotLostWhereTheLimitDoesNotDivideTheTime(int limit, long per, long oneIn) {
        Gcra gcra = new Gcra(limit, per, 1);
        long calls = 200_000;
        long now = -17;
        for (long i = 0; i < calls; i++) {
            now += gcra.waitNanos(reserved(gcra, now, DAY), now);
        }

        double ideal = (double) (calls - 1) * per / limit;
        assertThat((now + 17) / ideal).isBetween(1.0 - 1e-9, 1.0 + 1.0 / oneIn + 2 / ideal);
    }

    @ParameterizedTest
    @ValueSource(
            longs = {0, 1, -1, -SECOND, Long.MAX_VALUE, Long.MAX_VALUE - SECOND, Long.MIN_VALUE, Long.MIN_VALUE + 1})
    void theOriginOfTheClockDoesNotMatter(long origin) {
        for (int limit : new int[] {50, 3, 999_983, 600_000_000}) {
            Gcra gcra = new Gcra(limit, SECOND, 2);
            Gcra other = new Gcra(limit, SECOND, 2);
            Random random = new Random(limit);
            long cost = SECOND / limit;
            long now = 12_345;
            for (int i = 0; i < 2_000; i++) {
                now += random.nextLong(2 * cost + 2);
                long longest = random.nextLong(5 * cost + 2);
                long mine = gcra.reserve(origin + now, longest, 0);
                long its = other.reserve(now, longest, 0);
                assertThat(mine == Gcra.NONE).as("limit %d, call %d", limit, i).isEqualTo(its == Gcra.NONE);
                if (mine != Gcra.NONE) {
                    assertThat(gcra.waitNanos(mine, origin + now)).isEqualTo(other.waitNanos(its, now));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 30, 104, 105, 150, 207, 300, 3_000})
    void aLongQuietTimeLeavesAFullBurst(long days) {
        for (int limit : new int[] {50, 3, 600_000_000}) {
            Gcra gcra = new Gcra(limit, SECOND, 2);
            reserved(gcra, 1, 0);
            reserved(gcra, 1, 0);

            long now = 1 + days * DAY;

            assertThat(gcra.available(now)).as("limit %d", limit).isEqualTo(2);
            reserved(gcra, now, 0);
            reserved(gcra, now, 0);
        }
    }

    @Test
    void aThreadWhoseTimeIsLateDoesNotSetTheLineBack() {
        Gcra gcra = new Gcra(10, SECOND, 1);
        reserved(gcra, 60 * SECOND, 0);

        assertThat(gcra.reserve(0, 0, 0)).isEqualTo(Gcra.NONE);
        assertThat(gcra.untilFree(60 * SECOND)).isEqualTo(SECOND / 10);
    }
}
