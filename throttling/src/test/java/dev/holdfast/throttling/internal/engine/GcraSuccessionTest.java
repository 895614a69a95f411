/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A line that goes on with other settings. */
class GcraSuccessionTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long HOUR = 3_600 * SECOND;

    private record Place(Gcra line, long end, int weight, long startsAt) {
        void giveBack() {
            line.giveBack(end, weight);
        }
    }

    /** As a throttle does it: on this line, or on the one that goes on for it. */
    private static Place reserved(Gcra line, long now, long longest, int weight) {
        Gcra at = line;
        long end = on(at, now, longest, weight);
        while (end == Gcra.MOVED) {
            at = at.successor();
            end = on(at, now, longest, weight);
        }
        return new Place(at, end, weight, end == Gcra.NONE ? -1 : now + at.waitNanos(end, now));
    }

    private static long on(Gcra line, long now, long longest, int weight) {
        return weight == 1 ? line.reserve(now, longest, 0) : line.reserveHeavy(now, longest, weight);
    }

    @Test
    void theSameSettingsAreTheSameLine() {
        Gcra line = new Gcra(10, SECOND, 5);

        assertThat(line.with(10, SECOND, 5, 0)).isSameAs(line);
        Gcra other = line.with(10, SECOND, 4, 0);
        assertThat(other).isNotSameAs(line);
        assertThat(line.with(10, SECOND, 4, 0)).isSameAs(other);
        assertThat(line.current()).isSameAs(other);
    }

    @ParameterizedTest
    @CsvSource({"10, 1000000000, 5", "100, 1000000000, 50", "1, 1000000000, 1", "1500, 1000000000, 9"})
    void callsThatWaitKeepTheirTurnsAndLaterOnesStartBehindThem(int limit, long per, int burst) {
        Gcra line = new Gcra(10, SECOND, 5);
        for (int i = 0; i < 25; i++) {
            reserved(line, 0, HOUR, 1);
        }

        Gcra other = line.with(limit, per, burst, SECOND / 2);

        assertThat(other.available(SECOND / 2)).isZero();
        assertThat(reserved(line, SECOND / 2, HOUR, 1).startsAt).isEqualTo(2 * SECOND + (per + limit - 1) / limit);
        assertThat(reserved(other, SECOND / 2, HOUR, 1).startsAt)
                .isBetween(2 * SECOND + 2 * per / limit, 2 * SECOND + 2 * per / limit + 1);
    }

    @Test
    void whatMayStartNowIsKeptInPartsOfACallUpToTheBurst() {
        Gcra line = new Gcra(10, SECOND, 5);
        reserved(line, 0, 0, 5);
        // Three turns and a half are earned.
        Gcra slower = line.with(1, SECOND, 5 - 4, 0).with(1, SECOND, 1, 0);
        assertThat(slower.untilFree(0)).isEqualTo(SECOND);

        Gcra fast = new Gcra(10, SECOND, 5);
        reserved(fast, 0, 0, 5);
        Gcra slow = fast.with(5, SECOND, 4, 350_000_000);
        assertThat(slow.available(350_000_000)).isEqualTo(3);
        assertThat(slow.untilFree(350_000_000, 4)).isEqualTo(100_000_000);
        Gcra small = slow.with(5, SECOND, 2, 350_000_000);
        assertThat(small.untilFree(350_000_000, 2)).isZero();
        assertThat(small.untilFree(350_000_000, 3))
                .as("no part beyond the burst")
                .isEqualTo(200_000_000);
        assertThat(small.with(5, SECOND, 4, 350_000_000).available(350_000_000)).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void onceAllIsGivenBackAfterSeveralChangesTheLineIsAsIfNothingHadBeenTaken(long seed) {
        Random random = new Random(seed);
        Gcra first = new Gcra(7, SECOND, 3);
        Gcra line = first;
        List<Place> taken = new ArrayList<>();
        for (int change = 0; change < 4; change++) {
            for (int i = 0; i < 100; i++) {
                taken.add(reserved(first, 0, HOUR, 1 + random.nextInt(3)));
            }
            for (int i = 0; i < 30; i++) {
                taken.remove(random.nextInt(taken.size())).giveBack();
            }
            int[] limits = {700, 3, 1_500, 7};
            line = line.with(limits[change], SECOND, 3, 0);
        }
        Collections.shuffle(taken, random);

        taken.forEach(Place::giveBack);

        assertThat(line.available(0)).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            assertThat(reserved(first, 0, 0, 1).startsAt).isZero();
        }
        assertThat(reserved(first, 0, 0, 1).end).isEqualTo(Gcra.NONE);
    }

    @Test
    void aTurnThatIsGivenBackAfterTheChangeServesTheNextCallAndIsNotCountedTwice() {
        Gcra line = new Gcra(10, SECOND, 1);
        reserved(line, 0, 0, 1);
        Place second = reserved(line, 0, HOUR, 1);
        reserved(line, 0, HOUR, 1);
        Gcra other = line.with(20, SECOND, 1, 0).with(10, SECOND, 2, 0);

        second.giveBack();

        assertThat(reserved(other, 0, HOUR, 1).startsAt).isEqualTo(SECOND / 10);
        assertThat(reserved(other, 0, HOUR, 1).startsAt).isEqualTo(3 * SECOND / 10);
    }

    @Test
    void noBurstOfLaterCallsStartsRightBeforeAHeavyCallThatWaited() {
        Gcra line = new Gcra(100, SECOND, 10);
        reserved(line, 0, 0, 10);
        List<Place> waiting = new ArrayList<>();
        for (int i = 0; i < 90; i++) {
            waiting.add(reserved(line, 0, HOUR, 1));
        }
        assertThat(reserved(line, 0, HOUR, 10).startsAt).isEqualTo(SECOND);
        Gcra slower = line.with(10, SECOND, 10, 0);
        waiting.forEach(Place::giveBack);

        // Ten start at SECOND: nine vacant turns of the lower limit end right before that.
        for (long now = SECOND - 50_000; now <= SECOND + 50_000; now += 10_000) {
            assertThat(reserved(slower, now, 0, 1).end).as("at %d", now).isEqualTo(Gcra.NONE);
        }
        assertThat(reserved(slower, SECOND, HOUR, 1).startsAt).isEqualTo(SECOND + SECOND / 10);
    }

    @Test
    void whatLiesInCellsIsNotLost() {
        Gcra line = new Gcra(1_000, 1_000_000, 512, 2);
        line.contend();
        line.reserve(0, 0, 0);
        line.reserve(0, 0, 1);

        Gcra other = line.with(1_000, 1_000_000, 500, 0);

        int taken = 0;
        while (reserved(line, 0, 0, 1).end != Gcra.NONE) {
            taken++;
        }
        assertThat(taken).isBetween(512 - 64 - 2 - 12, 500);
        assertThat(other.untilFree(0)).isEqualTo(1_000);
    }

    /** What applied when, and what started. */
    private static final class Log {
        final List<long[]> settings = new ArrayList<>();
        final List<Gcra> lines = new ArrayList<>();
        final List<Place> starts = new ArrayList<>();

        void assertEveryWindow(long seed) {
            starts.sort(Comparator.comparingLong(Place::startsAt));
            long[] until = new long[settings.size()];
            for (int i = 0; i < until.length; i++) {
                until[i] = i + 1 < until.length ? settings.get(i + 1)[0] : Long.MAX_VALUE;
            }
            starts.forEach(start -> {
                int line = lines.indexOf(start.line);
                until[line] = Math.max(until[line], start.startsAt);
            });
            for (int i = 0; i < starts.size(); i++) {
                double allowed = 0;
                int burst = 0;
                int sum = 0;
                for (int j = i; j < starts.size(); j++) {
                    long from = starts.get(Math.max(i, j - 1)).startsAt;
                    long to = starts.get(j).startsAt;
                    sum += starts.get(j).weight;
                    double fastest = 0;
                    // A change in between counts for all of it, which is a little too kind and simple.
                    for (int line = 0; line < until.length; line++) {
                        if (settings.get(line)[0] <= to && until[line] >= from) {
                            burst = Math.max(burst, (int) settings.get(line)[2]);
                            fastest = Math.max(fastest, settings.get(line)[1] / (double) SECOND);
                        }
                    }
                    allowed += fastest * (to - from);
                    assertThat((double) sum)
                            .as("seed %d, start %d to %d", seed, i, j)
                            .isLessThanOrEqualTo(burst + allowed + 2 * fastest * until.length);
                }
            }
        }
    }

    /** Some give up, at any time while they wait, and until they start. Old throttles are used on beside the new one. */
    @ParameterizedTest
    @CsvSource({"20, 10", "3000, 40", "100, 1"})
    void overAnyChangesNoMoreStartInAnyTimeThanTheLargerLimitAndBurstAllow(int fastest, int largest) {
        double most = 0;
        for (long seed = 0; seed < 150; seed++) {
            Random random = new Random(seed);
            Log log = new Log();
            int limit = 1 + random.nextInt(fastest);
            Gcra first = new Gcra(limit, SECOND, Math.min(limit, largest));
            Gcra line = first;
            log.lines.add(line);
            log.settings.add(new long[] {0, limit, Math.min(limit, largest)});
            List<Place> waiting = new ArrayList<>();
            long now = 0;
            for (int step = 0; step < 400; step++) {
                now += random.nextInt(4) == 0 ? random.nextLong(SECOND / limit * 4) : 0;
                if (random.nextInt(80) == 0) {
                    limit = 1 + random.nextInt(random.nextBoolean() ? fastest : Math.max(1, fastest / 10));
                    int burst = 1 + random.nextInt(Math.min(limit, largest));
                    Gcra next = line.with(limit, SECOND, burst, now);
                    if (next != line) {
                        log.lines.add(next);
                        log.settings.add(new long[] {now, limit, burst});
                    }
                    line = next;
                }
                int weight = 1 + random.nextInt(random.nextBoolean() ? 1 : line.burst());
                Place place = reserved(random.nextBoolean() ? first : line, now, random.nextLong(10 * SECOND), weight);
                if (place.end != Gcra.NONE) {
                    waiting.add(place);
                }
                boolean leave = random.nextInt(40) == 0;
                for (Iterator<Place> calls = waiting.iterator(); calls.hasNext(); ) {
                    Place call = calls.next();
                    if (random.nextInt(leave ? 2 : 50) == 0) {
                        call.giveBack();
                        calls.remove();
                    } else if (call.startsAt <= now) {
                        log.starts.add(call);
                        calls.remove();
                    }
                }
            }
            log.starts.addAll(waiting);
            log.assertEveryWindow(seed);
            most = Math.max(most, log.starts.size());
        }
        assertThat(most).isGreaterThan(100);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void nothingIsLostForEverWhateverChanges(long seed) {
        Random random = new Random(seed);
        Gcra line = new Gcra(100, SECOND, 10);
        long now = 0;
        for (int i = 0; i < 1_000; i++) {
            now += random.nextLong(SECOND / 10);
            line = line.with(50 + random.nextInt(1_000), SECOND, 1 + random.nextInt(50), now);
            List<Place> taken = new ArrayList<>();
            for (int j = 0; j < 20; j++) {
                taken.add(reserved(line, now, HOUR, 1 + random.nextInt(line.burst())));
            }
            line = line.with(50 + random.nextInt(1_000), SECOND, 1 + random.nextInt(50), now);
            taken.forEach(Place::giveBack);
        }

        assertThat(line.available(now + SECOND)).isEqualTo(line.burst());
        assertThat(line.untilFree(now + SECOND, line.burst())).isZero();
    }
}
