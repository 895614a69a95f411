/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The calls of the last n seconds, the running one included; a second begins where the clock's nanoseconds are a multiple of
 * it.
 *
 * <p>Where one good call more cannot change the verdict, which is so within one second as long as there are no bad calls, or
 * enough calls and rates below the thresholds, it is added to that second's own adder, which spreads out only once threads
 * collide on it. Everything else takes the lock, as does the first call of each second.
 *
 * <p>Running calls that are overdue stand beside the others for as long as they run. If as many as the minimum hang and
 * nothing has come back since the last of them was found, for as long as a call takes to be slow, the others have no part in
 * the slow call rate any more, as in a count window.
 */
final class TimeWindow extends Window {
    private static final long SECOND = 1_000_000_000;

    private static final class Second {
        final long number;
        final LongAdder good = new LongAdder();
        /** How many of the good ones are in the window's total. */
        long counted;

        int bad;
        int failed;
        int slow;
        int slowFailed;

        Second(long number) {
            this.number = number;
        }
    }

    private final @Nullable Second[] ring;

    /**
     * The second to which good calls may just be added; null: none. Volatile, and read again after the adding: either the
     * thread that took it away has seen the call, or the call sees that it was taken away and judges anew.
     */
    private volatile @Nullable Second quiet;

    private @Nullable Second head;
    private long calls;
    private int failed;
    private int slow;
    private int slowFailed;

    /** Of what has been forgotten, so that with what has not it is all there ever was. */
    private long forgotten;

    private long forgottenSlow;

    /** How many calls had ended when the last overdue one was found, and when that was. */
    private long endedBefore;

    private long lastOverdueAt;

    /** So many calls, and slow ones, have been silenced. */
    private long silenced;

    private long silencedSlow;

    TimeWindow(int seconds, Thresholds thresholds) {
        super(thresholds);
        ring = new Second[seconds];
    }

    @Override
    int good(long now) {
        Second second = quiet;
        if (second == null || second.number != Math.floorDiv(now, SECOND)) {
            return recordLocked(GOOD, now);
        }
        second.good.increment();
        return quiet == second ? Thresholds.UNDECIDED : recount(second, now);
    }

    private int recount(Second second, long now) {
        lock.lock();
        try {
            count(second);
            return judge(now);
        } finally {
            lock.unlock();
        }
    }

    @Override
    int add(int kind, long now) {
        quiet = null;
        Second second = moveTo(Math.floorDiv(now, SECOND));
        if (kind == GOOD) {
            second.good.increment();
        } else {
            second.bad++;
            calls++;
            change(second, kind);
        }
        return judge(now);
    }

    private void change(Second second, int kind) {
        if ((kind & FAILED) != 0) {
            second.failed++;
            failed++;
        }
        if ((kind & SLOW) != 0) {
            second.slow++;
            slow++;
        }
        if (kind == (FAILED | SLOW)) {
            second.slowFailed++;
            slowFailed++;
        }
    }

    @Override
    int judge(long now) {
        // Before the adder is read: who adds after that sees it, and comes here too.
        quiet = null;
        Second second = moveTo(Math.floorDiv(now, SECOND));
        count(second);
        listen(now);
        int judged = thresholds.judge((int) calls, failed, timed(), slowTimed(), overdue());
        boolean spotless = failed == 0 && slow == 0 && overdue() == 0;
        quiet = judged == Thresholds.BELOW || spotless ? second : null;
        // While calls hang, the next second may forget those that came back before.
        lookAt(overdue() > 0 && calls > 0 ? (second.number + 1) * SECOND : NEVER);
        return judged;
    }

    @Override
    int addOverdue(long now) {
        int judged = judge(now);
        endedBefore = forgotten + calls;
        lastOverdueAt = now;
        return judged;
    }

    /** Whether anything has come back since calls hang. */
    private void listen(long now) {
        if (overdue() == 0) {
            silenced = 0;
            silencedSlow = 0;
        } else if (overdue() >= thresholds.minimumCalls()
                && forgotten + calls == endedBefore
                && now - lastOverdueAt >= thresholds.slowNanos()) {
            silenced = endedBefore;
            silencedSlow = forgottenSlow + slow;
        }
    }

    /** How many have a part in the slow call rate. */
    private int timed() {
        return (int) Math.min(calls, forgotten + calls - silenced);
    }

    private int slowTimed() {
        return (int) Math.min(slow, forgottenSlow + slow - silencedSlow);
    }

    @Override
    Totals look(long now) {
        // What has been forgotten by now may be decisive, but it is a call that decides: then the next one judges
        // again, also if it is not counted.
        if (Thresholds.exceeded(judge(now)) && overdue() > 0) {
            lookAt(now);
        }
        return totals((int) calls, failed, slow, slowFailed, overdue(), timed(), slowTimed());
    }

    /** The second of this number, or the newest there is: a thread that was held up comes with a time that is past. */
    private Second moveTo(long number) {
        Second newest = head;
        if (newest != null && number <= newest.number) {
            return newest;
        }
        if (newest != null) {
            count(newest);
            forgetBefore(newest.number, number);
        }
        Second second = new Second(number);
        ring[place(number)] = second;
        head = second;
        return second;
    }

    private void forgetBefore(long newest, long number) {
        if (number - newest >= ring.length) {
            Arrays.fill(ring, null);
            forgotten += calls;
            forgottenSlow += slow;
            calls = 0;
            failed = 0;
            slow = 0;
            slowFailed = 0;
            return;
        }
        for (long i = newest + 1; i <= number; i++) {
            Second old = ring[place(i)];
            if (old != null) {
                forget(old);
            }
        }
    }

    private void forget(Second old) {
        ring[place(old.number)] = null;
        forgotten += old.counted + old.bad;
        forgottenSlow += old.slow;
        calls -= old.counted + old.bad;
        failed -= old.failed;
        slow -= old.slow;
        slowFailed -= old.slowFailed;
    }

    /** Takes into the total what has been added to this second since. */
    private void count(Second second) {
        if (ring[place(second.number)] != second) {
            return;
        }
        long sum = second.good.sum();
        calls += sum - second.counted;
        second.counted = sum;
    }

    private int place(long number) {
        return Math.floorMod(number, ring.length);
    }
}
