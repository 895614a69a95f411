/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.ShortLock;

/**
 * Failures without a success between them. A window of calls has no clock: with three calls a second it needs a quarter of a
 * minute to see an outage, and with a call every three seconds it may never see one. Safe for any number of threads; while
 * nothing fails, a success reads one field.
 */
final class Streak {
    /** Fewer may be chance. */
    private static final int LEAST = 5;

    private final long enoughNanos;
    private final int least;
    private final ShortLock lock = new ShortLock();

    // Written under the lock.
    private volatile int failures;
    private long since;
    private long lasted;

    /** It is enough after this time, and the fewer of {@code minimumCalls} and five failures. */
    Streak(long enoughNanos, int minimumCalls) {
        this.enoughNanos = enoughNanos;
        least = Math.min(LEAST, minimumCalls);
    }

    void succeeded() {
        if (failures != 0) {
            lock.lock();
            try {
                failures = 0;
            } finally {
                lock.unlock();
            }
        }
    }

    /** Returns whether it is enough. */
    boolean failed(long now) {
        lock.lock();
        try {
            if (failures == 0) {
                since = now;
            }
            failures = Math.min(failures, Integer.MAX_VALUE - 1) + 1;
            lasted = now - since;
            return failures >= least && lasted >= enoughNanos;
        } finally {
            lock.unlock();
        }
    }

    /** Why the breaker opens. */
    String says() {
        lock.lock();
        try {
            return "nothing but failures for " + Checks.time(lasted) + ", " + failures + " of them";
        } finally {
            lock.unlock();
        }
    }
}
