/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import dev.holdfast.internal.ShortLock;
import java.util.concurrent.atomic.LongAdder;

/**
 * The calls that are remembered. A call is added and judged in the same step, so that of two calls that end at once the
 * later one sees both. Safe for any number of threads; allocates nothing for a call.
 *
 * <p>A kind of call is a sum of {@link #FAILED} and {@link #SLOW}; 0 is a good call. A running call that is slow already is
 * overdue. It counts for the slow call rate, beside the calls that have ended or in the place of the oldest of them. When it
 * ends, it counts like any other call.
 */
public abstract class Window {
    public static final int GOOD = 0;
    public static final int FAILED = 1;
    public static final int SLOW = 2;

    /** In {@link #lookAt}: only calls change the verdict. */
    static final long NEVER = Long.MAX_VALUE;

    final Thresholds thresholds;

    /** All calls that the breaker has rejected, and how many they were when this window began and when it was over. */
    private LongAdder refused = new LongAdder();

    private long refusedBefore;
    private volatile long refusedAtEnd = -1;

    /** Guards everything that is not volatile or atomic. Good calls in a healthy window do not take it. */
    final ShortLock lock = new ShortLock();

    /** Running calls that are slow already. Below zero for a moment if a call ends before it is reported as overdue. */
    private int overdue;

    /**
     * The time at which time alone may change the verdict, or {@link #NEVER}. This is possible only while calls are overdue.
     * Written under the lock; volatile for the calls that check it.
     */
    private volatile long lookAt = NEVER;

    Window(Thresholds thresholds) {
        this.thresholds = thresholds;
    }

    /** The last calls; overdue calls take the places of the oldest. */
    static Window ofCalls(int size, Thresholds thresholds) {
        return new CountWindow(size, thresholds, true);
    }

    /** The results of this many probes. */
    static Window ofProbes(int probes, Thresholds thresholds) {
        return new CountWindow(probes, thresholds, false);
    }

    /** A window of this many seconds, which forgets by time. */
    static Window ofSeconds(int size, Thresholds thresholds) {
        return new TimeWindow(size, thresholds);
    }

    /** Before other threads see this window: it begins, and rejected calls are counted here. */
    final void begins(LongAdder allRefused) {
        refused = allRefused;
        refusedBefore = allRefused.sum();
    }

    /** Another window is the one that is shown. */
    final void isOver() {
        refusedAtEnd = refused.sum();
    }

    /** How many calls were rejected while this window was the one that is shown. */
    public final long notPermitted() {
        long end = refusedAtEnd;
        return (end < 0 ? refused.sum() : end) - refusedBefore;
    }

    /** Remembers a call that was neither failed nor slow; returns the verdict. */
    abstract int good(long now);

    /** Under the lock: remembers a call and judges. */
    abstract int add(int kind, long now);

    /** Under the lock: judges without a new call. */
    abstract int judge(long now);

    /** Under the lock: the numbers now. */
    abstract Totals look(long now);

    /** Under the lock: a running call is overdue; judges. */
    int addOverdue(long now) {
        return judge(now);
    }

    /** Under the lock: an overdue call has ended, or was given up. */
    void removeOverdue() {}

    /** Remembers a call; returns the verdict. */
    final int record(int kind, long now) {
        return kind == GOOD ? good(now) : recordLocked(kind, now);
    }

    /** The same, but always judges. */
    final int recordLocked(int kind, long now) {
        lock.lock();
        try {
            return add(kind, now);
        } finally {
            lock.unlock();
        }
    }

    /** A running call is overdue; returns the verdict. */
    final int overdue(long now) {
        lock.lock();
        try {
            overdue++;
            // Not if the call has ended meanwhile, on another thread.
            return overdue > 0 ? addOverdue(now) : Thresholds.UNDECIDED;
        } finally {
            lock.unlock();
        }
    }

    /** Remembers a call that was overdue; returns the verdict. */
    final int recordOverdue(int kind, long now) {
        lock.lock();
        try {
            endOverdue();
            return add(kind | SLOW, now);
        } finally {
            lock.unlock();
        }
    }

    /** An overdue call does not count after all; fewer slow calls decide nothing. */
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

    /** Whether only a call that ends can change the verdict. */
    public final boolean isCalm() {
        return lookAt == NEVER;
    }

    /** The verdict by now, if time alone may have changed it. */
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

    /** Under the lock: sets when time alone changes the verdict, or never. */
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

    /** The last three numbers are those of {@link Thresholds#judge}. */
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
