/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import dev.holdfast.internal.ShortLock;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;

/**
 * The engine of a limit that adapts: collects samples in windows, and asks a rule for a new limit after each window. Admits
 * no call itself, and has no clock.
 *
 * <p>A window ends after {@value #WINDOW_NANOS} ns and {@value #MIN_SAMPLES} samples. Calls that end while at least half of
 * the limit is in use are collected apart: the others say nothing about the limit.
 */
public final class WindowedLimit implements AdaptiveLimit {
    static final long WINDOW_NANOS = 100_000_000;
    static final int MIN_SAMPLES = 10;

    private final LimitRule rule;
    private final int floor;
    private final int ceiling;

    /** Guards rule and window. A call that does not get the lock leaves its sample out; the next call adds a missed drop. */
    private final ShortLock lock = new ShortLock();

    private final AtomicInteger missedDrops = new AtomicInteger();
    /** Calls while at least half of the limit was in use, and all others. */
    private final Samples inUse = new Samples();

    private final Samples idle = new Samples();
    private volatile int limit;

    WindowedLimit(LimitRule rule, int floor, int ceiling) {
        this.rule = rule;
        this.floor = floor;
        this.ceiling = ceiling;
        limit = clamped(rule.limit());
    }

    @Override
    public int limit() {
        return limit;
    }

    @Override
    public int decided() {
        return limit;
    }

    @Override
    public boolean isIndifferentTo(long nanos) {
        return false;
    }

    @Override
    public void served(long now, long nanos, int inFlight) {
        sample(now, nanos, inFlight, false);
    }

    @Override
    public void dropped(long now, long nanos, int inFlight, DoubleSupplier random) {
        sample(now, nanos, inFlight, true);
    }

    /** The time of a failure says nothing about the load. */
    @Override
    public void failed(long now, long nanos, int inFlight, DoubleSupplier random) {}

    @Override
    public void wanted() {}

    @Override
    public long pauseNanos(long now) {
        return 0;
    }

    @Override
    public void ceiling(int most) {
        throw new UnsupportedOperationException("the maximum of this limit is fixed");
    }

    private void sample(long now, long nanos, int inFlight, boolean drop) {
        if (!lock.tryLock()) {
            if (drop) {
                missedDrops.getAndIncrement();
            }
            return;
        }
        try {
            if (rule.isSettling(now)) {
                return;
            }
            Samples window = 2L * inFlight < limit ? idle : inUse;
            for (int missed = missedDrops.getAndSet(0); missed > 0; missed--) {
                window.add(now, nanos, rule.cost(nanos, true), inFlight, true);
            }
            window.add(now, nanos, rule.cost(nanos, drop), inFlight, drop);
            if (window.count() >= MIN_SAMPLES && window.lastedNanos() >= WINDOW_NANOS) {
                end(window);
            }
        } finally {
            lock.unlock();
        }
    }

    private void end(Samples window) {
        long now = window.endNanos();
        rule.heed(window, window == inUse);
        window.clear();
        if (rule.isSettling(now)) {
            inUse.clear();
            idle.clear();
        }
        limit = clamped(rule.limit());
    }

    private int clamped(int wanted) {
        return Math.max(floor, Math.min(ceiling, wanted));
    }
}
