/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Both windows against the plainest models of them: a list of calls. */
class WindowTest {
    private static final long SECOND = 1_000_000_000;
    private static final Thresholds HALF = new Thresholds(50, 50, 4, false, SECOND);

    private record Call(int kind, long second) {}

    private static int count(Iterable<Call> calls, int kinds) {
        int count = 0;
        for (Call call : calls) {
            count += (call.kind() & kinds) == kinds ? 1 : 0;
        }
        return count;
    }

    private static void assertSame(Window window, Iterable<Call> calls, long now, String where) {
        Totals totals = window.totals(now);
        assertThat(List.of(totals.calls(), totals.failed(), totals.slow(), totals.slowFailed()))
                .as(where)
                .containsExactly(
                        count(calls, Window.GOOD),
                        count(calls, Window.FAILED),
                        count(calls, Window.SLOW),
                        count(calls, Window.FAILED | Window.SLOW));
    }

    private static int verdict(Iterable<Call> calls) {
        int all = count(calls, Window.GOOD);
        return HALF.judge(all, count(calls, Window.FAILED), all, count(calls, Window.SLOW), 0);
    }

    /** Where nothing bad can be decided a window may say that it has not looked. */
    private static void assertVerdict(int expected, int verdict, String where) {
        if (Thresholds.exceeded(expected) || verdict != Thresholds.UNDECIDED) {
            assertThat(verdict).as(where).isEqualTo(expected);
        }
    }

    private static int kind(SplittableRandom random, int bad) {
        return random.nextInt(100) < bad ? 1 + random.nextInt(3) : Window.GOOD;
    }

    @Test
    void aTimeWindowMovesOnWhenTheClockWrapsAround() {
        Window window = Window.ofSeconds(10, HALF);
        long origin = Long.MAX_VALUE - 5 * SECOND;
        for (int i = 0; i < 40; i++) {
            window.record(Window.FAILED, origin + i * SECOND);
            assertThat(window.totals(origin + i * SECOND).failed())
                    .as("second %d", i)
                    .isEqualTo(Math.min(i + 1, 10));
        }
        assertThat(window.totals(origin + 60 * SECOND).failed()).isZero();
    }

    @Test
    void countWindowHoldsTheLastCalls() {
        for (long seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int size = 1 + random.nextInt(12);
            Window window = Window.ofCalls(size, HALF);
            Deque<Call> calls = new ArrayDeque<>();
            int bad = random.nextInt(60);
            for (int step = 0; step < 100; step++) {
                Call call = new Call(kind(random, bad), 0);
                calls.addLast(call);
                if (calls.size() > size) {
                    calls.removeFirst();
                }
                String where = "seed " + seed + ", step " + step;
                int verdict = window.record(call.kind(), 0);
                // A good call does not look again at a full window that was bad before.
                if (call.kind() != Window.GOOD || calls.size() < size) {
                    assertVerdict(verdict(calls), verdict, where);
                }
                assertSame(window, calls, 0, where);
                assertThat(window.lock.isLocked()).as(where).isFalse();
            }
        }
    }

    @Test
    void aLargeCountWindowGrowsWithItsBadCallsAndHoldsTheLastCalls() {
        for (long seed = 0; seed < 20; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int size = 200 + random.nextInt(1_000);
            Window window = Window.ofCalls(size, HALF);
            Deque<Call> calls = new ArrayDeque<>();
            for (int step = 0; step < 6_000; step++) {
                // Few bad calls and many in turn: it grows while its ring begins anywhere.
                Call call = new Call(kind(random, step / 700 % 3 * 49), 0);
                calls.addLast(call);
                if (calls.size() > size) {
                    calls.removeFirst();
                }
                int unused = window.record(call.kind(), 0);
                if (step % 29 == 0) {
                    assertSame(window, calls, 0, "seed " + seed + ", step " + step);
                }
            }
        }
    }

    /** Of the model: a call that runs and is overdue. */
    private static final int RUNNING = 4;

    /** What ends and what is found to be overdue, in its order; an overdue one that is not among the last is left behind. */
    private static List<Call> last(List<Call> all, int size) {
        while (true) {
            List<Call> last = all.subList(Math.max(0, all.size() - size), all.size());
            int oldest = 0;
            while (oldest < all.size() && all.get(oldest).kind() != RUNNING) {
                oldest++;
            }
            if (oldest >= all.size() - last.size()) {
                return last;
            }
            all.remove(oldest);
        }
    }

