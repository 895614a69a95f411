/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The last n calls. Remembers only where the bad ones stand: each call has a number, and a bad one is in the window as long
 * as its number is among the last n.
 *
 * <p>A good call in a full window without bad ones changes nothing and writes nothing. With bad ones it takes the next
 * number, and the lock only if a bad one leaves the window. While the window fills, every call takes the lock, since
 * reaching the minimum is a decision.
 *
 * <p>For the slow call rate, calls that are overdue can take the places of the oldest that have ended; see {@link Overdue}.
 * Nothing else is changed by them.
 */
final class CountWindow extends Window {
    private static final long CLEAN = Long.MAX_VALUE;
    private static final long FILLING = -1;
    /** In the middle of the array: whole cache lines lie on both sides, so that readers of {@link #oldest} are not hit. */
    private static final int NUMBER = 8;

    private final int size;
    private final AtomicLongArray numbers = new AtomicLongArray(2 * NUMBER + 1);

    /** Where overdue calls displace others; else they stand beside them. */
    private final @Nullable Overdue displacing;

    /**
     * The number of the oldest call that is bad or overdue, or {@link #CLEAN}, or {@link #FILLING}. Volatile: whoever reads
     * it as clean is ordered before the bad call that changes it. A stale number is a smaller one, and leads to the lock in
     * vain.
     */
    private volatile long oldest = FILLING;

    /** Ring of the bad calls: number times four, plus kind. */
    private final long[] bad;

    private int first;
    private int count;
    private int failed;
    private int slow;
    private int slowFailed;

    /** How many of the bad calls, from the first on, have been displaced, and how many of the others are slow. */
    private int displaced;

    private int slowInPlace;

    CountWindow(int size, Thresholds thresholds, boolean displaces) {
        super(thresholds);
        this.size = size;
        bad = new long[size];
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
        // Full: a good call can only lower the rates, so there is nothing to decide.
        if (numbers.incrementAndGet(NUMBER) - before >= size) {
            forget();
        }
        return Thresholds.UNDECIDED;
    }

    /** Whoever holds the lock now, or the next good call, does it as well: nothing is judged before it is done. */
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
            // Makes room first: the ring holds at most as many as the window.
            drop(number);
            bad[place(count)] = (number << 2) | kind;
            count++;
            change(kind, 1);
            slowInPlace += slow(kind);
        }
        // As of this call's own number: what has ended since is not part of its verdict.
        forget(number);
        return verdict(number);
    }

    private int place(int index) {
        return (first + index) % size;
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

    /** Drops what is no longer among the last calls. */
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

    /** How many of the calls that have ended, the newest ones, have their places. */
    private int inPlace(long number) {
        return displacing == null ? (int) Math.min(number, size) : displacing.room(number);
    }

    /** Calls up to this number have lost theirs, and no others; the line moves both ways, by a few each time. */
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

    /** How many calls have been given a number. */
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
