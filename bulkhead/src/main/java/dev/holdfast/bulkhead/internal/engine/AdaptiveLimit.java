/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The engine of a limit that adapts: collects samples in windows, and asks a rule for a new limit after each window. Admits
 * no call itself, and has no clock.
 *
 * <p>A window ends after {@value #WINDOW_NANOS} ns and {@value #MIN_SAMPLES} samples. Calls that end while at least half of
 * the limit is in use are collected apart: the others say nothing about the limit.
 */
public final class AdaptiveLimit {
    static final long WINDOW_NANOS = 100_000_000;
    static final int MIN_SAMPLES = 10;

    private final LimitRule rule;
    private final int floor;
    private final int ceiling;

    /** Guards rule and window. A call that does not get the lock leaves its sample out; the next call adds a missed drop. */
    private final ReentrantLock lock = new ReentrantLock();

    private final AtomicInteger missedDrops = new AtomicInteger();
    /** Calls while at least half of the limit was in use, and all others. */
    private final Samples inUse = new Samples();

    private final Samples idle = new Samples();
    private volatile int limit;

    AdaptiveLimit(LimitRule rule, int floor, int ceiling) {
        this.rule = rule;
        this.floor = floor;
        this.ceiling = ceiling;
        limit = clamped(rule.limit());
    }

    /** The limit now. */
    public int limit() {
        return limit;
    }

    /** A call that the dependency served. Returns whether the limit has changed. */
    public boolean served(long now, long nanos, int inFlight) {
        return sample(now, nanos, inFlight, false);
    }

    /** A call that ended in a timeout or a pushback. Returns whether the limit has changed. */
    public boolean dropped(long now, long nanos, int inFlight) {
        return sample(now, nanos, inFlight, true);
    }

    private boolean sample(long now, long nanos, int inFlight, boolean drop) {
        if (!lock.tryLock()) {
            if (drop) {
                missedDrops.getAndIncrement();
            }
            return false;
        }
        try {
            if (rule.isSettling(now)) {
                return false;
            }
            Samples window = 2L * inFlight < limit ? idle : inUse;
            for (int missed = missedDrops.getAndSet(0); missed > 0; missed--) {
                window.add(now, nanos, rule.cost(nanos, true), inFlight, true);
            }
            window.add(now, nanos, rule.cost(nanos, drop), inFlight, drop);
            boolean ends = window.count() >= MIN_SAMPLES && window.lastedNanos() >= WINDOW_NANOS;
            return ends && end(window, now);
        } finally {
            lock.unlock();
        }
    }

    private boolean end(Samples window, long now) {
        rule.heed(window, window == inUse);
        window.clear();
        if (rule.isSettling(now)) {
            inUse.clear();
            idle.clear();
        }
        int before = limit;
        limit = clamped(rule.limit());
        return limit != before;
    }

    private int clamped(int wanted) {
        return Math.max(floor, Math.min(ceiling, wanted));
    }
}
