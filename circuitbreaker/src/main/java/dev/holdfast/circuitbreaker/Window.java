/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The calls that are remembered. What is said of them is judged by the thresholds in the same step, so that of two calls
 * that end at once the later one sees both. Safe for any number of threads; allocates nothing for a call.
 *
 * <p>A kind of call is a sum of {@link #FAILED} and {@link #SLOW}; 0 is a good one.
 */
abstract class Window {
    static final int GOOD = 0;
    static final int FAILED = 1;
    static final int SLOW = 2;

    final Thresholds thresholds;
    /** Calls that were turned away while this window was the one that is shown. */
    final LongAdder notPermitted = new LongAdder();

    /** Guards all that is not volatile or atomic. Not taken by good calls in a healthy window. */
    final ReentrantLock lock = new ReentrantLock();

    /** Running calls that are slow already. Below zero for a moment if a call ends before it is told to be overdue. */
    private int overdue;

    Window(Thresholds thresholds) {
        this.thresholds = thresholds;
    }

    /** A window of this size that forgets by count. */
    static Window ofCalls(int size, Thresholds thresholds) {
        return new CountWindow(size, thresholds);
    }

    /** A window of so many seconds that forgets by time. */
    static Window ofSeconds(int size, Thresholds thresholds) {
        return new TimeWindow(size, thresholds);
    }

    /** Remembers a call that was neither failed nor slow; what the thresholds say. */
    abstract int good(long now);

    /** Under the lock: remembers a call and judges. */
    abstract int add(int kind, long now);

    /** Under the lock: judges without a new call. */
    abstract int judge(long now);

    /** Under the lock: what it holds now. */
    abstract Totals look(long now);

    /** Remembers a call; what the thresholds say. */
    final int record(int kind, long now) {
        return kind == GOOD ? good(now) : record(kind, now, 0);
    }

    /** Remembers a call that had been counted as overdue. */
    final int recordOverdue(int kind, long now) {
        return record(kind | SLOW, now, -1);
    }

    final int record(int kind, long now, int overdueChange) {
        lock.lock();
        try {
            overdue += overdueChange;
            return add(kind, now);
        } finally {
            lock.unlock();
        }
    }

    /** One running call more, or less, is overdue; what the thresholds say. */
    final int changeOverdue(int change, long now) {
        lock.lock();
        try {
            overdue += change;
            return judge(now);
        } finally {
            lock.unlock();
        }
    }

    final Totals totals(long now) {
        lock.lock();
        try {
            return look(now);
        } finally {
            lock.unlock();
        }
    }

    final int overdue() {
        return Math.max(0, overdue);
    }

    final int judged(int calls, int failed, int slow) {
        return thresholds.judge(calls, failed, slow, overdue());
    }

    final Totals totals(int calls, int failed, int slow, int slowFailed) {
        int late = overdue();
        return new Totals(
                calls,
                failed,
                slow,
                slowFailed,
                late,
                thresholds.rateOf(failed, calls),
                thresholds.rateOf(slow + late, calls + late));
    }
}
