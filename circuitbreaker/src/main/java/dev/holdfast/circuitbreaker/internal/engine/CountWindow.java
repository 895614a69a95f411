/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The last n calls. Remembers only the positions of the bad calls: each call has a number, and a bad call is in the window
 * as long as its number is among the last n.
 *
 * <p>A good call in a full window without bad calls changes nothing and writes nothing. If there are bad calls, it takes the
 * next number, and the lock only if a bad call leaves the window. While the window fills, every call takes the lock, because
 * reaching the minimum is a decision.
 *
 * <p>For the slow call rate, overdue calls can take the places of the oldest calls that have ended; see {@link Overdue}.
 * They change nothing else.
 */
final class CountWindow extends Window {
    private static final long CLEAN = Long.MAX_VALUE;
    private static final long FILLING = -1;
    /** In the middle of the array: whole cache lines on both sides, so that writes do not slow readers of {@link #oldest}. */
    private static final int NUMBER = 8;

    /** A larger window has a ring of this size at first, so that a file of a few bytes takes no megabytes. */
    private static final int ROOM_AT_FIRST = 128;

    private final int size;
    private final AtomicLongArray numbers = new AtomicLongArray(2 * NUMBER + 1);

    /** If there is one, overdue calls displace others; else they count beside them. */
    private final @Nullable Overdue displacing;

    /**
     * The number of the oldest call that is bad or overdue, or {@link #CLEAN}, or {@link #FILLING}. Volatile: a call that
     * reads CLEAN is ordered before the bad call that changes it. A stale number is smaller, so it only leads to the lock in
     * vain.
     */
    private volatile long oldest = FILLING;

    /** Ring of the bad calls: number times four, plus kind. Grows up to the size of the window. */
    private long[] bad;

    private int first;
    private int count;
    private int failed;
    private int slow;
    private int slowFailed;

    /** How many bad calls, from the first on, have been displaced, and how many of the others are slow. */
    private int displaced;

    private int slowInPlace;

    CountWindow(int size, Thresholds thresholds, boolean displaces) {
        super(thresholds);
        this.size = size;
        bad = new long[Math.min(size, ROOM_AT_FIRST)];
        displacing = displaces ? new Overdue(size, thresholds) : null;
    }

    @Override
    int good(long now) {
        long before = oldest;
        if (before == CLEAN) {
            return Thresholds.UNDECIDED;
        }
        if (before == FILLING) {
            return recordLocked(GOOD, now);
        }
        // The window is full, so a good call can only lower the rates. There is nothing to decide.
        if (numbers.incrementAndGet(NUMBER) - before >= size) {
            forget();
        }
        return Thresholds.UNDECIDED;
    }

    /** If the lock is taken, its holder or the next good call forgets: nothing is judged before that. */
    private void forget() {
        if (lock.tryLock()) {
            try {
                forget(numbers.get(NUMBER));
            } finally {
                lock.unlock();
            }
        }
    }

    @Override
    int add(int kind, long now) {
        long number = numbers.incrementAndGet(NUMBER);
        if (kind != GOOD) {
            // Makes room first: the ring is at most as large as the window.
            drop(number);
            if (count == bad.length) {
                grow();
            }
            bad[place(count)] = (number << 2) | kind;
            count++;
            change(kind, 1);
            slowInPlace += slow(kind);
        }
        // As of this call's own number: calls that ended later are not part of its verdict.
        forget(number);
        return verdict(number);
    }

    private void grow() {
        long[] larger = new long[(int) Math.min(size, 2L * bad.length)];
        int behind = bad.length - first;
        System.arraycopy(bad, first, larger, 0, behind);
        System.arraycopy(bad, 0, larger, behind, first);
        bad = larger;
        first = 0;
    }

    private int place(int index) {
        return (first + index) % bad.length;
    }

    private long numberAt(int index) {
        return bad[place(index)] >> 2;
    }

    private int kindAt(int index) {
        return (int) bad[place(index)] & (FAILED | SLOW);
    }

    private static int slow(int kind) {
        return (kind & SLOW) == 0 ? 0 : 1;
    }

    private void change(int kind, int by) {
        failed += (kind & FAILED) == 0 ? 0 : by;
        slow += slow(kind) * by;
        slowFailed += kind == (FAILED | SLOW) ? by : 0;
    }

    private void forget(long number) {
        drop(number);
        if (displacing != null) {
            displacing.forget(number);
        }
        displaceUpTo(number - inPlace(number));
        long before = number < size ? FILLING : Math.min(oldestBad(), oldestOverdue());
        if (oldest != before) {
            oldest = before;
        }
    }

    private long oldestBad() {
        return count > 0 ? numberAt(0) : CLEAN;
    }

    private long oldestOverdue() {
        return displacing == null ? CLEAN : displacing.oldest(CLEAN);
    }

    /** Drops calls that are no longer among the last n. */
    private void drop(long number) {
        while (count > 0 && number - numberAt(0) >= size) {
            change(kindAt(0), -1);
            if (displaced > 0) {
                displaced--;
            } else {
                slowInPlace -= slow(kindAt(0));
            }
            first = place(1);
            count--;
        }
    }

    /** How many of the calls that have ended, the newest ones, keep their places. */
    private int inPlace(long number) {
        return displacing == null ? (int) Math.min(number, size) : displacing.room(number);
    }

    /** Displaces the calls up to this number, and no others. The border moves both ways, by a few calls each time. */
    private void displaceUpTo(long number) {
        while (displaced < count && numberAt(displaced) <= number) {
            slowInPlace -= slow(kindAt(displaced));
            displaced++;
        }
        while (displaced > 0 && numberAt(displaced - 1) > number) {
            displaced--;
            slowInPlace += slow(kindAt(displaced));
        }
    }

    @Override
    int addOverdue(long now) {
        if (displacing != null) {
            long number = numbers.get(NUMBER);
            displacing.add(number, now);
            forget(number);
            lookAt(displacing.isEnough() ? displacing.silentAt(NEVER) : NEVER);
        }
        return judge(now);
    }

    @Override
    void removeOverdue() {
        if (displacing != null) {
            displacing.remove();
            forget(numbers.get(NUMBER));
        }
    }

    /** How many calls have a number. */
    long number() {
        return numbers.get(NUMBER);
    }

    private int late() {
        return displacing == null ? overdue() : displacing.count();
    }

    @Override
    int judge(long now) {
        long number = numbers.get(NUMBER);
        if (displacing != null) {
            displacing.listen(number, now);
        }
        forget(number);
        return verdict(number);
    }

    private int verdict(long number) {
        return thresholds.judge((int) Math.min(number, size), failed, inPlace(number), slowInPlace, late());
    }

    @Override
    Totals look(long now) {
        long number = numbers.get(NUMBER);
        forget(number);
        int calls = (int) Math.min(number, size);
        return totals(calls, failed, slow, slowFailed, late(), inPlace(number), slowInPlace);
    }
}
