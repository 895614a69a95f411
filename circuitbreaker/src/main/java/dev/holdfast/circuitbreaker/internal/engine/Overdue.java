/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import org.jspecify.annotations.Nullable;

/**
 * The overdue calls of a count window. An overdue call stands where it was found, between the calls that had ended by then
 * and those that ended later. It takes the place of the oldest call that has ended. When as many calls as the window holds
 * have followed it, it leaves the window like any other call.
 *
 * <p>If as many calls as the minimum hang, and nothing has come back for the slow-call duration since the last of them was
 * found, the calls that had ended before lose their places: results from before a hang say nothing about now.
 *
 * <p>Which of the overdue calls ends is not known, and does not matter: they are alike. Under the window's lock.
 */
final class Overdue {
    private final int size;
    private final Thresholds thresholds;

    /** Ring of the highest call numbers at the times when they were found; made for the first overdue call. */
    private long @Nullable [] found;

    private int first;
    private int count;
    private long last;
    private long lastAt;
    /** Calls up to this number are silenced. */
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

    /** Adds an overdue call, found when this number was the last. */
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

    /** Removes the overdue call that has been there for longest, if it has not left the window. */
    void remove() {
        if (count > 0) {
            first = (first + 1) % size;
            count--;
        }
    }

    /** Removes the overdue calls that too many calls, up to this number, have followed. */
    void forget(long number) {
        while (count > 0 && oldest(0) < number - (size - count)) {
            remove();
        }
        if (count == 0) {
            silenced = 0;
        }
    }

    /** The number at which the first was found, or {@code none}. */
    long oldest(long none) {
        long[] ring = found;
        return ring == null || count == 0 ? none : ring[first];
    }

    /** How many of the calls that have ended, up to this number, keep a place. */
    int room(long number) {
        return (int) Math.min(number - silenced, size - count);
    }

    /** When the silence will be long enough; never the value {@code never}. */
    long silentAt(long never) {
        long at = lastAt + thresholds.slowNanos();
        return at == never ? at - 1 : at;
    }

    /** Checks whether anything has come back. */
    void listen(long number, long now) {
        if (isEnough() && number == last && now - lastAt >= thresholds.slowNanos()) {
            silenced = number;
        }
    }
}
