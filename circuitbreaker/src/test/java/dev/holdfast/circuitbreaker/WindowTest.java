/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

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
    private static final Thresholds HALF = new Thresholds(50, 50, 4);

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
        return HALF.judge(count(calls, Window.GOOD), count(calls, Window.FAILED), count(calls, Window.SLOW), 0);
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
        CountWindow window = new CountWindow(3, HALF);
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
            assertThat(window.changeOverdue(1, 0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.changeOverdue(1, 0)).isEqualTo(Thresholds.SLOW);
            assertThat(window.totals(0)).isEqualTo(new Totals(2, 0, 0, 0, 2, -1, 50));
            assertThat(window.changeOverdue(-1, 0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.recordOverdue(Window.FAILED, 0)).isEqualTo(Thresholds.UNDECIDED);
            assertThat(window.totals(0)).isEqualTo(new Totals(3, 1, 1, 1, 0, -1, -1));
        }
    }

    @Test
    void rateAtItsThresholdHasReachedIt() {
        Thresholds thresholds = new Thresholds(33.333332f, 25, 3);
        assertThat(thresholds.judge(2, 2, 2, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(thresholds.judge(3, 0, 0, 0)).isEqualTo(Thresholds.BELOW);
        assertThat(thresholds.judge(3, 1, 0, 0)).isEqualTo(Thresholds.FAILING);
        assertThat(thresholds.judge(4, 0, 1, 0)).isEqualTo(Thresholds.SLOW);
        assertThat(thresholds.judge(3, 1, 1, 0)).isEqualTo(Thresholds.FAILING | Thresholds.SLOW);
        assertThat(thresholds.judge(2, 0, 0, 1)).isEqualTo(Thresholds.SLOW);
        assertThat(thresholds.rateOf(1, 3)).isEqualTo(100f / 3);
        assertThat(thresholds.rateOf(1, 2)).isEqualTo(-1);
    }

    @Test
    void windowOfAStateThatRemembersNothingIsEmpty() {
        Window window = new NoWindow(HALF);
        assertThat(window.record(Window.GOOD, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(window.record(Window.FAILED, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(window.changeOverdue(100, 0)).isEqualTo(Thresholds.UNDECIDED);
        assertThat(window.totals(0)).isEqualTo(Totals.NONE);
    }
}
