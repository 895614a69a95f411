/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import dev.holdfast.internal.ShortLock;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How many requests there were in the last window, how many of them the dependency accepted, and how many less important ones were
 * rejected before they were sent. The latter do not count for the others: else it would cost them to reject the less important. The
 * window moves on by a slice at
 * a time, so it is up to a slice shorter than it is said to be. Has no clock: the caller passes the time. Safe for any number of
 * threads; what ends while the window moves may count in the slice before. A note is one addition.
 */
public final class Accepts {
    private static final int SLICES = 30;

    private static final int BITS = 32;
    private static final long REQUEST = 1;
    private static final long ACCEPT = 1L << BITS;
    private static final long MASK = ACCEPT - 1;

    private final long sliceNanos;
    /** Requests in the lower half, accepts in the upper: at most a million a second, for an hour. */
    private final AtomicLongArray slices = new AtomicLongArray(SLICES);

    private final AtomicLongArray lateSlices = new AtomicLongArray(SLICES);

    private final ShortLock moving = new ShortLock();
    /**
     * When slice 0 began. They are numbered from the first note on, because a clock that wraps around keeps only differences. Written
     * before {@link #current}: a thread that reads an old one locks and looks again, or notes in the current slice.
     */
    private volatile long origin;
    /** The number of the slice that is written now; less than that of any time before the first note. */
    private volatile long current = Long.MIN_VALUE;
    /** The sum of all slices but the one that is written now. */
    private volatile long past;

    private volatile long latePast;

    /** An empty window. */
    public Accepts(long windowNanos) {
        sliceNanos = windowNanos / SLICES;
    }

    /** A request that the dependency accepted. */
    public void accepted(long now) {
        note(now, REQUEST + ACCEPT);
    }

    /** A request that it did not accept, or that was not sent for that reason. */
    public void refused(long now) {
        note(now, REQUEST);
    }

    private void note(long now, long what) {
        moveOn(now);
        slices.addAndGet(index(current), what);
    }

    /** A less important request that was not sent. */
    public void refusedLate(long now) {
        moveOn(now);
        lateSlices.incrementAndGet(index(current));
    }

    /** Leaves out what is older than the window. */
    public void moveOn(long now) {
        if (slice(now) > current) {
            moving.lock();
            try {
                if (current == Long.MIN_VALUE) {
                    origin = now - Math.floorMod(now, sliceNanos);
                }
                if (slice(now) > current) {
                    moveTo(slice(now));
                }
            } finally {
                moving.unlock();
            }
        }
    }

    private long slice(long now) {
        return Math.floorDiv(now - origin, sliceNanos);
    }

    private void moveTo(long slice) {
        for (long passed = Math.max(current, slice - SLICES) + 1; passed <= slice; passed++) {
            slices.set(index(passed), 0);
            lateSlices.set(index(passed), 0);
        }
        past = sum(slices);
        latePast = sum(lateSlices);
        current = slice;
    }

    private static long sum(AtomicLongArray all) {
        long sum = 0;
        for (int i = 0; i < SLICES; i++) {
            sum += all.get(i);
        }
        return sum;
    }

    private static int index(long slice) {
        return Math.floorMod(slice, SLICES);
    }

    private long sum() {
        return past + slices.get(index(current));
    }

    private long late() {
        return latePast + lateSlices.get(index(current));
    }

    /** Requests in the window, those included that were rejected and are not less important. */
    public long requests() {
        return sum() & MASK;
    }

    /** The same, and the less important ones that were rejected. */
    public long lateRequests() {
        return requests() + late();
    }

    /** Accepted requests in the window. */
    public long accepts() {
        return sum() >>> BITS;
    }

    /**
     * The share of requests to reject: what is above so many times the accepts, of all requests and the padding. From less than 0,
     * if there is nothing to reject, to below 1.
     */
    public double share(double multiplier, int padding) {
        return share(sum(), 0, multiplier, padding);
    }

    /** The same of the less important ones, of which those count, too, that were rejected. */
    public double lateShare(double multiplier, int padding) {
        return share(sum(), late(), multiplier, padding);
    }

    private static double share(long both, long late, double multiplier, int padding) {
        long requests = (both & MASK) + late;
        return (requests - multiplier * (both >>> BITS)) / (requests + padding);
    }
}
