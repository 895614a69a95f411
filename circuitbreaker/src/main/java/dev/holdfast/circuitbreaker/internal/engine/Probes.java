/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import dev.holdfast.internal.ShortLock;

/**
 * The permits of one half-open life. A permit is free, out, or used up by a result. A permit that has been out for the lease
 * goes to another call; then its late owner cannot give it back.
 *
 * <p>A token is the permit's place and how often it has been handed out, in the lower 32 bits of the admission's token. A
 * permit that was taken without a token belongs to the thread that took it. If that thread gives a permit back, its permit
 * is free at once. If another thread does, the owner is not known. Then the permit that has been out for longest without a
 * token becomes free after a lease, so that no more probes run than there are permits. A report without a token, from any
 * thread, uses up one of these permits, the thread's own first. Calls take the lock only while half-open, and not if they
 * are rejected because all permits are out.
 */
final class Probes {
    /** Instead of a thread: the permit has a token. */
    static final long TRACKED = 0;

    /** The lease if a thread gives back a permit that it may not have taken, and permits have no lease of their own. */
    private static final long USUAL_LEASE = 5_000_000_000L;

    private static final int PLACE_BITS = 11;
    private static final int PLACE_MASK = (1 << PLACE_BITS) - 1;
    private static final int TURN_MASK = (1 << 21) - 1;

    /** A free permit has turn 0 before its first owner. Between two owners it has none. */
    private static final byte FREE = 0;

    private static final byte OUT = 1;
    private static final byte USED = 2;

    private final ShortLock lock = new ShortLock();
    private final byte[] states;
    private final int[] turns;

    /** The numbers of the threads that took permits without a token: a reference would keep the thread. */
    private final long[] owners;

    /** The end of each permit's lease, if it is {@link #leased}. */
    private final long[] until;

    private final boolean[] leased;
    private final long leaseNanos;

    /**
     * Whether a call would find no permit. Written under the lock, read without: volatile, so that calls see a freed permit.
     */
    private volatile boolean allOut;

    /** When the first lease of the permits that are out ends. Volatile for the same reader, and written before. */
    private volatile long nextEnd;

    /** Whether there is such a moment. Volatile for the same reason. */
    private volatile boolean ends;

    /** With a lease of 0, a permit stays with its owner without end. */
    Probes(int permits, long leaseNanos) {
        states = new byte[permits];
        turns = new int[permits];
        owners = new long[permits];
        until = new long[permits];
        leased = new boolean[permits];
        this.leaseNanos = leaseNanos;
    }

    /** The number of permits. */
    int permits() {
        return states.length;
    }

    /** A token, or 0 if all are out. {@code thread} is a thread that will not return the token, or {@link #TRACKED}. */
    int take(long now, long thread) {
        if (allOut && !(ends && now - nextEnd >= 0)) {
            return 0;
        }
        lock.lock();
        try {
            int place = free(now);
            return place < 0 ? 0 : give(place, now, thread);
        } finally {
            lock.unlock();
        }
    }

    private int give(int place, long now, long thread) {
        states[place] = OUT;
        owners[place] = thread;
        leased[place] = leaseNanos > 0;
        until[place] = now + leaseNanos;
        turns[place] = (turns[place] + 1) & TURN_MASK;
        return (turns[place] << PLACE_BITS) | (place + 1);
    }

    private int free(long now) {
        int next = -1;
        boolean out = false;
        for (int i = 0; i < states.length; i++) {
            if (states[i] == FREE) {
                return i;
            }
            out |= states[i] == OUT;
        }
        for (int i = 0; i < states.length; i++) {
            // All are used up without a verdict: something has gone wrong, and must not shut the breaker for ever.
            boolean candidate = leased[i] && (!out || states[i] == OUT);
            if (candidate && (next < 0 || until[i] - until[next] < 0)) {
                next = i;
            }
        }
        if (next >= 0 && now - until[next] >= 0) {
            return next;
        }
        ends = next >= 0;
        nextEnd = next >= 0 ? until[next] : now;
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

    /** This thread gives a permit back without a token. */
    void releaseUntracked(long now, long thread) {
        lock.lock();
        try {
            int place = untracked(thread);
            if (place >= 0 && owners[place] == thread) {
                leave(place, FREE);
            } else if (place >= 0 && !leased[place]) {
                leased[place] = true;
                until[place] = now + USUAL_LEASE;
                allOut = false;
            }
        } finally {
            lock.unlock();
        }
    }

    /** This thread has reported without a token. */
    void usedUntracked(long thread) {
        lock.lock();
        try {
            int place = untracked(thread);
            if (place >= 0) {
                leave(place, USED);
            }
        } finally {
            lock.unlock();
        }
    }

    /** A permit that this thread, or another one, took without a token; preferably one without a lease. */
    private int untracked(long thread) {
        int others = -1;
        for (int i = 0; i < states.length; i++) {
            if (states[i] != OUT || owners[i] == TRACKED) {
                continue;
            }
            if (owners[i] == thread) {
                return i;
            }
            if (others < 0 || (leased[others] && !leased[i])) {
                others = i;
            }
        }
        return others;
    }

    private void leave(int place, byte state) {
        states[place] = state;
        allOut = false;
    }
}
