/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The calls that are remembered. What is said of them is judged by the thresholds in the same step, so that of two calls
 * that end at once the later one sees both. Safe for any number of threads; allocates nothing for a call.
 *
 * <p>A kind of call is a sum of {@link #FAILED} and {@link #SLOW}; 0 is a good one. A call that still runs and is slow
 * already is overdue: it has a part in the slow call rate, beside those that have ended or in the place of the oldest of
 * them, and is counted as ended once it has.
 */
public abstract class Window {
    public static final int GOOD = 0;
    public static final int FAILED = 1;
    public static final int SLOW = 2;

    /** In {@link #lookAt}: only calls change anything. */
    static final long NEVER = Long.MAX_VALUE;

    final Thresholds thresholds;

    /** Calls that were turned away while this window was the one that is shown. */
    public final LongAdder notPermitted = new LongAdder();

    /** Guards all that is not volatile or atomic. Not taken by good calls in a healthy window. */
    final ReentrantLock lock = new ReentrantLock();

    /** Running calls that are slow already. Below zero for a moment if a call ends before it is told to be overdue. */
    private int overdue;

    /**
     * When time alone may have changed the verdict, which is so only while calls are overdue; {@link #NEVER}. Written
     * under the lock; volatile for the calls that look whether there is anything to look at.
     */
    private volatile long lookAt = NEVER;

    Window(Thresholds thresholds) {
        this.thresholds = thresholds;
    }

    /** The last calls; those that run too long take the places of the oldest. */
    static Window ofCalls(int size, Thresholds thresholds) {
        return new CountWindow(size, thresholds, true);
    }

    /** The results of so many probes. */
    static Window ofProbes(int probes, Thresholds thresholds) {
        return new CountWindow(probes, thresholds, false);
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

    /** Under the lock: a call that runs is overdue; judges. */
    int addOverdue(long now) {
        return judge(now);
    }

    /** Under the lock: a call that was overdue has ended, or is given up. */
    void removeOverdue() {}

    /** Remembers a call; what the thresholds say. */
    final int record(int kind, long now) {
        return kind == GOOD ? good(now) : recordLocked(kind, now);
    }

    /** The same, and always judged. */
    final int recordLocked(int kind, long now) {
        lock.lock();
        try {
            return add(kind, now);
        } finally {
            lock.unlock();
        }
    }

    /** A call that still runs is overdue; what the thresholds say. */
    final int overdue(long now) {
        lock.lock();
        try {
            overdue++;
            // Not if it has ended already, on another thread, while this one was on its way.
            return overdue > 0 ? addOverdue(now) : Thresholds.UNDECIDED;
        } finally {
            lock.unlock();
        }
    }

    /** Remembers a call that was overdue; what the thresholds say. */
    final int recordOverdue(int kind, long now) {
        lock.lock();
        try {
            endOverdue();
            return add(kind | SLOW, now);
        } finally {
            lock.unlock();
        }
    }

    /** A call that was overdue does not count; fewer slow calls decide nothing. */
    final void releaseOverdue() {
        lock.lock();
        try {
            endOverdue();
        } finally {
            lock.unlock();
        }
    }

    private void endOverdue() {
        overdue--;
        if (overdue >= 0) {
            removeOverdue();
        }
    }

    /** Whether nothing but a call that ends can change what the thresholds say. */
    public final boolean isCalm() {
        return lookAt == NEVER;
    }

    /** What the thresholds say by now, if time alone may have changed that. */
    final int lookAgain(long now) {
        long at = lookAt;
        if (at == NEVER || now - at < 0) {
            return Thresholds.UNDECIDED;
        }
        lock.lock();
        try {
            lookAt = NEVER;
            return judge(now);
        } finally {
            lock.unlock();
        }
    }

    /** Under the lock: time alone will change the verdict at this moment, or never. */
    final void lookAt(long at) {
        if (lookAt != at) {
            lookAt = at;
        }
    }

    public final Totals totals(long now) {
        lock.lock();
        try {
            return look(now);
        } finally {
            lock.unlock();
        }
    }

    /** Under the lock. */
    final int overdue() {
        return Math.max(0, overdue);
    }

    /** With those numbers of {@link Thresholds#judge} that are not the window's own. */
    final Totals totals(int calls, int failed, int slow, int slowFailed, int late, int timed, int slowTimed) {
        return new Totals(
                calls,
                failed,
                slow,
                slowFailed,
                late,
                thresholds.rateOf(failed, calls),
                thresholds.rateOf(slowTimed + late, timed + late));
    }
}
