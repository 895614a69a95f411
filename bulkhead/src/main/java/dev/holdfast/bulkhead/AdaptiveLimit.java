/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import com.netflix.concurrency.limits.Limit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The engine of a limit that adapts: gathers samples in windows and asks an algorithm for a new limit after each. Admits
 * nobody itself, and knows no time but what it is told.
 *
 * <p>A window ends after {@value #WINDOW_NANOS} ns and {@value #MIN_SAMPLES} samples. Only what is told while at least half of
 * the limit is in use is a sample: a limit that does not bind is neither confirmed nor refuted by how calls go.
 */
final class AdaptiveLimit {
    static final long WINDOW_NANOS = 100_000_000;
    static final int MIN_SAMPLES = 10;

    private final Limit algorithm;
    private final int floor;
    private final int ceiling;

    /** Guards the window. Who does not get it leaves his sample out; a drop is never left out. */
    private final ReentrantLock lock = new ReentrantLock();

    private long startNanos;
    private int samples;
    private long sumNanos;
    private int served;
    private int mostInFlight;
    /** At first a guess on the long side: a baseline that is too short would make every call look slow. */
    private long lastMeanNanos = 1_000_000_000;
    // Set without the lock by whoever was dropped, taken with it: volatile, so that the window which ends next has it.
    private volatile boolean dropped;

    private volatile int limit;

    AdaptiveLimit(Limit algorithm, int floor, int ceiling) {
        this.algorithm = algorithm;
        this.floor = floor;
        this.ceiling = ceiling;
        limit = clamped(algorithm.getLimit());
    }

    /** The limit now. */
    int limit() {
        return limit;
    }

    /** A call that the dependency served. Returns whether the limit has changed. */
    boolean served(long now, long nanos, int inFlight) {
        return sample(now, nanos, inFlight, false);
    }

    /** A call that the dependency did not get done in time, or asked not to be sent. Returns whether the limit has changed. */
    boolean dropped(long now, int inFlight) {
        return sample(now, 0, inFlight, true);
    }

    private boolean sample(long now, long nanos, int inFlight, boolean drop) {
        if (2L * inFlight < limit) {
            return false;
        }
        if (drop) {
            dropped = true;
        }
        if (!lock.tryLock()) {
            return false;
        }
        try {
            add(now, nanos, inFlight, drop);
            return samples >= MIN_SAMPLES && now - startNanos >= WINDOW_NANOS && endWindow(now);
        } finally {
            lock.unlock();
        }
    }

    private void add(long now, long nanos, int inFlight, boolean drop) {
        if (samples == 0) {
            startNanos = now;
        }
        samples++;
        mostInFlight = Math.max(mostInFlight, inFlight);
        if (!drop) {
            served++;
            sumNanos += nanos;
        }
    }

    private boolean endWindow(long now) {
        boolean drop = dropped;
        dropped = false;
        if (served > 0) {
            // The algorithms take no time of zero.
            lastMeanNanos = Math.max(1, sumNanos / served);
        }
        // The mean of a window without anything served is the last one: a failure's own time says nothing.
        algorithm.onSample(now, lastMeanNanos, mostInFlight, drop);
        samples = 0;
        served = 0;
        sumNanos = 0;
        mostInFlight = 0;
        int before = limit;
        limit = clamped(algorithm.getLimit());
        return limit != before;
    }

    private int clamped(int wanted) {
        return Math.max(floor, Math.min(ceiling, wanted));
    }
}
