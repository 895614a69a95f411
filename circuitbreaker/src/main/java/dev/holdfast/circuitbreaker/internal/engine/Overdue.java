/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import org.jspecify.annotations.Nullable;

/**
 * The running calls of a count window that are slow already. Each stands where it was found to be slow, between the calls
 * that had ended by then and those that ended later, and takes a place of the window from the oldest that have ended. One
 * that has been followed by as many calls as the window holds is left behind like any other.
 *
 * <p>If as many as the minimum hang and nothing has come back since the last of them was found, for as long as a call takes
 * to be slow, those that had ended before have no place at all: what was answered before a hang says nothing of now.
 *
 * <p>Which of them ends is not known, and does not matter: they are alike. Under the window's lock.
 */
final class Overdue {
    private final int size;
    private final Thresholds thresholds;

    /** Ring of the numbers that had been given out when they were found; made for the first of them. */
    private long @Nullable [] found;

    private int first;
    private int count;
    private long last;
    private long lastAt;
    /** Calls up to this number have been silenced. */
    private long silenced;

    Overdue(int size, Thresholds thresholds) {
        this.size = size;
        this.thresholds = thresholds;
    }

    int count() {
        return count;
    }

    boolean isEnough() {
        return count >= thresholds.minimumCalls();
    }

    /** One more, found when this number was the last. */
    void add(long number, long now) {
        long[] ring = found;
        if (ring == null) {
            ring = new long[size];
            found = ring;
        }
        if (count == size) {
            remove();
        }
        ring[(first + count) % size] = number;
        count++;
        last = number;
        lastAt = now;
    }

    /** One less: the one that has been there for longest, if it has not been left behind. */
    void remove() {
        if (count > 0) {
            first = (first + 1) % size;
            count--;
        }
    }

    /** Leaves behind those that too many calls have followed by this number. */
    void forget(long number) {
        while (count > 0 && oldest(0) < number - (size - count)) {
            remove();
        }
        if (count == 0) {
            silenced = 0;
        }
    }

    /** The number at which the first was found, or this. */
    long oldest(long none) {
        long[] ring = found;
        return ring == null || count == 0 ? none : ring[first];
    }

    /** How many of the calls that have ended by this number have a place. */
    int room(long number) {
        return (int) Math.min(number - silenced, size - count);
    }

    /** When it will have been silent for long enough; never this value. */
    long silentAt(long never) {
        long at = lastAt + thresholds.slowNanos();
        return at == never ? at - 1 : at;
    }

    /** Whether anything has come back. */
    void listen(long number, long now) {
        if (isEnough() && number == last && now - lastAt >= thresholds.slowNanos()) {
            silenced = number;
        }
    }
}