    @Test
    void overdueCallsTakeThePlacesOfTheOldestInACountWindow() {
        for (long seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int size = 1 + random.nextInt(12);
            Window window = Window.ofCalls(size, new Thresholds(50, 50, Math.min(4, size), false, SECOND));
            List<Call> all = new ArrayList<>();
            int bad = random.nextInt(60);
            int running = 0;
            for (int step = 0; step < 200; step++) {
                String where = "seed " + seed + ", step " + step;
                int way = random.nextInt(8);
                if (way < 2) {
                    int unused = window.overdue(0);
                    all.add(new Call(RUNNING, 0));
                    running++;
                } else if (way < 4 && running > 0) {
                    running--;
                    all.remove(new Call(RUNNING, 0));
                    int kind = kind(random, bad) & Window.FAILED;
                    if (way == 2) {
                        all.add(new Call(kind | Window.SLOW, 0));
                        int unused = window.recordOverdue(kind, 0);
                    } else {
                        window.releaseOverdue();
                    }
                } else {
                    Call call = new Call(kind(random, bad), 0);
                    all.add(call);
                    int unused = window.record(call.kind(), 0);
                }
                List<Call> last = last(all, size);
                Totals totals = window.totals(0);
                int late = count(last, RUNNING);
                assertThat(totals.overdue()).as(where).isEqualTo(late);
                float rate = (count(last, Window.SLOW) + late) * 100f / last.size();
                assertThat(totals.slowRate()).as(where).isEqualTo(last.size() < Math.min(4, size) ? -1 : rate);
                List<Call> ended = new ArrayList<>(all);
                ended.removeIf(call -> call.kind() == RUNNING);
                assertSame(window, ended.subList(Math.max(0, ended.size() - size), ended.size()), 0, where);
            }
        }
    }

    @Test
    void whatWasAnsweredBeforeASilenceSaysNothingOfNowInATimeWindowToo() {
        Window window = Window.ofSeconds(3_600, new Thresholds(50, 100, 4, false, SECOND));
        int unused = window.record(Window.SLOW, 0);
        for (int i = 0; i < 9; i++) {
            unused = window.record(Window.GOOD, 0);
        }
        for (int i = 0; i < 4; i++) {
            assertThat(window.overdue(SECOND / 2)).isEqualTo(Thresholds.BELOW);
        }
        assertThat(window.lookAgain(SECOND)).isEqualTo(Thresholds.BELOW);
        assertThat(window.lookAgain(2 * SECOND)).isEqualTo(Thresholds.SLOW);
        assertThat(window.totals(2 * SECOND)).isEqualTo(new Totals(10, 0, 1, 0, 4, 0, 100));
        unused = window.record(Window.GOOD, 2 * SECOND);
        assertThat(window.totals(2 * SECOND).slowRate()).isEqualTo(80);
        assertThat(window.totals(3_600 * SECOND).slowRate())
                .as("nothing but what came after")
                .isEqualTo(80);
        assertThat(window.totals(4_000 * SECOND).slowRate()).isEqualTo(100);
        for (int i = 0; i < 4; i++) {
            window.releaseOverdue();
        }
        unused = window.record(Window.GOOD, 4_000 * SECOND);
        assertThat(window.totals(4_000 * SECOND)).isEqualTo(new Totals(1, 0, 0, 0, 0, -1, -1));
    }

