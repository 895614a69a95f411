/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The permits of one half-open life. A permit is free, out, or used up by a result; one that has been out for the lease goes
 * to another call, and its late owner gives nothing back any more.
 *
 * <p>A token is the permit's place and how often it has been handed out, in the lower 32 bits of the admission's token.
 * Permits that were taken without a token have no owner: whoever gives one back or reports, without a token, frees one of
 * these, and nothing if there is none. Under a lock that calls take only while half-open, and not
 * to be turned away while all permits are out.
 */
final class Probes {
    private static final int PLACE_BITS = 11;
    private static final int PLACE_MASK = (1 << PLACE_BITS) - 1;
    private static final int TURN_MASK = (1 << 21) - 1;

    /** A free permit has turn 0 before its first owner, and no owner between two. */
    private static final byte FREE = 0;

    private static final byte OUT = 1;
    private static final byte OUT_UNTRACKED = 2;
    private static final byte USED = 3;

    private final ReentrantLock lock = new ReentrantLock();
    private final byte[] states;
    private final int[] turns;
    private final long[] since;
    private final long leaseNanos;

    /** Written under the lock, read without: whether a call would find nothing. Volatile, so that it sees what freed one. */
    private volatile boolean allOut;

    /** When the first of the permits that are out may be taken away. Volatile for the same reader, and written before. */
    private volatile long nextEnd;

    /** With a lease of 0 a permit is waited for without end. */
    Probes(int permits, long leaseNanos) {
        states = new byte[permits];
        turns = new int[permits];
        since = new long[permits];
        this.leaseNanos = leaseNanos;
    }

    /** A token, or 0 if all are out. */
    int take(long now, boolean tracked) {
        if (allOut && !(leaseNanos > 0 && now - nextEnd >= 0)) {
            return 0;
        }
        lock.lock();
        try {
            int place = free(now);
            return place < 0 ? 0 : give(place, now, tracked ? OUT : OUT_UNTRACKED);
        } finally {
            lock.unlock();
        }
    }

    private int give(int place, long now, byte state) {
        states[place] = state;
        since[place] = now;
        turns[place] = (turns[place] + 1) & TURN_MASK;
        return (turns[place] << PLACE_BITS) | (place + 1);
    }

    private int free(long now) {
        int longest = -1;
        for (int i = 0; i < states.length; i++) {
            if (states[i] == FREE) {
                return i;
            }
            if (states[i] != USED && (longest < 0 || since[i] - since[longest] < 0)) {
                longest = i;
            }
        }
        if (leaseNanos > 0 && longest >= 0 && now - since[longest] >= leaseNanos) {
            return longest;
        }
        // Without one that is out all are used up, and the verdict is about to be known.
        nextEnd = (longest < 0 ? now : since[longest]) + leaseNanos;
        allOut = true;
        return -1;
    }

    /** The owner gives its permit back. */
    void release(int token) {
        end(token, FREE);
    }

    /** The owner has reported. */
    void used(int token) {
        end(token, USED);
    }

    private void end(int token, byte state) {
        lock.lock();
        try {
            int place = (token & PLACE_MASK) - 1;
            if (states[place] == OUT && turns[place] == token >>> PLACE_BITS) {
                leave(place, state);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Somebody without a token gives a permit back. */
    void releaseUntracked() {
        endUntracked(FREE);
    }

    /** Somebody without a token has reported. */
    void usedUntracked() {
        endUntracked(USED);
    }

    private void endUntracked(byte state) {
        lock.lock();
        try {
            int place = 0;
            while (place < states.length && states[place] != OUT_UNTRACKED) {
                place++;
            }
            if (place < states.length) {
                leave(place, state);
            }
        } finally {
            lock.unlock();
        }
    }

    private void leave(int place, byte state) {
        states[place] = state;
        allOut = false;
    }
}
