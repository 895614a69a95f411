/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import java.util.Arrays;

/**
 * How many attempts were served, by the time when they began. Keeps those of about twice the time that an attempt takes at most, and
 * none if nothing limits it. Not for several threads at once.
 */
final class ServedByBegin {
    private static final int SLOTS = 16;
    private static final long NONE = Long.MIN_VALUE / 2;

    private final int[] served = new int[SLOTS];
    /** 0: nothing limits an attempt. */
    private long slotNanos;
    /** The number of the last slot. */
    private long newest = NONE;

    /** An attempt takes this long at most. */
    void attemptLimit(long nanos) {
        slotNanos = nanos == Long.MAX_VALUE ? 0 : Math.max(1, nanos / (SLOTS / 2));
        newest = NONE;
    }

    void add(long beganAt, int attempts) {
        if (slotNanos != 0) {
            long slot = Math.floorDiv(beganAt, slotNanos);
            if (slot > newest) {
                goOnTo(slot);
            }
            if (newest - slot < SLOTS) {
                served[Math.floorMod(slot, SLOTS)] += attempts;
            }
        }
    }

    private void goOnTo(long slot) {
        if (slot - newest >= SLOTS) {
            Arrays.fill(served, 0);
        } else {
            for (long i = newest + 1; i <= slot; i++) {
                served[Math.floorMod(i, SLOTS)] = 0;
            }
        }
        newest = slot;
    }

    /** Those that began clearly after this time: not in the same slot. */
    int since(long time) {
        int all = 0;
        if (slotNanos != 0) {
            long first = Math.max(Math.floorDiv(time, slotNanos) + 1, newest - SLOTS + 1);
            for (long slot = first; slot <= newest; slot++) {
                all += served[Math.floorMod(slot, SLOTS)];
            }
        }
        return all;
    }
}