    @Test
    void whatWasAnsweredBeforeASilenceSaysNothingOfNow() {
        Window window = Window.ofCalls(10, new Thresholds(50, 100, 4, false, SECOND));
        for (int i = 0; i < 10; i++) {
            int unused = window.record(Window.GOOD, 0);
        }
        for (int i = 0; i < 4; i++) {
            assertThat(window.overdue(i)).isEqualTo(Thresholds.BELOW);
        }
        assertThat(window.isCalm()).isFalse();
        assertThat(window.lookAgain(3 + SECOND - 1)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(window.lookAgain(3 + SECOND)).isEqualTo(Thresholds.SLOW);
        assertThat(window.totals(3 + SECOND)).isEqualTo(new Totals(10, 0, 0, 0, 4, 0, 100));
        assertThat(window.isCalm()).isTrue();
        int unused = window.record(Window.GOOD, 3 + SECOND);
        assertThat(window.totals(3 + SECOND).slowRate()).isEqualTo(80);
        for (int i = 0; i < 4; i++) {
            window.releaseOverdue();
        }
        assertThat(window.totals(3 + SECOND)).isEqualTo(new Totals(10, 0, 0, 0, 0, 0, 0));
    }

    @Test
    void silenceIsBrokenByWhateverEnds() {
        Thresholds thresholds = new Thresholds(50, 100, 4, false, SECOND);
        for (int kind : new int[] {Window.GOOD, Window.FAILED}) {
            for (Window window : List.of(Window.ofCalls(10, thresholds), Window.ofSeconds(3_600, thresholds))) {
                for (int i = 0; i < 10; i++) {
                    int unused = window.record(Window.GOOD, 0);
                }
                for (int i = 0; i < 4; i++) {
                    int unused = window.overdue(0);
                }
                int unused = window.record(kind, 1);
                assertThat(window.lookAgain(SECOND)).isEqualTo(Thresholds.BELOW);
                assertThat(window.lookAgain(9 * SECOND)).isNotEqualTo(Thresholds.SLOW);
            }
        }
    }

    @Test
    void timeWindowThatForgetsWhatWasAnsweredBeforeAHangIsLookedAtAgain() {
        Window window = Window.ofSeconds(2, HALF);
        for (int i = 0; i < 10; i++) {
            int unused = window.record(Window.GOOD, 0);
        }
        for (int i = 0; i < 4; i++) {
            assertThat(window.overdue(SECOND)).isEqualTo(Thresholds.BELOW);
        }
        assertThat(window.lookAgain(2 * SECOND - 1)).isEqualTo(Thresholds.UNDECIDED);
        // Who only reads takes no decision away from those who call.
        assertThat(window.totals(2 * SECOND).slowRate()).isEqualTo(100);
        assertThat(window.lookAgain(2 * SECOND)).isEqualTo(Thresholds.SLOW);
    }

    @Test
    void verdictThatIsCertainIsNotWaitedFor() {
        Thresholds most = new Thresholds(90, 100, 5, true, 1);
        assertThat(most.judge(0, 0, 0, 0, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(most.judge(1, 0, 1, 0, 0)).isEqualTo(Thresholds.BELOW);
        assertThat(most.judge(4, 4, 4, 0, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(most.judge(5, 5, 5, 0, 0)).isEqualTo(Thresholds.FAILING);
        assertThat(most.judge(1, 0, 1, 1, 0)).as("four more may be slow, too").isEqualTo(Thresholds.UNDECIDED);
        Thresholds half = new Thresholds(50, 50, 4, true, 1);
        assertThat(half.judge(1, 1, 1, 0, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(half.judge(2, 2, 2, 0, 0)).isEqualTo(Thresholds.FAILING);
        assertThat(half.judge(2, 0, 2, 0, 0)).as("two more may fail").isEqualTo(Thresholds.UNDECIDED);
        assertThat(half.judge(3, 1, 3, 0, 0)).as("one more may fail").isEqualTo(Thresholds.UNDECIDED);
        assertThat(half.judge(3, 0, 3, 0, 0)).isEqualTo(Thresholds.BELOW);
        assertThat(half.judge(1, 0, 1, 1, 1))
                .as("one that runs is slow already")
                .isEqualTo(Thresholds.SLOW);
    }

    @Test
    void timeWindowHoldsTheCallsOfTheLastSeconds() {
        for (long seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int size = 1 + random.nextInt(5);
            Window window = Window.ofSeconds(size, HALF);
            List<Call> calls = new ArrayList<>();
            int bad = random.nextInt(60);
            long now = random.nextLong(-10 * SECOND, 10 * SECOND);
            for (int step = 0; step < 100; step++) {
                now += random.nextInt(30) == 0 ? random.nextLong(8 * SECOND) : random.nextLong(SECOND / 4);
                long second = Math.floorDiv(now, SECOND);
                Call call = new Call(kind(random, bad), second);
                calls.add(call);
                calls.removeIf(old -> old.second() <= second - size);
                String where = "seed " + seed + ", step " + step;
                assertVerdict(verdict(calls), window.record(call.kind(), now), where);
                if (random.nextInt(3) == 0) {
                    assertSame(window, calls, now, where);
                }
            }
            assertSame(window, calls, now, "seed " + seed);
            assertThat(window.lock.isLocked()).isFalse();
            assertSame(window, List.of(), now + size * SECOND, "seed " + seed + ", later");
        }
    }

    @Test
    void timeThatComesLateCountsInTheNewestSecond() {
        Window window = Window.ofSeconds(3, HALF);
        int unused = window.record(Window.GOOD, 9 * SECOND);
        unused = window.record(Window.FAILED, 7 * SECOND);
        unused = window.record(Window.GOOD, 7 * SECOND);
        assertThat(window.totals(11 * SECOND).calls()).isEqualTo(3);
        assertThat(window.totals(12 * SECOND).calls()).isZero();
    }

    @Test
    void goodCallDecidesWhenOldGoodOnesAreForgotten() {
        Window window = Window.ofSeconds(2, HALF);
        for (int i = 0; i < 10; i++) {
            assertThat(window.record(Window.GOOD, 0)).isNotEqualTo(Thresholds.FAILING);
        }
        for (int i = 0; i < 4; i++) {
            assertThat(window.record(Window.FAILED, SECOND)).isEqualTo(Thresholds.BELOW);
        }
        assertThat(window.totals(2 * SECOND).failureRate()).isEqualTo(100);
        assertThat(window.record(Window.GOOD, 2 * SECOND)).isEqualTo(Thresholds.FAILING);
    }

    @Test
    void goodCallDecidesWhenItReachesTheMinimum() {
        for (Window window : List.of(Window.ofCalls(10, HALF), Window.ofSeconds(10, HALF))) {
            assertThat(window.record(Window.FAILED, 0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.record(Window.FAILED, 0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.record(Window.GOOD, 0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.record(Window.GOOD, 0)).isEqualTo(Thresholds.FAILING);
        }
    }

    @Test
    void goodCallInAHealthyFullWindowWritesNothing() {
        CountWindow window = new CountWindow(3, HALF, true);
        for (int i = 0; i < 3; i++) {
            assertThat(window.record(Window.GOOD, 0)).isNotEqualTo(Thresholds.FAILING);
        }
        long before = window.number();
        for (int i = 0; i < 100; i++) {
            assertThat(window.record(Window.GOOD, 0)).isEqualTo(Thresholds.UNDECIDED);
        }
        assertThat(window.number()).isEqualTo(before);
        int unused = window.record(Window.FAILED, 0);
        for (int i = 0; i < 100; i++) {
            assertThat(window.record(Window.GOOD, 0)).isEqualTo(Thresholds.UNDECIDED);
        }
        assertThat(window.number()).as("three after the failure, and no more").isEqualTo(before + 1 + 3);
    }

    @Test
    void healthyWindowIsCountedWithoutItsLock() {
        for (Window window : List.of(Window.ofCalls(3, HALF), Window.ofSeconds(3, HALF))) {
            for (int i = 0; i < 3; i++) {
                assertThat(window.record(Window.GOOD, 0)).isNotEqualTo(Thresholds.FAILING);
            }
            Thread other = new Thread(window.lock::lock);
            other.start();
            join(other);
            assertThat(window.record(Window.GOOD, 0)).isEqualTo(Thresholds.UNDECIDED);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void overdueCallsCountIntoTheSlowRateAloneAndReachTheMinimum() {
        for (Window window : List.of(Window.ofCalls(10, HALF), Window.ofSeconds(10, HALF))) {
            assertThat(window.record(Window.GOOD, 0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.record(Window.GOOD, 0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.overdue(0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.overdue(0)).isEqualTo(Thresholds.SLOW);
            assertThat(window.totals(0)).isEqualTo(new Totals(2, 0, 0, 0, 2, -1, 50));
            window.releaseOverdue();
            assertThat(window.recordOverdue(Window.FAILED, 0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.totals(0)).isEqualTo(new Totals(3, 1, 1, 1, 0, -1, -1));
        }
    }

    @Test
    void rateAtItsThresholdHasReachedIt() {
        Thresholds thresholds = new Thresholds(33.333332f, 25, 3, false, SECOND);
        assertThat(thresholds.judge(2, 2, 2, 2, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(thresholds.judge(3, 0, 3, 0, 0)).isEqualTo(Thresholds.BELOW);
        assertThat(thresholds.judge(3, 1, 3, 0, 0)).isEqualTo(Thresholds.FAILING);
        assertThat(thresholds.judge(4, 0, 4, 1, 0)).isEqualTo(Thresholds.SLOW);
        assertThat(thresholds.judge(3, 1, 3, 1, 0)).isEqualTo(Thresholds.FAILING | Thresholds.SLOW);
        assertThat(thresholds.judge(2, 0, 2, 0, 1)).isEqualTo(Thresholds.SLOW);
        assertThat(thresholds.rateOf(1, 3)).isEqualTo(100f / 3);
        assertThat(thresholds.rateOf(1, 2)).isEqualTo(-1);
    }

    @Test
    void windowOfAStateThatRemembersNothingIsEmpty() {
        Window window = new NoWindow(HALF);
        assertThat(window.record(Window.GOOD, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(window.record(Window.FAILED, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(window.overdue(0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(window.totals(0)).isEqualTo(Totals.NONE);
    }

    @Test
    void healthyAgainItIsFreeAgain() {
        CountWindow window = new CountWindow(4, new Thresholds(100, 100, 4, false, SECOND), true);
        fill(window, 4);
        int unused = window.overdue(0);
        window.releaseOverdue();
        fill(window, 4);
        long before = window.number();
        fill(window, 100);
        assertThat(window.number()).isEqualTo(before);
        assertThat(window.isCalm()).isTrue();
    }

    private static void fill(CountWindow window, int calls) {
        for (int i = 0; i < calls; i++) {
            int unused = window.record(Window.GOOD, 0);
        }
    }
}
