/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * The last n calls. Remembers only where the bad ones stand: each call has a number, and a bad one is in the window as long
 * as its number is among the last n.
 *
 * <p>A good call in a full window without bad ones changes nothing and writes nothing. With bad ones it takes the next
 * number, and the lock only if a bad one leaves the window. While the window fills, every call takes the lock, since
 * reaching the minimum is a decision.
 */
final class CountWindow extends Window {
    private static final long CLEAN = Long.MAX_VALUE;
    private static final long FILLING = -1;
    /** In the middle of the array: whole cache lines lie on both sides, so that readers of {@link #oldest} are not hit. */
    private static final int NUMBER = 8;

    private final int size;
    private final AtomicLongArray numbers = new AtomicLongArray(2 * NUMBER + 1);

    /**
     * The number of the oldest bad call, or {@link #CLEAN}, or {@link #FILLING}. Volatile: whoever reads it as clean is
     * ordered before the bad call that changes it. A stale number is a smaller one, and leads to the lock in vain.
     */
    private volatile long oldest = FILLING;

    /** Ring of the bad calls: number times four, plus kind. */
    private final long[] bad;

    private int first;
    private int count;
    private int failed;
    private int slow;
    private int slowFailed;

    CountWindow(int size, Thresholds thresholds) {
        super(thresholds);
        this.size = size;
        bad = new long[size];
    }

    @Override
    int good(long now) {
        long before = oldest;
        if (before == CLEAN) {
            return Thresholds.UNDECIDED;
        }
        if (before == FILLING) {
            return record(GOOD, now, 0);
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
            bad[(first + count) % size] = (number << 2) | kind;
            count++;
            change(kind, 1);
        }
        // As of this call's own number: what has ended since is not part of its verdict.
        forget(number);
        return verdict();
    }

    private void forget(long number) {
        drop(number);
        long before = CLEAN;
        if (number < size) {
            before = FILLING;
        } else if (count > 0) {
            before = bad[first] >> 2;
        }
        if (oldest != before) {
            oldest = before;
        }
    }

    /** Drops what is no longer among the last calls. */
    private void drop(long number) {
        while (count > 0 && number - (bad[first] >> 2) >= size) {
            change((int) bad[first] & (FAILED | SLOW), -1);
            first = (first + 1) % size;
            count--;
        }
    }

    private void change(int kind, int by) {
        failed += (kind & FAILED) == 0 ? 0 : by;
        slow += (kind & SLOW) == 0 ? 0 : by;
        slowFailed += kind == (FAILED | SLOW) ? by : 0;
    }

    /** How many calls have been given a number. */
    long number() {
        return numbers.get(NUMBER);
    }

    private int calls() {
        return (int) Math.min(numbers.get(NUMBER), size);
    }

    @Override
    int judge(long now) {
        forget(numbers.get(NUMBER));
        return verdict();
    }

    private int verdict() {
        return judged(calls(), failed, slow);
    }

    @Override
    Totals look(long now) {
        forget(numbers.get(NUMBER));
        return totals(calls(), failed, slow, slowFailed);
    }
}
