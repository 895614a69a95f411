/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The calls of the last n seconds, including the present second. A second begins where the clock's nanoseconds are a
 * multiple of a second.
 *
 * <p>Often one more good call cannot change the verdict. Within one second this holds if there are no bad calls, or if there
 * are enough calls and the rates are below the thresholds. Such a call is only added to the adder of that second, which uses
 * several words once threads collide. Every other call takes the lock, and so does the first call of each second.
 *
 * <p>Overdue calls count beside the others for as long as they run. If as many as the minimum hang, and nothing has come
 * back for the slow-call duration since the last of them was found, the other calls no longer count for the slow call rate,
 * as in a count window.
 */
final class TimeWindow extends Window {
    private static final long SECOND = 1_000_000_000;

    private static final class Second {
        final long begin;
        final LongAdder good = new LongAdder();
        /** How many of the good calls are in the window's total. */
        long counted;

        int bad;
        int failed;
        int slow;
        int slowFailed;
        boolean isForgotten;

        Second(long begin) {
            this.begin = begin;
        }
    }

    private final int size;
    /** The seconds of the window that had calls, the oldest first. */
    private final ArrayDeque<Second> seconds = new ArrayDeque<>();

    /**
     * The second to which good calls may just be added; null: none. Volatile, and read again after the adding: the thread
     * that cleared it has seen the call, or the call sees that it was cleared and judges again.
     */
    private volatile @Nullable Second quiet;

    private @Nullable Second head;
    private long calls;
    private int failed;
    private int slow;
    private int slowFailed;

    /** Numbers of forgotten calls. Together with the others they give the totals since the start. */
    private long forgotten;

    private long forgottenSlow;

    /** How many calls had ended when the last overdue call was found, and the time of that. */
    private long endedBefore;

    private long lastOverdueAt;

    /** How many calls, and slow calls, have been silenced. */
    private long silenced;

    private long silencedSlow;

    TimeWindow(int size, Thresholds thresholds) {
        super(thresholds);
        this.size = size;
    }

    @Override
    int good(long now) {
        Second second = quiet;
        if (second == null || now - second.begin < 0 || now - second.begin >= SECOND) {
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
        Second second = moveTo(now);
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
        // Before the adder is read: a thread that adds after that sees the null, and comes here, too.
        quiet = null;
        Second second = moveTo(now);
        count(second);
        listen(now);
        int judged = thresholds.judge((int) calls, failed, timed(), slowTimed(), overdue());
        boolean spotless = failed == 0 && slow == 0 && overdue() == 0;
        quiet = judged == Thresholds.BELOW || spotless ? second : null;
        // While calls hang, the next second may forget calls that ended before.
        lookAt(overdue() > 0 && calls > 0 ? second.begin + SECOND : NEVER);
        return judged;
    }

    @Override
    int addOverdue(long now) {
        int judged = judge(now);
        endedBefore = forgotten + calls;
        lastOverdueAt = now;
        return judged;
    }

    /** Checks whether any call has ended since the calls hang. */
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

    /** How many calls count for the slow call rate. */
    private int timed() {
        return (int) Math.min(calls, forgotten + calls - silenced);
    }

    private int slowTimed() {
        return (int) Math.min(slow, forgottenSlow + slow - silencedSlow);
    }

    @Override
    Totals look(long now) {
        // The calls forgotten by now may change the verdict, but only a call decides. So the next call judges again,
        // even if it is not counted.
        if (Thresholds.exceeded(judge(now)) && overdue() > 0) {
            lookAt(now);
        }
        return totals((int) calls, failed, slow, slowFailed, overdue(), timed(), slowTimed());
    }

    /** The second of this time, or the newest one: a delayed thread may come with a time that is past. */
    private Second moveTo(long now) {
        Second newest = head;
        if (newest != null && now - newest.begin < SECOND) {
            return newest;
        }
        // From the newest one, because a clock that wraps around keeps only differences.
        long begin = now - Math.floorMod(newest == null ? now : now - newest.begin, SECOND);
        if (newest != null) {
            count(newest);
            forgetBefore(begin - (size - 1) * SECOND);
        }
        Second second = new Second(begin);
        seconds.addLast(second);
        head = second;
        return second;
    }

    private void forgetBefore(long begin) {
        for (Second old = seconds.peekFirst(); old != null && old.begin - begin < 0; old = seconds.peekFirst()) {
            forget(old);
        }
    }

    private void forget(Second old) {
        seconds.removeFirst();
        old.isForgotten = true;
        forgotten += old.counted + old.bad;
        forgottenSlow += old.slow;
        calls -= old.counted + old.bad;
        failed -= old.failed;
        slow -= old.slow;
        slowFailed -= old.slowFailed;
    }

    /** Adds to the total the good calls that this second has received since the last time. */
    private void count(Second second) {
        if (second.isForgotten) {
            return;
        }
        long sum = second.good.sum();
        calls += sum - second.counted;
        second.counted = sum;
    }
}
